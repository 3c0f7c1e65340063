//! Entries in a vector with free places, linked in order of use. Positions are stable until the
//! entry is removed.

use std::sync::Arc;

use bytes::Bytes;

/// An entry.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) key: Arc<str>,
    pub(super) value: Bytes,
    pub(super) expires_ms: Option<i64>,
    older: Option<usize>,
    newer: Option<usize>,
}

impl Slot {
    pub(super) fn new(key: Arc<str>, value: Bytes, expires_ms: Option<i64>) -> Self {
        Self {
            key,
            value,
            expires_ms,
            older: None,
            newer: None,
        }
    }
}

/// The entries.
#[derive(Debug, Default)]
pub(super) struct Slots {
    places: Vec<Option<Slot>>,
    free: Vec<usize>,
    oldest: Option<usize>,
    newest: Option<usize>,
}

impl Slots {
    pub(super) fn get(&self, position: usize) -> &Slot {
        self.places[position]
            .as_ref()
            .expect("positions come from the index of live keys")
    }

    /// Adds an entry as the most recently used one.
    pub(super) fn insert(&mut self, slot: Slot) -> usize {
        let position = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        self.places[position] = Some(slot);
        self.link(position);
        position
    }

    pub(super) fn remove(&mut self, position: usize) -> Slot {
        self.unlink(position);
        self.free.push(position);
        self.places[position]
            .take()
            .expect("positions come from the index of live keys")
    }

    /// Makes an entry the most recently used one.
    pub(super) fn touch(&mut self, position: usize) {
        if self.newest != Some(position) {
            self.unlink(position);
            self.link(position);
        }
    }

    pub(super) fn least_recent(&self) -> Option<usize> {
        self.oldest
    }

    /// Up to `limit` occupied positions from `from` on, and where to go on.
    pub(super) fn occupied(&self, from: usize, limit: usize) -> (Vec<usize>, Option<usize>) {
        let rest = self.places.iter().enumerate().skip(from);
        let live = rest
            .filter(|(_, place)| place.is_some())
            .map(|(position, _)| position);
        let positions: Vec<usize> = live.take(limit).collect();
        let full = positions.len() == limit;
        let next = positions.last().filter(|_| full).map(|last| last + 1);
        (positions, next)
    }

    fn link(&mut self, position: usize) {
        let older = self.newest.replace(position);
        let slot = self.slot_mut(position);
        slot.older = older;
        slot.newer = None;
        match older {
            Some(older) => self.slot_mut(older).newer = Some(position),
            None => self.oldest = Some(position),
        }
    }

    fn unlink(&mut self, position: usize) {
        let slot = self.get(position);
        let (older, newer) = (slot.older, slot.newer);
        match older {
            Some(older) => self.slot_mut(older).newer = newer,
            None => self.oldest = newer,
        }
        match newer {
            Some(newer) => self.slot_mut(newer).older = older,
            None => self.newest = older,
        }
    }

    fn slot_mut(&mut self, position: usize) -> &mut Slot {
        self.places[position]
            .as_mut()
            .expect("links lead to live entries")
    }
}
