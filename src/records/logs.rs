//! The log that administrators read: requests and the platform's own lines, in a file of their own
//! (`telemetry.db`), in PocketBase's shape.
//!
//! Rows wait in a bounded queue for the task that writes them. Nobody ever waits for the log: a row
//! for which there is no room is dropped and counted (`mito_logs_dropped_total`).
//!
//! | module | what it holds |
//! |---|---|
//! | `store` | the table: rows in, pages and counts out, the old ones gone |
//! | `filter` | filters and sorts over its columns and `data.…` |
//! | `shrink` | rows that are too large |
//! | `lines` | the platform's own log lines as rows |

mod filter;
mod lines;
mod shrink;
mod store;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use mito_core::{Clock, Random, Shutdown, supervisor::TaskError, telemetry::LogSink};
use mito_database::{Database, Lane, Migration, Migrations, Tx};
use mito_network::Task;
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::{Mutex, mpsc};

use crate::{Error, ListQuery, Record, Records, settings};

/// The tables of `telemetry.db`.
pub const LOG_MIGRATIONS: Migrations = Migrations {
    role: "telemetry",
    steps: &[Migration {
        version: 1,
        sql: include_str!("logs/1.sql"),
        postgres: None,
    }],
};

/// How many rows may wait to be written.
const QUEUE_ROWS: usize = 4_096;
/// The most rows in one transaction.
const ROWS_AT_ONCE: usize = 500;
/// How long the first row of a transaction waits for others.
const GATHER: Duration = Duration::from_secs(1);
/// The largest log, in bytes of messages and data.
const MAX_BYTES: i64 = 256 * 1024 * 1024;
/// The length of a row's id, in characters.
const ID_CHARS: usize = 15;
/// The longest message, in bytes.
const MAX_MESSAGE: usize = 4_096;
const DAY_MS: i64 = 24 * 3_600_000;

/// A row to be.
#[derive(Clone, Debug, Default)]
pub struct LogEntry {
    /// −4 debug, 0 info, 4 warn, 8 error.
    pub level: i32,
    /// A line.
    pub message: String,
    /// What else is known.
    pub data: Map<String, Value>,
}

/// How many rows there were in an hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogCount {
    /// How many.
    pub total: i64,
    /// The beginning of the hour.
    pub date: String,
}

/// A page of rows.
pub type LogPage = crate::Page;

/// The log. Cheap to clone.
#[derive(Clone)]
pub struct Logs(Arc<Inner>);

struct Inner {
    database: Database,
    clock: Clock,
    random: Random,
    sender: mpsc::Sender<store::NewRow>,
    receiver: Mutex<mpsc::Receiver<store::NewRow>>,
}

