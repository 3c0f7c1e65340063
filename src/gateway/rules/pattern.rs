//! Regular expressions in rules: RE2 as Go has it, which is what the `regex` crate reads. They match
//! in linear time and compile within a bound.

use regex::{Regex, RegexBuilder};

/// The largest compiled expression, in bytes.
const MAX_COMPILED_BYTES: usize = 256 * 1024;

/// A regular expression, equal to others of the same text.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(Regex);

impl Pattern {
    /// Compiles an expression; the error says what is wrong with it.
    pub(crate) fn compile(text: &str) -> Result<Self, String> {
        RegexBuilder::new(text)
            .size_limit(MAX_COMPILED_BYTES)
            .build()
            .map(Self)
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => {
                    format!("the expression takes more than {MAX_COMPILED_BYTES} bytes compiled")
                }
                // The last line says what is wrong, those before it draw where.
                other => {
                    let text = other.to_string();
                    text.lines().last().unwrap_or_default().trim().to_owned()
                }
            })
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Pattern {}
