//! Opening a connection with the settings that every connection has, and the guards on it: a time
//! limit per statement, and no transaction control from inside a closure.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::{
    Connection, OpenFlags,
    config::DbConfig,
    hooks::{AuthAction, AuthContext, Authorization},
};

use crate::sqlite::{console, functions};

/// Prepared statements kept per connection.
const CACHED_STATEMENTS: usize = 512;
/// How long a connection waits for a lock of another program.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Virtual machine instructions between two looks at the clock.
const INSTRUCTIONS_PER_CHECK: i32 = 2_000;
/// Page cache of the writer, in KiB.
const WRITER_CACHE_KIB: i64 = 8 * 1024;
/// Page cache of a reader, in KiB: every commit of the writer empties it, and the system's cache is
/// right behind it.
const READER_CACHE_KIB: i64 = 2 * 1024;
/// The size to which a reset write-ahead log is cut: twice the length at which it is carried over,
/// so that a steady load writes over the same blocks again and again.
pub(crate) const LOG_SIZE_LIMIT_BYTES: i64 = 16 * 1024 * 1024;
/// What a closure may ask the engine about. Everything else that `PRAGMA` can do belongs to us.
const ALLOWED_PRAGMAS: [&str; 12] = [
    "optimize",
    "table_info",
    "table_xinfo",
    "table_list",
    "index_list",
    "index_info",
    "index_xinfo",
    "foreign_key_list",
    "foreign_key_check",
    "quick_check",
    "data_version",
    "defer_foreign_keys",
];

/// One thread at a time has a connection, so SQLite's own mutex would be wasted time.
const NO_MUTEX: OpenFlags = OpenFlags::SQLITE_OPEN_NO_MUTEX;

/// A connection and its guards.
pub(crate) struct Guarded {
    pub(crate) connection: Connection,
    pub(crate) guard: Guard,
}

/// What a connection may do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The writer, and the checkpoint thread.
    Write,
    /// Readers.
    Read,
}

/// The limits on what runs inside a closure, shared with SQLite's callbacks.
#[derive(Clone)]
pub(crate) struct Guard {
    /// Microseconds after `epoch` at which the running statement is interrupted; 0 is never.
    deadline_us: Arc<AtomicU64>,
    epoch: Instant,
    inside_closure: Arc<AtomicBool>,
    /// Statements come from an administrator's keyboard.
    console: Arc<AtomicBool>,
}

impl Guard {
    fn new() -> Self {
        Self {
            deadline_us: Arc::default(),
            epoch: Instant::now(),
            inside_closure: Arc::default(),
            console: Arc::default(),
        }
    }

    /// Marks whether statements now come from a closure.
    pub(crate) fn set_inside_closure(&self, inside: bool) {
        self.inside_closure.store(inside, Ordering::Relaxed);
    }

    /// Marks whether statements now come from an administrator's keyboard.
    pub(crate) fn set_console(&self, console: bool) {
        self.console.store(console, Ordering::Relaxed);
    }

    /// Interrupts what runs longer than `limit` from now.
    pub(crate) fn start_statement(&self, limit: Duration) {
        let deadline = self.epoch.elapsed().saturating_add(limit);
        let deadline_us = u64::try_from(deadline.as_micros()).unwrap_or(u64::MAX);
        self.deadline_us.store(deadline_us, Ordering::Relaxed);
    }

    /// Ends the time limit.
    pub(crate) fn end_statement(&self) {
        self.deadline_us.store(0, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        let deadline_us = self.deadline_us.load(Ordering::Relaxed);
        deadline_us != 0 && self.epoch.elapsed().as_micros() > u128::from(deadline_us)
    }

    fn authorize(&self, context: &AuthContext<'_>) -> Authorization {
        if !self.inside_closure.load(Ordering::Relaxed) {
            return Authorization::Allow;
        }
        match context.action {
            AuthAction::Transaction { .. }
            | AuthAction::Savepoint { .. }
            | AuthAction::Attach { .. }
            | AuthAction::Detach { .. } => Authorization::Deny,
            AuthAction::Pragma { pragma_name, .. } if !ALLOWED_PRAGMAS.contains(&pragma_name) => {
                Authorization::Deny
            }
            action if self.console.load(Ordering::Relaxed) => console::authorize(&action),
            _ => Authorization::Allow,
        }
    }
}

/// Opens a connection to the existing file at `path`. Closing it never touches the file: the
/// writer alone decides when the write-ahead log is carried over.
pub(crate) fn open(path: &Path, access: Access) -> rusqlite::Result<Guarded> {
    let mode = match access {
        Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    set_up(Connection::open_with_flags(path, mode | NO_MUTEX)?, access)
}

/// Opens a file that no program has open, in a way that leaves no trace beside it.
pub(crate) fn open_untouched(path: &Path) -> rusqlite::Result<Guarded> {
    let mode = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let escaped: String = path
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .map(|byte| match byte {
            b'/' | b'.' | b'-' | b'_' => char::from(*byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(*byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    let uri = format!("file:{escaped}?immutable=1");
    set_up(
        Connection::open_with_flags(uri, mode | NO_MUTEX)?,
        Access::Read,
    )
}

fn set_up(mut connection: Connection, access: Access) -> rusqlite::Result<Guarded> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Plans do not depend on the values of parameters, so that a statement is planned once and not
    // whenever another value is bound.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    let cache_kib = match access {
        Access::Write => WRITER_CACHE_KIB,
        Access::Read => READER_CACHE_KIB,
    };
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    if access == Access::Read {
        connection.pragma_update(None, "query_only", true)?;
    }

    functions::register(&connection)?;

    let guard = Guard::new();
    let limit = guard.clone();
    connection.progress_handler(INSTRUCTIONS_PER_CHECK, Some(move || limit.is_over()))?;
    let authorizer = guard.clone();
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        authorizer.authorize(&context)
    }))?;
    Ok(Guarded { connection, guard })
}

/// Turns the connection into the writer: durable commits, no checkpoints behind our back.
pub(crate) fn prepare_writer(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", LOG_SIZE_LIMIT_BYTES)?;
    connection.pragma_update(None, "analysis_limit", 400)?;
    Ok(())
}
