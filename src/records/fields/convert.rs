//! Values from outside as columns. Nothing is refused here: what does not fit becomes empty, as in
//! PocketBase, and [`check`](super::check) judges the result.

use mito_database::Value as Stored;
use serde_json::{Value, json};

use crate::{
    Field,
    fields::{FieldKind, Storage, cast, dates, show},
};

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
    // Read into a value, not skipped over: the text must be readable when the record is shown.
    starts && serde_json::from_str::<Value>(text).is_ok()
}

/// One coordinate that is no number makes all of them zero.
fn geo_point(value: &Value) -> Stored {
    let of_text;
    let members = match value {
        Value::String(text) => {
            of_text = serde_json::from_str::<Value>(text).unwrap_or_default();
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
