//! Blob files: immutable, under opaque random ids, in folders `blob/ab/cd`. Written and removed
//! through object_store; read chunk by chunk, each chunk verified before a byte of it is served.
//!
//! object_store stages an upload as `<id>#1` beside its destination and renames it on completion,
//! syncing file and folder. What a crash leaves behind carries that suffix, which the store hides
//! from its own listing; [`leftovers`] finds it.

pub(crate) mod fault;
pub(crate) mod leftovers;
pub(crate) mod reader;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::SystemTime,
};

use bytes::Bytes;
use mito_core::files::{create_folder, sync_folder};
use object_store::{
    MultipartUpload, ObjectStore, ObjectStoreExt as _, PutPayload, local::LocalFileSystem,
    path::Path as Location,
};

use self::fault::{BlobFault, FaultyStore};
use crate::Error;

/// The folder of the blob files inside the storage folder.
const BLOBS: &str = "blob";

/// Where blob files are. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Blobs {
    folder: Arc<Path>,
    fault: Option<BlobFault>,
    /// Uploads last written to before this belong to a process that has died.
    opened: SystemTime,
    store: Arc<OnceLock<Arc<dyn ObjectStore>>>,
}

impl Blobs {
    pub(crate) fn new(folder: PathBuf, fault: Option<BlobFault>) -> Self {
        Self {
            folder: folder.into(),
            fault,
            opened: SystemTime::now(),
            store: Arc::default(),
        }
    }

    /// Creates the folders; nothing else works before.
    pub(crate) async fn prepare(&self) -> Result<(), Error> {
        let (folder, fault) = (self.folder.clone(), self.fault.clone());
        let store = blocking(move || {
            create_folder(&folder.join(BLOBS))?;
            sync_folders(&folder)?;
            // Files get the mode that the umask leaves; the folder keeps others out.
            let local = LocalFileSystem::new_with_prefix(&folder)?.with_fsync(true);
            Ok::<_, Error>(local)
        })
        .await?;
        let store: Arc<dyn ObjectStore> = match fault {
            Some(fault) => Arc::new(FaultyStore::new(store, fault)),
            None => Arc::new(store),
        };
        // A second call finds the first one's store, which is the same.
        let _ = self.store.set(store);
        Ok(())
    }

    fn store(&self) -> Result<&Arc<dyn ObjectStore>, Error> {
        self.store
            .get()
            .ok_or_else(|| Error::Io("the storage has not been opened".to_owned()))
    }

    /// Begins a blob. Dropping the writer removes what was written.
    pub(crate) async fn create(&self, id: &str) -> Result<BlobWriter, Error> {
        let upload = self.store()?.put_multipart(&location(id)).await?;
        Ok(BlobWriter { upload })
    }

    /// Removes a blob; one that is not there is no error.
    pub(crate) async fn remove(&self, id: &str) -> Result<(), Error> {
        match self.store()?.delete(&location(id)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Bytes that may still be written to the disk.
    pub(crate) async fn free_bytes(&self) -> Result<u64, Error> {
        let folder = self.folder.clone();
        blocking(move || {
            let disk = rustix::fs::statvfs(&*folder).map_err(std::io::Error::from)?;
            Ok::<_, std::io::Error>(disk.f_bavail.saturating_mul(disk.f_frsize))
        })
        .await
    }
}

/// A blob being written.
pub(crate) struct BlobWriter {
    upload: Box<dyn MultipartUpload>,
}

impl BlobWriter {
    /// Appends `bytes`.
    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        Ok(self.upload.put_part(PutPayload::from_bytes(bytes)).await?)
    }

    /// Makes the blob durable and visible under its id.
    pub(crate) async fn finish(mut self) -> Result<(), Error> {
        let finished = self.upload.complete().await;
        if finished.is_err() {
            self.abort().await;
        }
        finished?;
        Ok(())
    }

    /// Removes what was written.
    pub(crate) async fn abort(mut self) {
        // Whatever stays is found by the sweep.
        let _ = self.upload.abort().await;
    }
}

/// Makes the folders of blobs durable. A process that was killed between making one and syncing its
/// parent has left a folder that exists, so that nobody syncs it again, and that a power cut would
/// take with all that has been put there since.
fn sync_folders(folder: &Path) -> std::io::Result<()> {
    let blobs = folder.join(BLOBS);
    for entry in std::fs::read_dir(&blobs)? {
        let path = entry?.path();
        if path.is_dir() {
            sync_folder(&path)?;
        }
    }
    sync_folder(&blobs)?;
    sync_folder(folder)?;
    folder.parent().map_or(Ok(()), sync_folder)
}

fn location(id: &str) -> Location {
    let (first, second) = (id.get(..2).unwrap_or("00"), id.get(2..4).unwrap_or("00"));
    Location::from_iter([BLOBS, first, second, id])
}

/// Runs file I/O off the async threads.
pub(crate) async fn blocking<T, E, F>(work: F) -> Result<T, Error>
where
    F: FnOnce() -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: Into<Error> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(Into::into),
        Err(error) => Err(Error::Io(error.to_string())),
    }
}
