//! Rows of theirs as rows of ours. Both hold a text as it is, lists and JSON as JSON texts; what an
//! older version, a hand or a program left in another form is brought into it.

use mito_database::{Row, Value as Stored};
use serde_json::Value;

use crate::{
    Collection, Field,
    fields::{FieldKind, Storage, convert},
};

/// A row on its way in.
pub(super) struct Incoming {
    /// The id of the record.
    pub(super) id: String,
    /// The values of the collection's fields, in their order.
    pub(super) values: Vec<Stored>,
    /// What was brought into another form, and why.
    pub(super) changed: Vec<String>,
}

/// The row that a row of theirs makes; the error says why it makes none.
pub(super) fn incoming(collection: &Collection, row: &Row) -> Result<Incoming, String> {
    let mut incoming = Incoming {
        id: row.get("id").map_err(|error| error.to_string())?,
        values: Vec::with_capacity(collection.fields.len()),
        changed: Vec::new(),
    };
    if incoming.id.is_empty() {
        return Err("it has no id".to_owned());
    }
    for field in &collection.fields {
        // A field of ours that they do not have stays empty.
        let found = row.get::<Stored>(&field.name).unwrap_or(Stored::Null);
        let (value, problem) = value(field, found);
        if let Some(problem) = problem {
            incoming.changed.push(format!("{}: {problem}", field.name));
        }
        incoming.values.push(value);
    }
    Ok(incoming)
}

/// The names of the files that a row has in a field.
pub(super) fn file_names(field: &Field, value: &Stored) -> Vec<String> {
    if field.kind_of() == Some(FieldKind::File) {
        convert::values(field, value)
    } else {
        Vec::new()
    }
}

fn value(field: &Field, found: Stored) -> (Stored, Option<&'static str>) {
    let Some(found) = as_text(found) else {
        return (convert::blank(field), Some("bytes are left out"));
    };
    let found = match found {
        Stored::Null => return (convert::blank(field), None),
        found => found,
    };
    match (field.storage(), found) {
        (Storage::Text, Stored::Text(text)) => (last_of_list(field, text), None),
        (Storage::Text, Stored::Integer(number)) => (Stored::Text(number.to_string()), None),
        (Storage::Text, Stored::Real(number)) => (Stored::Text(number.to_string()), None),
        (Storage::Number, found) => number(found),
        (Storage::Bool, found) => {
            let set = match &found {
                Stored::Integer(flag) => *flag != 0,
                Stored::Real(flag) => *flag != 0.0,
                Stored::Text(text) => matches!(text.as_str(), "true" | "1" | "TRUE"),
                Stored::Null | Stored::Blob(_) => false,
            };
            (Stored::Integer(i64::from(set)), None)
        }
        (Storage::List, found) => (list(found), None),
        (Storage::Json, found) => json(field, found),
        (Storage::Text, Stored::Null | Stored::Blob(_)) => (convert::blank(field), None),
    }
}

/// Bytes that are UTF-8 are the text that they spell; `None` for others.
fn as_text(found: Stored) -> Option<Stored> {
    match found {
        Stored::Blob(bytes) => String::from_utf8(bytes).ok().map(Stored::Text),
        // PostgreSQL holds no text with a NUL, and none of ours has one.
        Stored::Text(text) if text.contains('\0') => Some(Stored::Text(text.replace('\0', ""))),
        found => Some(found),
    }
}

/// Of a list in a field for one value, the last counts.
fn last_of_list(field: &Field, text: String) -> Stored {
    let holds_choices = matches!(
        field.kind_of(),
        Some(FieldKind::Select | FieldKind::File | FieldKind::Relation)
    );
    if holds_choices
        && text.starts_with('[')
        && let Ok(values) = serde_json::from_str::<Vec<String>>(&text)
    {
        return Stored::Text(values.into_iter().next_back().unwrap_or_default());
    }
    Stored::Text(text)
}

fn list(found: Stored) -> Stored {
    let text = match found {
        Stored::Text(text) => text,
        Stored::Integer(number) => number.to_string(),
        Stored::Real(number) => number.to_string(),
        Stored::Null | Stored::Blob(_) => String::new(),
    };
    let values: Vec<Value> = match serde_json::from_str(&text) {
        Ok(Value::Array(values)) => values,
        _ if text.is_empty() => Vec::new(),
        _ => vec![Value::String(text)],
    };
    let texts = values.into_iter().map(|value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    });
    Stored::Text(Value::from(texts.collect::<Vec<_>>()).to_string())
}

