//! The cache's handle.

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool, atomic::Ordering},
    thread::JoinHandle,
    time::Duration,
};

use bytes::Bytes;
use mito_core::Clock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};

use crate::{
    aof::Fsync,
    core::DATABASES,
    eviction::Policy,
    keyspace::Keyspace,
    redis::{Kind, Kinds},
    spill, sweep,
};

/// The longest key, in bytes.
pub const MAX_KEY_BYTES: usize = 4 * 1024;

/// How long the start waits for the values of the last run. What is read later still arrives,
/// under what has been written meanwhile.
const WARM_START_LIMIT: Duration = Duration::from_secs(5);

/// `[cache]`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The most memory that keys and values may take, in bytes; the least recently used go first.
    pub max_memory_bytes: u64,
    /// The largest value, in bytes.
    pub max_value_bytes: u64,
    /// `false` keeps nothing on disk.
    pub warm_restart: bool,
    /// What clients of the Redis protocol sign in with; generated and kept in the data folder when
    /// empty.
    pub password: String,
    /// How the sixteen databases are kept, by number: `durable` or `cache`. Those that are not
    /// named are durable.
    pub databases: Kinds,
    /// Which keys of the cache databases go when `max_memory_bytes` are used up.
    pub policy: Policy,
    /// The most memory that the durable databases may take, in bytes; commands that need more are
    /// refused. 0 is without bound.
    pub durable_max_memory_bytes: u64,
    /// When changes to the durable databases reach the disk: `always` before they are
    /// acknowledged, `everysec` within a second, `no` when the system sees fit.
    pub append_fsync: Fsync,
    /// Cuts a damaged append-only file where the damage begins, instead of refusing to start.
    pub recover: bool,
    /// The largest command of the Redis protocol, in bytes.
    pub max_request_bytes: u64,
    /// How long a script may run, in milliseconds; it holds up all other commands meanwhile.
    pub script_limit_ms: u64,
}

impl Config {
    /// Which databases are caches.
    pub(crate) fn cache_databases(&self) -> [bool; DATABASES] {
        std::array::from_fn(|number| self.databases.get(&number.to_string()) == Some(&Kind::Cache))
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_memory_bytes: 64 * 1024 * 1024,
            max_value_bytes: 8 * 1024 * 1024,
            warm_restart: true,
            password: String::new(),
            databases: Kinds::from([("1".to_owned(), Kind::Cache)]),
            policy: Policy::AllkeysLru,
            durable_max_memory_bytes: 0,
            append_fsync: Fsync::Always,
            recover: false,
            max_request_bytes: 512 * 1024 * 1024,
            script_limit_ms: 5_000,
        }
    }
}

/// What can go wrong in the cache.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The value is larger than allowed.
    #[error("the value of {key:?} has {size_bytes} bytes, allowed are {limit_bytes}")]
    TooLarge {
        /// The key.
        key: String,
        /// Its size.
        size_bytes: u64,
        /// The limit.
        limit_bytes: u64,
    },
    /// The key is longer than [`MAX_KEY_BYTES`].
    #[error("a key has {size_bytes} bytes, allowed are {MAX_KEY_BYTES}")]
    KeyTooLong {
        /// Its size.
        size_bytes: usize,
    },
    /// The value is not an integer.
    #[error("the value of {0:?} is not an integer")]
    NotAnInteger(String),
    /// The sum does not fit 64 bits.
    #[error("adding to {0:?} would overflow")]
    Overflow(String),
    /// The cache is shutting down.
    #[error("the cache is closed")]
    Closed,
}

/// What the cache holds and has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Keys that have not been removed yet.
    pub keys: u64,
    /// Bytes in use by keys, values and bookkeeping.
    pub memory_bytes: u64,
    /// Reads that found a value.
    pub hits: u64,
    /// Reads that found none.
    pub misses: u64,
    /// Keys removed for want of memory.
    pub evictions: u64,
    /// Keys removed because their time had come.
    pub expirations: u64,
    /// Changes that did not reach the disk one by one, because too many waited; the folder is
    /// rewritten as a whole instead.
    pub spill_drops: u64,
}

/// The cache. Cheap to clone. Keys are `role:what:id` by convention.
#[derive(Clone, Debug)]
pub struct Cache {
    inner: Arc<Inner>,
}

struct Inner {
    keyspace: Arc<Shared>,
    clock: Clock,
    max_value_bytes: u64,
    closed: AtomicBool,
    /// Ends the threads when it becomes true, or when the last handle is dropped.
    closing: watch::Sender<bool>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("stats", &self.keyspace.lock().stats())
            .finish_non_exhaustive()
    }
}

/// The keyspace behind its lock, which is held for the length of one operation and never across
/// an await.
#[derive(Debug)]
pub(crate) struct Shared(Mutex<Keyspace>);

impl Shared {
    pub(crate) fn new(keyspace: Keyspace) -> Self {
        Self(Mutex::new(keyspace))
    }

