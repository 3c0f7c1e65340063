//! A value from outside in one step: converted, then checked. For callers that have no record
//! around the value.

use mito_database::Value as Stored;
use serde_json::Value;

pub(crate) use crate::fields::{
    cast::flag as is_true,
    check::{is_email, too_long, too_short},
};
use crate::{
    Field, FieldError,
    fields::{check::check, convert::convert},
};

/// The stored form of `value`, or what is wrong with it.
#[cfg(test)]
pub(crate) fn accept(field: &Field, value: &Value) -> Result<Stored, FieldError> {
    let stored = convert(field, value);
    check(field, &stored)?;
    Ok(stored)
}

#[cfg(test)]
mod tests;
