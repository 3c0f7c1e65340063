//! The facade that roles use in process and that the S3 protocol stands on.

use std::{collections::BTreeMap, path::PathBuf};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use mito_core::{Clock, Random};
use mito_database::Database;
use mito_network::HttpService;
use secrecy::SecretString;

use crate::Config;

/// Bytes in or out. An error on the way in leaves no object; on the way out it ends the stream.
pub type Body = BoxStream<'static, std::io::Result<Bytes>>;

/// What can go wrong; each has its S3 error code.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `NoSuchBucket`.
    #[error("there is no bucket {0:?}")]
    NoSuchBucket(String),
    /// `NoSuchKey`.
    #[error("there is no object {key:?} in bucket {bucket:?}")]
    NoSuchKey {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
    },
    /// `BucketAlreadyOwnedByYou`.
    #[error("bucket {0:?} exists already")]
    BucketExists(String),
    /// `BucketNotEmpty`.
    #[error("bucket {0:?} is not empty")]
    BucketNotEmpty(String),
    /// `InvalidBucketName`.
    #[error("{0:?} is not a bucket name: 3 to 63 of a-z, 0-9, '.' and '-'")]
    InvalidBucketName(String),
    /// `KeyTooLongError`, `InvalidURI`.
    #[error("invalid object key: {0}")]
    InvalidKey(String),
    /// `EntityTooLarge`.
    #[error("the object is larger than {0} bytes")]
    TooLarge(u64),
    /// `IncompleteBody`.
    #[error("the body ended before its stated length")]
    IncompleteBody,
    /// `BadDigest`.
    #[error("the body does not match its {0}")]
    BadDigest(&'static str),
    /// `InvalidRange`.
    #[error("the range lies outside the object of {0} bytes")]
    InvalidRange(u64),
    /// `PreconditionFailed`.
    #[error("the precondition {0} failed")]
    Precondition(&'static str),
    /// `XMinioStorageFull`.
    #[error("the storage is full")]
    StorageFull,
    /// The bytes on disk are not those that were put.
    #[error("object {key:?} in bucket {bucket:?} is damaged on disk")]
    Damaged {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
    },
    /// The metadata failed.
    #[error(transparent)]
    Database(#[from] mito_database::Error),
    /// The disk failed.
    #[error("object storage: {0}")]
    Io(String),
}

/// A bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// When it was made, milliseconds since the Unix epoch.
    pub created_ms: i64,
}

/// What is known of an object without its bytes.
#[derive(Clone, Debug)]
pub struct Object {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// The ETag without quotes: the MD5 of the bytes in hex.
    pub etag: String,
    /// The stored content type.
    pub content_type: Option<String>,
    /// User metadata, names lower case without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// When it was put, milliseconds since the Unix epoch.
    pub modified_ms: i64,
}

/// What to put.
#[derive(Clone, Debug, Default)]
pub struct Put {
    /// The content type to store.
    pub content_type: Option<String>,
    /// User metadata, names lower case without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// The stated length; a body of another length is refused.
    pub length: Option<u64>,
    /// The MD5 that the body must have.
    pub content_md5: Option<[u8; 16]>,
    /// Only if no object has the key (`If-None-Match: *`).
    pub if_absent: bool,
    /// The request that caused it; it goes on with the event.
    pub request_id: Option<String>,
}

/// What to list.
#[derive(Clone, Debug)]
pub struct ListOptions {
    /// Keys that start with this.
    pub prefix: String,
    /// Group keys at the first of these after the prefix.
    pub delimiter: Option<String>,
    /// Keys after this one.
    pub after: Option<String>,
    /// At most this many keys and groups (1 to 1,000).
    pub limit: u32,
}

/// A page of a listing.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Objects in the byte order of their keys.
    pub objects: Vec<Object>,
    /// Groups of keys.
    pub prefixes: Vec<String>,
    /// Where the next page starts (pass it as `after`), if there is one.
    pub next: Option<String>,
}

/// Object storage. Cheap to clone. An `objects/<bucket>` event with
/// `{"etag","size","content_type","request_id"}` commits with every put and delete.
#[derive(Clone)]
pub struct Objects {}

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
}

impl Objects {
    /// Object storage over a folder and its metadata; does no I/O.
    pub fn new(config: Config, dependencies: Dependencies) -> Self {
        let _ = (config, dependencies);
        todo!("objects helper")
    }

    /// Prepares the folders, removes what a crash left behind and creates the configured bucket.
    pub async fn recover(&self) -> Result<(), Error> {
        todo!("objects helper")
    }

    /// Makes a bucket.
    pub async fn create_bucket(&self, name: &str) -> Result<(), Error> {
        let _ = name;
        todo!("objects helper")
    }

    /// Removes an empty bucket.
    pub async fn delete_bucket(&self, name: &str) -> Result<(), Error> {
        let _ = name;
        todo!("objects helper")
    }

    /// All buckets by name.
    pub async fn buckets(&self) -> Result<Vec<Bucket>, Error> {
        todo!("objects helper")
    }

    /// Stores an object; when it returns, the bytes and the metadata are on disk.
    pub async fn put(
        &self,
        bucket: &str,
        key: &str,
        options: Put,
        body: Body,
    ) -> Result<Object, Error> {
        let _ = (bucket, key, options, body);
        todo!("objects helper")
    }

    /// What is known of an object.
    pub async fn head(&self, bucket: &str, key: &str) -> Result<Object, Error> {
        let _ = (bucket, key);
        todo!("objects helper")
    }

    /// An object's bytes, or those of a range (first, last inclusive).
    pub async fn get(
        &self,
        bucket: &str,
        key: &str,
        range: Option<(u64, u64)>,
    ) -> Result<(Object, Body), Error> {
        let _ = (bucket, key, range);
        todo!("objects helper")
    }

    /// Removes an object; removing what is not there is no error.
    pub async fn delete(&self, bucket: &str, key: &str) -> Result<(), Error> {
        let _ = (bucket, key);
        todo!("objects helper")
    }

    /// Lists a bucket.
    pub async fn list(&self, bucket: &str, options: ListOptions) -> Result<Listing, Error> {
        let _ = (bucket, options);
        todo!("objects helper")
    }

    /// Writes, reads back and removes a probe: what `/minio/health/live` told.
    pub async fn ping(&self) -> Result<(), Error> {
        todo!("objects helper")
    }

    /// The S3 protocol with `/minio/health/*`.
    pub fn service(&self) -> HttpService {
        todo!("objects helper")
    }

    /// The task that removes blobs nobody points at.
    pub fn sweeper(&self) -> mito_network::Task {
        todo!("objects helper")
    }
}
