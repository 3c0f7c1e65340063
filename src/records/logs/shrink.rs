//! Rows that are too large are cut, not refused.

use serde_json::{Map, Value};

/// The largest `data` where the settings name no size, in bytes of JSON.
const DEFAULT_BYTES: usize = 16 * 1024;
/// Marks data of which something is missing, under PocketBase's name.
const MARK: &str = "__pb_truncated__";

/// The beginning of a text.
pub(super) fn text(mut text: String, most_bytes: usize) -> String {
    if text.len() > most_bytes {
        let end = (0..=most_bytes).rev().find(|&at| text.is_char_boundary(at));
        text.truncate(end.unwrap_or(0));
    }
    text
}

/// The members that fit, the smaller ones first, marked if some did not.
pub(super) fn data(data: Map<String, Value>, most_bytes: u32) -> Map<String, Value> {
    let most = match usize::try_from(most_bytes).unwrap_or(usize::MAX) {
        0 => DEFAULT_BYTES,
        bytes => bytes,
    };
    let member = |name: &str, value: &Value| size(value) + name.len() + 4;
    let whole: usize = data.iter().map(|(name, value)| member(name, value)).sum();
    if whole <= most {
        return data;
    }
    let mut members: Vec<(usize, String, Value)> = data
        .into_iter()
        .map(|(name, value)| (member(&name, &value), name, value))
        .collect();
    members.sort_by_key(|(size, ..)| *size);
    let mut kept = Map::new();
    kept.insert(MARK.to_owned(), true.into());
    let mut room = most;
    for (size, name, value) in members {
        if size <= room {
            room -= size;
            kept.insert(name, value);
        }
    }
    kept
}

/// About how long a value is as JSON. Texts are most of it.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 12,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => 2 + items.iter().map(|item| size(item) + 1).sum::<usize>(),
        Value::Object(members) => {
            let each = members.iter();
            2 + each
                .map(|(name, item)| name.len() + size(item) + 4)
                .sum::<usize>()
        }
    }
}
