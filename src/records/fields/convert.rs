//! Values from outside as columns. Nothing is refused here: what does not fit becomes empty, as in
//! PocketBase, and [`check`](super::check) judges the result.

use std::fmt;

use mito_database::Value as Stored;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Value, json};

use crate::{
    Field,
    fields::{FieldKind, Storage, cast, dates, show},
};

/// The longest text of a point, in bytes.
const MAX_POINT_BYTES: usize = 10_000;

/// The column of a field that nothing was said about.
pub(crate) fn blank(field: &Field) -> Stored {
    match (field.kind_of(), field.storage()) {
        (Some(FieldKind::GeoPoint), _) => point(0.0, 0.0),
        (_, Storage::Text) => Stored::Text(String::new()),
        (_, Storage::Number) => Stored::Real(0.0),
        (_, Storage::Bool) => Stored::Integer(0),
        (_, Storage::List) => Stored::Text("[]".to_owned()),
        (_, Storage::Json) => Stored::Null,
    }
}

/// The column that `value` makes in a field.
pub(crate) fn convert(field: &Field, value: &Value) -> Stored {
    match field.kind_of() {
        Some(FieldKind::Number) => Stored::Real(cast::number(value)),
        Some(FieldKind::Bool) => Stored::Integer(i64::from(cast::flag(value))),
        Some(FieldKind::Date | FieldKind::Autodate) => date(value),
        Some(FieldKind::Select | FieldKind::Relation | FieldKind::File) => {
            list(field, cast::list(value))
        }
        Some(FieldKind::Json) => json_text(value),
        Some(FieldKind::GeoPoint) => geo_point(value),
        Some(
            FieldKind::Text
            | FieldKind::Editor
            | FieldKind::Email
            | FieldKind::Url
            | FieldKind::Password,
        )
        | None => Stored::Text(cast::text(value).into_owned()),
    }
}

/// The column of these values: all of them, or the last one where the field holds one.
pub(crate) fn list(field: &Field, values: Vec<String>) -> Stored {
    if field.storage() == Storage::List {
        return Stored::Text(Value::from(values).to_string());
    }
    Stored::Text(values.into_iter().next_back().unwrap_or_default())
}

/// The values of a select, relation or file column.
pub(crate) fn values(field: &Field, stored: &Stored) -> Vec<String> {
    match stored {
        Stored::Text(text) if field.storage() == Storage::List => {
            serde_json::from_str(text).unwrap_or_default()
        }
        Stored::Text(text) if !text.is_empty() => vec![text.clone()],
        _ => Vec::new(),
    }
}

fn date(value: &Value) -> Stored {
    let at = match value {
        Value::String(text) => dates::parse(text),
        _ => None,
    };
    Stored::Text(at.map(dates::format_utc).unwrap_or_default())
}

/// A text that is JSON stands for what it says, so that forms can send more than texts.
fn json_text(value: &Value) -> Stored {
    match value {
        Value::Null => Stored::Null,
        Value::String(text) if is_json(text) => {
            if text == "null" {
                return Stored::Null;
            }
            Stored::Text(text.clone())
        }
        other => Stored::Text(other.to_string()),
    }
}

fn is_json(text: &str) -> bool {
    let starts = text
        .bytes()
        .next()
        .is_some_and(|first| !first.is_ascii_whitespace());
    starts && serde_json::from_str::<Readable>(text).is_ok()
}

/// JSON that can be read when the record is shown: no deeper, and with no other texts and numbers,
/// than `serde_json` makes values of. It makes none here, which would take many times the text.
struct Readable;

impl<'de> Deserialize<'de> for Readable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Readable {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        while members.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}

/// One coordinate that is no number makes all of them zero.
fn geo_point(value: &Value) -> Stored {
    let of_text;
    let members = match value {
        Value::String(text) => {
            let text = Some(text).filter(|text| text.len() <= MAX_POINT_BYTES);
            let read = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
            of_text = read.unwrap_or_default();
            &of_text
        }
        other => other,
    };
    let coordinate = |name: &str| match members.get(name) {
        None | Some(Value::Null) => Some(0.0),
        Some(Value::Number(number)) => number.as_f64(),
        Some(_) => None,
    };
    match (coordinate("lon"), coordinate("lat")) {
        (Some(longitude), Some(latitude)) => point(longitude, latitude),
        _ => point(0.0, 0.0),
    }
}

fn point(longitude: f64, latitude: f64) -> Stored {
    let point = json!({"lon": show::number(longitude), "lat": show::number(latitude)});
    Stored::Text(point.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_json_can_be_read() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        for (text, expected) in [
            (r#"{"a":[1,-2.5e3,"x",null,true,{}]}"#, true),
            ("12", true),
            (" 12", false),
            ("", false),
            ("[1,]", false),
            ("{\"a\"}", false),
            ("1e999", false),
            (r#""\ud800""#, false),
            (deep(100).as_str(), true),
            (deep(200).as_str(), false),
        ] {
            assert_eq!(is_json(text), expected, "{text}");
            let read = serde_json::from_str::<Value>(text);
            assert!(!expected || read.is_ok(), "{text}");
        }
    }
}
