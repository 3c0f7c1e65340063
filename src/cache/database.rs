//! One numbered database: keys with their values, deadlines and use. It knows no clock, no
//! connection and no disk.
//!
//! `SCAN` walks the entries downwards. Removing an entry moves the last one into its place, which
//! the walk has passed already, so that a key that is there all the time is always shown.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use crate::data::Value;

/// A key, shared by the places that know it.
pub(crate) type Key = Arc<[u8]>;

/// Set when a watched key has changed.
pub(crate) type Watch = Arc<AtomicBool>;

/// What a key costs beside its bytes and its value.
const ENTRY_OVERHEAD_BYTES: u64 = 128;
/// What a deadline costs.
const DEADLINE_OVERHEAD_BYTES: u64 = 48;

/// A value and what is known of it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) value: Value,
    /// Milliseconds since the Unix epoch.
    pub(crate) expires_ms: Option<i64>,
    /// When it was used last, milliseconds since the Unix epoch.
    pub(crate) used_ms: i64,
    /// A logarithmic counter of uses, as Redis's LFU keeps it.
    pub(crate) frequency: u8,
    /// The last copy of everything that this entry is part of; see [`crate::copying`].
    pub(crate) copied_in: u32,
    memory_bytes: u64,
}

/// A database.
#[derive(Debug, Default)]
pub(crate) struct Database {
    entries: IndexMap<Key, Entry, RandomState>,
    deadlines: BTreeSet<(i64, Key)>,
    watches: HashMap<Key, Vec<Watch>, RandomState>,
    memory_bytes: u64,
}

impl Database {
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    /// How many keys have a deadline.
    pub(crate) fn deadlines(&self) -> usize {
        self.deadlines.len()
    }

    pub(crate) fn get(&self, key: &[u8]) -> Option<&Entry> {
        self.entries.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &[u8]) -> Option<&mut Entry> {
        self.entries.get_mut(key)
    }

    pub(crate) fn at(&self, index: usize) -> Option<(&Key, &Entry)> {
        self.entries.get_index(index)
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&Key, &Entry)> {
        self.entries.iter()
    }

    /// Puts `value` under `key`, without a deadline; the entry that was there goes.
    pub(crate) fn insert(&mut self, key: &[u8], value: Value, now_ms: i64, copied_in: u32) {
        let memory_bytes = value.memory_bytes();
        let entry = Entry {
            value,
            expires_ms: None,
            used_ms: now_ms,
            frequency: FIRST_FREQUENCY,
            copied_in,
            memory_bytes,
        };
        self.memory_bytes += memory_bytes;
        if let Some((index, key, old)) = self.entries.get_full_mut(key) {
            let key = Arc::clone(key);
            let old = std::mem::replace(old, entry);
            let _ = index;
            self.memory_bytes -= old.memory_bytes;
            self.forget_deadline(old.expires_ms, &key);
            return;
        }
        self.memory_bytes += key.len() as u64 + ENTRY_OVERHEAD_BYTES;
        self.entries.insert(Arc::from(key), entry);
    }

    /// Removes a key.
    pub(crate) fn remove(&mut self, key: &[u8]) -> Option<Entry> {
        let (key, entry) = self.entries.swap_remove_entry(key)?;
        self.memory_bytes -= entry.memory_bytes + key.len() as u64 + ENTRY_OVERHEAD_BYTES;
        self.forget_deadline(entry.expires_ms, &key);
        Some(entry)
    }

    /// Counts the memory of a value that was changed in place; whether it is empty now.
    pub(crate) fn recount(&mut self, key: &[u8]) -> bool {
        let Some(entry) = self.entries.get_mut(key) else {
            return false;
        };
        let memory_bytes = entry.value.memory_bytes();
        self.memory_bytes = self.memory_bytes - entry.memory_bytes + memory_bytes;
        entry.memory_bytes = memory_bytes;
        entry.value.is_empty()
    }

    /// Sets or takes away the deadline of a key; whether the key is there.
    pub(crate) fn set_deadline(&mut self, key: &[u8], expires_ms: Option<i64>) -> bool {
        let Some((_, key, entry)) = self.entries.get_full_mut(key) else {
            return false;
        };
        let key = Arc::clone(key);
        let old = std::mem::replace(&mut entry.expires_ms, expires_ms);
        self.forget_deadline(old, &key);
        if let Some(at_ms) = expires_ms {
            self.memory_bytes += DEADLINE_OVERHEAD_BYTES;
            self.deadlines.insert((at_ms, key));
        }
        true
    }

    /// The key whose deadline comes first.
    pub(crate) fn first_deadline(&self) -> Option<(i64, &Key)> {
        self.deadlines.first().map(|(at_ms, key)| (*at_ms, key))
    }

    /// The key that expires soonest from a random place on, for eviction by time to live.
    pub(crate) fn soonest(&self) -> Option<Key> {
        self.deadlines.first().map(|(_, key)| Arc::clone(key))
    }

    /// Removes everything; what watched a key is told.
    pub(crate) fn clear(&mut self) {
        for watches in self.watches.values() {
            for watch in watches {
                watch.store(true, Ordering::Relaxed);
            }
        }
        self.entries = IndexMap::default();
        self.deadlines.clear();
        self.memory_bytes = 0;
    }

    /// Exchanges the contents with `other`; the watches stay with the number.
    pub(crate) fn swap(&mut self, other: &mut Self) {
        std::mem::swap(self, other);
        std::mem::swap(&mut self.watches, &mut other.watches);
        for watch in self
            .watches
            .values()
            .chain(other.watches.values())
            .flatten()
        {
            watch.store(true, Ordering::Relaxed);
        }
    }

    /// `watch` is set when `key` changes.
    pub(crate) fn watch(&mut self, key: &[u8], watch: Watch) {
        match self.watches.get_mut(key) {
            Some(watches) => watches.push(watch),
            None => {
                self.watches.insert(Arc::from(key), vec![watch]);
            }
        }
    }

    pub(crate) fn unwatch(&mut self, key: &[u8], watch: &Watch) {
        let Some(watches) = self.watches.get_mut(key) else {
            return;
        };
        watches.retain(|other| !Arc::ptr_eq(other, watch));
        if watches.is_empty() {
            self.watches.remove(key);
        }
    }

    /// Tells those who watch the key.
    pub(crate) fn tell_watches(&self, key: &[u8]) {
        if self.watches.is_empty() {
            return;
        }
        for watch in self.watches.get(key).into_iter().flatten() {
            watch.store(true, Ordering::Relaxed);
        }
    }

    fn forget_deadline(&mut self, expires_ms: Option<i64>, key: &Key) {
        if let Some(at_ms) = expires_ms {
            self.deadlines.remove(&(at_ms, Arc::clone(key)));
            self.memory_bytes -= DEADLINE_OVERHEAD_BYTES;
        }
    }
}

/// Where the counter of uses begins, so that a new key is not the first to go.
pub(crate) const FIRST_FREQUENCY: u8 = 5;
