//! What outlives a change of the configuration: buckets and counts. They are kept under the name
//! and the content of the middleware that they belong to, so that a reload which does not concern
//! it does not either let everybody in anew or forget who is inside.

use std::{
    any::Any,
    collections::HashMap,
    fmt::Debug,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use mito_core::Random;

/// The registry of long-lived state. Clones share it.
#[derive(Clone)]
pub(crate) struct Kept {
    entries: Arc<Mutex<HashMap<Key, Arc<dyn Any + Send + Sync>>>>,
    /// Draws keys that clients cannot know.
    pub(crate) random: Random,
    /// Where bodies are that do not fit into memory.
    pub(super) folder: PathBuf,
}

/// The name and the content of a middleware.
type Key = (String, String);

impl Kept {
    /// Nothing yet.
    pub(crate) fn new(random: Random, folder: PathBuf) -> Self {
        Self {
            entries: Arc::default(),
            random,
            folder,
        }
    }

    /// What the middleware `name` had when it was configured like this, or else something new.
    /// Types of different kinds of middlewares must differ.
    pub(crate) fn or_new<T: Any + Send + Sync>(
        &self,
        name: &str,
        config: &impl Debug,
        new: impl FnOnce() -> T,
    ) -> Arc<T> {
        let key = (name.to_owned(), format!("{config:?}"));
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let known = entries.get(&key).cloned();
        if let Some(known) = known.and_then(|known| known.downcast::<T>().ok()) {
            return known;
        }
        let made = Arc::new(new());
        entries.insert(key, made.clone());
        made
    }

    /// Drops what no middleware holds any more. Called after a new table has replaced the old one.
    pub(crate) fn retain(&self) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, kept| Arc::strong_count(kept) > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_lives_as_long_as_its_configuration() {
        let kept = Kept::new(Random::seeded(1), PathBuf::new());
        let first = kept.or_new("a", &1, || Mutex::new(1));
        let same = kept.or_new("a", &1, || Mutex::new(2));
        assert!(Arc::ptr_eq(&first, &same));
        let other_content = kept.or_new("a", &2, || Mutex::new(3));
        let other_name = kept.or_new("b", &1, || Mutex::new(4));
        assert!(!Arc::ptr_eq(&first, &other_content));
        assert!(!Arc::ptr_eq(&first, &other_name));
        drop((first, other_name));
        kept.retain();
        drop(same);
        let held = kept.or_new("a", &1, || Mutex::new(5));
        assert_eq!(*held.lock().expect("a lock"), 1);
        drop((held, other_content));
        kept.retain();
        assert!(kept.entries.lock().expect("a lock").is_empty());
    }
}
