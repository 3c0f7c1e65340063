//! Regular expressions of text fields. They come from administrators, and still are bounded.

use regex::{Regex, RegexBuilder};

/// How much memory a compiled expression may take, in bytes.
const MAX_SIZE_BYTES: usize = 256 * 1024;

/// Compiles a pattern; `None` when it is empty.
pub(crate) fn compile(pattern: &str) -> Result<Option<Regex>, regex::Error> {
    if pattern.is_empty() {
        return Ok(None);
    }
    RegexBuilder::new(pattern)
        .size_limit(MAX_SIZE_BYTES)
        .build()
        .map(Some)
}

/// Whether `value` matches `pattern`. The pattern of record ids is checked without compiling it.
pub(crate) fn matches(pattern: &str, value: &str) -> bool {
    match pattern {
        "^[a-z0-9]+$" => {
            !value.is_empty()
                && value
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        }
        _ => match compile(pattern) {
            Ok(Some(expression)) => expression.is_match(value),
            Ok(None) => true,
            Err(_) => false,
        },
    }
}
