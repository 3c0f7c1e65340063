//! One text of SQL typed by an administrator: several statements, any result, and the platform's own
//! tables (`_mito_*`) out of reach of writes.

use std::time::Duration;

use crate::{Error, Tx, Value, tx::EngineTx};

/// What may not be exceeded.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long each statement may run.
    pub time: Duration,
    /// How many rows the answer may have.
    pub rows: usize,
    /// How large the answer may be, in bytes of values.
    pub bytes: usize,
}

/// What a text came to: the result of its last statement that gives one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// How many rows were changed in all.
    pub affected: u64,
    /// The columns of the result.
    pub columns: Vec<Column>,
    /// Its rows.
    pub rows: Vec<Vec<Value>>,
}

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its declared type in capitals; empty for an expression.
    pub kind: String,
}

impl Tx<'_> {
    /// Runs every statement of `sql`. What controls transactions is refused, as in every closure, and
    /// so is what would change the platform's own tables or outlive the statement as a trigger.
    pub fn console(&mut self, sql: &str, limits: Limits) -> Result<Outcome, Error> {
        match self.engine() {
            EngineTx::Sqlite(tx) => tx.console(sql, limits),
            EngineTx::Postgres(tx) => tx.console(sql, limits),
        }
    }
}

impl Limits {
    /// The error of a result that is too large.
    pub(crate) fn exceeded(&self) -> Error {
        Error::Engine(format!(
            "the result has more than {} rows or {} bytes; narrow the query or page through it",
            self.rows, self.bytes
        ))
    }
}

/// The room that a value takes in an answer, in bytes.
pub(crate) fn room(value: &Value) -> usize {
    match value {
        Value::Null | Value::Integer(_) | Value::Real(_) => 8,
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
    }
}

/// Whether a table belongs to the platform and may only be read.
pub(crate) fn is_protected(table: &str) -> bool {
    table
        .get(..6)
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case("_mito_"))
}
