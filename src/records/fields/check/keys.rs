//! Primary keys. Ids stand in addresses and in names of files, so where a pattern lets more than
//! lower-case letters and digits through, what means something there is refused.

use crate::{Field, FieldError};

/// What ids look like unless a collection says otherwise.
const DEFAULT_PATTERN: &str = "^[a-z0-9]+$";

/// Characters with a meaning in paths, addresses or shells.
const FORBIDDEN: &[char] = &[
    '.', '/', '\\', '|', '"', '\'', '`', '<', '>', ':', '?', '*', '%', '$', '\n', '\r', '\t', ' ',
];

/// Names of devices, which are no file names on Windows.
const RESERVED: &[&str] = &[
    "CON", "PRN", "AUX", "NUL", "COM0", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7",
    "COM8", "COM9", "LPT0", "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9",
];

/// Whether ids of this field differ in more than case by their pattern alone.
pub(crate) fn is_default_pattern(field: &Field) -> bool {
    matches!(field.text_option("pattern"), "" | DEFAULT_PATTERN)
}

/// What is wrong with a key beyond length and pattern.
pub(super) fn check(field: &Field, key: &str) -> Result<(), FieldError> {
    if is_default_pattern(field) {
        return Ok(());
    }
    if let Some(found) = key.chars().find(|character| FORBIDDEN.contains(character)) {
        let message = format!("'{found}' is not a valid primary key character.");
        return Err(
            FieldError::new("validation_forbidden_pk_character", message)
                .with("ch", found.to_string()),
        );
    }
    let upper = key.to_uppercase();
    if RESERVED.contains(&upper.as_str()) {
        let message = format!("The primary key '{upper}' is reserved and cannot be used.");
        return Err(
            FieldError::new("validation_reserved_pk", message).with("reserved", upper.as_str())
        );
    }
    Ok(())
}
