//! What a warm restart starts from: a copy of the keyspace on disk that follows within a second,
//! written by a thread of its own through [`SpillStore`].
//!
//! A copy that cannot be read is never repaired: it is set aside, and the cache starts empty.

use std::{future::Future, path::PathBuf, sync::Arc, thread::JoinHandle};

use bytes::Bytes;
use mito_core::Clock;
use tokio::sync::{oneshot, watch};

use crate::cache::Shared;

mod folder;
mod layout;
mod sled_store;
#[cfg(test)]
mod tests;
mod writer;

pub use crate::keyspace::Change;

/// A store that forgets nothing it has flushed, though it may fail at any call. Calls block.
pub trait SpillStore: Send {
    /// Writes changes in order.
    fn apply(&mut self, changes: &[Change]) -> Result<(), Error>;

    /// Shows every readable entry, in any order; returns how many were unreadable and left out.
    fn scan(&self, visit: &mut dyn FnMut(Entry)) -> Result<u64, Error>;

    /// Makes what has been applied durable.
    fn flush(&mut self) -> Result<(), Error>;

    /// The size on disk.
    fn size_bytes(&self) -> Result<u64, Error>;
}

/// An entry as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The value.
    pub value: Bytes,
    /// When it expires, milliseconds since the Unix epoch.
    pub expires_ms: Option<i64>,
}

/// What can go wrong on disk.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another handle still holds the store.
    #[error("the store is locked")]
    Locked,
    /// It was written by another version.
    #[error("the store has schema {found}, this version writes {expected}")]
    Schema {
        /// What it says.
        found: String,
        /// What is expected.
        expected: &'static str,
    },
    /// The engine failed or panicked.
    #[error("the engine failed: {0}")]
    Engine(String),
    /// A file or folder failed.
    #[error("{0}")]
    File(#[from] std::io::Error),
}

/// What the spill's thread works with.
pub(crate) struct Options {
    pub(crate) keyspace: Arc<Shared>,
    pub(crate) folder: PathBuf,
    pub(crate) clock: Clock,
    pub(crate) max_memory_bytes: u64,
    /// Told when the values of the last run have been read.
    pub(crate) ready: oneshot::Sender<()>,
    pub(crate) closing: watch::Receiver<bool>,
}

/// Starts the spill's thread; it ends, with everything written, when `closing` does.
pub(crate) fn start(options: Options) -> Option<JoinHandle<()>> {
    thread("mito-cache-spill", writer::run(options))
}

/// Runs `work` on a thread of its own, where it may block.
pub(crate) fn thread(
    name: &'static str,
    work: impl Future<Output = ()> + Send + 'static,
) -> Option<JoinHandle<()>> {
    let started = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build();
            match runtime {
                Ok(runtime) => runtime.block_on(work),
                Err(error) => tracing::error!(thread = name, %error, "a thread of the cache ended"),
            }
        });
    started
        .inspect_err(|error| tracing::error!(thread = name, %error, "the cache lacks a thread"))
        .ok()
}
