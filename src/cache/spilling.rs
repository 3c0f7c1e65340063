//! Which keys of the cache databases differ from their copy on disk.

use std::collections::HashSet;

use foldhash::fast::RandomState;

use crate::database::{Database, Key};

/// The most keys that are remembered; beyond it everything is written afresh.
const MAX_KEYS: usize = 200_000;

/// The keys whose copy is out of date.
#[derive(Debug, Default)]
pub(crate) struct Stale {
    keys: HashSet<(usize, Key), RandomState>,
    everything: bool,
}

impl Stale {
    /// The key was changed or removed.
    pub(crate) fn add(&mut self, db: usize, key: &[u8], database: &Database) {
        if self.everything {
            return;
        }
        if self.keys.len() >= MAX_KEYS {
            return self.all();
        }
        let key = database.key(key).unwrap_or_else(|| Key::from(key));
        self.keys.insert((db, key));
    }

    /// Everything was changed.
    pub(crate) fn all(&mut self) {
        self.everything = true;
        self.keys = HashSet::default();
    }

    /// Whether everything has to be written afresh; asking begins anew.
    pub(crate) fn take_everything(&mut self) -> bool {
        std::mem::take(&mut self.everything)
    }

    /// Takes up to `limit` keys.
    pub(crate) fn take(&mut self, limit: usize) -> Vec<(usize, Key)> {
        let taken: Vec<_> = self.keys.iter().take(limit).cloned().collect();
        for place in &taken {
            self.keys.remove(place);
        }
        taken
    }
}
