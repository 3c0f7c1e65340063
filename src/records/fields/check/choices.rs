//! Selects, relations and files: how many values, and which.

use mito_database::Value as Stored;

use crate::{
    Field, FieldError,
    fields::{check::present, convert},
};

/// The most values of one select, relation or file field, whatever its options say.
const MAX_VALUES: usize = 999;

fn max_select(field: &Field) -> usize {
    usize::try_from(field.max_select())
        .unwrap_or(usize::MAX)
        .clamp(1, MAX_VALUES)
}

fn too_many(max: usize) -> FieldError {
    FieldError::new(
        "validation_too_many_values",
        format!("Select no more than {max}."),
    )
    .with("maxSelect", max)
}

pub(super) fn select(field: &Field, stored: &Stored) -> Result<(), FieldError> {
    let values = convert::values(field, stored);
    if !present(field, values.is_empty())? {
        return Ok(());
    }
    let max = max_select(field);
    if values.len() > max {
        return Err(too_many(max));
    }
    let known = |value: &str| field.list_option("values").any(|known| known == value);
    if let Some(unknown) = values.iter().find(|value| !known(value)) {
        // A sentence ends with what it speaks of, not with spaces.
        let message = format!("Invalid value {}.", unknown.trim_end());
        return Err(
            FieldError::new("validation_invalid_value", message).with("value", unknown.as_str())
        );
    }
    Ok(())
}

pub(super) fn relation(field: &Field, stored: &Stored) -> Result<(), FieldError> {
    let values = convert::values(field, stored);
    if !present(field, values.is_empty())? {
        return Ok(());
    }
    let min = field.limit_option("minSelect").unwrap_or(0);
    if values.len() < min {
        let message = format!("Select at least {min}.");
        return Err(FieldError::new("validation_not_enough_values", message).with("minSelect", min));
    }
    let max = max_select(field);
    if values.len() > max {
        return Err(too_many(max));
    }
    Ok(())
}

pub(super) fn files(field: &Field, stored: &Stored) -> Result<(), FieldError> {
    let values = convert::values(field, stored);
    present(field, values.is_empty())?;
    let max = max_select(field);
    if values.len() > max {
        let message = format!("The maximum allowed files is {max}.");
        return Err(FieldError::new("validation_too_many_files", message).with("maxSelect", max));
    }
    Ok(())
}
