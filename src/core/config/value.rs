//! Values: from text and from TOML into JSON of the kind that an option takes, and back into what
//! `mito config` shows.

use serde_json::Value;
use toml_edit::Item;

use super::schema::{Kind, is_secret_name};

/// What `mito config` prints in place of a secret.
const HIDDEN: &str = "[hidden]";
/// What it prints for an option without a value.
const UNSET: &str = "(unset)";

/// Reads what an environment variable or a flag says; `None` if that is not of the kind.
pub(super) fn from_text(kind: &Kind, text: &str) -> Option<Value> {
    match kind {
        Kind::Text => Some(text.into()),
        Kind::Integer { .. } => integer(kind, text.trim().parse().ok()?),
        Kind::Number => text
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .map(Value::from),
        Kind::Flag => match text.trim().to_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true.into()),
            "false" | "0" | "no" | "off" => Some(false.into()),
            _ => None,
        },
        Kind::Choice(words) => words
            .iter()
            .any(|(word, _)| word == text)
            .then(|| Value::from(text)),
        Kind::List(_) if text.trim().is_empty() => Some(Value::Array(Vec::new())),
        Kind::List(of) if text.trim_start().starts_with('[') => {
            let items: Vec<Value> = serde_json::from_str(text).ok()?;
            let fits = |item: &Value| match item {
                Value::String(text) => from_text(of, text),
                other => from_text(of, &other.to_string()),
            };
            items
                .iter()
                .map(fits)
                .collect::<Option<_>>()
                .map(Value::Array)
        }
        Kind::List(of) => text
            .split(',')
            .map(|item| from_text(of, item.trim()))
            .collect::<Option<_>>()
            .map(Value::Array),
        Kind::Any => Some(serde_json::from_str(text).unwrap_or_else(|_| text.into())),
    }
}

/// Reads what a TOML file says; `None` if that is not of the kind.
pub(super) fn from_toml(kind: &Kind, item: &Item) -> Option<Value> {
    let json = to_json(item)?;
    of_kind(kind, json)
}

fn of_kind(kind: &Kind, json: Value) -> Option<Value> {
    match kind {
        Kind::Text => json.is_string().then_some(json),
        Kind::Integer { .. } => integer(kind, i128::from(json.as_i64()?)),
        Kind::Number => json.as_f64().map(Value::from),
        Kind::Flag => json.is_boolean().then_some(json),
        Kind::Choice(words) => {
            let fits = words
                .iter()
                .any(|(word, _)| Some(word.as_str()) == json.as_str());
            fits.then_some(json)
        }
        Kind::List(of) => match json {
            Value::Array(items) => items
                .into_iter()
                .map(|item| of_kind(of, item))
                .collect::<Option<_>>()
                .map(Value::Array),
            _ => None,
        },
        Kind::Any => Some(json),
    }
}

fn integer(kind: &Kind, value: i128) -> Option<Value> {
    let Kind::Integer { min, max } = kind else {
        return None;
    };
    if !(*min..=*max).contains(&value) {
        return None;
    }
    u64::try_from(value)
        .map(Value::from)
        .or_else(|_| i64::try_from(value).map(Value::from))
        .ok()
}

fn to_json(item: &Item) -> Option<Value> {
    if let Some(table) = item.as_table_like() {
        let entries = table
            .iter()
            .map(|(key, item)| Some((key.to_owned(), to_json(item)?)));
        return entries
            .collect::<Option<serde_json::Map<_, _>>>()
            .map(Value::Object);
    }
    if let Some(tables) = item.as_array_of_tables() {
        let tables = tables
            .iter()
            .map(|table| to_json(&Item::Table(table.clone())));
        return tables.collect::<Option<Vec<_>>>().map(Value::Array);
    }
    Some(match item.as_value()? {
        toml_edit::Value::String(text) => text.value().as_str().into(),
        toml_edit::Value::Integer(number) => (*number.value()).into(),
        toml_edit::Value::Float(number) => (*number.value()).into(),
        toml_edit::Value::Boolean(flag) => (*flag.value()).into(),
        toml_edit::Value::Datetime(time) => time.value().to_string().into(),
        toml_edit::Value::Array(items) => {
            let items = items.iter().map(|item| to_json(&Item::Value(item.clone())));
            Value::Array(items.collect::<Option<_>>()?)
        }
        toml_edit::Value::InlineTable(_) => return None,
    })
}

/// A value as TOML writes it.
pub(super) fn to_toml(value: &Value) -> String {
    match value {
        Value::Null => UNSET.to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => toml_edit::Value::from(text.as_str())
            .to_string()
            .trim()
            .to_owned(),
        Value::Array(items) => {
            format!(
                "[{}]",
                items.iter().map(to_toml).collect::<Vec<_>>().join(", ")
            )
        }
        Value::Object(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|(key, value)| format!("{} = {}", key_to_toml(key), to_toml(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// A key as TOML writes it, quoted where it must be.
pub(super) fn key_to_toml(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !key.is_empty() && key.chars().all(bare) {
        return key.to_owned();
    }
    to_toml(&key.into())
}

/// A value as `mito config` prints it. A secret that is empty is shown as such, because that is
/// what one looks for; the password in a URL is hidden whatever the option is called.
pub(super) fn show(value: &Value, secret: bool) -> String {
    let empty = match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    };
    if secret && !empty {
        return HIDDEN.to_owned();
    }
    to_toml(&without_url_passwords(value))
}

fn without_url_passwords(value: &Value) -> Value {
    match value {
        Value::String(text) => without_url_password(text).into(),
        Value::Array(items) => items.iter().map(without_url_passwords).collect(),
        other => other.clone(),
    }
}

/// The text without what would let somebody in: `user:password@` (and a user name alone, which is a
/// token) of a URL, and `password=…` in its query or in a list of settings.
fn without_url_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return without_named_passwords(text);
    };
    let (hidden, rest) = match userinfo_end(rest) {
        None => (String::new(), rest),
        Some(end) => {
            let user = rest[..end].split_once(':').map(|(user, _)| user);
            let user = user.map(|user| format!("{user}:")).unwrap_or_default();
            (format!("{user}{HIDDEN}"), &rest[end..])
        }
    };
    format!("{scheme}://{hidden}{}", without_named_passwords(rest))
}

/// Where the `@` after a user name or password stands. A password may contain `/`, `?` and `#`
/// although it should not; what follows a colon and is no port is one.
fn userinfo_end(rest: &str) -> Option<usize> {
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = &rest[..authority_end];
    if let Some(end) = authority.rfind('@') {
        return Some(end);
    }
    let (_, after_colon) = authority.split_once(':')?;
    let is_port = !after_colon.is_empty() && after_colon.bytes().all(|byte| byte.is_ascii_digit());
    if is_port { None } else { rest.rfind('@') }
}

fn without_named_passwords(text: &str) -> String {
    let is_separator = |character: char| matches!(character, '?' | '&' | '#' | ';' | ' ');
    text.split_inclusive(is_separator)
        .map(|part| {
            let (pair, end) = match part.char_indices().next_back() {
                Some((at, last)) if is_separator(last) => part.split_at(at),
                _ => (part, ""),
            };
            match pair.split_once('=') {
                Some((name, value)) if is_secret_name(name) && !value.is_empty() => {
                    format!("{name}={HIDDEN}{end}")
                }
                _ => part.to_owned(),
            }
        })
        .collect()
}
