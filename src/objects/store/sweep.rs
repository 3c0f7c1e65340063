//! Removes blobs that nobody names: those that rows let go, and what crashes left behind.

use std::time::Duration;

use mito_core::{Shutdown, supervisor::TaskError};
use mito_database::{Lane, Tx};

use super::Objects;
use crate::{
    Error,
    meta::{
        self,
        blobs::{GC_GRACE, Garbage},
    },
};

/// Between two looks at the garbage that rows let go, if nothing asks for one: after a failure.
const GARBAGE_EVERY: Duration = Duration::from_secs(30);
/// Between two walks over all blob files.
const WALK_EVERY: Duration = Duration::from_hours(6);
/// Uploads without an end are aborted after this, as in MinIO.
const UPLOAD_LIFE: Duration = Duration::from_hours(24);
/// Blobs in one transaction.
const BATCH: u32 = 100;

impl Objects {
    pub(super) async fn sweep_until(&self, shutdown: Shutdown) -> Result<(), TaskError> {
        let mut walked_ms: Option<i64> = None;
        loop {
            let now_ms = self.inner.clock.now_ms();
            let walk_ms = i64::try_from(WALK_EVERY.as_millis()).unwrap_or(i64::MAX);
            if walked_ms.is_none_or(|walked_ms| now_ms - walked_ms >= walk_ms) {
                self.sweep_leftovers(&shutdown).await?;
                self.abort_stale_uploads().await?;
                walked_ms = Some(now_ms);
            }
            self.sweep_garbage().await?;
            let woken = async {
                tokio::select! {
                    () = self.inner.garbage.notified() => self.inner.clock.sleep(GC_GRACE).await,
                    () = self.inner.clock.sleep(GARBAGE_EVERY) => {}
                }
            };
            tokio::select! {
                () = shutdown.begun() => return Ok(()),
                () = woken => {}
            }
        }
    }

    /// Removes blobs that rows let go and whose grace is over; returns how many.
    pub(crate) async fn sweep_garbage(&self) -> Result<usize, Error> {
        let mut removed = 0;
        let mut last = Garbage::default();
        loop {
            let _removing = self.removing().await;
            let after = last.clone();
            let find = move |tx: &mut Tx<'_>| meta::blobs::due(tx, &after, BATCH);
            let due = self.inner.database.read(find).await?;
            let Some(garbage) = due.last() else {
                return Ok(removed);
            };
            last = garbage.clone();
            let mut gone = Vec::new();
            for Garbage { blob, .. } in due {
                if self.inner.reading.holds(&blob) {
                    continue;
                }
                match self.inner.blobs.remove(&blob).await {
                    Ok(()) => gone.push(blob),
                    Err(error) => {
                        tracing::warn!(blob, %error, "a blob cannot be removed yet");
                    }
                }
            }
            removed += gone.len();
            if gone.is_empty() {
                continue;
            }
            let forget = move |tx: &mut Tx<'_>| {
                tx.frees_space();
                gone.iter()
                    .try_for_each(|blob| meta::blobs::forget(tx, blob))
            };
            self.inner.database.write_in(Lane::Bulk, forget).await?;
        }
    }

    /// Removes blob files that no row names and uploads that never completed.
    pub(crate) async fn sweep_leftovers(&self, shutdown: &Shutdown) -> Result<usize, Error> {
        let mut removed = 0;
        for folder in self.inner.blobs.folders().await? {
            if shutdown.has_begun() {
                break;
            }
            let old = self.inner.blobs.old_blobs(folder).await?;
            for ids in old.chunks(BATCH as usize) {
                let _removing = self.removing().await;
                let ids = ids.to_vec();
                let unknown = self
                    .inner
                    .database
                    .read(move |tx| meta::blobs::unknown(tx, &ids))
                    .await?;
                for blob in &unknown {
                    self.inner.blobs.remove(blob).await?;
                }
                removed += unknown.len();
            }
        }
        if removed > 0 {
            tracing::info!(blobs = removed, "removed blobs that no object names");
        }
        Ok(removed)
    }

    /// Aborts multipart uploads that began long ago; returns how many.
    pub(crate) async fn abort_stale_uploads(&self) -> Result<usize, Error> {
        let life_ms = i64::try_from(UPLOAD_LIFE.as_millis()).unwrap_or(i64::MAX);
        let before_ms = self.inner.clock.now_ms() - life_ms;
        let mut aborted = 0;
        loop {
            let find = move |tx: &mut Tx<'_>| meta::uploads::stale(tx, before_ms, BATCH);
            let stale = self.inner.database.read(find).await?;
            if stale.is_empty() {
                return Ok(aborted);
            }
            for (bucket, upload) in stale {
                match self.abort_upload(&bucket, &upload.key, &upload.id).await {
                    Ok(()) => aborted += 1,
                    // Its client has ended it meanwhile.
                    Err(Error::NoSuchUpload(_) | Error::NoSuchBucket(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
}