    /// A panic under the lock can only come from a broken invariant of the keyspace; what it holds
    /// may be lost, so going on is better than refusing everything.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Keyspace> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    /// Opens the cache, warm from `folder` if it holds a usable spill; a bad one is set aside and
    /// an empty cache started.
    pub async fn open(config: Config, folder: PathBuf, clock: Clock) -> Self {
        let keyspace = Keyspace::new(config.max_memory_bytes, config.warm_restart);
        let keyspace = Arc::new(Shared::new(keyspace));
        let (closing, closed) = watch::channel(false);
        let mut threads = Vec::new();
        threads.extend(sweep::start(
            Arc::clone(&keyspace),
            clock.clone(),
            closed.clone(),
        ));
        if config.warm_restart {
            let (ready, warm) = oneshot::channel();
            threads.extend(spill::start(spill::Options {
                keyspace: Arc::clone(&keyspace),
                folder,
                clock: clock.clone(),
                max_memory_bytes: config.max_memory_bytes,
                ready,
                closing: closed,
            }));
            if tokio::time::timeout(WARM_START_LIMIT, warm).await.is_err() {
                tracing::warn!(
                    limit_ms = WARM_START_LIMIT.as_millis(),
                    "the cache starts before the values of the last run have been read"
                );
            }
        }
        let inner = Inner {
            keyspace,
            clock,
            max_value_bytes: config.max_value_bytes,
            closed: AtomicBool::new(false),
            closing,
            threads: Mutex::new(threads),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The value, unless it is absent or expired.
    pub fn get(&self, key: &str) -> Option<Bytes> {
        if self.is_closed() {
            return None;
        }
        let now_ms = self.inner.clock.now_ms();
        self.inner.keyspace.lock().get(key, now_ms)
    }

    /// Sets a value that expires after `ttl` (never, when `None`).
    pub fn set(&self, key: &str, value: Bytes, ttl: Option<Duration>) -> Result<(), Error> {
        self.check(key, value.len())?;
        let now_ms = self.inner.clock.now_ms();
        self.inner
            .keyspace
            .lock()
            .set(key, value, deadline(now_ms, ttl))
    }

    /// Sets a value only if there is none; whether it was set.
    pub fn set_if_absent(
        &self,
        key: &str,
        value: Bytes,
        ttl: Option<Duration>,
    ) -> Result<bool, Error> {
        self.check(key, value.len())?;
        let now_ms = self.inner.clock.now_ms();
        let mut keyspace = self.inner.keyspace.lock();
        if keyspace.peek(key, now_ms).is_some() {
            return Ok(false);
        }
        keyspace.set(key, value, deadline(now_ms, ttl))?;
        Ok(true)
    }

    /// Adds to an integer, starting from 0 with `ttl`; the new value. An integer that is already
    /// there keeps its expiry.
    pub fn increment(&self, key: &str, by: i64, ttl: Option<Duration>) -> Result<i64, Error> {
        self.check(key, 0)?;
        let now_ms = self.inner.clock.now_ms();
        let mut keyspace = self.inner.keyspace.lock();
        let (old, expires_ms) = match keyspace.peek(key, now_ms) {
            None => (0, deadline(now_ms, ttl)),
            Some((value, expires_ms)) => (integer(key, &value)?, expires_ms),
        };
        let sum = old
            .checked_add(by)
            .ok_or_else(|| Error::Overflow(key.to_owned()))?;
        keyspace.set(key, Bytes::from(sum.to_string()), expires_ms)?;
        Ok(sum)
    }

    /// Removes a key; whether it was there.
    pub fn remove(&self, key: &str) -> bool {
        if self.is_closed() {
            return false;
        }
        let now_ms = self.inner.clock.now_ms();
        self.inner.keyspace.lock().remove(key, now_ms)
    }

    /// Keys, bytes in use, hits, misses and evictions.
    pub fn stats(&self) -> Stats {
        self.inner.keyspace.lock().stats()
    }

    /// Whether the cache answers: what `PING` told. Fails when it is closed or a thread of it has
    /// died.
    #[expect(
        clippy::unused_async,
        reason = "an engine over the network will wait here"
    )]
    pub async fn ping(&self) -> Result<(), Error> {
        let threads = self
            .inner
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if self.is_closed() || threads.iter().any(JoinHandle::is_finished) {
            return Err(Error::Closed);
        }
        Ok(())
    }

    /// Writes what is not on disk yet and closes.
    pub async fn close(&self) {
        self.inner.closed.store(true, Ordering::SeqCst);
        self.inner.closing.send_replace(true);
        let threads = {
            let mut threads = self
                .inner
                .threads
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *threads)
        };
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                // A panic has been logged where it was raised.
                let _ = thread.join();
            }
        });
        let _ = joined.await;
    }

    fn is_closed(&self) -> bool {
        self.inner.closed.load(Ordering::SeqCst)
    }

    fn check(&self, key: &str, value_bytes: usize) -> Result<(), Error> {
        if self.is_closed() {
            return Err(Error::Closed);
        }
        if key.len() > MAX_KEY_BYTES {
            return Err(Error::KeyTooLong {
                size_bytes: key.len(),
            });
        }
        if value_bytes as u64 > self.inner.max_value_bytes {
            return Err(Error::TooLarge {
                key: key.to_owned(),
                size_bytes: value_bytes as u64,
                limit_bytes: self.inner.max_value_bytes,
            });
        }
        Ok(())
    }
}

/// When something set now expires, milliseconds since the Unix epoch.
fn deadline(now_ms: i64, ttl: Option<Duration>) -> Option<i64> {
    let ttl_ms = i64::try_from(ttl?.as_millis()).unwrap_or(i64::MAX);
    Some(now_ms.saturating_add(ttl_ms))
}

fn integer(key: &str, value: &[u8]) -> Result<i64, Error> {
    let text = std::str::from_utf8(value).ok();
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| Error::NotAnInteger(key.to_owned()))
}

#[cfg(test)]
mod tests;
