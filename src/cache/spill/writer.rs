//! The spill's thread: reads the last run's values once, then writes what changes, each second.

use std::{sync::Arc, time::Duration};

use mito_core::Clock;
use tokio::sync::watch;

use super::{Change, Error, Options, SpillStore, folder::Folder, sled_store::SledStore};
use crate::cache::Shared;

/// How often changes are written and made durable: what a crash may lose, and what it may bring
/// back of keys that were removed.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// How many changes are written together; the keyspace is locked while they are collected.
const BATCH_CHANGES: usize = 512;

/// A folder is written afresh when it is this many times as large as what lives in it,
const REWRITE_FACTOR: u64 = 4;
/// and larger than this.
const REWRITE_MIN_BYTES: u64 = 16 * 1024 * 1024;

/// How long a store that was just closed in this process may go on holding its lock.
const LOCK_TRIES: u32 = 40;
const LOCK_WAIT: Duration = Duration::from_millis(50);

/// Runs until `closing`, then writes what is left. An error that lasts ends the spill, not the
/// cache.
pub(super) async fn run(options: Options) {
    let Options {
        keyspace,
        folder,
        clock,
        max_memory_bytes,
        ready,
        mut closing,
    } = options;
    let writer = Writer::open(Arc::clone(&keyspace), folder, max_memory_bytes).await;
    let mut writer = match writer {
        Ok(writer) => Some(writer),
        Err(error) => {
            tracing::error!(%error, "the cache cannot keep a copy on disk; it starts empty");
            None
        }
    };
    if let Some(writer) = &mut writer {
        writer.restore(clock.now_ms());
    }
    keyspace.lock().finish_restoring();
    // Nobody waits any more when the start has taken too long.
    let _ = ready.send(());
    let mut last = false;
    while !last {
        last = tick(&clock, &mut closing).await;
        if let Some(mut active) = writer.take() {
            writer = match active.write() {
                Ok(()) => Some(active),
                Err(error) => active.start_over(&error).await,
            };
        } else {
            keyspace.lock().stop_tracking();
        }
    }
}

/// Waits for the next time to write; true when it is the last one.
async fn tick(clock: &Clock, closing: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        _ = closing.wait_for(|closing| *closing) => true,
        () = clock.sleep(FLUSH_EVERY) => false,
    }
}

struct Writer {
    keyspace: Arc<Shared>,
    folder: Folder,
    store: Box<dyn SpillStore>,
    max_memory_bytes: u64,
    /// The size after the last rewrite; below twice of it another one would gain nothing.
    fresh_bytes: u64,
}

impl Writer {
    async fn open(
        keyspace: Arc<Shared>,
        path: std::path::PathBuf,
        max_memory_bytes: u64,
    ) -> Result<Self, Error> {
        let mut folder = Folder::open(path)?;
        let store = match open_store(&folder, max_memory_bytes).await {
            Ok(store) => store,
            // What holds the lock may be alive and well.
            Err(Error::Locked) => return Err(Error::Locked),
            Err(error) => {
                let aside = folder.set_aside()?;
                set_aside(&error, &aside);
                open_store(&folder, max_memory_bytes).await?
            }
        };
        Ok(Self {
            keyspace,
            folder,
            store,
            max_memory_bytes,
            fresh_bytes: 0,
        })
    }

    /// Reads everything into the keyspace.
    fn restore(&mut self, now_ms: i64) {
        let (mut restored, mut expired) = (0_u64, Vec::new());
        let scanned = self.store.scan(&mut |entry| {
            if entry.expires_ms.is_some_and(|at_ms| at_ms <= now_ms) {
                expired.push(Change::Remove {
                    key: entry.key.into(),
                });
                return;
            }
            self.keyspace
                .lock()
                .restore(&entry.key, entry.value, entry.expires_ms);
            restored += 1;
        });
        let cleaned = scanned.and_then(|unreadable| {
            self.store.apply(&expired)?;
            Ok(unreadable)
        });
        match cleaned {
            Ok(0) => tracing::info!(keys = restored, "the cache starts warm"),
            Ok(unreadable) => {
                self.keyspace.lock().require_rewrite();
                tracing::warn!(
                    keys = restored,
                    unreadable,
                    "the cache starts with what was readable"
                );
            }
            Err(error) => {
                self.keyspace.lock().require_rewrite();
                tracing::warn!(%error, keys = restored, "reading the cache's copy ended early");
            }
        }
    }

