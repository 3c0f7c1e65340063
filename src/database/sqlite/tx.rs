//! A transaction on SQLite.

use std::{path::Path, sync::Arc, time::Duration};

use rusqlite::{
    CachedStatement, Statement, ToSql,
    types::{ToSqlOutput, ValueRef},
};

use crate::{
    Error, NewEvent, Row, ToValue, Value,
    error::shortened,
    sqlite::{
        connection::{Guard, Guarded},
        errors::translate,
    },
    tx::MAX_ROWS,
};

/// A closure's view of a connection. While it lives, the connection's guards are up.
pub(crate) struct SqliteTx<'a> {
    pub(super) guarded: &'a Guarded,
    pub(super) path: &'a Path,
    statement_limit: Duration,
    lost: Option<&'static str>,
    was_stopped: bool,
    has_written: bool,
}

impl<'a> SqliteTx<'a> {
    pub(crate) fn new(guarded: &'a Guarded, path: &'a Path, statement_limit: Duration) -> Self {
        guarded.guard.set_inside_closure(true);
        Self {
            guarded,
            path,
            statement_limit,
            lost: None,
            was_stopped: false,
            has_written: false,
        }
    }

    pub(crate) fn query(
        &mut self,
        sql: &str,
        parameters: &[&dyn ToValue],
        limit: usize,
    ) -> Result<Vec<Row>, Error> {
        self.query_within(sql, parameters, limit, usize::MAX)
    }

    /// [`SqliteTx::query`] that ends after the row with which the values take `max_bytes`.
    pub(crate) fn query_within(
        &mut self,
        sql: &str,
        parameters: &[&dyn ToValue],
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<Row>, Error> {
        self.with_statement(sql, parameters, |statement| {
            rows(statement, limit, max_bytes)
        })
    }

    pub(crate) fn execute(
        &mut self,
        sql: &str,
        parameters: &[&dyn ToValue],
    ) -> Result<usize, Error> {
        let connection = &self.guarded.connection;
        let before = connection.total_changes();
        self.with_statement(sql, parameters, |statement| {
            let mut rows = statement.raw_query();
            while rows.next()?.is_some() {}
            Ok(())
        })?;
        // `changes` keeps the number of the last data statement when another kind has run.
        if connection.total_changes() == before {
            return Ok(0);
        }
        Ok(usize::try_from(connection.changes()).unwrap_or(usize::MAX))
    }

    pub(crate) fn emit(&mut self, event: &NewEvent<'_>, now_ms: i64) -> Result<i64, Error> {
        self.execute(
            "INSERT INTO _mito_outbox (collection, record, action, detail, at_ms) \
             VALUES ($1, $2, $3, $4, $5)",
            &[
                &event.collection,
                &event.record,
                &event.action.code(),
                &event.detail,
                &now_ms,
            ],
        )?;
        Ok(self.guarded.connection.last_insert_rowid())
    }

    /// Whether SQLite has ended the whole transaction.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.is_some() || self.guarded.connection.is_autocommit()
    }

    /// Whether a statement ran longer than its limit.
    pub(crate) fn was_stopped(&self) -> bool {
        self.was_stopped
    }

    /// Whether a statement may have left something to undo.
    pub(crate) fn has_written(&self) -> bool {
        self.has_written
    }

    /// Says that statements ran that may have left something to undo.
    pub(super) fn wrote(&mut self) {
        self.has_written = true;
    }

    /// Says that the engine has ended the transaction.
    pub(super) fn lose(&mut self, reason: &'static str) {
        self.lost = Some(reason);
    }

    fn with_statement<T>(
        &mut self,
        sql: &str,
        parameters: &[&dyn ToValue],
        work: impl FnOnce(&mut Statement<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        // A statement after the end of the transaction would commit by itself.
        if let Some(reason) = self.lost {
            return Err(Error::Engine(reason.to_owned()));
        }
        let running = Running::start(&self.guarded.guard, self.statement_limit);
        let connection = &self.guarded.connection;
        let (changes, mut writes) = (connection.total_changes(), false);
        let result = self.prepare(sql, parameters).and_then(|mut statement| {
            writes = !statement.readonly();
            work(&mut statement).map_err(|error| translate(&error, sql, self.path))
        });
        drop(running);
        // A statement that fails undoes itself, unless it counts rows that it has left.
        self.has_written |= writes && (result.is_ok() || connection.total_changes() != changes);
        self.was_stopped |= matches!(result, Err(Error::TimedOut));
        if self.guarded.connection.is_autocommit() {
            self.lost = Some("the transaction has been rolled back after an earlier error");
        }
        result
    }

    fn prepare(
        &self,
        sql: &str,
        parameters: &[&dyn ToValue],
    ) -> Result<CachedStatement<'a>, Error> {
        let mut statement = self
            .guarded
            .connection
            .prepare_cached(sql)
            .map_err(|error| translate(&error, sql, self.path))?;
        bind(&mut statement, parameters).map_err(|reason| match reason {
            Unbound::Refused(error) => translate(&error, sql, self.path),
            Unbound::Mismatch(message) => Error::Statement {
                message,
                sql: shortened(sql),
            },
        })?;
        Ok(statement)
    }
}

