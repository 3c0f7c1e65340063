//! What can go wrong, with the codes of PocketBase's error envelope.

use std::collections::BTreeMap;

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// `validation_required`, `validation_invalid_email`, `validation_not_unique`, …
    pub code: &'static str,
    /// A sentence.
    pub message: String,
}

/// An error of records and accounts.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The collection, record or account does not exist, or may not be seen (404).
    #[error("the requested resource wasn't found")]
    NotFound,
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
    #[error("{} fields are invalid", .0.len())]
    Fields(BTreeMap<String, FieldError>),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] mito_database::Error),
    /// Something that should not happen.
    #[error("{0}")]
    Internal(String),
}
