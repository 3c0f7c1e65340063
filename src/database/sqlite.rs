//! The engine on SQLite: opening a file and starting its threads.
//!
//! | module | what it holds |
//! |---|---|
//! | `file` | the lock, the checks before SQLite touches a file, creation |
//! | `connection` | settings of every connection, time limits, what closures may not do |
//! | `migrate` | pending migrations in one transaction, with a copy first |
//! | `writer` | the writer thread: group commit |
//! | `readers` | reader threads: a snapshot for each closure |
//! | `checkpoint` | carrying the write-ahead log over |
//! | `space` | room on the disk for deletes when it is full |
//! | `backup` | a consistent copy of a file in use |
//! | `console` | statements typed by an administrator |
//! | `tx`, `errors` | statements, parameters, rows; result codes |

pub(crate) mod backup;
mod checkpoint;
pub(crate) mod connection;
mod console;
pub(crate) mod errors;
pub(crate) mod file;
mod functions;
mod migrate;
mod readers;
mod space;
pub(crate) mod tx;
mod writer;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicU64, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use mito_core::{Clock, Random, files};
use rusqlite::{Connection, OptionalExtension as _};
use tokio::sync::watch;

use crate::{
    Error, Migrations,
    database::{Config, Threads},
    outbox,
    queue::Queue,
    sqlite::{
        checkpoint::CATCH_UP_PAGES,
        connection::{Access, Guarded},
        errors::translate,
        file::Lock,
        readers::Reader,
        space::Space,
        writer::Writer,
    },
};

/// The longest time that the check of an existing file may take; a larger file is checked in part.
const CHECK_LIMIT: Duration = Duration::from_millis(30);
/// How many reads may wait.
const READ_QUEUE: usize = 4_096;
/// How long a statement may take where short ones wait behind it.
const SHORT_LIMIT: Duration = Duration::from_millis(100);
/// How many reads may wait for the readers of longer ones, each of which may take as long as a
/// statement may.
const LONG_QUEUE: usize = 32;
/// The length of a file's id, in characters.
const FILE_ID_CHARS: usize = 20;

/// Opens or creates the file, applies the migrations and starts the threads. Blocks.
pub(crate) fn open(
    path: &Path,
    config: &Config,
    clock: &Clock,
    roles: &[Migrations],
) -> Result<Threads, Error> {
    files::create_folder(file::folder(path))
        .map_err(|error| file::refused(path, &format!("cannot create its folder: {error}")))?;
    let lock = file::lock(path)?;
    let existed = file::inspect(path)?;
    space::free_reserve(path);
    if !existed {
        file::create(path)?;
    }
    let guarded = connection::open(path, Access::Write)
        .map_err(|error| translate(&error, "opening the file", path))?;
    if existed {
        check(&guarded, path)?;
    }
    let mut all = vec![outbox::MIGRATIONS];
    all.extend_from_slice(roles);
    migrate::verify(&guarded.connection, path, &all)?;
    connection::prepare_writer(&guarded.connection)
        .map_err(|error| translate(&error, "preparing the file", path))?;
    migrate::migrate(&guarded.connection, path, &all, existed, clock.now_ms())?;
    let space = Space::open(path, &guarded.connection, config.max_bytes)?;
    let (file_id, newest_event) = identity(&guarded.connection)
        .map_err(|error| translate(&error, "reading the file's identity", path))?;
    start(Parts {
        path: path.to_owned(),
        config,
        clock,
        guarded,
        space,
        lock,
        file_id,
        newest_event,
    })
}

/// Checks a copy that nothing has open.
pub(crate) fn check_file(path: &Path, roles: &[Migrations]) -> Result<(), Error> {
    if !file::inspect(path)? {
        return Err(file::refused(path, "it is empty"));
    }
    let reader = open_or_explain(path, Access::Read)?;
    let verdict = reader
        .connection
        .query_row("PRAGMA integrity_check(1)", (), |row| {
            row.get::<_, String>(0)
        })
        .map_err(|error| translate(&error, "PRAGMA integrity_check", path))?;
    if verdict != "ok" {
        return Err(Error::Corrupt {
            path: path.to_owned(),
            reason: verdict,
        });
    }
    let mut all = vec![outbox::MIGRATIONS];
    all.extend_from_slice(roles);
    migrate::verify(&reader.connection, path, &all)
}

struct Parts<'a> {
    path: PathBuf,
    config: &'a Config,
    clock: &'a Clock,
    guarded: Guarded,
    space: Space,
    lock: Lock,
    file_id: String,
    newest_event: i64,
}