impl Logs {
    /// The log in `telemetry.db`; does no I/O.
    pub fn new(database: Database, clock: Clock, random: Random) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE_ROWS);
        Self(Arc::new(Inner {
            database,
            clock,
            random,
            sender,
            receiver: Mutex::new(receiver),
        }))
    }

    /// Takes a row, if the settings want it and there is room. Never waits.
    fn push(&self, entry: LogEntry, wanted: &settings::Logs) {
        if wanted.max_days == 0 || entry.level < wanted.min_level {
            return;
        }
        let Ok(permit) = self.0.sender.try_reserve() else {
            metrics::counter!("mito_logs_dropped_total").increment(1);
            return;
        };
        permit.send(store::NewRow {
            id: self.0.random.id(ID_CHARS),
            level: entry.level,
            message: shrink::text(entry.message, MAX_MESSAGE),
            data: Value::Object(shrink::data(entry.data, wanted.max_data_size)).to_string(),
            created_ms: self.0.clock.now_ms(),
        });
    }

    /// Writes rows until shutdown, and then what is left.
    async fn write_until(&self, shutdown: &Shutdown) -> Result<(), TaskError> {
        let mut receiver = self.0.receiver.lock().await;
        // Counting is a walk over the whole log, so it is done once and kept up.
        let mut bytes = self.0.database.read(store::bytes).await?;
        let mut rows = Vec::new();
        loop {
            let ending = tokio::select! {
                count = receiver.recv_many(&mut rows, ROWS_AT_ONCE) => count == 0,
                () = shutdown.begun() => true,
            };
            if !ending && rows.len() < ROWS_AT_ONCE {
                tokio::select! {
                    () = shutdown.begun() => {}
                    () = self.0.clock.sleep(GATHER) => {}
                }
            }
            while rows.len() < ROWS_AT_ONCE
                && let Ok(row) = receiver.try_recv()
            {
                rows.push(row);
            }
            if !rows.is_empty() {
                bytes += rows.iter().map(store::NewRow::size).sum::<i64>();
                self.write(std::mem::take(&mut rows)).await;
            } else if ending {
                return Ok(());
            }
            if bytes > MAX_BYTES {
                bytes = self.bound_size(MAX_BYTES).await?;
            }
        }
    }

    async fn write(&self, rows: Vec<store::NewRow>) {
        let count = rows.len() as u64;
        let write = move |tx: &mut Tx<'_>| store::insert(tx, &rows);
        if let Err(error) = self.0.database.write(write).await {
            metrics::counter!("mito_logs_dropped_total").increment(count);
            tracing::debug!(%error, rows = count, "log rows cannot be written");
        }
    }

    /// Deletes the oldest rows of a log that is too large; returns its size.
    async fn bound_size(&self, most_bytes: i64) -> Result<i64, Error> {
        let database = &self.0.database;
        loop {
            let bytes = database.read(store::bytes).await?;
            if bytes <= most_bytes {
                return Ok(bytes);
            }
            database.write_in(Lane::Bulk, store::prune_oldest).await?;
        }
    }
}

impl Records {
    fn logs(&self) -> Result<&Logs, Error> {
        let platform = self.inner.platform.get();
        platform
            .map(|platform| &platform.logs)
            .ok_or(Error::NotFound)
    }

    /// Adds a row to the log. Never waits.
    pub fn log(&self, entry: LogEntry) {
        if let Ok(logs) = self.logs() {
            logs.push(entry, &self.settings().logs);
        }
    }

    /// What takes the platform's own lines into the log, as long as somebody keeps it.
    pub fn log_sink(&self) -> Arc<dyn LogSink> {
        Arc::new(lines::Lines(self.clone()))
    }

    /// A page of the log.
    pub async fn log_page(&self, query: ListQuery) -> Result<LogPage, Error> {
        let list = move |tx: &mut Tx<'_>| store::page(tx, &query);
        self.logs()?.0.database.read(list).await
    }

    /// A row of the log.
    pub async fn log_row(&self, id: &str) -> Result<Record, Error> {
        let id = id.to_owned();
        let find = move |tx: &mut Tx<'_>| store::one(tx, &id);
        self.logs()?.0.database.read(find).await
    }

    /// How many rows match a filter, by the hour.
    pub async fn log_counts(&self, filter: &str) -> Result<Vec<LogCount>, Error> {
        let filter = filter.to_owned();
        let count = move |tx: &mut Tx<'_>| store::counts(tx, &filter);
        self.logs()?.0.database.read(count).await
    }

    /// Empties the log.
    pub async fn clear_logs(&self) -> Result<(), Error> {
        self.logs()?.0.database.exclusive(store::clear).await
    }

    /// Deletes rows that are older than the settings say.
    pub(crate) async fn clean_logs(&self) -> Result<(), Error> {
        let Ok(logs) = self.logs() else {
            return Ok(());
        };
        let days = i64::from(self.settings().logs.max_days);
        let before_ms = self
            .inner
            .clock
            .now_ms()
            .saturating_sub(days.saturating_mul(DAY_MS));
        let prune = move |tx: &mut Tx<'_>| store::prune_age(tx, before_ms);
        while logs.0.database.write_in(Lane::Bulk, prune).await? > 0 {}
        logs.bound_size(MAX_BYTES).await?;
        Ok(())
    }

    /// The task that writes the log.
    pub(crate) fn log_writer(&self) -> Option<Task> {
        let logs = self.logs().ok()?.clone();
        Some(Task::new("logs", move |shutdown| {
            let logs = logs.clone();
            async move { logs.write_until(&shutdown).await }
        }))
    }
}
