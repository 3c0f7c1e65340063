//! JSON from outside as the plain kinds of values, by PocketBase's rules: nothing is an error here,
//! what does not fit becomes empty, zero or false.

use std::borrow::Cow;

use serde_json::Value;

/// The most values of one list that are looked at; fields allow fewer.
const MAX_ITEMS: usize = 100_000;

/// The text of a plain value; empty for lists and objects.
pub(crate) fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Bool(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
        // Numbers are read as doubles and written without an exponent.
        Value::Number(number) => Cow::Owned(number.as_f64().unwrap_or_default().to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Cow::Borrowed(""),
    }
}

/// The number of a value; zero for what is none. May be infinite or no number at all, when a text
/// says so.
pub(crate) fn number(value: &Value) -> f64 {
    let number = match value {
        Value::Number(number) => number.as_f64().unwrap_or_default(),
        Value::String(text) => number_of_text(text),
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::Null | Value::Array(_) | Value::Object(_) => 0.0,
    };
    // Minus zero is shown as zero.
    number + 0.0
}

fn number_of_text(text: &str) -> f64 {
    let plain: Cow<'_, str> = if text.contains('_') && separates_digits(text) {
        Cow::Owned(text.replace('_', ""))
    } else {
        Cow::Borrowed(text)
    };
    match plain.parse::<f64>() {
        // Digits beyond the range of doubles are no number; a word for infinity is one.
        Ok(number) if number.is_infinite() && plain.contains(|c: char| c.is_ascii_digit()) => 0.0,
        Ok(number) => number,
        Err(_) => 0.0,
    }
}

fn separates_digits(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_digit = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    bytes.iter().enumerate().all(|(at, byte)| {
        *byte != b'_' || (is_digit(at.checked_sub(1)) && is_digit(at.checked_add(1)))
    })
}

/// Whether a value says yes.
pub(crate) fn flag(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        Value::String(text) => matches!(text.as_str(), "true" | "TRUE" | "True" | "t" | "T" | "1"),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// The distinct, non-empty texts of a list, of the JSON text of a list of texts, or of a single
/// value.
pub(crate) fn list(value: &Value) -> Vec<String> {
    let mut distinct = Vec::new();
    match value {
        Value::Array(items) => {
            for item in items.iter().take(MAX_ITEMS) {
                add(&mut distinct, text(item));
            }
        }
        Value::String(single) => match list_of_text(single) {
            Some(items) => {
                for item in items.into_iter().take(MAX_ITEMS) {
                    add(&mut distinct, Cow::Owned(item));
                }
            }
            None => add(&mut distinct, Cow::Borrowed(single)),
        },
        single => add(&mut distinct, text(single)),
    }
    distinct
}

fn list_of_text(text: &str) -> Option<Vec<String>> {
    if !text.starts_with('[') {
        return None;
    }
    let items: Vec<Option<String>> = serde_json::from_str(text).ok()?;
    Some(items.into_iter().map(Option::unwrap_or_default).collect())
}

/// Lists are short once fields have checked them, but not before: a long one of distinct values is
/// not compared with itself.
fn add(distinct: &mut Vec<String>, item: Cow<'_, str>) {
    const MAX_COMPARED: usize = 2_000;
    if item.is_empty() || distinct.len() > MAX_COMPARED {
        return;
    }
    if !distinct.iter().any(|known| *known == *item) {
        distinct.push(item.into_owned());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_and_numbers() {
        for (value, as_text, as_number) in [
            (json!(null), "", 0.0),
            (json!(5.5), "5.5", 5.5),
            (json!(1e21), "1000000000000000000000", 1e21),
            (json!(1e-7), "0.0000001", 1e-7),
            (json!(-0.0), "-0", 0.0),
            (
                json!(123_456_789_012_345_678_i64),
                "123456789012345680",
                123_456_789_012_345_680.0,
            ),
            (json!(true), "true", 1.0),
            (json!(["a"]), "", 0.0),
            (json!("1_000"), "1_000", 1_000.0),
            (json!("_1"), "_1", 0.0),
            (json!(" 5"), " 5", 0.0),
            (json!("+5"), "+5", 5.0),
            (json!("1."), "1.", 1.0),
            (json!("0x10"), "0x10", 0.0),
            (json!("1e400"), "1e400", 0.0),
            (json!("99999999999999999999"), "99999999999999999999", 1e20),
        ] {
            assert_eq!(text(&value), as_text);
            assert!((number(&value) - as_number).abs() < f64::EPSILON, "{value}");
        }
        assert!(number(&json!("-inf")).is_infinite() && number(&json!("NaN")).is_nan());
    }

    #[test]
    fn lists() {
        for (value, expected) in [
            (json!(null), &[][..]),
            (
                json!(["b", "a", "b", "", null, 1, true, ["x"]]),
                &["b", "a", "1", "true"],
            ),
            (json!("[\"a\",\"b\"]"), &["a", "b"]),
            (json!("[1,2]"), &["[1,2]"]),
            (json!("[]"), &[]),
            (json!("a,b"), &["a,b"]),
            (json!({"a": 1}), &[]),
            (json!(5), &["5"]),
        ] {
            assert_eq!(list(&value), expected, "{value}");
        }
        let long: Vec<String> = (0..50_000).map(|number| number.to_string()).collect();
        assert!(
            list(&json!(long)).len() < 3_000,
            "long lists are cut, not compared"
        );
    }
}
