//! A transaction, the same on both engines.

use std::{any::Any, fmt, sync::Arc};

use crate::{Error, NewEvent, Row, ToValue, postgres::tx::PostgresTx, sqlite::tx::SqliteTx};

/// The most rows that one query may return.
pub(crate) const MAX_ROWS: usize = 100_000;

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
///
/// A statement that begins, ends or nests a transaction is refused: the engine does that. So is
/// more than one statement in a string.
pub struct Tx<'a> {
    engine: EngineTx<'a>,
    now_ms: i64,
    newest_event: Option<i64>,
    frees_space: bool,
    remembered: Option<Arc<dyn Any + Send + Sync>>,
}

/// What has become of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It can be committed.
    Whole,
    /// It met another transaction or an old plan, and may succeed when it runs again.
    RunAgain,
    /// The engine ended it.
    Broken,
}

/// The engine below a transaction.
pub(crate) enum EngineTx<'a> {
    Sqlite(SqliteTx<'a>),
    Postgres(PostgresTx<'a>),
}

impl<'a> Tx<'a> {
    pub(crate) fn new(engine: EngineTx<'a>, now_ms: i64) -> Self {
        Self {
            engine,
            now_ms,
            newest_event: None,
            frees_space: false,
            remembered: None,
        }
    }

    /// The highest sequence that [`Tx::emit`] gave out.
    pub(crate) fn newest_event(&self) -> Option<i64> {
        self.newest_event
    }

    pub(crate) fn engine(&mut self) -> &mut EngineTx<'a> {
        &mut self.engine
    }

    pub(crate) fn is_freeing_space(&self) -> bool {
        self.frees_space
    }

    /// Whether a statement ran longer than its limit, whatever the closure made of that.
    pub(crate) fn was_stopped(&self) -> bool {
        match &self.engine {
            EngineTx::Sqlite(tx) => tx.was_stopped(),
            EngineTx::Postgres(_) => false,
        }
    }

    /// Whether a statement may have left something to undo.
    pub(crate) fn has_written(&self) -> bool {
        match &self.engine {
            EngineTx::Sqlite(tx) => tx.has_written(),
            EngineTx::Postgres(_) => true,
        }
    }

    /// What has become of the transaction while the closure ran.
    pub(crate) fn state(&self) -> State {
        match &self.engine {
            EngineTx::Sqlite(tx) if tx.is_lost() => State::Broken,
            EngineTx::Sqlite(_) => State::Whole,
            EngineTx::Postgres(tx) => tx.state(),
        }
    }
}

impl Tx<'_> {
    /// The engine's SQL.
    pub fn dialect(&self) -> Dialect {
        match self.engine {
            EngineTx::Sqlite(_) => Dialect::Sqlite,
            EngineTx::Postgres(_) => Dialect::Postgres,
        }
    }

    /// All rows of a query; more than 100,000 are an error.
    pub fn query(&mut self, sql: &str, parameters: &[&dyn ToValue]) -> Result<Vec<Row>, Error> {
        match &mut self.engine {
            EngineTx::Sqlite(tx) => tx.query(sql, parameters, usize::MAX),
            EngineTx::Postgres(tx) => tx.query(sql, parameters, usize::MAX),
        }
    }

    /// The first row of a query, if there is one.
    pub fn query_one(
        &mut self,
        sql: &str,
        parameters: &[&dyn ToValue],
    ) -> Result<Option<Row>, Error> {
        let rows = match &mut self.engine {
            EngineTx::Sqlite(tx) => tx.query(sql, parameters, 1),
            EngineTx::Postgres(tx) => tx.query(sql, parameters, 1),
        };
        Ok(rows?.into_iter().next())
    }

    /// Runs a statement; returns how many rows it changed.
    pub fn execute(&mut self, sql: &str, parameters: &[&dyn ToValue]) -> Result<usize, Error> {
        match &mut self.engine {
            EngineTx::Sqlite(tx) => tx.execute(sql, parameters),
            EngineTx::Postgres(tx) => tx.execute(sql, parameters),
        }
    }

    /// Appends an event to the file's outbox; it is seen after the commit. Returns its sequence.
    pub fn emit(&mut self, event: NewEvent<'_>) -> Result<i64, Error> {
        let sequence = match &mut self.engine {
            EngineTx::Sqlite(tx) => tx.emit(&event, self.now_ms),
            EngineTx::Postgres(tx) => tx.emit(&event, self.now_ms),
        }?;
        self.newest_event = self.newest_event.max(Some(sequence));
        Ok(sequence)
    }

    /// Says that this closure gives back more room than it takes, now or soon after. It may use
    /// what a full file or disk keeps for such: without that nobody could make room by deleting.
    pub fn frees_space(&mut self) {
        self.frees_space = true;
    }

    /// What [`Tx::remember`] was told last, if it is a `T`.
    pub fn remembered<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        Arc::clone(self.remembered.as_ref()?).downcast().ok()
    }

    /// Keeps one thing for the rest of the closure: what it has looked up and would look up again.
    pub fn remember<T: Any + Send + Sync>(&mut self, thing: Arc<T>) {
        self.remembered = Some(thing);
    }

    /// Forgets what was remembered, because it has changed.
    pub fn forget(&mut self) {
        self.remembered = None;
    }

    /// The time of the transaction, milliseconds since the Unix epoch, from the injected clock.
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }
}

impl fmt::Debug for Tx<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Tx")
            .field("now_ms", &self.now_ms)
            .finish_non_exhaustive()
    }
}
