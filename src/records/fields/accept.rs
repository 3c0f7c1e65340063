//! Values from outside: converted the way PocketBase converts them (a number field takes `"3"`, a
//! date field drops what is no date), then checked with its error codes.

use mito_database::Value as Stored;
use serde_json::{Value, json};

use crate::{
    Field, FieldError,
    fields::{FieldKind, Storage, dates, patterns, show},
};

/// The longest text where the field sets no limit, in characters.
const MAX_TEXT: usize = 5_000;
/// The longest editor text where the field sets no limit, in bytes.
const MAX_EDITOR_BYTES: usize = 5 * 1024 * 1024;
/// The largest JSON where the field sets no limit, in bytes.
const MAX_JSON_BYTES: usize = 1024 * 1024;
/// The longest e-mail address (RFC 5321 §4.5.3.1.3).
const MAX_EMAIL: usize = 254;
/// The longest address of a page, in characters.
const MAX_URL: usize = 3_000;
/// The most values of one select or relation.
const MAX_VALUES: usize = 999;

/// The stored form of `value`, or what is wrong with it. Relations are checked elsewhere, since
/// that takes the database.
pub(crate) fn accept(field: &Field, value: &Value) -> Result<Stored, FieldError> {
    let kind = field.kind_of().ok_or_else(FieldError::invalid_format)?;
    match kind {
        FieldKind::Text => text(field, value),
        FieldKind::Editor => editor(field, value),
        FieldKind::Number => number(field, value),
        FieldKind::Bool => bool(field, value),
        FieldKind::Email => email(field, value),
        FieldKind::Url => url(field, value),
        FieldKind::Date | FieldKind::Autodate => date(field, value),
        FieldKind::Select => select(field, value),
        FieldKind::Relation => relation(field, value),
        FieldKind::Json => json(field, value),
        // Names of stored files; that they exist is checked where files are taken in.
        FieldKind::File => file(field, value),
        FieldKind::GeoPoint => geo_point(field, value),
        // The hash, put there by the accounts, never by a caller.
        FieldKind::Password => to_text(value).map(Stored::Text),
    }
}

fn to_text(value: &Value) -> Result<String, FieldError> {
    match value {
        Value::Null => Ok(String::new()),
        Value::String(text) if text.contains('\0') => Err(FieldError::invalid_format()),
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        Value::Array(_) | Value::Object(_) => Err(FieldError::invalid_format()),
    }
}

/// Refuses an empty value of a required field; `false` means that there is nothing more to check.
fn present(field: &Field, empty: bool) -> Result<bool, FieldError> {
    if empty && field.required {
        return Err(FieldError::required());
    }
    Ok(!empty)
}

fn text(field: &Field, value: &Value) -> Result<Stored, FieldError> {
    let text = to_text(value)?;
    if present(field, text.is_empty())? {
        let length = text.chars().count();
        let min = field.limit_option("min").unwrap_or(0);
        if length < min {
            return Err(too_short(min));
        }
        let max = field.limit_option("max").unwrap_or(MAX_TEXT);
        if length > max {
            return Err(too_long(max));
        }
        if !patterns::matches(field.text_option("pattern"), &text) {
            return Err(FieldError::invalid_format());
        }
    }
    Ok(Stored::Text(text))
}

/// The error of a text that is shorter than `min` characters.
pub(crate) fn too_short(min: usize) -> FieldError {
    FieldError::new(
        "validation_min_text_constraint",
        format!("Must be at least {min} character(s)."),
    )
    .with("min", min)
}

/// The error of a text that is longer than `max` characters.
pub(crate) fn too_long(max: usize) -> FieldError {
    FieldError::new(
        "validation_max_text_constraint",
        format!("Must be no more than {max} character(s)."),
    )
    .with("max", max)
}

fn editor(field: &Field, value: &Value) -> Result<Stored, FieldError> {
    let text = to_text(value)?;
    present(field, text.is_empty())?;
    content_size(field, text.len(), MAX_EDITOR_BYTES)?;
    Ok(Stored::Text(text))
}

fn content_size(field: &Field, size: usize, default: usize) -> Result<(), FieldError> {
    let max = field.limit_option("maxSize").unwrap_or(default);
    if size > max {
        let message = format!("The maximum allowed content size is {max} bytes.");
        return Err(FieldError::new("validation_content_size_limit", message).with("maxSize", max));
    }
    Ok(())
}

