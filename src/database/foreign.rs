//! A SQLite file of another program, read for an import: one snapshot from the first page to the
//! last, also while the other program goes on writing. Nothing is written to it.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rusqlite::limits::Limit;

use crate::{
    Error, Row, ToValue, Value,
    database::off_runtime,
    sqlite::{
        connection::{self, Access, Guarded},
        errors::translate,
        file,
        tx::SqliteTx,
    },
};

/// How long one statement may run. A page of a damaged or hostile file is refused after that.
const STATEMENT_LIMIT: Duration = Duration::from_mins(1);
/// The largest value, and the largest row, in bytes.
const MAX_VALUE_BYTES: i32 = 64 * 1024 * 1024;
/// The bytes of values after which a page ends, whatever its number of rows.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// A SQLite file of another program. Cheap to clone; one statement runs at a time.
#[derive(Clone)]
pub struct ForeignFile(Arc<Inner>);

struct Inner {
    path: PathBuf,
    guarded: Mutex<Guarded>,
}

impl ForeignFile {
    /// Opens the file at `path` and takes the snapshot that every query then sees. The error says
    /// what is wrong with a file that is missing or no database.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let path = path.to_owned();
        off_runtime(move || open(path)).await
    }

    /// The rows of a query, up to `limit` and up to some megabytes: fewer than there are come back
    /// when they are large, so whoever pages goes on behind the last one that came.
    pub async fn page(
        &self,
        sql: String,
        parameters: Vec<Value>,
        limit: usize,
    ) -> Result<Vec<Row>, Error> {
        let file = self.clone();
        off_runtime(move || {
            let guarded = file.0.guarded.lock();
            let guarded = guarded.unwrap_or_else(PoisonError::into_inner);
            let mut tx = SqliteTx::new(&guarded, &file.0.path, STATEMENT_LIMIT);
            let parameters: Vec<&dyn ToValue> = parameters
                .iter()
                .map(|value| value as &dyn ToValue)
                .collect();
            tx.query_within(&sql, &parameters, limit, PAGE_BYTES)
        })
        .await
    }
}

impl fmt::Debug for ForeignFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("ForeignFile")
            .field(&self.0.path)
            .finish()
    }
}

fn open(path: PathBuf) -> Result<ForeignFile, Error> {
    let refused = |reason: &str| Err(file::refused(&path, reason));
    match fs::metadata(&path) {
        Ok(found) if !found.is_file() => return refused("it is not a file"),
        Ok(found) if found.len() == 0 => return refused("it is empty"),
        Ok(_) => {}
        Err(error) => return refused(&format!("it cannot be read: {error}")),
    }
    // Without a log nobody has the file open, and a connection that may write would leave one.
    let guarded = if file::beside(&path, "-wal").exists() {
        connection::open(&path, Access::Read)
    } else {
        connection::open_untouched(&path)
    };
    let guarded = guarded.map_err(|error| translate(&error, "opening the file", &path))?;
    guarded
        .connection
        .set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
        .map_err(|error| translate(&error, "opening the file", &path))?;
    let begin = |sql: &str| guarded.connection.execute_batch(sql);
    begin("BEGIN; SELECT COUNT(*) FROM sqlite_schema;")
        .map_err(|error| translate(&error, "BEGIN", &path))?;
    Ok(ForeignFile(Arc::new(Inner {
        path,
        guarded: Mutex::new(guarded),
    })))
}
