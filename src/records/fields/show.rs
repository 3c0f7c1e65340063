//! Columns as JSON.

use mito_database::Value as Stored;
use serde_json::{Number, Value, json};

use crate::{
    Field,
    fields::{FieldKind, Storage},
};

/// The largest integer that a JSON number holds exactly, 2⁵³.
const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_992.0;

/// The JSON of a stored value.
pub(crate) fn show(field: &Field, stored: &Stored) -> Value {
    match (field.storage(), stored) {
        (Storage::Text, Stored::Text(text)) => Value::String(text.clone()),
        (Storage::Text, _) => Value::String(String::new()),
        (Storage::Number, Stored::Real(real)) => number(*real),
        (Storage::Number, Stored::Integer(integer)) => Value::from(*integer),
        (Storage::Number, _) => Value::from(0),
        (Storage::Bool, stored) => {
            Value::Bool(matches!(stored, Stored::Integer(flag) if *flag != 0))
        }
        (Storage::List, Stored::Text(text)) => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::Array(Vec::new()))
        }
        (Storage::List, _) => Value::Array(Vec::new()),
        (Storage::Json, stored) => match (json(stored), field.kind_of()) {
            (Value::Null, Some(FieldKind::GeoPoint)) => json!({"lon": 0, "lat": 0}),
            (json, _) => json,
        },
    }
}

/// What a column holds. Those of views hold whatever their query makes.
fn json(stored: &Stored) -> Value {
    match stored {
        Stored::Text(text) => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
        }
        Stored::Integer(integer) => Value::from(*integer),
        Stored::Real(real) => number(*real),
        Stored::Null | Stored::Blob(_) => Value::Null,
    }
}

/// A number without a fraction where it has none, as JavaScript would write it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "checked to be whole and small"
)]
pub(crate) fn number(real: f64) -> Value {
    if real.fract() == 0.0 && real.abs() < MAX_EXACT_INTEGER {
        return Value::from(real as i64);
    }
    Number::from_f64(real).map_or(Value::from(0), Value::Number)
}