fn number(field: &Field, value: &Value) -> Result<Stored, FieldError> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse::<f64>().ok(),
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    let number = number.filter(|number| number.is_finite()).unwrap_or(0.0);
    if present(field, number == 0.0)? {
        if field.flag("onlyInt") && number.fract() != 0.0 {
            return Err(FieldError::new(
                "validation_only_int_constraint",
                "Decimal numbers are not allowed.",
            ));
        }
        if let Some(min) = field.number_option("min").filter(|min| number < *min) {
            let min = show::number(min);
            let message = format!("Must be greater or equal than {min}.");
            return Err(
                FieldError::new("validation_min_number_constraint", message).with("min", min)
            );
        }
        if let Some(max) = field.number_option("max").filter(|max| number > *max) {
            let max = show::number(max);
            let message = format!("Must be less or equal than {max}.");
            return Err(
                FieldError::new("validation_max_number_constraint", message).with("max", max)
            );
        }
    }
    Ok(Stored::Real(number))
}

fn bool(field: &Field, value: &Value) -> Result<Stored, FieldError> {
    let flag = is_true(value);
    present(field, !flag)?;
    Ok(Stored::Integer(i64::from(flag)))
}

/// Whether a bool field would take the value for `true`.
pub(crate) fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        Value::String(text) => matches!(text.as_str(), "true" | "TRUE" | "True" | "t" | "T" | "1"),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

fn email(field: &Field, value: &Value) -> Result<Stored, FieldError> {
    let text = to_text(value)?;
    if present(field, text.is_empty())? {
        if !is_email(&text) {
            let message = "Must be a valid email address.";
            return Err(FieldError::new("validation_is_email", message));
        }
        let domain = text.rsplit('@').next().unwrap_or_default();
        check_domain(field, domain)?;
    }
    Ok(Stored::Text(text))
}

fn check_domain(field: &Field, domain: &str) -> Result<(), FieldError> {
    let is = |wanted: &str| wanted.eq_ignore_ascii_case(domain);
    let restricted = field.list_option("onlyDomains").next().is_some();
    let allowed = !restricted || field.list_option("onlyDomains").any(is);
    if !allowed || field.list_option("exceptDomains").any(is) {
        let (code, message) = (
            "validation_domain_not_allowed",
            "The domain is not allowed.",
        );
        return Err(FieldError::new(code, message));
    }
    Ok(())
}

/// Whether `text` has the form of an address that mail can be sent to. Stricter than RFC 5322: no
/// quotes, comments, spaces or address literals, and a domain of at least two labels.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let is_local = |character: char| {
        character.is_ascii_alphanumeric()
            || "!#$%&'*+-/=?^_`{|}~.".contains(character)
            || (!character.is_ascii() && character.is_alphanumeric())
    };
    text.len() <= MAX_EMAIL
        && !local.is_empty()
        && local.len() <= 64
        && local.chars().all(is_local)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && domain.contains('.')
        && domain.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 63
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .chars()
            .all(|character| character.is_alphanumeric() || character == '-')
}

fn url(field: &Field, value: &Value) -> Result<Stored, FieldError> {
    let text = to_text(value)?;
    if present(field, text.is_empty())? {
        let Some(host) = url_host(&text) else {
            return Err(FieldError::new(
                "validation_invalid_url",
                "Must be a valid url.",
            ));
        };
        check_domain(field, host)?;
    }
    Ok(Stored::Text(text))
}

/// Whether `text` is an absolute address that a link may lead to.
pub(crate) fn is_url(text: &str) -> bool {
    url_host(text).is_some()
}

/// The host of an absolute `http`, `https` or `ftp` address. Other schemes (`javascript:`) are
/// refused, since such values end up in links.
fn url_host(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    if !["http", "https", "ftp"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(scheme))
        || text.len() > MAX_URL
        || text
            .chars()
            .any(|character| character.is_whitespace() || character.is_control())
    {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !host.ends_with(']') => {
            port.parse::<u16>().ok()?;
            name
        }
        _ => host,
    };
    let literal = name.starts_with('[') && name.ends_with(']');
    (literal || name.split('.').all(is_label)).then_some(name)
}

fn date(field: &Field, value: &Value) -> Result<Stored, FieldError> {
    let at = match value {
        Value::String(text) => dates::parse(text),
        _ => None,
    };
    let text = at.map(dates::format).unwrap_or_default();
    if present(field, text.is_empty())? {
        let limit = |option: &str| dates::parse(field.text_option(option));
        if let Some(min) = limit("min").filter(|min| at.is_some_and(|at| at < *min)) {
            let message = format!("Must be equal or greater than {}.", dates::format(min));
            return Err(FieldError::new("validation_min_date_constraint", message));
        }
        if let Some(max) = limit("max").filter(|max| at.is_some_and(|at| at > *max)) {
            let message = format!("Must be equal or less than {}.", dates::format(max));
            return Err(FieldError::new("validation_max_date_constraint", message));
        }
    }
    Ok(Stored::Text(text))
}

