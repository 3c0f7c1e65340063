//! Columns against the options of their fields: what is required, how long, of which form. What
//! takes the database to know (unique values, relations) is checked with the write.

mod addresses;
mod choices;
mod keys;

use jiff::civil::DateTime;
use mito_database::Value as Stored;
use serde_json::Value;

pub(crate) use addresses::{is_email, is_url};
pub(crate) use keys::is_default_pattern;

use crate::{
    Field, FieldError,
    fields::{FieldKind, dates, patterns, show},
};

/// The longest text where the field sets no limit, in characters.
const MAX_TEXT: usize = 5_000;
/// The longest editor text where the field sets no limit, in bytes.
pub(crate) const MAX_EDITOR_BYTES: usize = 5 * 1024 * 1024;
/// The largest JSON where the field sets no limit, in bytes.
pub(crate) const MAX_JSON_BYTES: usize = 1024 * 1024;

/// What is wrong with a column, if anything.
pub(crate) fn check(field: &Field, stored: &Stored) -> Result<(), FieldError> {
    let kind = field.kind_of().ok_or_else(FieldError::invalid_format)?;
    let text = match stored {
        Stored::Text(text) => text.as_str(),
        _ => "",
    };
    // PostgreSQL cannot hold it, and nothing that is meant to be read has it.
    if text.contains('\0') {
        return Err(FieldError::invalid_format());
    }
    match kind {
        FieldKind::Text => text_field(field, text),
        FieldKind::Editor => editor(field, text),
        FieldKind::Number => number(field, stored),
        FieldKind::Bool => present(field, matches!(stored, Stored::Integer(0))).map(drop),
        FieldKind::Email => addresses::email(field, text),
        FieldKind::Url => addresses::url(field, text),
        FieldKind::Date => date(field, text),
        FieldKind::Select => choices::select(field, stored),
        FieldKind::Relation => choices::relation(field, stored),
        FieldKind::File => choices::files(field, stored),
        FieldKind::Json => json(field, stored),
        FieldKind::GeoPoint => geo_point(field, text),
        // Neither comes from outside: the clock and the accounts set them.
        FieldKind::Autodate | FieldKind::Password => Ok(()),
    }
}

/// Refuses an empty value of a required field; `false` means that there is nothing more to check.
fn present(field: &Field, empty: bool) -> Result<bool, FieldError> {
    if empty && field.required {
        return Err(FieldError::required());
    }
    Ok(!empty)
}

fn text_field(field: &Field, text: &str) -> Result<(), FieldError> {
    let is_key = field.flag("primaryKey");
    if is_key && text.is_empty() {
        return Err(FieldError::required());
    }
    if !present(field, text.is_empty())? {
        return Ok(());
    }
    if is_key {
        keys::check(field, text)?;
    }
    let length = text.chars().count();
    let min = field.limit_option("min").unwrap_or(0);
    if length < min {
        return Err(too_short(min));
    }
    let max = field.limit_option("max").unwrap_or(MAX_TEXT);
    if length > max {
        return Err(too_long(max));
    }
    if !patterns::matches(field.text_option("pattern"), text) {
        return Err(FieldError::invalid_format());
    }
    Ok(())
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

fn editor(field: &Field, text: &str) -> Result<(), FieldError> {
    present(field, text.is_empty())?;
    let max = field.limit_option("maxSize").unwrap_or(MAX_EDITOR_BYTES);
    if text.len() > max {
        let message = format!("The maximum allowed content size is {max} bytes.");
        return Err(FieldError::new("validation_content_size_limit", message).with("maxSize", max));
    }
    Ok(())
}

fn number(field: &Field, stored: &Stored) -> Result<(), FieldError> {
    let number = match stored {
        Stored::Real(real) => *real,
        _ => 0.0,
    };
    if !number.is_finite() {
        let message = "The submitted number is not properly formatted.";
        return Err(FieldError::new("validation_not_a_number", message));
    }
    if !present(field, number == 0.0)? {
        return Ok(());
    }
    if field.flag("onlyInt") && number.fract() != 0.0 {
        let message = "Decimal numbers are not allowed.";
        return Err(FieldError::new("validation_only_int_constraint", message));
    }
    if let Some(min) = field.number_option("min").filter(|min| number < *min) {
        let min = show::number(min);
        let message = format!("Must be greater or equal than {min}.");
        return Err(FieldError::new("validation_min_number_constraint", message).with("min", min));
    }
    if let Some(max) = field.number_option("max").filter(|max| number > *max) {
        let max = show::number(max);
        let message = format!("Must be less or equal than {max}.");
        return Err(FieldError::new("validation_max_number_constraint", message).with("max", max));
    }
    Ok(())
}

fn date(field: &Field, text: &str) -> Result<(), FieldError> {
    if !present(field, text.is_empty())? {
        return Ok(());
    }
    let limit = |option: &str| dates::parse(field.text_option(option));
    let (min, max) = (limit("min"), limit("max"));
    if min.is_none() && max.is_none() {
        return Ok(());
    }
    let at = dates::parse(text).unwrap_or_default();
    let outside = |code, words: &str, limit: DateTime| {
        let (shown, threshold) = (dates::spelled_out(limit), format!("{limit}Z"));
        FieldError::new(code, format!("Must be no {words} than {shown}."))
            .with("threshold", threshold)
    };
    if let Some(min) = min.filter(|min| at < *min) {
        return Err(outside(
            "validation_min_greater_equal_than_required",
            "less",
            min,
        ));
    }
    if let Some(max) = max.filter(|max| at > *max) {
        return Err(outside(
            "validation_max_less_equal_than_required",
            "greater",
            max,
        ));
    }
    Ok(())
}

fn json(field: &Field, stored: &Stored) -> Result<(), FieldError> {
    let text = match stored {
        Stored::Text(text) => text.as_str(),
        _ => "null",
    };
    let max = field.limit_option("maxSize").unwrap_or(MAX_JSON_BYTES);
    if text.len() > max {
        let message = format!("The maximum allowed JSON size is {max} bytes.");
        return Err(FieldError::new("validation_json_size_limit", message).with("maxSize", max));
    }
    if text.contains("\\u0000") {
        let message = "Must be a valid json value.";
        return Err(FieldError::new("validation_invalid_json", message));
    }
    present(field, matches!(text, "null" | "\"\"" | "[]" | "{}")).map(drop)
}

fn geo_point(field: &Field, text: &str) -> Result<(), FieldError> {
    let point: Value = serde_json::from_str(text).unwrap_or_default();
    let coordinate = |name: &str| point.get(name).and_then(Value::as_f64).unwrap_or_default();
    let (longitude, latitude) = (coordinate("lon"), coordinate("lat"));
    present(field, longitude == 0.0 && latitude == 0.0)?;
    if !(-90.0..=90.0).contains(&latitude) {
        let message = "Latitude must be between -90 and 90 degrees.";
        return Err(FieldError::new("validation_invalid_latitude", message));
    }
    if !(-180.0..=180.0).contains(&longitude) {
        let message = "Longitude must be between -180 and 180 degrees.";
        return Err(FieldError::new("validation_invalid_longitude", message));
    }
    Ok(())
}
