//! Values of bodies: JSON whose names are not given twice, and texts of forms.

use std::{cell::Cell, fmt};

use mito_records::Record;
use serde::{
    Deserializer,
    de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use url::form_urlencoded;

/// The name of the part of a form that holds JSON.
pub(crate) const JSON_PAYLOAD: &str = "@jsonPayload";

/// The most values of a form.
pub(crate) const MAX_FORM_VALUES: usize = 10_000;

/// What all values of a body may cost, in the size of the smallest: 2 bytes of text become a value
/// of 32, and an object has a table besides.
const MAX_COST: u32 = 1_000_000;
/// What an object costs besides its members.
const OBJECT_COST: u32 = 8;
/// What a member costs besides its value.
const MEMBER_COST: u32 = 4;

/// JSON in which no object has a name twice: two readers of the same text could otherwise see two
/// different requests. No deeper than 128 levels, which `serde_json` sees to, and of so many values
/// that they fit in the memory that a body may take.
#[derive(Clone, Copy)]
struct Strict<'a> {
    left: &'a Cell<u32>,
}

impl Strict<'_> {
    fn spend<E: serde::de::Error>(self, cost: u32) -> Result<(), E> {
        let left = self.left.get().checked_sub(cost);
        self.left
            .set(left.ok_or_else(|| E::custom("there are too many values"))?);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.spend(1)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
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
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        self.spend(OBJECT_COST)?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            self.spend(MEMBER_COST)?;
            let member = members.next_value_seed(self)?;
            if object.insert(name, member).is_some() {
                return Err(A::Error::custom("a name stands twice in an object"));
            }
        }
        Ok(Value::Object(object))
    }
}

/// The object that a JSON text is; `null` is an empty one. `None` for all other texts.
pub(crate) fn object(json: &[u8]) -> Option<Record> {
    let left = Cell::new(MAX_COST);
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let value = Strict { left: &left }.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    match value {
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
        let many = |item: &str, count: usize| {
            let items = vec![item; count].join(",");
            object(format!("{{\"a\":[{items}]}}").as_bytes()).is_some()
        };
        assert!(
            many("1", 500_000),
            "the default size of a JSON field is full"
        );
        assert!(!many("1", 1_000_000));
        assert!(many("{\"a\":1}", 50_000));
        assert!(!many("{\"a\":1}", 100_000));
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
