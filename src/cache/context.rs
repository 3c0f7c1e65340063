//! What a command sees of the keyspace: the keys of its database, typed, and the means to say what
//! it changed.

use bytes::Bytes;

use crate::{
    core::Core,
    data::{Typed, Value},
    database::{Database, Entry, Key},
    eviction,
    fault::Fault,
};

/// One command at work.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) core: &'a mut Core,
    pub(crate) db: usize,
    protocol: u8,
    changes: u64,
    propagated: Option<Vec<Vec<Bytes>>>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(core: &'a mut Core, db: usize, protocol: u8) -> Self {
        Self {
            core,
            db,
            protocol,
            changes: 0,
            propagated: None,
        }
    }

    /// How many changes there were, and what the log gets instead of the command.
    pub(crate) fn into_effects(self) -> (u64, Option<Vec<Vec<Bytes>>>) {
        (self.changes, self.propagated)
    }

    /// Milliseconds since the Unix epoch; the same throughout a script or transaction.
    pub(crate) fn now_ms(&self) -> i64 {
        self.core.now_ms
    }

    /// The version of the protocol that the client speaks.
    pub(crate) fn protocol(&self) -> u8 {
        self.protocol
    }

    /// A number below `below`, which is not 0.
    pub(crate) fn random(&self, below: usize) -> usize {
        self.core.draw.below(below)
    }

    /// The value of a key for reading, if the key is there.
    pub(crate) fn read<T: Typed>(&mut self, key: &[u8]) -> Result<Option<&T>, Fault> {
        if !self.core.lives(self.db, key) {
            self.core.counters.misses += 1;
            return Ok(None);
        }
        self.core.counters.hits += 1;
        let now_ms = self.core.now_ms;
        let Core {
            databases, draw, ..
        } = &mut *self.core;
        let Some(entry) = databases[self.db].get_mut(key) else {
            return Ok(None);
        };
        eviction::used(entry, now_ms, draw);
        T::of(&entry.value).map(Some).ok_or(Fault::WRONG_TYPE)
    }

    /// The value of a key for changing, if the key is there; [`Self::changed`] has to follow.
    pub(crate) fn write<T: Typed>(&mut self, key: &[u8]) -> Result<Option<&mut T>, Fault> {
        if !self.core.lives(self.db, key) {
            return Ok(None);
        }
        self.core.before_change(self.db, key);
        let now_ms = self.core.now_ms;
        let Core {
            databases, draw, ..
        } = &mut *self.core;
        let Some(entry) = databases[self.db].get_mut(key) else {
            return Ok(None);
        };
        eviction::used(entry, now_ms, draw);
        T::of_mut(&mut entry.value)
            .map(Some)
            .ok_or(Fault::WRONG_TYPE)
    }

    /// The value of a key for changing, made if the key is not there; [`Self::changed`] has to
    /// follow, whether or not anything was put in.
    pub(crate) fn create<T: Typed>(&mut self, key: &[u8]) -> Result<&mut T, Fault> {
        if !self.core.lives(self.db, key) {
            self.put(key, T::default().wrap());
        }
        self.write(key)?.ok_or(Fault::WRONG_TYPE)
    }

    /// The entry of a key, whatever its type, without counting as a use.
    pub(crate) fn entry(&mut self, key: &[u8]) -> Option<&Entry> {
        if !self.core.lives(self.db, key) {
            return None;
        }
        self.database().get(key)
    }

    /// Whether the key is there.
    pub(crate) fn exists(&mut self, key: &[u8]) -> bool {
        self.core.lives(self.db, key)
    }

    /// A key was changed in place: counts its memory, removes it when nothing is left in it, and
    /// tells those who watch or wait.
    pub(crate) fn changed(&mut self, key: &[u8]) {
        self.changes += 1;
        if self.database_mut().recount(key) {
            self.database_mut().remove(key);
        }
        self.core.after_change(self.db, key);
    }

    /// Removes a key; whether it was there.
    pub(crate) fn remove(&mut self, key: &[u8]) -> bool {
        if !self.core.lives(self.db, key) {
            return false;
        }
        self.take(key).is_some()
    }

    /// Takes a key out, with what is known of it.
    pub(crate) fn take(&mut self, key: &[u8]) -> Option<Entry> {
        self.core.before_change(self.db, key);
        let entry = self.database_mut().remove(key)?;
        self.changes += 1;
        self.core.after_change(self.db, key);
        Some(entry)
    }

    /// Puts `value` under `key` in the place of whatever is there, without a deadline.
    pub(crate) fn set_value(&mut self, key: &[u8], value: Value) {
        self.core.before_change(self.db, key);
        self.put(key, value);
        self.changes += 1;
        self.core.after_change(self.db, key);
    }

    fn put(&mut self, key: &[u8], value: Value) {
        let (now_ms, copies) = (self.core.now_ms, self.core.copies);
        self.database_mut().insert(key, value, now_ms, copies);
    }

    /// When the key expires, milliseconds since the Unix epoch.
    pub(crate) fn expires_ms(&mut self, key: &[u8]) -> Option<i64> {
        self.entry(key)?.expires_ms
    }

    /// Sets or takes away the deadline of a key.
    pub(crate) fn set_deadline(&mut self, key: &[u8], expires_ms: Option<i64>) {
        self.core.before_change(self.db, key);
        self.database_mut().set_deadline(key, expires_ms);
        self.changes += 1;
        self.core.after_change(self.db, key);
    }

    /// Something other than a key was changed.
    pub(crate) fn changed_elsewhere(&mut self) {
        self.changes += 1;
    }

    /// What the log gets instead of the command as it came.
    pub(crate) fn propagate(&mut self, commands: Vec<Vec<Bytes>>) {
        self.propagated = Some(commands);
    }

    /// The database that the command works on.
    pub(crate) fn database(&self) -> &Database {
        &self.core.databases[self.db]
    }

    fn database_mut(&mut self) -> &mut Database {
        &mut self.core.databases[self.db]
    }

    /// Some key that is there.
    pub(crate) fn random_key(&mut self) -> Option<Key> {
        loop {
            let len = self.database().len();
            if len == 0 {
                return None;
            }
            let index = self.random(len);
            let (key, _) = self.database().at(index)?;
            let key = Key::clone(key);
            if self.exists(&key) {
                return Some(key);
            }
        }
    }
}
