//! The engine on PostgreSQL: migrations and starting the threads.
//!
//! Several processes may share one database: writes are serialisable transactions that run again
//! on a conflict, and commits are announced by NOTIFY. TLS to the server is not offered.
//!
//! | module | what it holds |
//! |---|---|
//! | `connection` | a connection with its prepared statements |
//! | `migrate` | pending migrations in one transaction behind a lock |
//! | `writer` | writer threads: a transaction for each closure |
//! | `readers` | reader threads: a snapshot for each closure |
//! | `changes` | the thread that listens for commits |
//! | `tx`, `values`, `errors` | statements; values on the wire; error codes |

mod changes;
mod connection;
mod console;
mod errors;
mod migrate;
mod readers;
pub(crate) mod tx;
mod values;
mod writer;

use std::{
    io,
    path::Path,
    sync::{Arc, RwLock, atomic::Ordering},
    thread::{self, JoinHandle},
    time::Duration,
};

use mito_core::{Clock, Random};
use postgres::Client;
use tokio::sync::watch;

use crate::{
    Error, Migrations,
    database::{Config, Threads},
    outbox,
    postgres::{
        changes::Ended, connection::Connection, errors::translate, readers::Reader, writer::Writer,
    },
    queue::Queue,
};

/// Connections that write.
const WRITERS: usize = 4;
/// How many reads may wait.
const READ_QUEUE: usize = 4_096;
/// The length of the database's id, in characters.
const FILE_ID_CHARS: usize = 20;

/// Connects, applies the migrations and starts the threads. Blocks.
pub(crate) fn open(
    url: &str,
    config: &Config,
    clock: &Clock,
    roles: &[Migrations],
) -> Result<Threads, Error> {
    let statement_limit = Duration::from_millis(config.statement_timeout_ms.max(1));
    let connect = || Connection::new(url, statement_limit);
    let mut first = connect()?;
    let mut all = vec![outbox::MIGRATIONS];
    all.extend_from_slice(roles);
    let client = first.client()?;
    migrate::migrate(client, Path::new("PostgreSQL"), &all, clock.now_ms())?;
    let file_id = identity(client)?;
    let (changes, _) = watch::channel(changes::newest(client)?);

    let writes = Arc::new(Queue::new(config.write_queue.max(1)));
    let reads = Arc::new(Queue::new(READ_QUEUE));
    let turn = Arc::new(RwLock::new(()));
    let mut workers = Vec::new();
    for number in 0..WRITERS {
        let worker = Writer {
            connection: connect()?,
            clock: clock.clone(),
            queue: Arc::clone(&writes),
            turn: Arc::clone(&turn),
        };
        workers.push(spawn(format!("postgres-write-{number}"), move || {
            worker.run();
        })?);
    }
    for number in 0..config.reader_count() {
        let reader = Reader {
            connection: connect()?,
            clock: clock.clone(),
            queue: Arc::clone(&reads),
        };
        workers.push(spawn(format!("postgres-read-{number}"), move || {
            reader.run();
        })?);
    }
    let stop = Ended::default();
    let listener = {
        let (changes, stop) = (changes.clone(), Arc::clone(&stop));
        spawn("postgres-listen".to_owned(), move || {
            changes::run(first, &changes, &stop);
        })?
    };
    let (done, ended) = watch::channel(false);
    spawn("postgres-close".to_owned(), move || {
        join(workers);
        stop.store(true, Ordering::Relaxed);
        join(vec![listener]);
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

fn join(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        if thread.join().is_err() {
            tracing::error!("a database thread panicked");
        }
    }
}

fn spawn(name: String, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Error> {
    thread::Builder::new()
        .name(name)
        .spawn(work)
        .map_err(|error: io::Error| Error::Engine(format!("cannot start a thread: {error}")))
}

/// The database's id, given on first sight.
fn identity(client: &mut Client) -> Result<String, Error> {
    let insert = "INSERT INTO _mito_meta (key, value) VALUES ('file_id', $1) \
                  ON CONFLICT (key) DO NOTHING";
    let select = "SELECT value FROM _mito_meta WHERE key = 'file_id'";
    client
        .execute(insert, &[&Random::system().id(FILE_ID_CHARS)])
        .map_err(|error| translate(&error, insert))?;
    client
        .query_one(select, &[])
        .and_then(|row| row.try_get(0))
        .map_err(|error| translate(&error, select))
}
