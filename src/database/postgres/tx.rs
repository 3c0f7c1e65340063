//! A transaction on PostgreSQL.

use std::sync::Arc;

use postgres::{SimpleQueryMessage, fallible_iterator::FallibleIterator as _, types::ToSql};

use crate::{
    Error, NewEvent, Row, ToValue,
    error::shortened,
    postgres::{
        connection::Connection,
        errors::{is_conflict, is_session_end, is_stale_plan, translate},
        values::{Column, Parameter},
    },
    tx::{MAX_ROWS, State},
};

/// Statements that belong to the engine: transactions, sessions, notifications.
const REFUSED: [&str; 15] = [
    "ABORT",
    "BEGIN",
    "COMMIT",
    "DEALLOCATE",
    "DISCARD",
    "END",
    "LISTEN",
    "NOTIFY",
    "PREPARE",
    "RELEASE",
    "RESET",
    "ROLLBACK",
    "SAVEPOINT",
    "SET",
    "START",
];
/// The lock that emitters hold until they commit, so that sequences rise in commit order.
const EMIT_LOCK: &str =
    "SELECT pg_advisory_xact_lock(hashtext('mito outbox'), hashtext(current_schema()))";

/// A closure's view of a connection inside a transaction.
pub(crate) struct PostgresTx<'a> {
    connection: &'a mut Connection,
    writes: bool,
    has_savepoint: bool,
    has_emitted: bool,
    state: State,
}

