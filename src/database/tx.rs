//! A transaction, the same on both engines.

use crate::{Error, NewEvent, Row, ToValue};

/// Which SQL an engine speaks, for the few places where they differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite 3.
    Sqlite,
    /// PostgreSQL 13 or newer.
    Postgres,
}

/// A transaction. Statements are prepared once per connection and cached; parameters are `$1`,
/// `$2` and so on, bound by their number.
#[derive(Debug)]
pub struct Tx<'a> {
    pub(crate) _engine: std::marker::PhantomData<&'a ()>,
}

impl Tx<'_> {
    /// The engine's SQL.
    pub fn dialect(&self) -> Dialect {
        todo!("database helper")
    }

    /// All rows of a query.
    pub fn query(&mut self, sql: &str, parameters: &[&dyn ToValue]) -> Result<Vec<Row>, Error> {
        let _ = (sql, parameters.len());
        todo!("database helper")
    }

    /// The first row of a query, if there is one.
    pub fn query_one(
        &mut self,
        sql: &str,
        parameters: &[&dyn ToValue],
    ) -> Result<Option<Row>, Error> {
        let _ = (sql, parameters.len());
        todo!("database helper")
    }

    /// Runs a statement; returns how many rows it changed.
    pub fn execute(&mut self, sql: &str, parameters: &[&dyn ToValue]) -> Result<usize, Error> {
        let _ = (sql, parameters.len());
        todo!("database helper")
    }

    /// Appends an event to the file's outbox; it is seen after the commit. Returns its sequence.
    pub fn emit(&mut self, event: NewEvent<'_>) -> Result<i64, Error> {
        let _ = event;
        todo!("database helper")
    }

    /// The time of the transaction, milliseconds since the Unix epoch, from the injected clock.
    pub fn now_ms(&self) -> i64 {
        todo!("database helper")
    }
}
