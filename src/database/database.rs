//! The handle that roles hold.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use mito_core::Clock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{
    Error, Migrations, Tx, postgres,
    queue::Queue,
    sqlite::{self, backup},
    work,
};

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

impl Config {
    /// How many threads read.
    pub(crate) fn reader_count(&self) -> usize {
        if self.readers > 0 {
            return self.readers;
        }
        thread::available_parallelism()
            .map_or(2, usize::from)
            .max(2)
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

/// How long [`Database::ping`] waits for its read and its write.
const PING_LIMIT: Duration = Duration::from_secs(5);

/// The running threads of an engine, as the handle sees them.
pub(crate) struct Threads {
    pub(crate) writes: Arc<Queue>,
    pub(crate) reads: Arc<Queue>,
    pub(crate) changes: watch::Sender<i64>,
    pub(crate) file_id: String,
    /// Becomes true when the last thread has ended.
    pub(crate) ended: watch::Receiver<bool>,
}

struct Open {
    threads: Threads,
    location: Location,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.threads.close();
    }
}

impl Threads {
    fn close(&self) {
        self.writes.close();
        self.reads.close();
    }
}

/// A database. Cheap to clone; closes when the last clone is dropped and its threads are done.
///
/// A call whose future is dropped before its closure has begun never runs it.
#[derive(Clone)]
pub struct Database(Arc<Open>);

impl Database {
    /// Opens or creates the database and applies the migrations of every role. Blocks nothing but
    /// the caller's task. A damaged, foreign or newer file is an error that says what to do.
    pub async fn open(options: Options, migrations: &[Migrations]) -> Result<Self, Error> {
        let migrations = migrations.to_vec();
        let Options {
            location,
            config,
            clock,
        } = options;
        let place = location.clone();
        let threads = off_runtime(move || match &place {
            Location::File(path) => sqlite::open(path, &config, &clock, &migrations),
            Location::Postgres(url) => postgres::open(url, &config, &clock, &migrations),
        })
        .await?;
        Ok(Self(Arc::new(Open { threads, location })))
    }

    /// Runs `work` on a reader: it sees one snapshot and cannot write.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        run_on(&self.0.threads.reads, Lane::Normal, false, work).await
    }

    /// Runs `work` on the writer and answers after the commit is on disk. An error rolls back what
    /// this closure did and nothing else. `work` must be free of outside effects: it may run more
    /// than once.
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
        run_on(&self.0.threads.writes, lane, false, work).await
    }

    /// Runs `work` alone, outside any group, for schema changes. Its statements may take ten
    /// minutes each.
    pub async fn exclusive<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        run_on(&self.0.threads.writes, Lane::Normal, true, work).await
    }

    /// Writes a consistent copy to `path` (which must not exist) while writers go on.
    pub async fn backup(&self, path: PathBuf) -> Result<(), Error> {
        match self.0.location.clone() {
            Location::File(source) => off_runtime(move || backup::copy(&source, &path)).await,
            Location::Postgres(_) => Err(Error::Engine(
                "a PostgreSQL database is backed up with pg_dump".to_owned(),
            )),
        }
    }

    /// Whether the data is in a file of the data folder.
    pub fn is_file(&self) -> bool {
        matches!(self.0.location, Location::File(_))
    }

    /// Sees the sequence of the newest committed event whenever a commit appended one.
    pub fn changes(&self) -> watch::Receiver<i64> {
        self.0.threads.changes.subscribe()
    }

    /// The random id that the file was given when it was created.
    pub fn file_id(&self) -> &str {
        &self.0.threads.file_id
    }

    /// Whether a read and a durable write work within 5 s: what `pg_isready` told.
    pub async fn ping(&self) -> Result<(), Error> {
        let both = async {
            self.read(|tx| tx.query_one("SELECT 1 AS one", &[]).map(|_| ()))
                .await?;
            self.write_in(Lane::Urgent, |tx| {
                let now = tx.now_ms().to_string();
                let updated = tx.execute(
                    "UPDATE _mito_meta SET value = $1 WHERE key = 'pinged_ms'",
                    &[&now],
                )?;
                if updated == 0 {
                    tx.execute(
                        "INSERT INTO _mito_meta (key, value) VALUES ('pinged_ms', $1)",
                        &[&now],
                    )?;
                }
                Ok(())
            })
            .await
        };
        tokio::time::timeout(PING_LIMIT, both)
            .await
            .unwrap_or(Err(Error::TimedOut))
    }

    /// How many writes wait.
    #[cfg(test)]
    pub(crate) fn queued_writes(&self) -> usize {
        self.0.threads.writes.len()
    }

    /// Becomes true when the last thread has ended.
    #[cfg(test)]
    pub(crate) fn ended(&self) -> watch::Receiver<bool> {
        self.0.threads.ended.clone()
    }

    /// Finishes what is queued, checkpoints and closes; later calls answer [`Error::Closed`].
    pub async fn close(&self, deadline: Duration) {
        self.0.threads.close();
        let mut ended = self.0.threads.ended.clone();
        let ended = ended.wait_for(|ended| *ended);
        if tokio::time::timeout(deadline, ended).await.is_err() {
            tracing::warn!(
                database.path = %self.0.location,
                "the database did not close in time; the next start recovers its log"
            );
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Database")
            .field("location", &format_args!("{}", self.0.location))
            .field("file_id", &self.0.threads.file_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            // The string holds a password.
            Self::Postgres(_) => formatter.write_str("PostgreSQL"),
        }
    }
}

/// Checks a file that nothing has open, a copy from a backup: that it is whole, and that this program
/// knows its migrations. Blocks, and changes nothing.
pub fn check_file(path: &Path, migrations: &[Migrations]) -> Result<(), Error> {
    sqlite::check_file(path, migrations)
}

async fn run_on<T, E, F>(queue: &Queue, lane: Lane, exclusive: bool, work: F) -> Result<T, E>
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let (work, reply) = work::pack(work);
    queue.push(lane, exclusive, work)?;
    reply.await.unwrap_or_else(|_| Err(E::from(Error::Closed)))
}

pub(crate) async fn off_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let result = tokio::task::spawn_blocking(work).await;
    result.unwrap_or_else(|error| Err(Error::Engine(format!("a database task failed: {error}"))))
}
