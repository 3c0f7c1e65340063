//! The handle that roles hold.

use std::{path::PathBuf, time::Duration};

use mito_core::Clock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{Error, Migrations, Tx};

/// `[database]`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `postgres://…` keeps the platform's data in PostgreSQL; empty keeps it in the data folder.
    pub url: String,
    /// Reader connections; 0 means one per core, at least two.
    pub readers: usize,
    /// How long one statement may run, in milliseconds.
    pub statement_timeout_ms: u64,
    /// How many writes may wait before new ones are refused.
    pub write_queue: usize,
    /// The largest size of a database file, in bytes; 0 means as large as the disk.
    pub max_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: String::new(),
            readers: 0,
            statement_timeout_ms: 10_000,
            write_queue: 4_096,
            max_bytes: 0,
        }
    }
}

/// How to open a database.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file (SQLite) or the connection string (PostgreSQL).
    pub location: Location,
    /// Limits.
    pub config: Config,
    /// Tells the time of transactions.
    pub clock: Clock,
}

/// Where the data is.
#[derive(Clone, Debug)]
pub enum Location {
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL connection string.
    Postgres(String),
}

/// Which writes go first. The writer takes from `Urgent` before `Normal` before `Bulk`, without
/// starving any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Leases, completions and relays: small, and others wait for them.
    Urgent,
    /// What a person or a client waits for.
    Normal,
    /// Imports and sweeps: at most 500 rows a closure.
    Bulk,
}

/// A database. Cheap to clone; closes when the last clone is dropped and its threads are done.
#[derive(Clone, Debug)]
pub struct Database {}

impl Database {
    /// Opens or creates the database and applies the migrations of every role. Blocks nothing but
    /// the caller's task. A damaged, foreign or newer file is an error that says what to do.
    pub async fn open(options: Options, migrations: &[Migrations]) -> Result<Self, Error> {
        let _ = (options, migrations);
        todo!("database helper")
    }

    /// Runs `work` on a reader: it sees one snapshot and cannot write.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let _ = work;
        todo!("database helper")
    }

    /// Runs `work` on the writer in a savepoint of its own and answers after the commit is on
    /// disk. An error rolls back what this closure did and nothing else. `work` must be free of
    /// outside effects: it may run more than once.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.write_in(Lane::Normal, work).await
    }

    /// [`Database::write`] in the given lane.
    pub async fn write_in<T, E, F>(&self, lane: Lane, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let _ = (lane, work);
        todo!("database helper")
    }

    /// Runs `work` alone, outside any group, for schema changes.
    pub async fn exclusive<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let _ = work;
        todo!("database helper")
    }

    /// Writes a consistent copy to `path` (which must not exist) while writers go on.
    pub async fn backup(&self, path: PathBuf) -> Result<(), Error> {
        let _ = path;
        todo!("database helper")
    }

    /// Sees the sequence of the newest committed event whenever a commit appended one.
    pub fn changes(&self) -> watch::Receiver<i64> {
        todo!("database helper")
    }

    /// The random id that the file was given when it was created.
    pub fn file_id(&self) -> &str {
        todo!("database helper")
    }

    /// Whether a read and a durable write work within 5 s: what `pg_isready` told.
    pub async fn ping(&self) -> Result<(), Error> {
        todo!("database helper")
    }

    /// Finishes what is queued, checkpoints and closes; later calls answer [`Error::Closed`].
    pub async fn close(&self, deadline: Duration) {
        let _ = deadline;
        todo!("database helper")
    }
}
