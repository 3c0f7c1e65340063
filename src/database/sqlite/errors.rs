//! What SQLite's result codes mean to callers.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::{Error, error::shortened};

/// SQLite's extended code of a violated primary key.
const CONSTRAINT_PRIMARY_KEY: i32 = 1555;
/// SQLite's extended code of a violated unique index.
const CONSTRAINT_UNIQUE: i32 = 2067;

/// SQLite's extended code of a log index that found no room on the disk.
const IO_ERROR_INDEX_SIZE: i32 = 4874;

/// Translates an error of the statement `sql` on the database at `path`.
pub(crate) fn translate(error: &rusqlite::Error, sql: &str, path: &Path) -> Error {
    let message = message(error);
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => constraint(error, &message),
        Some(ErrorCode::DiskFull) => Error::Full,
        Some(ErrorCode::OperationInterrupted) => Error::TimedOut,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Busy,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Error::Corrupt {
            path: path.to_owned(),
            reason: message,
        },
        Some(ErrorCode::SystemIoFailure) if extended(error) == IO_ERROR_INDEX_SIZE => Error::Full,
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => {
            Error::Engine(format!("{}: {message}", path.display()))
        }
        _ => Error::Statement {
            message,
            sql: shortened(sql),
        },
    }
}

fn message(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}

fn constraint(error: &rusqlite::Error, message: &str) -> Error {
    let what = message.split_once(": ").map_or(message, |(_, what)| what);
    if matches!(extended(error), CONSTRAINT_PRIMARY_KEY | CONSTRAINT_UNIQUE) {
        return Error::Unique(what.to_owned());
    }
    Error::Constraint(message.to_owned())
}

fn extended(error: &rusqlite::Error) -> i32 {
    error
        .sqlite_error()
        .map_or(0, |failure| failure.extended_code)
}
