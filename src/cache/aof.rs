//! The append-only file: what makes a database durable, in the files of Redis 7, so that Redis's own
//! server and tools read what we write and we read what they wrote.
//!
//! It carries commands as bytes and knows nothing of their meaning; it does not decide when to
//! rewrite. One thread writes: everything that waits goes out in one write and, if the policy says
//! so, one fsync. While the disk fails nothing is lost and nothing is half-written: what was handed
//! over waits and is written as soon as the disk works again.
//!
//! | module | what it holds |
//! |---|---|
//! | `manifest` | which files make up the log; no I/O |
//! | `folder` | the folder, crash-safe changes of what belongs to it |
//! | `commands` | commands from bytes |
//! | `load` | the reading of everything at the start |
//! | `file` | the file that is appended to |
//! | `queue` | what waits for the writer, and what it publishes |
//! | `writer` | the thread |
//! | `rewrite` | a new base in the background |

use std::{
    fmt,
    future::Future,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    thread::JoinHandle,
    time::Duration,
};

use bytes::Bytes;
use mito_core::Clock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rdb;

mod commands;
mod file;
mod folder;
mod load;
mod manifest;
mod queue;
mod rewrite;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use rewrite::{Rewrite, Rewritten};

use file::LogFile;
use folder::Folder;
use queue::Shared;
use writer::Writer;

/// When what was appended is made durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Fsync {
    /// Before it is acknowledged.
    #[serde(rename = "always")]
    Always,
    /// Within about a second, as in Redis: a power failure loses that much, a crash of mito
    /// nothing.
    #[serde(rename = "everysec")]
    EverySecond,
    /// When the operating system likes to.
    #[serde(rename = "no")]
    No,
}

impl Fsync {
    /// What `appendfsync` calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::EverySecond => "everysec",
            Self::No => "no",
        }
    }
}

/// What a log is opened with.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The `appendonlydir` itself. An `appendonly.aof` of before Redis 7 beside it is taken over
    /// when there is nothing in it.
    pub(crate) folder: PathBuf,
    /// When to make it durable.
    pub(crate) fsync: Fsync,
    /// How many bytes may wait for the disk before [`Log::has_failed`] asks for a pause.
    pub(crate) max_waiting_bytes: usize,
    /// Cut a file where it is damaged and go without what follows, of which a copy stays.
    pub(crate) repair: bool,
    /// Tells which hash fields of Redis 7.4 have expired.
    pub(crate) clock: Clock,
}

/// Takes a command for a database while a log is read; what it refuses ends the reading.
pub(crate) type Apply<'a> = dyn FnMut(u32, Vec<Bytes>) -> Result<(), String> + 'a;

/// What can go wrong with a log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A file or folder failed.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The manifest cannot be read.
    #[error("line {line} of {} is not understood: {reason}", file.display())]
    Manifest {
        /// The manifest.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// The manifest is gone.
    #[error(
        "{} belongs to an append-only file whose appendonly.aof.manifest is missing: restore it, or \
         move the folder's files away to begin with nothing", file.display()
    )]
    NoManifest {
        /// A file that would have been in it.
        file: PathBuf,
    },
    /// A file is damaged where no crash damages it.
    #[error(
        "{} is damaged at byte {offset} ({reason}): restore it from a backup, or start once with \
         --set cache.recover=true to cut it at byte {keep_bytes} and lose what follows", file.display()
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where it can no longer be read, in bytes.
        offset: u64,
        /// What is wrong.
        reason: &'static str,
        /// How many bytes before that are whole commands.
        keep_bytes: u64,
    },
    /// The base is a damaged database file, which cannot be cut.
    #[error("{}: {source}; restore it from a backup", file.display())]
    Base {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        source: rdb::Error,
    },
    /// A command was not taken.
    #[error("{}: the command at byte {offset} was refused: {message}", file.display())]
    Refused {
        /// The file.
        file: PathBuf,
        /// Where the command, or its group, stands, in bytes.
        offset: u64,
        /// The receiver's words.
        message: String,
    },
    /// The disk fails; what was handed over waits for it.
    #[error("{0}")]
    Disk(Arc<str>),
    /// A rewrite goes on already.
    #[error("the append-only file is being rewritten already")]
    Rewriting,
    /// The rewrite was given up.
    #[error("the rewriting of the append-only file was given up")]
    Aborted,
    /// The log is closed.
    #[error("the append-only file is closed")]
    Closed,
}

impl Error {
    fn file(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File {
            action,
            path: path.to_owned(),
            source,
        }
    }
}

/// What was read at the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Loaded {
    /// Commands that were shown.
    pub(crate) commands: u64,
    /// The length of all files in bytes, before anything was cut.
    pub(crate) bytes: u64,
    /// What the base held, if it was a database file.
    pub(crate) base: Option<rdb::Summary>,
    /// How many bytes of an incomplete or damaged end were cut off.
    pub(crate) cut_bytes: u64,
    /// Whether a damaged file was cut; a copy of what was cut is in the folder, `*.damaged`.
    pub(crate) repaired: bool,
    /// How long it took.
    pub(crate) took: Duration,
}