/// The distinct, non-empty values of a select or relation.
fn values(value: &Value) -> Result<Vec<String>, FieldError> {
    let given: Vec<String> = match value {
        Value::Array(items) => items.iter().map(to_text).collect::<Result<_, _>>()?,
        single => vec![to_text(single)?],
    };
    let mut distinct: Vec<String> = Vec::new();
    for item in given {
        if !item.is_empty() && !distinct.contains(&item) {
            distinct.push(item);
        }
        if distinct.len() > MAX_VALUES {
            return Err(too_many(MAX_VALUES));
        }
    }
    Ok(distinct)
}

fn too_many(max: usize) -> FieldError {
    FieldError::new(
        "validation_too_many_values",
        format!("Select no more than {max}."),
    )
    .with("maxSelect", max)
}

fn store_values(field: &Field, values: Vec<String>) -> Result<Stored, FieldError> {
    if field.storage() == Storage::List {
        let max = usize::try_from(field.max_select()).unwrap_or(usize::MAX);
        if values.len() > max {
            return Err(too_many(max));
        }
        return Ok(Stored::Text(Value::from(values).to_string()));
    }
    // The last one wins, as when a form sends a field twice.
    Ok(Stored::Text(
        values.into_iter().next_back().unwrap_or_default(),
    ))
}

fn select(field: &Field, value: &Value) -> Result<Stored, FieldError> {
    let values = values(value)?;
    present(field, values.is_empty())?;
    let known = |value: &str| field.list_option("values").any(|known| known == value);
    if let Some(unknown) = values.iter().find(|value| !known(value)) {
        let message = format!("Invalid value {unknown}.");
        return Err(
            FieldError::new("validation_invalid_value", message).with("value", unknown.clone())
        );
    }
    store_values(field, values)
}

fn relation(field: &Field, value: &Value) -> Result<Stored, FieldError> {
    let values = values(value)?;
    present(field, values.is_empty())?;
    let min = field.limit_option("minSelect").unwrap_or(0);
    if !values.is_empty() && values.len() < min {
        return Err(FieldError::new(
            "validation_not_enough_values",
            format!("Select at least {min}."),
        )
        .with("minSelect", min));
    }
    store_values(field, values)
}

fn file(field: &Field, value: &Value) -> Result<Stored, FieldError> {
    let values = values(value)?;
    present(field, values.is_empty())?;
    store_values(field, values)
}

/// What is no coordinate is zero, as in PocketBase.
fn geo_point(field: &Field, value: &Value) -> Result<Stored, FieldError> {
    let of_text;
    let members = match value {
        Value::String(text) => {
            of_text = serde_json::from_str::<Value>(text).unwrap_or_default();
            &of_text
        }
        other => other,
    };
    let coordinate = |name: &str| match members.get(name) {
        Some(Value::Number(number)) => number.as_f64().unwrap_or(0.0),
        Some(Value::String(text)) => text.trim().parse().unwrap_or(0.0),
        _ => 0.0,
    };
    let (longitude, latitude) = (coordinate("lon"), coordinate("lat"));
    if present(field, longitude == 0.0 && latitude == 0.0)? {
        for (value, limit) in [(longitude, 180.0), (latitude, 90.0)] {
            // No comparison with what is no number holds.
            if !(-limit..=limit).contains(&value) {
                return Err(FieldError::new(
                    "validation_invalid_geo_point",
                    format!("Coordinates must be between -{limit} and {limit} degrees."),
                ));
            }
        }
    }
    let point = json!({"lon": show::number(longitude), "lat": show::number(latitude)});
    Ok(Stored::Text(point.to_string()))
}

fn json(field: &Field, value: &Value) -> Result<Stored, FieldError> {
    let empty = match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    };
    present(field, empty)?;
    if value.is_null() {
        return Ok(Stored::Null);
    }
    let text = value.to_string();
    content_size(field, text.len(), MAX_JSON_BYTES)?;
    if text.contains("\\u0000") {
        return Err(FieldError::new(
            "validation_invalid_json",
            "Must be a valid json value",
        ));
    }
    Ok(Stored::Text(text))
}

#[cfg(test)]
mod tests;
