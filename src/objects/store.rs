//! The facade that roles use in process and that the S3 protocol stands on.

mod copy;
mod get;
mod hold;
mod multipart;
mod put;
mod reading;
mod sweep;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, sync::Arc};

use mito_core::{Clock, Random};
use mito_database::{Database, Tx};
use mito_network::{HttpService, Task};
use secrecy::SecretString;
use tokio::sync::Notify;

pub use self::hold::{Hold, Removing};
use crate::{
    Config,
    blobs::Blobs,
    front,
    meta::{self, versions::Preconditions},
    names,
};
pub use crate::{
    blobs::fault::BlobFault,
    error::Error,
    object::{Body, Bucket, Checksums, Headers, ListOptions, Listing, Object, Put},
};

pub(crate) use self::{
    copy::Copied,
    multipart::{Completed, MAX_PARTS, NewUpload},
    put::Verify,
};

/// The most buckets, so that a listing of all of them stays small.
const MAX_BUCKETS: u32 = 1_000;
/// The id of the probe: always the same, so that checks do not fill folders.
const PROBE: &str = "00000000000000000000000000000000";
/// Objects removed in one transaction, at a few rows each.
const DELETE_BATCH: usize = 100;

/// Object storage. Cheap to clone. An `objects/<bucket>` event with
/// `{"etag","size","content_type","request_id"}` commits with every put and delete.
#[derive(Clone)]
pub struct Objects {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) database: Database,
    pub(crate) blobs: Blobs,
    pub(crate) root_password: SecretString,
    pub(crate) domain: String,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    /// The blobs that are read now: the sweep leaves those alone.
    reading: reading::Registry,
    /// Rung when there may be blobs to remove.
    garbage: Notify,
    /// Held while a backup is made.
    pub(crate) removals: hold::Removals,
}

/// What object storage needs.
pub struct Dependencies {
    /// `objects.db`.
    pub database: Database,
    /// The folder of the blob files.
    pub folder: PathBuf,
    /// The secret key of the root user.
    pub root_password: SecretString,
    /// Virtual-host buckets are `<bucket>.minio.<domain>`.
    pub domain: String,
    /// Tells the time.
    pub clock: Clock,
    /// Draws ids.
    pub random: Random,
    /// Makes writing blobs fail, in tests.
    pub fault: Option<BlobFault>,
}

impl Objects {
    /// Object storage over a folder and its metadata; does no I/O.
    pub fn new(config: Config, dependencies: Dependencies) -> Self {
        let Dependencies {
            database,
            folder,
            root_password,
            domain,
            clock,
            random,
            fault,
        } = dependencies;
        Self {
            inner: Arc::new(Inner {
                config,
                database,
                blobs: Blobs::new(folder, fault),
                root_password,
                domain: domain.to_ascii_lowercase(),
                clock,
                random,
                reading: reading::Registry::default(),
                garbage: Notify::new(),
                removals: hold::Removals::default(),
            }),
        }
    }

