//! The sources of scripts by their SHA-1, bounded; compiles nothing.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

use crate::resp::Reply;

/// How many scripts of `EVAL` are kept; Redis 7.4 has the same bound.
const EVALED: usize = 500;
/// Bytes of all sources of `EVAL` together.
const EVALED_BYTES: usize = 16 << 20;
/// Bytes of all sources of `SCRIPT LOAD` together.
const LOADED_BYTES: usize = 16 << 20;

/// Sources: those of `SCRIPT LOAD` stay, of those of `EVAL` the oldest goes first.
#[derive(Default)]
pub(super) struct Store {
    loaded: HashMap<String, Bytes>,
    loaded_bytes: usize,
    evaled: HashMap<String, Bytes>,
    evaled_bytes: usize,
    oldest: VecDeque<String>,
}

impl Store {
    pub(super) fn contains(&self, sha: &str) -> bool {
        self.loaded.contains_key(sha) || self.evaled.contains_key(sha)
    }

    pub(super) fn source(&self, sha: &str) -> Option<Bytes> {
        self.loaded
            .get(sha)
            .or_else(|| self.evaled.get(sha))
            .cloned()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Keeps a script of `SCRIPT LOAD`.
    pub(super) fn keep(&mut self, sha: &str, source: &Bytes) -> Result<(), Reply> {
        if self.loaded.contains_key(sha) {
            return Ok(());
        }
        if self.loaded_bytes + source.len() > LOADED_BYTES {
            return Err(Reply::error(
                "too many bytes of loaded scripts. Please use SCRIPT FLUSH.",
            ));
        }
        if let Some(evaled) = self.evaled.remove(sha) {
            self.evaled_bytes -= evaled.len();
            self.oldest.retain(|other| other != sha);
        }
        self.loaded_bytes += source.len();
        // A copy: the source may be a slice of a large request.
        self.loaded
            .insert(sha.to_owned(), Bytes::copy_from_slice(source));
        Ok(())
    }

    /// Keeps a script of `EVAL`, which must not be known; what had to go for it.
    pub(super) fn remember(&mut self, sha: &str, source: &Bytes) -> Vec<String> {
        let mut evicted = Vec::new();
        while self.evaled.len() >= EVALED || self.evaled_bytes + source.len() > EVALED_BYTES {
            let Some(oldest) = self.oldest.pop_front() else {
                break;
            };
            if let Some(old) = self.evaled.remove(&oldest) {
                self.evaled_bytes -= old.len();
            }
            evicted.push(oldest);
        }
        self.evaled_bytes += source.len();
        self.evaled
            .insert(sha.to_owned(), Bytes::copy_from_slice(source));
        self.oldest.push_back(sha.to_owned());
        evicted
    }
}