    /// Writes all changes, or everything if there were too many or the folder has grown too large.
    fn write(&mut self) -> Result<(), Error> {
        if self.keyspace.lock().take_overflow() || self.is_bloated()? {
            return self.rewrite();
        }
        if write_changes(&self.keyspace, self.store.as_mut())? {
            self.store.flush()?;
        }
        Ok(())
    }

    fn is_bloated(&self) -> Result<bool, Error> {
        let size_bytes = self.store.size_bytes()?;
        if size_bytes <= REWRITE_MIN_BYTES || size_bytes <= self.fresh_bytes * 2 {
            return Ok(false);
        }
        Ok(size_bytes > self.keyspace.lock().live_bytes() * REWRITE_FACTOR)
    }

    /// Writes everything into a new generation and puts it into use.
    fn rewrite(&mut self) -> Result<(), Error> {
        let mut fresh: Box<dyn SpillStore> = Box::new(SledStore::open(
            &self.folder.next()?,
            self.max_memory_bytes,
        )?);
        let mut from = Some(0);
        while let Some(position) = from {
            let (entries, next) = self.keyspace.lock().entries(position, BATCH_CHANGES);
            fresh.apply(&entries)?;
            from = next;
        }
        write_changes(&self.keyspace, fresh.as_mut())?;
        fresh.flush()?;
        self.folder.advance()?;
        // The old store is closed before its folder goes.
        self.store = fresh;
        self.fresh_bytes = self.store.size_bytes()?;
        self.folder.remove_leftovers()?;
        tracing::info!(
            size_bytes = self.fresh_bytes,
            "the cache's copy on disk was written afresh"
        );
        Ok(())
    }

    /// After a failure: sets the folder aside and writes everything into a new one. `None` when
    /// that fails too, and the cache goes on without a copy.
    async fn start_over(self, error: &Error) -> Option<Self> {
        let Self {
            keyspace,
            mut folder,
            store,
            max_memory_bytes,
            ..
        } = self;
        drop(store);
        let opened = async {
            let aside = folder.set_aside()?;
            set_aside(error, &aside);
            open_store(&folder, max_memory_bytes).await
        };
        match opened.await {
            Ok(store) => {
                keyspace.lock().require_rewrite();
                Some(Self {
                    keyspace,
                    folder,
                    store,
                    max_memory_bytes,
                    fresh_bytes: 0,
                })
            }
            Err(error) => {
                tracing::error!(%error, "the cache keeps no copy on disk until the next start");
                None
            }
        }
    }
}

fn set_aside(error: &Error, aside: &std::path::Path) {
    metrics::counter!("mito_cache_spill_failures_total").increment(1);
    tracing::warn!(%error, path = %aside.display(), "the cache's copy on disk was set aside");
}

/// Writes what has changed, in batches; whether there was anything.
fn write_changes(keyspace: &Shared, store: &mut dyn SpillStore) -> Result<bool, Error> {
    let mut wrote = false;
    loop {
        let changes = keyspace.lock().take_changes(BATCH_CHANGES);
        if changes.is_empty() {
            return Ok(wrote);
        }
        store.apply(&changes)?;
        wrote = true;
    }
}

async fn open_store(folder: &Folder, max_memory_bytes: u64) -> Result<Box<dyn SpillStore>, Error> {
    let mut tries = 0;
    loop {
        match SledStore::open(&folder.current(), max_memory_bytes) {
            Ok(store) => return Ok(Box::new(store)),
            Err(Error::Locked) if tries < LOCK_TRIES => {
                tries += 1;
                tokio::time::sleep(LOCK_WAIT).await;
            }
            Err(error) => return Err(error),
        }
    }
}
