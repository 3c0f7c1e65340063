//! The `fields` parameter: `*`, `title`, `author.name`, `body:excerpt(200,true)`.

use serde_json::{Map, Value};

/// The most fields that are looked at.
const MAX_FIELDS: usize = 100;
/// The longest path, in names.
const MAX_DEPTH: usize = 8;

/// Leaves only the given fields of an answer; all of them when none are given.
pub(crate) fn pick(value: Value, fields: &str) -> Value {
    if fields.trim().is_empty() {
        return value;
    }
    let picks = parse(fields);
    let picks: Vec<&Pick> = picks.iter().collect();
    keep(value, &picks, 0)
}

/// [`pick`] for the items of a page, whose own fields always stay.
pub(crate) fn pick_items(mut page: Value, fields: &str) -> Value {
    if let Some(items) = page.get_mut("items") {
        *items = pick(items.take(), fields);
    }
    page
}

#[derive(Debug)]
struct Pick {
    path: Vec<String>,
    excerpt: Option<Excerpt>,
}

#[derive(Clone, Copy, Debug)]
struct Excerpt {
    length: usize,
    ellipsis: bool,
}

fn parse(fields: &str) -> Vec<Pick> {
    let mut depth = 0_usize;
    let split = fields.split(|character| {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    });
    split
        .map(str::trim)
        .filter(|field| !field.is_empty())
        .take(MAX_FIELDS)
        .map(|field| {
            let (path, modifier) = field.split_once(':').unwrap_or((field, ""));
            let path = path.split('.').take(MAX_DEPTH).map(str::to_owned).collect();
            Pick {
                path,
                excerpt: excerpt(modifier),
            }
        })
        .collect()
}

fn excerpt(modifier: &str) -> Option<Excerpt> {
    let arguments = modifier.strip_prefix("excerpt(")?.strip_suffix(')')?;
    let (length, ellipsis) = arguments.split_once(',').unwrap_or((arguments, ""));
    Some(Excerpt {
        length: length.trim().parse().ok()?,
        ellipsis: matches!(ellipsis.trim(), "true" | "1"),
    })
}

fn keep(value: Value, picks: &[&Pick], depth: usize) -> Value {
    match value {
        Value::Array(items) => Value::Array(
            items
                .into_iter()
                .map(|item| keep(item, picks, depth))
                .collect(),
        ),
        Value::Object(members) => {
            let mut kept = Map::new();
            for (name, member) in members {
                if let Some(member) = keep_member(&name, member, picks, depth) {
                    kept.insert(name, member);
                }
            }
            Value::Object(kept)
        }
        other => other,
    }
}

fn keep_member(name: &str, member: Value, picks: &[&Pick], depth: usize) -> Option<Value> {
    let at = |pick: &&&Pick| pick.path.get(depth).is_some_and(|part| part == name);
    let any = |pick: &&&Pick| pick.path.get(depth).is_some_and(|part| part == "*");
    let mut matching: Vec<&Pick> = picks.iter().filter(at).copied().collect();
    if matching.is_empty() {
        matching = picks.iter().filter(any).copied().collect();
    }
    if matching.is_empty() {
        return None;
    }
    match matching.iter().find(|pick| pick.path.len() == depth + 1) {
        Some(Pick {
            excerpt: Some(excerpt),
            ..
        }) => Some(shorten(member, *excerpt)),
        Some(_) => Some(member),
        None => Some(keep(member, &matching, depth + 1)),
    }
}

/// Plain text of at most so many characters.
fn shorten(value: Value, excerpt: Excerpt) -> Value {
    let Value::String(text) = value else {
        return value;
    };
    let mut plain = String::new();
    let mut in_tag = false;
    for character in text.chars() {
        match character {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                plain.push(' ');
            }
            _ if !in_tag => plain.push(character),
            _ => {}
        }
    }
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if plain.chars().count() <= excerpt.length {
        return Value::String(plain);
    }
    let mut short: String = plain.chars().take(excerpt.length).collect();
    short.truncate(short.trim_end().len());
    if excerpt.ellipsis {
        short.push_str("...");
    }
    Value::String(short)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_asked_for_stays() {
        let check = |fields: &str, expected: Value| {
            let record =
                json!({"id": "1", "title": "<b>Hello</b>  world", "deep": {"a": 1, "b": 2}});
            assert_eq!(pick(record, fields), expected, "{fields}");
        };
        check("id", json!({"id": "1"}));
        check("deep.a,nope", json!({"deep": {"a": 1}}));
        check("deep", json!({"deep": {"a": 1, "b": 2}}));
        check("title:excerpt(5,true)", json!({"title": "Hello..."}));
        check("title:excerpt(50)", json!({"title": "Hello world"}));
        check(
            "*,title:excerpt(3), deep.b",
            json!({"id": "1", "title": "Hel", "deep": {"b": 2}}),
        );
        check(
            "",
            json!({"id": "1", "title": "<b>Hello</b>  world", "deep": {"a": 1, "b": 2}}),
        );
        check(",,(", json!({}));
    }
}
