//! What can go wrong, with the codes of PocketBase's error envelope.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value};

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// `validation_required`, `validation_invalid_email`, `validation_not_unique`, …
    pub code: &'static str,
    /// A sentence.
    pub message: String,
    /// What the sentence speaks of, for clients that translate it: `{"min":3}`.
    pub params: Option<Value>,
}

impl FieldError {
    /// An error without parameters.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            params: None,
        }
    }

    /// An error whose sentence speaks of `value`, called `name` in the parameters.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        let mut params = match self.params.take() {
            Some(Value::Object(params)) => params,
            _ => Map::new(),
        };
        params.insert(name.to_owned(), value.into());
        self.params = Some(Value::Object(params));
        self
    }

    /// Nothing was given.
    pub fn required() -> Self {
        Self::new("validation_required", "Cannot be blank.")
    }

    /// Another record has this value.
    pub fn not_unique() -> Self {
        Self::new("validation_not_unique", "Value must be unique.")
    }

    /// Two values that must be the same are not, or a value may not be changed by this caller.
    pub fn mismatch() -> Self {
        Self::new("validation_values_mismatch", "Values don't match.")
    }

    /// A text is too short or too long, in characters.
    pub fn length_out_of_range(min: usize, max: usize) -> Self {
        Self {
            code: "validation_length_out_of_range",
            message: format!("The length must be between {min} and {max}."),
            params: Some(serde_json::json!({"max": max, "min": min})),
        }
    }

    /// The value does not have the form that the field wants.
    pub fn invalid_format() -> Self {
        Self::new("validation_invalid_format", "Invalid value format.")
    }
}

/// The fields that are wrong, by name. A name with dots is a path: `fields.2.name`.
pub type FieldErrors = BTreeMap<String, FieldError>;

/// An error of records and accounts.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The collection, record or account does not exist, or may not be seen (404).
    #[error("the requested resource wasn't found")]
    NotFound,
    /// There is no such collection (404).
    #[error("there is no such collection")]
    MissingCollection,
    /// Only somebody else may do this (403).
    #[error("{0}")]
    Forbidden(String),
    /// A valid credential is needed (401).
    #[error("{0}")]
    Unauthorized(String),
    /// The request is wrong as a whole (400).
    #[error("{0}")]
    Invalid(String),
    /// Fields are wrong (400).
    #[error("{}", describe(.0))]
    Fields(FieldErrors),
    /// Too many attempts (429).
    #[error("too many attempts; try again in {} s", .retry_after.as_secs())]
    TooManyRequests {
        /// When the next attempt is allowed.
        retry_after: Duration,
    },
    /// The database failed.
    #[error(transparent)]
    Database(#[from] mito_database::Error),
    /// Something that should not happen.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// One field is wrong.
    pub fn field(name: &str, error: FieldError) -> Self {
        Self::Fields([(name.to_owned(), error)].into_iter().collect())
    }

    /// What PocketBase says to callers of an operation that has no rule.
    pub(crate) fn superusers_only() -> Self {
        Self::Forbidden("Only superusers can perform this action.".to_owned())
    }
}

fn describe(fields: &FieldErrors) -> String {
    let each: Vec<String> = fields
        .iter()
        .map(|(name, error)| format!("{name}: {}", error.message))
        .collect();
    each.join(" ")
}
