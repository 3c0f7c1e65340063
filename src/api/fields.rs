//! The `fields` parameter: what of an answer is sent, `*`, `title,expand.author.name` or
//! `body:excerpt(200,true)`.

mod excerpt;

use http::Uri;
use serde_json::{Map, Value};
use url::form_urlencoded;

use self::excerpt::Excerpt;
use crate::envelope::Envelope;

/// The longest parameter, in bytes.
const MAX_LENGTH: usize = 8_000;
/// The most fields of one.
const MAX_FIELDS: usize = 500;

/// Refuses a request whose `fields` cannot be read before anything is done for it.
pub(crate) fn check(uri: &Uri) -> Result<(), Envelope> {
    let query = uri.query().unwrap_or_default();
    let is_readable = !query.contains("fields")
        || form_urlencoded::parse(query.as_bytes())
            .filter(|(name, _)| name == "fields")
            .all(|(_, fields)| parse(&fields).is_ok());
    if is_readable {
        return Ok(());
    }
    let message = "Something went wrong while processing your request.";
    Err(Envelope::bad_request(message))
}

/// Leaves only the given fields of an answer; all of them when none are given, or when they cannot
/// be read.
pub(crate) fn pick(mut value: Value, fields: &str) -> Value {
    if let Ok(picks) = parse(fields)
        && !picks.is_empty()
    {
        keep(&mut value, &picks);
    }
    value
}

/// [`pick`] for the items of a page, whose own fields always stay.
pub(crate) fn pick_items(mut page: Value, fields: &str) -> Value {
    if let Some(items) = page.get_mut("items") {
        *items = pick(items.take(), fields);
    }
    page
}

/// A path that is left, and what becomes of its value.
#[derive(Clone, Debug, PartialEq)]
struct Pick<'a> {
    path: &'a str,
    excerpt: Option<Excerpt>,
}

/// The fields cannot be read.
#[derive(Debug, PartialEq, Eq)]
struct Malformed;

fn parse(fields: &str) -> Result<Vec<Pick<'_>>, Malformed> {
    if fields.len() > MAX_LENGTH {
        return Err(Malformed);
    }
    let mut depth = 0_i32;
    let split = fields.split(|character| {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        character == ',' && depth == 0
    });
    let mut picks: Vec<Pick<'_>> = Vec::new();
    for field in split.map(str::trim).filter(|field| !field.is_empty()) {
        let (path, excerpt) = match field.split_once(':') {
            Some((path, modifier)) => (path, Some(Excerpt::parse(modifier).ok_or(Malformed)?)),
            None => (field, None),
        };
        if picks.len() == MAX_FIELDS {
            return Err(Malformed);
        }
        // The last of two that name the same counts.
        picks.retain(|pick| pick.path != path);
        picks.push(Pick { path, excerpt });
    }
    Ok(picks)
}

fn keep(value: &mut Value, picks: &[Pick<'_>]) {
    match value {
        Value::Array(items) if items.first().is_some_and(Value::is_object) => {
            for item in items {
                keep(item, picks);
            }
        }
        Value::Object(members) => keep_members(members, picks),
        // What is no object has no fields.
        _ => {}
    }
}

fn keep_members(members: &mut Map<String, Value>, picks: &[Pick<'_>]) {
    let others = picks.iter().find(|pick| pick.path == "*");
    members.retain(|name, member| {
        let within: Vec<Pick<'_>> = picks.iter().filter_map(|pick| pick.below(name)).collect();
        // The field itself counts more than a path into it.
        let whole = match within.iter().find(|pick| pick.path.is_empty()) {
            Some(whole) => Some(whole),
            None if within.is_empty() => match others {
                Some(others) => Some(others),
                None => return false,
            },
            None => None,
        };
        match whole.map(|whole| whole.excerpt) {
            Some(Some(excerpt)) => excerpt.shorten(member),
            Some(None) => {}
            None => keep(member, &within),
        }
        true
    });
}

impl<'a> Pick<'a> {
    /// What is left of the path in the member of that name.
    fn below(&self, name: &str) -> Option<Self> {
        let rest = self.path.strip_prefix(name)?;
        let path: &'a str = match rest.strip_prefix('.') {
            Some(path) => path,
            None if rest.is_empty() => rest,
            None => return None,
        };
        Some(Pick {
            path,
            excerpt: self.excerpt,
        })
    }
}

#[cfg(test)]
mod tests;