/// How a log is doing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Status {
    /// Why the disk fails, while it does.
    pub(crate) failure: Option<Arc<str>>,
    /// The length of all files in bytes.
    pub(crate) size_bytes: u64,
    /// The length of the base in bytes.
    pub(crate) base_bytes: u64,
    /// How many bytes wait for the disk.
    pub(crate) waiting_bytes: usize,
    /// How long the last fsync took.
    pub(crate) last_fsync: Duration,
    /// How often a second had passed and the fsync of the one before was not done.
    pub(crate) delayed_fsyncs: u64,
    /// Whether a rewrite goes on.
    pub(crate) is_rewriting: bool,
    /// Why the last rewrite failed, if it did.
    pub(crate) rewrite_failure: Option<Arc<str>>,
}

/// An open log. Cheap to clone; the last handle that goes closes it.
#[derive(Clone)]
pub(crate) struct Log {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    fsync: Fsync,
    temporary: PathBuf,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("fsync", &self.inner.fsync)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

/// Opens or creates a log and shows every command in it, in order; groups between `MULTI` and
/// `EXEC` whole or not at all. `SELECT`, `MULTI` and `EXEC` themselves are not shown.
///
/// Keys must not expire by the clock while it is read: a later command may prolong them.
///
/// It blocks, for as long as it takes to read the files.
pub(crate) fn open(options: Options, apply: &mut Apply<'_>) -> Result<(Log, Loaded), Error> {
    let mut folder = Folder::open(&options.folder)?;
    let loaded = load::load(&mut folder, &options, apply)?;
    folder.clean()?;
    let (file, length) = folder.last_increment()?;
    let log = Log::start(&options, folder, LogFile::new(file, length))?;
    Ok((log, loaded))
}

impl Log {
    /// Starts to write to a folder that has been read.
    fn start(options: &Options, folder: Folder, file: LogFile) -> Result<Self, Error> {
        let shared = Arc::new(Shared::new(options.max_waiting_bytes));
        let temporary = folder.temporary();
        let writer = Writer::new(Arc::clone(&shared), folder, file, options.fsync);
        let thread = writer.start()?;
        let inner = Inner {
            shared,
            fsync: options.fsync,
            temporary,
            thread: Mutex::new(Some(thread)),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Hands over commands, encoded as requests and framed with `SELECT`, `MULTI` and `EXEC` as
    /// needed, and returns the position after them for [`Log::durable`]. Never blocks.
    ///
    /// What is handed over has taken effect already, so it is refused only when the log is closed:
    /// neither a failing disk nor a long queue refuses it, or the log would say something else
    /// than memory. Ask [`Log::has_failed`] before a command takes effect.
    ///
    /// The first command after opening, and after [`Log::begin_rewrite`], must be a `SELECT`:
    /// every file begins at database 0.
    pub(crate) fn append(&self, bytes: &[u8]) -> Result<u64, Error> {
        self.inner.shared.append(bytes)
    }

    /// Whether nothing should be changed for now, because the disk fails or too much waits for it.
    pub(crate) fn has_failed(&self) -> bool {
        self.inner.shared.has_failed()
    }

    /// The policy.
    pub(crate) fn fsync(&self) -> Fsync {
        self.inner.fsync
    }

    /// Waits until everything before `position` is as durable as the policy promises: on disk with
    /// [`Fsync::Always`], with the operating system otherwise. An error says that the disk fails;
    /// what was handed over waits then and may still become durable.
    pub(crate) fn durable(
        &self,
        position: u64,
    ) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        self.inner.shared.durable(position)
    }

    /// The length of all files in bytes.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.inner.shared.numbers.size_bytes.load(Ordering::Relaxed)
    }

    /// The length of the base in bytes: what a rewrite would make of the log if nothing had
    /// changed since the last.
    pub(crate) fn base_bytes(&self) -> u64 {
        self.inner.shared.numbers.base_bytes.load(Ordering::Relaxed)
    }

    /// Begins a rewrite: what is appended from now on goes to a new file, and the caller feeds the
    /// [`Rewrite`] with commands that make the state of this moment.
    pub(crate) fn begin_rewrite(&self) -> Result<Rewrite, Error> {
        Rewrite::begin(&self.inner.shared, self.inner.temporary.clone())
    }

    /// Writes what waits, makes it durable and ends the thread. It blocks until then. An error says
    /// what could not be written.
    pub(crate) fn close(&self) -> Result<(), Error> {
        self.inner.close();
        match self.inner.shared.status().failure {
            Some(failure) => Err(Error::Disk(failure)),
            None => Ok(()),
        }
    }

    /// How it is doing.
    pub(crate) fn status(&self) -> Status {
        self.inner.shared.status()
    }
}

impl Inner {
    fn close(&self) {
        self.shared.close();
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes the append-only file panicked");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}
