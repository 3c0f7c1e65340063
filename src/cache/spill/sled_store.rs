//! The spill on sled 0.34. Every call is contained: sled reports some damage by panicking, and such
//! a panic is an error here like any other.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use mito_core::supervisor::record_panic;

use super::{Change, Entry, Error, SpillStore, layout};

/// The version of the whole folder; another one starts an empty cache.
const SCHEMA: &str = "1";
const SCHEMA_KEY: &str = "schema";

/// sled's own page cache takes this share of the cache's memory on top, within these bounds.
const PAGE_CACHE_SHARE: u64 = 8;
const MIN_PAGE_CACHE_BYTES: u64 = 1024 * 1024;
const MAX_PAGE_CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// A batch is handed over when it is larger than this, since sled copies what it is given.
const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;

/// A sled database with one tree of entries and one for the schema.
pub(super) struct SledStore {
    database: sled::Db,
    entries: sled::Tree,
}

impl SledStore {
    /// Opens or creates the store in `folder`.
    pub(super) fn open(folder: &Path, max_memory_bytes: u64) -> Result<Self, Error> {
        let page_cache_bytes =
            (max_memory_bytes / PAGE_CACHE_SHARE).clamp(MIN_PAGE_CACHE_BYTES, MAX_PAGE_CACHE_BYTES);
        contained(|| {
            let database = sled::Config::new()
                .path(folder)
                .cache_capacity(page_cache_bytes)
                // The writer flushes; a second clock inside sled is not wanted.
                .flush_every_ms(None)
                .open()?;
            let entries = database.open_tree("entries")?;
            Ok(Self { database, entries })
        })
        .and_then(Self::check_schema)
    }

    fn check_schema(self) -> Result<Self, Error> {
        let found = contained(|| {
            let meta = self.database.open_tree("meta")?;
            let found = meta.get(SCHEMA_KEY)?;
            if found.is_none() {
                meta.insert(SCHEMA_KEY, SCHEMA)?;
            }
            Ok(found)
        })?;
        match found {
            Some(found) if found != SCHEMA.as_bytes() => Err(Error::Schema {
                found: String::from_utf8_lossy(&found).into_owned(),
                expected: SCHEMA,
            }),
            _ => Ok(self),
        }
    }
}

#[cfg(test)]
impl SledStore {
    pub(super) fn entries(&self) -> &sled::Tree {
        &self.entries
    }
}

impl SpillStore for SledStore {
    fn apply(&mut self, changes: &[Change]) -> Result<(), Error> {
        let mut batch = sled::Batch::default();
        let mut batch_bytes = 0;
        for change in changes {
            match change {
                Change::Put {
                    key,
                    value,
                    expires_ms,
                } => {
                    let bytes = layout::encode(key.as_bytes(), value, *expires_ms);
                    batch_bytes += bytes.len();
                    batch.insert(key.as_bytes(), bytes);
                }
                Change::Remove { key } => batch.remove(key.as_bytes()),
            }
            if batch_bytes > MAX_BATCH_BYTES {
                batch_bytes = 0;
                let full = std::mem::take(&mut batch);
                contained(|| self.entries.apply_batch(full))?;
            }
        }
        contained(|| self.entries.apply_batch(batch))
    }

    fn scan(&self, visit: &mut dyn FnMut(Entry)) -> Result<u64, Error> {
        contained(|| {
            let mut unreadable = 0;
            for entry in &self.entries {
                let (key, bytes) = entry?;
                let value = layout::decode(&key, &bytes);
                match (String::from_utf8(key.to_vec()), value) {
                    (Ok(key), Some((value, expires_ms))) => {
                        visit(Entry {
                            key,
                            value,
                            expires_ms,
                        });
                    }
                    _ => unreadable += 1,
                }
            }
            Ok(unreadable)
        })
    }

    fn flush(&mut self) -> Result<(), Error> {
        contained(|| self.database.flush()).map(drop)
    }

    fn size_bytes(&self) -> Result<u64, Error> {
        contained(|| self.database.size_on_disk())
    }
}

fn contained<T>(work: impl FnOnce() -> sled::Result<T>) -> Result<T, Error> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        // 0.34 has no error of its own for a folder that is in use.
        Ok(Err(error)) if error.to_string().contains("could not acquire lock") => {
            Err(Error::Locked)
        }
        Ok(Err(error)) => Err(Error::Engine(error.to_string())),
        Err(panic) => Err(Error::Engine(record_panic("cache/spill", panic.as_ref()))),
    }
}