fn number(found: Stored) -> (Stored, Option<&'static str>) {
    match found {
        #[expect(
            clippy::cast_precision_loss,
            reason = "their API shows numbers as floats too"
        )]
        Stored::Integer(number) => (Stored::Real(number as f64), None),
        Stored::Real(number) => (Stored::Real(number), None),
        Stored::Text(text) => match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => (Stored::Real(number), None),
            _ if text.is_empty() => (Stored::Real(0.0), None),
            _ => (Stored::Real(0.0), Some("a text that is no number became 0")),
        },
        Stored::Null | Stored::Blob(_) => (Stored::Real(0.0), None),
    }
}

/// A JSON column of theirs turns texts that are numbers into numbers.
fn json(field: &Field, found: Stored) -> (Stored, Option<&'static str>) {
    let text = match found {
        Stored::Integer(number) => number.to_string(),
        Stored::Real(number) => Value::from(number).to_string(),
        Stored::Text(text) => text,
        Stored::Null | Stored::Blob(_) => String::new(),
    };
    if text.is_empty() || text == "null" {
        return (convert::blank(field), None);
    }
    if serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok() {
        return (Stored::Text(text), None);
    }
    if field.kind_of() == Some(FieldKind::GeoPoint) {
        let problem = "what is no point became the point 0, 0";
        return (convert::blank(field), Some(problem));
    }
    let text = Value::String(text).to_string();
    (Stored::Text(text), Some("what is no JSON became a text"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn field(kind: &str, options: Value) -> Field {
        let mut field = json!({"id": "f", "name": "f", "type": kind});
        for (name, option) in options.as_object().unwrap() {
            field[name] = option.clone();
        }
        serde_json::from_value(field).unwrap()
    }

    #[test]
    fn values_keep_what_they_say() {
        let text = |text: &str| Stored::Text(text.to_owned());
        let check = |kind: &str, options: Value, found: Stored, expected: Stored| {
            let shown = format!("{kind} {found:?}");
            assert_eq!(value(&field(kind, options), found).0, expected, "{shown}");
        };
        let (one, many) = (json!({"maxSelect": 1}), json!({"maxSelect": 3}));
        let none = || json!({});
        check("text", none(), text("a"), text("a"));
        check("text", none(), text("a\0b"), text("ab"));
        check("text", none(), Stored::Null, text(""));
        check("text", none(), Stored::Integer(7), text("7"));
        check("text", none(), Stored::Blob(b"abc".to_vec()), text("abc"));
        check("number", none(), Stored::Integer(7), Stored::Real(7.0));
        check("number", none(), text("7.5"), Stored::Real(7.5));
        check("number", none(), text("x"), Stored::Real(0.0));
        check("bool", none(), Stored::Integer(1), Stored::Integer(1));
        check("bool", none(), text("true"), Stored::Integer(1));
        check("select", one.clone(), text("a"), text("a"));
        check("select", one, text(r#"["a","b"]"#), text("b"));
        check(
            "select",
            many.clone(),
            text(r#"["a","b"]"#),
            text(r#"["a","b"]"#),
        );
        check("select", many.clone(), text("a"), text(r#"["a"]"#));
        check("relation", many.clone(), text(""), text("[]"));
        check("file", many, Stored::Null, text("[]"));
        check("json", none(), Stored::Integer(1), text("1"));
        check("json", none(), text(r#"{"a":1}"#), text(r#"{"a":1}"#));
        check("json", none(), text("oops"), text(r#""oops""#));
        check("json", none(), Stored::Null, Stored::Null);
        let point = r#"{"lon":1.5,"lat":2}"#;
        check("geoPoint", none(), text(point), text(point));
    }

    #[test]
    fn what_is_brought_into_another_form_is_told() {
        let check = |kind: &str, found: Stored, told: bool| {
            assert_eq!(value(&field(kind, json!({})), found).1.is_some(), told);
        };
        check("number", Stored::Text("x".to_owned()), true);
        check("number", Stored::Text(String::new()), false);
        check("json", Stored::Text("oops".to_owned()), true);
        check("text", Stored::Blob(vec![0xff]), true);
    }
}