    /// Prepares the folders and creates the configured bucket. What a crash left behind is garbage
    /// that no row names; [`Objects::sweeper`] removes it without holding up the start.
    pub async fn recover(&self) -> Result<(), Error> {
        self.inner.blobs.prepare().await?;
        let bucket = &self.inner.config.bucket;
        if bucket.is_empty() {
            return Ok(());
        }
        match self.create_bucket(bucket).await {
            Ok(()) | Err(Error::BucketExists(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Makes a bucket.
    pub async fn create_bucket(&self, name: &str) -> Result<(), Error> {
        names::check_bucket(name)?;
        let (id, name) = (self.new_id(), name.to_owned());
        let region = self.inner.config.region.clone();
        let create = move |tx: &mut Tx<'_>| {
            if meta::buckets::list(tx, "", MAX_BUCKETS)?.len() >= MAX_BUCKETS as usize {
                return Err(Error::TooManyBuckets(MAX_BUCKETS));
            }
            meta::buckets::create(tx, &id, &name, &region)
        };
        self.inner.database.write(create).await
    }

    /// Removes an empty bucket.
    pub async fn delete_bucket(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        self.inner
            .database
            .write(move |tx| meta::buckets::delete(tx, &name))
            .await
    }

    /// All buckets by name.
    pub async fn buckets(&self) -> Result<Vec<Bucket>, Error> {
        self.inner
            .database
            .read(move |tx| meta::buckets::list(tx, "", MAX_BUCKETS))
            .await
    }

    /// A bucket by name.
    pub async fn bucket(&self, name: &str) -> Result<Bucket, Error> {
        let name = name.to_owned();
        self.inner
            .database
            .read(move |tx| meta::buckets::get(tx, &name))
            .await
    }

    /// What is known of an object.
    pub async fn head(&self, bucket: &str, key: &str) -> Result<Object, Error> {
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        let find = move |tx: &mut Tx<'_>| {
            meta::versions::get(tx, &bucket, &key).map(|version| version.object)
        };
        self.inner.database.read(find).await
    }

    /// Removes an object; removing what is not there is no error.
    pub async fn delete(&self, bucket: &str, key: &str) -> Result<(), Error> {
        self.delete_if(bucket, key, None, None).await
    }

    /// [`Objects::delete`] if the object has the ETag `if_match` (`*` for any); `request_id` goes
    /// on with the event.
    pub async fn delete_if(
        &self,
        bucket: &str,
        key: &str,
        if_match: Option<String>,
        request_id: Option<String>,
    ) -> Result<(), Error> {
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        let wanted = Preconditions {
            if_absent: false,
            if_match,
        };
        let delete = move |tx: &mut Tx<'_>| {
            meta::versions::delete(tx, &bucket, &key, &wanted, request_id.as_deref())
        };
        self.release(delete).await
    }

    /// Removes many objects, each if it has the ETag given with it; says of each what happened.
    pub(crate) async fn delete_many(
        &self,
        bucket: &str,
        keys: Vec<(String, Option<String>)>,
        request_id: Option<String>,
    ) -> Result<Vec<Result<(), Error>>, Error> {
        let mut results = Vec::with_capacity(keys.len());
        for keys in keys.chunks(DELETE_BATCH) {
            let (bucket, keys, request_id) = (bucket.to_owned(), keys.to_vec(), request_id.clone());
            let delete = move |tx: &mut Tx<'_>| {
                meta::buckets::id(tx, &bucket)?;
                let mut results = Vec::with_capacity(keys.len());
                for (key, if_match) in &keys {
                    let wanted = Preconditions {
                        if_absent: false,
                        if_match: if_match.clone(),
                    };
                    let id = request_id.as_deref();
                    match meta::versions::delete(tx, &bucket, key, &wanted, id) {
                        // These are told before anything is written.
                        refused @ (Ok(())
                        | Err(Error::Precondition(_) | Error::NoSuchKey { .. })) => {
                            results.push(refused);
                        }
                        Err(error) => return Err(error),
                    }
                }
                Ok(results)
            };
            results.extend(self.release(delete).await?);
        }
        Ok(results)
    }

    /// Lists a bucket.
    pub async fn list(&self, bucket: &str, options: ListOptions) -> Result<Listing, Error> {
        let bucket = bucket.to_owned();
        self.inner
            .database
            .read(move |tx| meta::listing::list(tx, &bucket, &options))
            .await
    }

    /// Writes and removes a probe and reads the metadata: what `/minio/health/live` told. A full
    /// disk is no failure: reads and deletes go on, and writes say why they do not.
    pub async fn ping(&self) -> Result<(), Error> {
        match self.write_probe().await {
            Ok(()) | Err(Error::StorageFull) => self.is_readable().await,
            Err(error) => Err(error),
        }
    }

    async fn write_probe(&self) -> Result<(), Error> {
        let mut probe = self.inner.blobs.create(PROBE).await?;
        let written = probe.write(bytes::Bytes::from_static(b"probe")).await;
        probe.abort().await;
        written
    }

    /// Whether the metadata can be read; writes nothing.
    pub(crate) async fn is_readable(&self) -> Result<(), Error> {
        let read = |tx: &mut Tx<'_>| meta::buckets::list(tx, "", 1).map(|_| ());
        self.inner.database.read(read).await
    }

    /// The S3 protocol with `/minio/health/*`.
    pub fn service(&self) -> HttpService {
        front::service(self.clone())
    }

    /// The task that removes blobs nobody points at.
    pub fn sweeper(&self) -> Task {
        let objects = self.clone();
        Task::new("sweeper", move |shutdown| {
            let objects = objects.clone();
            async move { objects.sweep_until(shutdown).await }
        })
    }

    /// Writes what may let go of blobs, and wakes the sweep.
    async fn release<T, F>(&self, work: F) -> Result<T, Error>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        // Rung also when the caller goes away: the commit may stand.
        let _ringing = Ringing(&self.inner.garbage);
        self.inner.database.write(work).await
    }

    /// An opaque id: 128 random bits in hex, so that blob files spread over their folders.
    pub(crate) fn new_id(&self) -> String {
        hex::encode(self.inner.random.bytes::<16>())
    }
}

/// Rings when dropped.
struct Ringing<'a>(&'a Notify);

impl Drop for Ringing<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}
