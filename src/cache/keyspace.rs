//! Keys and values in memory: expiry, order of use, accounting and the list of what changed. It
//! knows no lock, no clock and no disk; the caller says what time it is.
//!
//! Keys are kept in a list in order of use, so that the one removed for want of memory is exactly
//! the least recently used one, at the cost of two links per key.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use bytes::Bytes;

use crate::{Error, Stats};

mod changes;
mod slots;

pub use changes::Change;
use changes::Changes;
use slots::{Slot, Slots};

/// What a key costs beside its text and its value: its slot, its place in the index and among the
/// deadlines, and the allocator's rounding.
pub(crate) const ENTRY_OVERHEAD_BYTES: u64 = 192;

/// Keys, values and what is known of them.
#[derive(Debug)]
pub(crate) struct Keyspace {
    index: HashMap<Arc<str>, usize>,
    slots: Slots,
    deadlines: BTreeSet<(i64, usize)>,
    changes: Option<Changes>,
    /// What is on disk has not all been shown yet.
    restoring: bool,
    max_memory_bytes: u64,
    stats: Stats,
}

impl Keyspace {
    /// An empty keyspace that takes up to `max_memory_bytes`; `track` keeps a list of changes for
    /// the spill.
    pub(crate) fn new(max_memory_bytes: u64, track: bool) -> Self {
        Self {
            index: HashMap::new(),
            slots: Slots::default(),
            deadlines: BTreeSet::new(),
            changes: track.then(Changes::default),
            restoring: track,
            max_memory_bytes,
            stats: Stats::default(),
        }
    }

    /// The value, counted as a read and as the most recent use.
    pub(crate) fn get(&mut self, key: &str, now_ms: i64) -> Option<Bytes> {
        let Some(position) = self.find(key, now_ms) else {
            self.stats.misses += 1;
            return None;
        };
        self.stats.hits += 1;
        self.slots.touch(position);
        Some(self.slots.get(position).value.clone())
    }

    /// The value and its deadline, without counting.
    pub(crate) fn peek(&mut self, key: &str, now_ms: i64) -> Option<(Bytes, Option<i64>)> {
        let slot = self
            .find(key, now_ms)
            .map(|position| self.slots.get(position))?;
        Some((slot.value.clone(), slot.expires_ms))
    }

    /// Sets a value, removing the least recently used keys if it would not fit otherwise.
    pub(crate) fn set(
        &mut self,
        key: &str,
        value: Bytes,
        expires_ms: Option<i64>,
    ) -> Result<(), Error> {
        let cost = cost(key, &value);
        if cost > self.max_memory_bytes {
            return Err(Error::TooLarge {
                key: key.to_owned(),
                size_bytes: cost,
                limit_bytes: self.max_memory_bytes,
            });
        }
        let key: Arc<str> = match self.index.get_key_value(key) {
            Some((key, &position)) => {
                let key = Arc::clone(key);
                self.take_out(position);
                key
            }
            None => key.into(),
        };
        self.make_room(cost);
        self.put_in(Arc::clone(&key), value, expires_ms);
        self.note(key);
        Ok(())
    }

    /// Adds a value that comes from disk, unless the key is there or has changed since. One that
    /// does not fit is removed from the disk as well: nobody could remove it later.
    pub(crate) fn restore(&mut self, key: &str, value: Bytes, expires_ms: Option<i64>) {
        let changed = self
            .changes
            .as_ref()
            .is_some_and(|changes| changes.contains(key));
        if changed || self.index.contains_key(key) {
            return;
        }
        if self.stats.memory_bytes + cost(key, &value) > self.max_memory_bytes {
            return self.note(key.into());
        }
        self.put_in(key.into(), value, expires_ms);
    }

    /// Everything on disk has been shown: what is not here is not there either.
    pub(crate) fn finish_restoring(&mut self) {
        self.restoring = false;
    }

    /// Removes a key; whether it was there.
    pub(crate) fn remove(&mut self, key: &str, now_ms: i64) -> bool {
        let found = self.find(key, now_ms);
        match found {
            Some(position) => {
                let slot = self.take_out(position);
                self.note(slot.key);
            }
            // It may still be on its way from the disk.
            None if self.restoring => self.note(key.into()),
            None => {}
        }
        found.is_some()
    }

    /// Removes up to `limit` keys whose deadline has passed; returns how many.
    pub(crate) fn sweep(&mut self, now_ms: i64, limit: usize) -> usize {
        let due = self
            .deadlines
            .iter()
            .take(limit)
            .take_while(|(at_ms, _)| *at_ms <= now_ms);
        let due: Vec<usize> = due.map(|(_, position)| *position).collect();
        for position in &due {
            self.expire(*position);
        }
        due.len()
    }

