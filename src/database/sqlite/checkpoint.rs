//! Carrying the write-ahead log over into the database file, away from the write path: a thread
//! of its own while writers are at work, the writer itself when nobody waits.

use std::{fs, path::Path, sync::mpsc::Receiver, time::Duration};

use rusqlite::Connection;

use crate::sqlite::connection::{Guarded, LOG_SIZE_LIMIT_BYTES};

/// A log longer than this (8 MiB in pages of 4 KiB) is carried over beside the writer.
pub(crate) const PASSIVE_ABOVE_PAGES: u64 = 2_048;
/// At this length (32 MiB), and again after each as many pages, the writer helps.
pub(crate) const CATCH_UP_PAGES: u64 = 8_192;
/// A log longer than this (256 MiB) means that a reader has been holding it for long.
const ALARM_ABOVE_PAGES: i64 = 65_536;

/// Runs a passive checkpoint, which blocks nobody, whenever one is asked for.
pub(crate) fn run(guarded: &Guarded, name: &str, path: &Path, wanted: &Receiver<()>) {
    while wanted.recv().is_ok() {
        match checkpoint(&guarded.connection, "PASSIVE") {
            Ok(state) if state.pages > ALARM_ABOVE_PAGES && state.carried < state.pages => {
                tracing::warn!(
                    database.path = %path.display(),
                    log.pages = state.pages,
                    carried.pages = state.carried,
                    "the write-ahead log cannot be emptied; a reader holds it"
                );
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(error = %error, database = name, "checkpoint failed"),
        }
    }
}

/// Carries everything over and empties the log; false if a reader is in the way.
pub(crate) fn truncate(connection: &Connection) -> rusqlite::Result<bool> {
    // Waiting here would make the next writer wait.
    connection.busy_timeout(Duration::ZERO)?;
    let state = checkpoint(connection, "TRUNCATE");
    connection.busy_timeout(super::connection::BUSY_TIMEOUT)?;
    Ok(!state?.busy)
}

/// Carries everything over, so that the next write begins the log anew; false if a reader that
/// does not end within `patience` is in the way.
pub(crate) fn restart(connection: &Connection, patience: Duration) -> rusqlite::Result<bool> {
    connection.busy_timeout(patience)?;
    let state = checkpoint(connection, "RESTART");
    connection.busy_timeout(super::connection::BUSY_TIMEOUT)?;
    Ok(!state?.busy)
}

/// Carries everything over while nobody writes; false if a reader is in the way. The log keeps
/// its length, up to a limit: writing over existing blocks makes a commit twice as fast as making
/// the file longer.
pub(crate) fn tidy(connection: &Connection, log: &Path) -> rusqlite::Result<bool> {
    let log_bytes = fs::metadata(log).map_or(0, |log| log.len());
    if log_bytes > LOG_SIZE_LIMIT_BYTES.unsigned_abs() {
        return truncate(connection);
    }
    let state = checkpoint(connection, "PASSIVE")?;
    Ok(!state.busy && state.carried == state.pages)
}

/// Carries over what is left, as far as readers allow; false if another thread is at it.
pub(crate) fn catch_up(connection: &Connection) -> rusqlite::Result<bool> {
    checkpoint(connection, "PASSIVE").map(|state| !state.busy)
}

struct State {
    busy: bool,
    pages: i64,
    carried: i64,
}

fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<State> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), (), |row| {
        Ok(State {
            busy: row.get(0)?,
            pages: row.get(1)?,
            carried: row.get(2)?,
        })
    })
}