impl<'a> PostgresTx<'a> {
    pub(crate) fn new(connection: &'a mut Connection, writes: bool) -> Self {
        Self {
            connection,
            writes,
            has_savepoint: false,
            has_emitted: false,
            state: State::Whole,
        }
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(super) fn writes(&self) -> bool {
        self.writes
    }

    /// Runs plain SQL of any number of statements; a failure ends the transaction.
    pub(super) fn simple(&mut self, sql: &str) -> Result<Vec<SimpleQueryMessage>, Error> {
        let answers = self.connection.running().simple_query(sql);
        answers.map_err(|error| self.fail(&error, sql, false))
    }

    pub(crate) fn query(
        &mut self,
        sql: &str,
        parameters: &[&dyn ToValue],
        limit: usize,
    ) -> Result<Vec<Row>, Error> {
        let found = self.guarded(sql, parameters, |connection, parameters| {
            rows(connection, sql, parameters, limit)
        })?;
        if limit > MAX_ROWS && found.len() > MAX_ROWS {
            return Err(Error::Statement {
                message: format!("the result has more than {MAX_ROWS} rows; page through it"),
                sql: shortened(sql),
            });
        }
        Ok(found)
    }

    pub(crate) fn execute(
        &mut self,
        sql: &str,
        parameters: &[&dyn ToValue],
    ) -> Result<usize, Error> {
        let changed = self.guarded(sql, parameters, |connection, parameters| {
            let statement = connection.prepare(sql)?;
            connection.running().execute(&statement, parameters)
        })?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    pub(crate) fn emit(&mut self, event: &NewEvent<'_>, now_ms: i64) -> Result<i64, Error> {
        if !self.has_emitted {
            self.query(EMIT_LOCK, &[], 1)?;
            self.has_emitted = true;
        }
        let rows = self.query(
            "INSERT INTO _mito_outbox (collection, record, action, detail, at_ms) \
             VALUES ($1, $2, $3, $4, $5) RETURNING sequence",
            &[
                &event.collection,
                &event.record,
                &event.action.code(),
                &event.detail,
                &now_ms,
            ],
            1,
        )?;
        rows.first()
            .ok_or_else(|| Error::Engine("the outbox gave no sequence".to_owned()))?
            .get("sequence")
    }

    /// Runs a statement so that its failure leaves the transaction usable, as on SQLite.
    fn guarded<T>(
        &mut self,
        sql: &str,
        parameters: &[&dyn ToValue],
        work: impl FnOnce(&mut Connection, &[&(dyn ToSql + Sync)]) -> Result<T, postgres::Error>,
    ) -> Result<T, Error> {
        if self.state != State::Whole {
            return Err(Error::Busy);
        }
        let keyword = keyword(sql);
        if REFUSED.contains(&keyword.as_str()) {
            return Err(Error::Statement {
                message: format!("{keyword} belongs to the engine"),
                sql: shortened(sql),
            });
        }
        let protects = self.writes && keyword != "SELECT";
        let values: Vec<Parameter<'_>> = parameters
            .iter()
            .map(|parameter| Parameter(parameter.to_value()))
            .collect();
        let values: Vec<&(dyn ToSql + Sync)> = values
            .iter()
            .map(|value| value as &(dyn ToSql + Sync))
            .collect();
        if protects {
            let savepoint = if self.has_savepoint {
                "RELEASE SAVEPOINT statement; SAVEPOINT statement"
            } else {
                "SAVEPOINT statement"
            };
            self.connection
                .run(savepoint)
                .map_err(|error| self.fail(&error, savepoint, false))?;
            self.has_savepoint = true;
        }
        let checked = self.check_count(sql, values.len());
        let result = match checked {
            Ok(()) => work(self.connection, &values),
            Err(Unprepared::Refused(error)) => Err(error),
            Err(Unprepared::Mismatch(error)) => return Err(error),
        };
        result.map_err(|error| self.fail(&error, sql, protects))
    }

    fn check_count(&mut self, sql: &str, given: usize) -> Result<(), Unprepared> {
        let statement = self.connection.prepare(sql).map_err(Unprepared::Refused)?;
        let wanted = statement.params().len();
        if wanted == given {
            return Ok(());
        }
        Err(Unprepared::Mismatch(Error::Statement {
            message: format!("{given} parameters were given but the statement has {wanted}"),
            sql: shortened(sql),
        }))
    }

    fn fail(&mut self, error: &postgres::Error, sql: &str, protected: bool) -> Error {
        if is_stale_plan(error) {
            self.connection.forget_statements();
            self.state = State::RunAgain;
        } else if is_conflict(error) || is_session_end(error) {
            self.state = State::RunAgain;
        } else if !protected
            || self
                .connection
                .run("ROLLBACK TO SAVEPOINT statement")
                .is_err()
        {
            self.state = State::Broken;
        }
        translate(error, sql)
    }
}

enum Unprepared {
    Mismatch(Error),
    Refused(postgres::Error),
}

fn rows(
    connection: &mut Connection,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
    limit: usize,
) -> Result<Vec<Row>, postgres::Error> {
    let statement = connection.prepare(sql)?;
    let columns: Arc<[String]> = statement
        .columns()
        .iter()
        .map(|column| column.name().to_owned())
        .collect();
    let parameters = parameters.iter().map(|parameter| *parameter as &dyn ToSql);
    let mut found = connection.running().query_raw(&statement, parameters)?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let values = (0..columns.len())
            .map(|index| row.try_get::<_, Column>(index).map(|column| column.0))
            .collect::<Result<Vec<_>, _>>()?;
        rows.push(Row {
            columns: Arc::clone(&columns),
            values,
        });
        if rows.len() == limit || rows.len() > MAX_ROWS {
            break;
        }
    }
    Ok(rows)
}

/// The first word of a statement in upper case, comments skipped.
fn keyword(sql: &str) -> String {
    let mut rest = sql.trim_start();
    loop {
        let after = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, after)| after)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map_or("", |(_, after)| after)
        } else {
            break;
        };
        rest = after.trim_start();
    }
    rest.chars()
        .take_while(char::is_ascii_alphabetic)
        .collect::<String>()
        .to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::keyword;

    #[test]
    fn the_first_word_is_found_behind_comments() {
        for (sql, expected) in [
            ("commit", "COMMIT"),
            (" /* well */ end;", "END"),
            ("-- no\n -- more\nSelect 1", "SELECT"),
            ("/* unclosed", ""),
            ("", ""),
        ] {
            assert_eq!(keyword(sql), expected, "{sql}");
        }
    }
}
