//! The task that removes the files nobody has.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use mito_core::{Shutdown, supervisor::TaskError};
use mito_database::{Dialect, Lane, Tx};
use mito_network::Task;
use mito_objects::ListOptions;

use super::{BUCKET, FileKey, Files, failure, pending};
use crate::{Error, Records};

/// Between two looks, if nothing asks for one.
const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// Files in one transaction.
const BATCH: u32 = 100;
/// Removed at a time.
const AT_ONCE: usize = 8;
/// Thumbnails in one page of a listing.
const THUMBS: u32 = 500;

impl Records {
    /// The task that removes the files that no record has.
    pub(crate) fn file_sweeper(&self) -> Task {
        let records = self.clone();
        Task::new("files", move |shutdown| {
            let records = records.clone();
            async move { records.files().sweep_until(shutdown).await }
        })
    }
}

impl Files<'_> {
    async fn sweep_until(&self, shutdown: Shutdown) -> Result<(), TaskError> {
        self.bucket().await?;
        loop {
            self.sweep().await?;
            tokio::select! {
                () = shutdown.begun() => return Ok(()),
                () = self.state().due.notified() => {}
                () = self.records.inner.clock.sleep(SWEEP_EVERY) => {}
            }
        }
    }

    /// Removes what is due; returns how many files that were.
    pub(crate) async fn sweep(&self) -> Result<usize, Error> {
        let database = &self.records.inner.database;
        let boot = self.records.inner.boot.clone();
        let mut removed = 0;
        loop {
            let _removing = self.objects().removing().await;
            let name = boot.clone();
            let look = move |tx: &mut Tx<'_>| pending::is_due(tx, &name, is_alone(tx));
            if !database.read(look).await? {
                return Ok(removed);
            }
            let name = boot.clone();
            let take = move |tx: &mut Tx<'_>| {
                let alone = is_alone(tx);
                pending::take_due(tx, &name, alone, BATCH)
            };
            let taken = database.write_in(Lane::Bulk, take).await?;
            let gone: Vec<String> = stream::iter(taken)
                .map(|key| async move {
                    match self.remove(&key).await {
                        Ok(()) => Some(key),
                        Err(error) => {
                            tracing::warn!(%error, key, "a file cannot be removed yet");
                            None
                        }
                    }
                })
                .buffer_unordered(AT_ONCE)
                .filter_map(std::future::ready)
                .collect()
                .await;
            if gone.is_empty() {
                return Ok(removed);
            }
            removed += gone.len();
            let forget = move |tx: &mut Tx<'_>| {
                tx.frees_space();
                pending::forget(tx, &gone)
            };
            database.write_in(Lane::Bulk, forget).await?;
        }
    }

    /// Removes a file and then its thumbnails, so that one that is made meanwhile finds the file
    /// missing.
    async fn remove(&self, key: &str) -> Result<(), Error> {
        let objects = self.objects();
        objects.delete(BUCKET, key).await.map_err(failure)?;
        let Some(file) = FileKey::parse(key) else {
            return Ok(());
        };
        let mut after = None;
        loop {
            let options = ListOptions {
                prefix: file.thumbs_prefix(),
                delimiter: None,
                after,
                limit: THUMBS,
            };
            let listing = objects.list(BUCKET, options).await.map_err(failure)?;
            for thumb in listing.objects {
                objects.delete(BUCKET, &thumb.key).await.map_err(failure)?;
            }
            match listing.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }
}

/// Whether no other process can use the database: its file is locked by this one.
fn is_alone(tx: &Tx<'_>) -> bool {
    tx.dialect() == Dialect::Sqlite
}
