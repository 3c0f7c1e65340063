//! Options that were submitted, over those that there were: objects are merged, everything else is
//! replaced, and what is not sent stays.

use serde_json::{Map, Value};

use crate::{Collection, Error, SUPERUSERS, accounts::options::AuthOptions};

/// Options whose null means something.
const NULLABLE: [&str; 2] = ["authRule", "manageRule"];

impl AuthOptions {
    /// The options that `wanted` asks for on top of those of `existing`, or of the defaults.
    /// Values of wrong types are an error of the whole request, as in PocketBase.
    pub fn complete(wanted: &Collection, existing: Option<&Collection>) -> Result<Self, Error> {
        let base = existing.map(Self::of).unwrap_or_default();
        let mut options = over(&base, &wanted.options).ok_or_else(|| {
            let message = "Failed to load the submitted data due to invalid formatting.";
            Error::Invalid(message.to_owned())
        })?;
        keep_client_secrets(&mut options, &base);
        drop_missing_mappings(&mut options, wanted);
        if wanted.name == SUPERUSERS {
            keep_administrators_in(&mut options);
        }
        Ok(options)
    }
}

/// `submitted` over `base`; `None` when a value has the wrong type.
pub(super) fn over(base: &AuthOptions, submitted: &Map<String, Value>) -> Option<AuthOptions> {
    let mut merged = base.to_map();
    for (name, value) in &mut merged {
        match submitted.get(name) {
            Some(wanted) if NULLABLE.contains(&name.as_str()) => *value = wanted.clone(),
            Some(wanted) => merge(value, wanted),
            None => {}
        }
    }
    serde_json::from_value(Value::Object(merged)).ok()
}

fn merge(base: &mut Value, wanted: &Value) {
    match (base, wanted) {
        (Value::Object(base), Value::Object(wanted)) => {
            for (name, value) in wanted {
                match base.get_mut(name) {
                    Some(inner) => merge(inner, value),
                    None => {
                        base.insert(name.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(base), Value::Array(wanted)) => {
            *base = wanted.iter().map(without_nulls).collect();
        }
        (base, Value::Null) => empty(base),
        (base, wanted) => *base = wanted.clone(),
    }
}

/// What null makes of an object or a list: nothing in any of its members. Other values stay.
fn empty(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if NULLABLE.contains(&name.as_str()) {
                    continue;
                }
                match member {
                    Value::String(text) => text.clear(),
                    Value::Number(_) => *member = Value::from(0),
                    Value::Bool(set) => *set = false,
                    other => empty(other),
                }
            }
        }
        Value::Array(items) => items.clear(),
        _ => {}
    }
}

/// A provider that says null where it means nothing.
fn without_nulls(item: &Value) -> Value {
    match item {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// Whoever edits a provider has not been shown its secret.
fn keep_client_secrets(options: &mut AuthOptions, before: &AuthOptions) {
    for provider in &mut options.oauth2.providers {
        if provider.client_secret.is_empty()
            && let Some(known) = before
                .oauth2
                .providers
                .iter()
                .find(|known| known.name == provider.name)
        {
            provider.client_secret.clone_from(&known.client_secret);
        }
    }
}

fn drop_missing_mappings(options: &mut AuthOptions, wanted: &Collection) {
    let mapped = &mut options.oauth2.mapped_fields;
    for name in [
        &mut mapped.id,
        &mut mapped.name,
        &mut mapped.username,
        &mut mapped.avatar_url,
    ] {
        if wanted.field(name).is_none() {
            name.clear();
        }
    }
}

/// Administrators sign in with a password, by address, and by no other site.
fn keep_administrators_in(options: &mut AuthOptions) {
    options.password_auth.enabled = true;
    options.oauth2.enabled = false;
    options.oauth2.providers.clear();
}
