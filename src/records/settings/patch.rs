//! A change laid over the settings in force: objects are merged, lists are replaced, `null` empties,
//! what is not named stays, and what is not known is passed over.

use serde_json::{Map, Value, json};

use super::Settings;
use crate::Error;

/// Where settings keep secrets, which are not shown.
const SECRETS: &[&[&str]] = &[
    &["smtp", "password"],
    &["s3", "secret"],
    &["backups", "s3", "secret"],
];

/// What is done with the object that holds a secret, and the secret's name.
type OnSecret<'a> = dyn FnMut(&mut Map<String, Value>, &str) -> Result<(), Error> + 'a;

/// The settings with `patch` over them, of the right types, unchecked otherwise.
pub(super) fn apply(current: &Settings, patch: &Value) -> Result<Value, Error> {
    let mut changed = json!(current);
    match patch {
        Value::Object(patch) => lay_over(&mut changed, patch)?,
        _ => return Err(unreadable()),
    }
    Ok(changed)
}

/// Checked settings as they are kept. A number that no field can hold has no code of its own.
pub(super) fn typed(changed: Value) -> Result<Settings, Error> {
    serde_json::from_value(changed).map_err(|_| unreadable())
}

/// The settings as they are shown.
pub(super) fn shown(settings: &Settings) -> Value {
    let mut shown = json!(settings);
    each_secret(&mut shown, &mut |members, name| {
        members.shift_remove(name);
        Ok(())
    })
    .unwrap_or_default();
    shown
}

/// Calls `work` with the object that holds each secret and the secret's name.
pub(super) fn each_secret(settings: &mut Value, work: &mut OnSecret<'_>) -> Result<(), Error> {
    for path in SECRETS {
        let Some((name, groups)) = path.split_last() else {
            continue;
        };
        let group = groups
            .iter()
            .try_fold(&mut *settings, |value, group| value.get_mut(*group));
        if let Some(Value::Object(members)) = group {
            work(members, name)?;
        }
    }
    Ok(())
}

fn lay_over(current: &mut Value, patch: &Map<String, Value>) -> Result<(), Error> {
    let Value::Object(members) = current else {
        return Err(unreadable());
    };
    for (name, member) in members {
        if let Some(given) = patch.get(name) {
            replace(name, member, given)?;
        }
    }
    Ok(())
}

fn replace(name: &str, member: &mut Value, given: &Value) -> Result<(), Error> {
    match (&*member, given) {
        (Value::Object(_), Value::Object(given)) => lay_over(member, given)?,
        (_, Value::Null) => empty(member),
        (Value::Array(_), Value::Array(items)) => *member = list(name, items)?,
        (Value::Bool(_), Value::Bool(_)) | (Value::String(_), Value::String(_)) => {
            *member = given.clone();
        }
        (Value::Number(_), Value::Number(number)) if number.is_i64() => *member = given.clone(),
        _ => return Err(unreadable()),
    }
    Ok(())
}

/// The zero of the type that a value has.
fn empty(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(empty),
        Value::Array(items) => items.clear(),
        Value::String(text) => text.clear(),
        Value::Bool(flag) => *flag = false,
        Value::Number(number) => *number = 0.into(),
        Value::Null => {}
    }
}

fn list(name: &str, items: &[Value]) -> Result<Value, Error> {
    let items = items.iter().map(|item| match (name, item) {
        ("rules", Value::Object(given)) => {
            let mut rule = json!(super::RateLimitRule::default());
            lay_over(&mut rule, given)?;
            Ok(rule)
        }
        ("rules", _) => Err(unreadable()),
        (_, Value::String(_)) => Ok(item.clone()),
        _ => Err(unreadable()),
    });
    Ok(Value::Array(items.collect::<Result<_, Error>>()?))
}

fn unreadable() -> Error {
    Error::Invalid("An error occurred while loading the submitted data.".to_owned())
}

impl Settings {
    /// The settings as `/api/settings` shows them: without secrets.
    pub fn shown(&self) -> Value {
        shown(self)
    }
}
