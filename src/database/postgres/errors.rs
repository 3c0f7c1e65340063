//! What PostgreSQL's error codes mean to callers.

use std::error::Error as _;

use postgres::error::{DbError, SqlState};

use crate::{Error, error::shortened};

/// Translates an error of the statement `sql`.
pub(crate) fn translate(error: &postgres::Error, sql: &str) -> Error {
    let Some(failure) = error.as_db_error() else {
        let message = with_cause(error);
        if error.is_closed() {
            return Error::Engine(format!("the connection to PostgreSQL is lost: {message}"));
        }
        return Error::Statement {
            message,
            sql: shortened(sql),
        };
    };
    let code = failure.code();
    if *code == SqlState::UNIQUE_VIOLATION {
        return Error::Unique(unique_columns(failure));
    }
    if *code == SqlState::DISK_FULL {
        return Error::Full;
    }
    if *code == SqlState::QUERY_CANCELED {
        return Error::TimedOut;
    }
    if is_conflict(error)
        || *code == SqlState::LOCK_NOT_AVAILABLE
        || *code == SqlState::TOO_MANY_CONNECTIONS
    {
        return Error::Busy;
    }
    match &code.code()[..2] {
        "23" => Error::Constraint(failure.message().to_owned()),
        "57" | "08" => Error::Engine(format!("PostgreSQL: {}", failure.message())),
        _ => Error::Statement {
            message: failure.message().to_owned(),
            sql: shortened(sql),
        },
    }
}

/// Whether the transaction met another one and may succeed when it runs again.
pub(crate) fn is_conflict(error: &postgres::Error) -> bool {
    error.code().is_some_and(|code| {
        *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED
    })
}

/// Whether the server has ended the session: it was told to, or it is stopping.
pub(crate) fn is_session_end(error: &postgres::Error) -> bool {
    error.is_closed()
        || error.code().is_some_and(|code| {
            matches!(&code.code()[..2], "08") || matches!(code.code(), "57P01" | "57P02" | "57P03")
        })
}

/// Whether a prepared statement is out of date after a change of the schema.
pub(crate) fn is_stale_plan(error: &postgres::Error) -> bool {
    error.as_db_error().is_some_and(|failure| {
        *failure.code() == SqlState::FEATURE_NOT_SUPPORTED
            && failure.message().contains("cached plan")
            || *failure.code() == SqlState::INVALID_SQL_STATEMENT_NAME
    })
}

fn with_cause(error: &postgres::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// `table.column, table.other`, as SQLite says it. The detail is `Key (column, other)=(…) …`.
fn unique_columns(failure: &DbError) -> String {
    let table = failure.table().unwrap_or_default();
    let columns = failure
        .detail()
        .and_then(|detail| detail.split_once('('))
        .and_then(|(_, rest)| rest.split_once(")="))
        .map(|(columns, _)| columns);
    match columns {
        Some(columns) => columns
            .split(", ")
            .map(|column| format!("{table}.{column}"))
            .collect::<Vec<_>>()
            .join(", "),
        None => failure.constraint().unwrap_or(table).to_owned(),
    }
}