    /// There is no disk to tell of changes any more.
    pub(crate) fn stop_tracking(&mut self) {
        self.changes = None;
    }

    /// Up to `limit` changes since the last call, as the keys are now.
    pub(crate) fn take_changes(&mut self, limit: usize) -> Vec<Change> {
        let keys = self
            .changes
            .as_mut()
            .map(|changes| changes.take(limit))
            .unwrap_or_default();
        keys.into_iter().map(|key| self.change_of(key)).collect()
    }

    /// Whether changes were dropped, so that only writing everything makes the disk right again;
    /// asking clears the mark.
    pub(crate) fn take_overflow(&mut self) -> bool {
        self.changes.as_mut().is_some_and(Changes::take_overflow)
    }

    /// Whether anything waits to be written.
    #[cfg(test)]
    pub(crate) fn has_changes(&self) -> bool {
        self.changes
            .as_ref()
            .is_some_and(|changes| !changes.is_empty())
    }

    /// Marks the disk as wrong as a whole, as [`Keyspace::take_overflow`] will tell.
    pub(crate) fn require_rewrite(&mut self) {
        if let Some(changes) = &mut self.changes {
            changes.overflow();
        }
    }

    /// Up to `limit` entries from position `from` on, and where to go on (`None` at the end), for
    /// writing everything without holding the lock all the while. What changes meanwhile is in the
    /// list of changes.
    pub(crate) fn entries(&self, from: usize, limit: usize) -> (Vec<Change>, Option<usize>) {
        let (positions, next) = self.slots.occupied(from, limit);
        let entries = positions
            .into_iter()
            .map(|position| put(self.slots.get(position)));
        (entries.collect(), next)
    }

    /// Bytes of keys and values, without bookkeeping.
    pub(crate) fn live_bytes(&self) -> u64 {
        self.stats.memory_bytes - self.stats.keys * ENTRY_OVERHEAD_BYTES
    }

    /// What it holds and has done.
    pub(crate) fn stats(&self) -> Stats {
        let spill_drops = self.changes.as_ref().map_or(0, Changes::drops);
        Stats {
            spill_drops,
            ..self.stats
        }
    }

    /// The position of a key that has not expired; one that has is removed.
    fn find(&mut self, key: &str, now_ms: i64) -> Option<usize> {
        let position = *self.index.get(key)?;
        let expired = self
            .slots
            .get(position)
            .expires_ms
            .is_some_and(|at_ms| at_ms <= now_ms);
        if expired {
            self.expire(position);
            return None;
        }
        Some(position)
    }

    fn expire(&mut self, position: usize) {
        let slot = self.take_out(position);
        self.stats.expirations += 1;
        self.note(slot.key);
    }

    fn make_room(&mut self, cost: u64) {
        while self.stats.memory_bytes + cost > self.max_memory_bytes {
            let Some(position) = self.slots.least_recent() else {
                return;
            };
            let slot = self.take_out(position);
            self.stats.evictions += 1;
            self.note(slot.key);
        }
    }

    fn put_in(&mut self, key: Arc<str>, value: Bytes, expires_ms: Option<i64>) {
        self.stats.memory_bytes += cost(&key, &value);
        self.stats.keys += 1;
        let position = self
            .slots
            .insert(Slot::new(Arc::clone(&key), value, expires_ms));
        if let Some(at_ms) = expires_ms {
            self.deadlines.insert((at_ms, position));
        }
        self.index.insert(key, position);
    }

    fn take_out(&mut self, position: usize) -> Slot {
        let slot = self.slots.remove(position);
        self.stats.memory_bytes -= cost(&slot.key, &slot.value);
        self.stats.keys -= 1;
        if let Some(at_ms) = slot.expires_ms {
            self.deadlines.remove(&(at_ms, position));
        }
        self.index.remove(&slot.key);
        slot
    }

    fn note(&mut self, key: Arc<str>) {
        if let Some(changes) = &mut self.changes {
            changes.add(key);
        }
    }

    fn change_of(&self, key: Arc<str>) -> Change {
        match self.index.get(&key) {
            Some(&position) => put(self.slots.get(position)),
            None => Change::Remove { key },
        }
    }
}

fn cost(key: &str, value: &Bytes) -> u64 {
    key.len() as u64 + value.len() as u64 + ENTRY_OVERHEAD_BYTES
}

fn put(slot: &Slot) -> Change {
    Change::Put {
        key: Arc::clone(&slot.key),
        value: slot.value.clone(),
        expires_ms: slot.expires_ms,
    }
}

#[cfg(test)]
mod tests;
