//! What may be rebuilt: a keyspace with expiry and bounds, in memory, with sled behind it for a warm
//! restart. Nothing whose loss would break a promise lives only here.

use std::{path::PathBuf, time::Duration};

use bytes::Bytes;
use mito_core::Clock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_memory_bytes: 64 * 1024 * 1024,
            max_value_bytes: 8 * 1024 * 1024,
            warm_restart: true,
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
    /// The value is not an integer.
    #[error("the value of {0:?} is not an integer")]
    NotAnInteger(String),
    /// The cache is shutting down.
    #[error("the cache is closed")]
    Closed,
}

/// The cache. Cheap to clone. Keys are `role:what:id` by convention.
#[derive(Clone, Debug)]
pub struct Cache {}

impl Cache {
    /// Opens the cache, warm from `folder` if it holds a usable spill; a bad one is set aside and
    /// an empty cache started.
    pub async fn open(config: Config, folder: PathBuf, clock: Clock) -> Self {
        let _ = (config, folder, clock);
        todo!("cache helper")
    }

    /// The value, unless it is absent or expired.
    pub fn get(&self, key: &str) -> Option<Bytes> {
        let _ = key;
        todo!("cache helper")
    }

    /// Sets a value that expires after `ttl` (never, when `None`).
    pub fn set(&self, key: &str, value: Bytes, ttl: Option<Duration>) -> Result<(), Error> {
        let _ = (key, value, ttl);
        todo!("cache helper")
    }

    /// Sets a value only if there is none; whether it was set.
    pub fn set_if_absent(
        &self,
        key: &str,
        value: Bytes,
        ttl: Option<Duration>,
    ) -> Result<bool, Error> {
        let _ = (key, value, ttl);
        todo!("cache helper")
    }

    /// Adds to an integer, starting from 0 with `ttl`; the new value.
    pub fn increment(&self, key: &str, by: i64, ttl: Option<Duration>) -> Result<i64, Error> {
        let _ = (key, by, ttl);
        todo!("cache helper")
    }

    /// Removes a key; whether it was there.
    pub fn remove(&self, key: &str) -> bool {
        let _ = key;
        todo!("cache helper")
    }

    /// Keys, bytes in use, hits, misses and evictions.
    pub fn stats(&self) -> Stats {
        todo!("cache helper")
    }

    /// Whether the cache answers: what `PING` told.
    pub async fn ping(&self) -> Result<(), Error> {
        todo!("cache helper")
    }

    /// Writes what is not on disk yet and closes.
    pub async fn close(&self) {
        todo!("cache helper")
    }
}

/// What the cache holds and has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Keys that have not expired.
    pub keys: u64,
    /// Bytes in use by keys, values and bookkeeping.
    pub memory_bytes: u64,
    /// Reads that found a value.
    pub hits: u64,
    /// Reads that found none.
    pub misses: u64,
    /// Keys removed for want of memory.
    pub evictions: u64,
}