impl Drop for SqliteTx<'_> {
    fn drop(&mut self) {
        self.guarded.guard.set_inside_closure(false);
    }
}

/// Holds the time limit of a statement, also when it unwinds.
pub(super) struct Running<'a>(&'a Guard);

impl<'a> Running<'a> {
    pub(super) fn start(guard: &'a Guard, limit: Duration) -> Self {
        guard.start_statement(limit);
        Self(guard)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.end_statement();
    }
}

enum Unbound {
    Mismatch(String),
    Refused(rusqlite::Error),
}

/// Binds `$n` by its number. SQLite numbers named parameters by first appearance, so `$2 … $1`
/// would be swapped without this. As on PostgreSQL, each parameter must occur in the statement.
fn bind(statement: &mut Statement<'_>, parameters: &[&dyn ToValue]) -> Result<(), Unbound> {
    let mut highest = 0;
    for index in 1..=statement.parameter_count() {
        let name = statement.parameter_name(index).unwrap_or("?");
        let number = name
            .strip_prefix('$')
            .and_then(|digits| digits.parse::<usize>().ok());
        let Some(number) = number.filter(|number| *number > 0) else {
            return Err(Unbound::Mismatch(format!(
                "the parameter {name} is not of the form $1"
            )));
        };
        let Some(parameter) = parameters.get(number - 1) else {
            return Err(Unbound::Mismatch(format!(
                "the parameter ${number} was not given"
            )));
        };
        highest = highest.max(number);
        statement
            .raw_bind_parameter(index, Bound(parameter.to_value()))
            .map_err(Unbound::Refused)?;
    }
    if highest < parameters.len() {
        return Err(Unbound::Mismatch(format!(
            "{} parameters were given but the highest in the statement is ${highest}",
            parameters.len()
        )));
    }
    Ok(())
}

struct Bound<'a>(crate::ValueRef<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            crate::ValueRef::Null => ValueRef::Null,
            crate::ValueRef::Integer(integer) => ValueRef::Integer(integer),
            crate::ValueRef::Real(real) => ValueRef::Real(real),
            crate::ValueRef::Text(text) => ValueRef::Text(text.as_bytes()),
            crate::ValueRef::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn rows(
    statement: &mut Statement<'_>,
    limit: usize,
    max_bytes: usize,
) -> rusqlite::Result<Vec<Row>> {
    let mut bytes = 0_usize;
    let drain = !statement.readonly();
    let mut rows = statement.raw_query();
    let mut columns: Option<Arc<[String]>> = None;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        if found.len() == limit || bytes >= max_bytes {
            // `RETURNING` takes effect as a whole only when the statement has run to its end.
            if drain {
                continue;
            }
            break;
        }
        if found.len() == MAX_ROWS {
            return Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_TOOBIG),
                Some(format!(
                    "the result has more than {MAX_ROWS} rows; page through it"
                )),
            ));
        }
        // Asked of the row, not before: the first step may have prepared the statement anew
        // after a schema change.
        let columns = columns.get_or_insert_with(|| {
            let statement: &Statement<'_> = row.as_ref();
            statement.column_names().map(str::to_owned).collect()
        });
        let values = (0..columns.len())
            .map(|index| row.get_ref(index).map(owned))
            .collect::<rusqlite::Result<Vec<_>>>()?;
        if max_bytes < usize::MAX {
            bytes += values.iter().map(Value::size_bytes).sum::<usize>();
        }
        found.push(Row {
            columns: Arc::clone(columns),
            values,
        });
    }
    Ok(found)
}

pub(super) fn owned(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => Value::Integer(integer),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}