/// The readers of short statements, and half as many of long ones.
fn readers(
    path: &Path,
    config: &Config,
    clock: &Clock,
    reads: &Arc<Queue>,
) -> Result<Vec<Reader>, Error> {
    let limit = Duration::from_millis(config.statement_timeout_ms.max(1));
    let short_count = config.reader_count();
    let long_count = short_count.div_ceil(2);
    let longer = Arc::new(Queue::new(LONG_QUEUE));
    let reader = |is_long: bool| {
        let queue = if is_long { &longer } else { reads };
        Ok(Reader {
            guarded: open_or_explain(path, Access::Read)?,
            path: path.to_owned(),
            clock: clock.clone(),
            statement_limit: if is_long {
                limit
            } else {
                limit.min(SHORT_LIMIT)
            },
            queue: Arc::clone(queue),
            readers: if is_long { long_count } else { short_count },
            longer: (!is_long).then(|| Arc::clone(&longer)),
        })
    };
    (0..short_count + long_count)
        .map(|number| reader(number >= short_count))
        .collect()
}

fn start(parts: Parts<'_>) -> Result<Threads, Error> {
    let Parts {
        path,
        config,
        clock,
        guarded,
        space,
        lock,
        file_id,
        newest_event,
    } = parts;
    let name = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let statement_limit = Duration::from_millis(config.statement_timeout_ms.max(1));
    let writes = Arc::new(Queue::new(config.write_queue.max(1)));
    let reads = Arc::new(Queue::new(READ_QUEUE));
    let (changes, _) = watch::channel(newest_event);
    let (checkpoints, wanted) = mpsc::sync_channel(1);

    // All connections before the first thread: a failure here leaves nothing behind.
    let checkpointer = open_or_explain(&path, Access::Write)?;
    let readers = readers(&path, config, clock, &reads)?;
    let mut others = Vec::new();
    for (number, reader) in readers.into_iter().enumerate() {
        others.push(spawn(format!("{name}-read-{number}"), move || {
            reader.run();
        })?);
    }
    let place = (name.clone(), path.clone());
    others.push(spawn(format!("{name}-checkpoint"), move || {
        checkpoint::run(&checkpointer, &place.0, &place.1, &wanted);
    })?);

    let main = Writer {
        guarded,
        space,
        room_sought: None,
        path,
        name: name.clone(),
        clock: clock.clone(),
        statement_limit,
        queue: Arc::clone(&writes),
        changes: changes.clone(),
        log_pages: Arc::new(AtomicU64::new(0)),
        checkpoints,
        catch_up_at_pages: CATCH_UP_PAGES,
        others,
        lock,
    };
    let (done, ended) = watch::channel(false);
    spawn(format!("{name}-write"), move || {
        main.run();
        done.send_replace(true);
    })?;
    Ok(Threads {
        writes,
        reads,
        changes,
        file_id,
        ended,
    })
}

fn open_or_explain(path: &Path, access: Access) -> Result<Guarded, Error> {
    connection::open(path, access).map_err(|error| translate(&error, "opening the file", path))
}

fn spawn(name: String, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Error> {
    thread::Builder::new()
        .name(name)
        .spawn(work)
        .map_err(|error: io::Error| Error::Engine(format!("cannot start a thread: {error}")))
}

/// Looks for damage for a moment. Nothing is written if there is any.
fn check(guarded: &Guarded, path: &Path) -> Result<(), Error> {
    guarded.guard.start_statement(CHECK_LIMIT);
    let verdict = guarded
        .connection
        .query_row("PRAGMA quick_check(1)", (), |row| row.get::<_, String>(0));
    guarded.guard.end_statement();
    let damaged = |reason: String| Error::Corrupt {
        path: path.to_owned(),
        reason,
    };
    match verdict {
        Ok(verdict) if verdict == "ok" => Ok(()),
        Ok(verdict) => Err(damaged(verdict)),
        Err(error) => match translate(&error, "PRAGMA quick_check", path) {
            Error::TimedOut => Ok(()),
            Error::Statement { message, .. } => Err(damaged(message)),
            other => Err(other),
        },
    }
}

/// The file's id, given on first sight, and the newest sequence that was ever given out.
fn identity(connection: &Connection) -> rusqlite::Result<(String, i64)> {
    let id: Option<String> = connection
        .query_row(
            "SELECT value FROM _mito_meta WHERE key = 'file_id'",
            (),
            |row| row.get(0),
        )
        .optional()?;
    let id = if let Some(id) = id {
        id
    } else {
        let id = Random::system().id(FILE_ID_CHARS);
        connection.execute(
            "INSERT INTO _mito_meta (key, value) VALUES ('file_id', ?1)",
            [&id],
        )?;
        id
    };
    let newest: Option<i64> = connection
        .query_row(
            "SELECT seq FROM sqlite_sequence WHERE name = '_mito_outbox'",
            (),
            |row| row.get(0),
        )
        .optional()?;
    Ok((id, newest.unwrap_or(0)))
}
