//! Values of bodies: JSON whose names are not given twice, and texts of forms.

use std::fmt;

use mito_records::Record;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use url::form_urlencoded;

/// The name of the part of a form that holds JSON.
pub(crate) const JSON_PAYLOAD: &str = "@jsonPayload";

/// The most values of a form.
pub(crate) const MAX_FORM_VALUES: usize = 10_000;

/// JSON in which no object has a name twice: two readers of the same text could otherwise see two
/// different requests. No deeper than 128 levels, which `serde_json` sees to.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Strict(member))) = members.next_entry::<String, Strict>()? {
            if object.insert(name, member).is_some() {
                return Err(A::Error::custom("a name stands twice in an object"));
            }
        }
        Ok(Value::Object(object))
    }
}

/// The object that a JSON text is; `null` is an empty one. `None` for all other texts.
pub(crate) fn object(json: &[u8]) -> Option<Record> {
    match serde_json::from_slice::<Strict>(json).ok()?.0 {
        Value::Object(members) => Some(members),
        Value::Null => Some(Record::new()),
        _ => None,
    }
}

/// The values of a form, as they come in.
#[derive(Debug, Default)]
pub(crate) struct FormValues {
    texts: Map<String, Value>,
    payload: Record,
    count: usize,
}

impl FormValues {
    /// Takes one value in; `false` when it is JSON and cannot be read, or one too many.
    pub(crate) fn add(&mut self, name: &str, text: &str) -> bool {
        self.count += 1;
        if self.count > MAX_FORM_VALUES {
            return false;
        }
        if name == JSON_PAYLOAD {
            let Some(payload) = object(text.as_bytes()) else {
                return false;
            };
            self.payload.extend(payload);
            return true;
        }
        let value = infer(text);
        match self.texts.get_mut(name) {
            None => {
                self.texts.insert(name.to_owned(), value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => {
                let values = vec![first.take(), value];
                *first = Value::Array(values);
            }
        }
        true
    }

    /// A value that is known so far.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.payload.get(name).or_else(|| self.texts.get(name))
    }

    /// All values; what JSON says counts more than what texts say.
    pub(crate) fn finish(self) -> Record {
        let mut record = self.texts;
        record.extend(self.payload);
        record
    }
}

/// The values of a form in `application/x-www-form-urlencoded`.
pub(crate) fn urlencoded(bytes: &[u8]) -> Option<Record> {
    if bytes.contains(&b';') || !escapes_are_whole(bytes) {
        return None;
    }
    let mut values = FormValues::default();
    for (name, text) in form_urlencoded::parse(bytes) {
        if !values.add(&name, &text) {
            return None;
        }
    }
    Some(values.finish())
}

/// Every `%` begins two hexadecimal digits.
fn escapes_are_whole(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().all(|(at, byte)| {
        *byte != b'%'
            || bytes
                .get(at + 1..at + 3)
                .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// What a text of a form stands for: a flag, a number that would be written the same, or itself.
fn infer(text: &str) -> Value {
    match text {
        "true" => return Value::Bool(true),
        "false" => return Value::Bool(false),
        _ => {}
    }
    let begins = text.starts_with(|first: char| first.is_ascii_digit() || first == '-');
    let number = text.parse::<f64>().ok().filter(|_| begins);
    match number {
        Some(number) if number.to_string() == text => match text.parse::<i64>() {
            Ok(whole) => Value::from(whole),
            Err(_) => Number::from_f64(number).map_or_else(|| text.into(), Value::Number),
        },
        _ => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_read_strictly() {
        for (text, expected) in [
            (
                "{\"a\":[1,{\"b\":null}]}",
                Some(json!({"a": [1, {"b": null}]})),
            ),
            ("null", Some(json!({}))),
            ("", None),
            ("[]", None),
            ("{}x", None),
            ("{\"a\":1,\"a\":2}", None),
            ("{\"a\":{\"b\":1,\"b\":1}}", None),
            ("{\"a\":1e999}", None),
            ("{\"a\":\"\\ud800\"}", None),
            ("{\"a\":1,}", None),
        ] {
            let read = object(text.as_bytes()).map(Value::Object);
            assert_eq!(read, expected, "{text}");
        }
        assert_eq!(object(b"{\"a\":\"\xff\"}"), None);
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(object(deep.as_bytes()), None);
    }

    #[test]
    fn forms_are_typed() {
        for (form, expected) in [
            ("a=1&a=2&b=x", Some(json!({"a": [1, 2], "b": "x"}))),
            (
                "a=true&b=05&c=-5&d=1.50&e=1.5&f=1e3",
                Some(json!({"a": true, "b": "05", "c": -5, "d": "1.50", "e": 1.5, "f": "1e3"})),
            ),
            (
                "a=12345678901234567890",
                Some(json!({"a": "12345678901234567890"})),
            ),
            (
                "a=NaN&b=-inf&c=",
                Some(json!({"a": "NaN", "b": "-inf", "c": ""})),
            ),
            (
                "a=x&%40jsonPayload={\"a\":\"p\",\"n\":1}",
                Some(json!({"a": "p", "n": 1})),
            ),
            ("%40jsonPayload=xx", None),
            ("a=%ff", Some(json!({"a": "\u{fffd}"}))),
            ("a=%zz", None),
            ("a=%2", None),
            ("a=1;b=2", None),
            ("n%2B=5&=x", Some(json!({"n+": 5, "": "x"}))),
        ] {
            assert_eq!(
                urlencoded(form.as_bytes()).map(Value::Object),
                expected,
                "{form}"
            );
        }
        let many = "a=1&".repeat(MAX_FORM_VALUES + 1);
        assert_eq!(urlencoded(many.as_bytes()), None);
    }
}
