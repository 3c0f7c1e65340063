//! What the disk does not know yet: the set of keys that changed. Ten writes of one key are one
//! change, and its value is looked up only when it is written.

use std::{collections::HashSet, sync::Arc};

use bytes::Bytes;

/// How many keys may wait. Beyond it changes are dropped, and everything is written afresh.
const MAX_WAITING_KEYS: usize = 65_536;

/// One change, as the spill writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The key has this value now.
    Put {
        /// The key.
        key: Arc<str>,
        /// The value.
        value: Bytes,
        /// When it expires, milliseconds since the Unix epoch.
        expires_ms: Option<i64>,
    },
    /// The key is gone.
    Remove {
        /// The key.
        key: Arc<str>,
    },
}

/// The keys that changed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    keys: HashSet<Arc<str>>,
    overflow: bool,
    drops: u64,
}

impl Changes {
    pub(super) fn add(&mut self, key: Arc<str>) {
        if self.keys.len() < MAX_WAITING_KEYS || self.keys.contains(&key) {
            self.keys.insert(key);
            return;
        }
        self.drops += 1;
        self.overflow = true;
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(super) fn contains(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    pub(super) fn take(&mut self, limit: usize) -> Vec<Arc<str>> {
        if self.keys.len() <= limit {
            return std::mem::take(&mut self.keys).into_iter().collect();
        }
        let taken: Vec<Arc<str>> = self.keys.iter().take(limit).cloned().collect();
        for key in &taken {
            self.keys.remove(key);
        }
        taken
    }

    pub(super) fn overflow(&mut self) {
        self.overflow = true;
    }

    pub(super) fn take_overflow(&mut self) -> bool {
        std::mem::take(&mut self.overflow)
    }

    pub(super) fn drops(&self) -> u64 {
        self.drops
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_key_waits_once() {
        let mut changes = Changes::default();
        changes.add("a".into());
        changes.add("a".into());
        assert_eq!(changes.take(10), vec![Arc::from("a")]);
        assert!(changes.take(10).is_empty());
    }

    #[test]
    fn too_many_keys_are_counted_and_ask_for_a_rewrite() {
        let mut changes = Changes::default();
        for number in 0..MAX_WAITING_KEYS + 3 {
            changes.add(number.to_string().into());
        }
        changes.add("0".into());
        assert_eq!(changes.drops(), 3);
        assert!(changes.take_overflow());
        assert!(!changes.take_overflow(), "asking clears the mark");
        assert_eq!(changes.take(usize::MAX).len(), MAX_WAITING_KEYS);
    }
}
