//! What can go wrong in object storage; `s3/errors.rs` holds the table of S3 codes.

use std::io;

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
    /// `NoSuchUpload`.
    #[error("there is no multipart upload {0:?}")]
    NoSuchUpload(String),
    /// `BucketAlreadyOwnedByYou`.
    #[error("bucket {0:?} exists already")]
    BucketExists(String),
    /// `TooManyBuckets`.
    #[error("there are {0} buckets already, which is the most there can be")]
    TooManyBuckets(u32),
    /// `AccessDenied`: the bucket belongs to the platform.
    #[error("bucket {0:?} belongs to the platform and cannot be changed here")]
    Internal(String),
    /// `BucketNotEmpty`.
    #[error("bucket {0:?} is not empty")]
    BucketNotEmpty(String),
    /// `InvalidBucketName`.
    #[error("{0:?} is not a bucket name: 3 to 63 of a-z, 0-9, '.' and '-'")]
    InvalidBucketName(String),
    /// `InvalidURI`.
    #[error("invalid object key: {0}")]
    InvalidKey(String),
    /// `KeyTooLongError`.
    #[error("the key has {0} bytes; at most 1024 are allowed")]
    KeyTooLong(usize),
    /// `MetadataTooLarge`.
    #[error("the user metadata has {0} bytes; at most 2048 are allowed")]
    MetadataTooLarge(usize),
    /// `EntityTooLarge`.
    #[error("the object is larger than {0} bytes")]
    TooLarge(u64),
    /// `IncompleteBody`.
    #[error("the body ended before its stated length")]
    IncompleteBody,
    /// The body could not be read; the source says why.
    #[error("the body could not be read: {0}")]
    Body(#[source] io::Error),
    /// `BadDigest`.
    #[error("the body does not match its {0}")]
    BadDigest(&'static str),
    /// `InvalidRange`.
    #[error("the range lies outside the object of {0} bytes")]
    InvalidRange(u64),
    /// `PreconditionFailed`.
    #[error("the precondition {0} failed")]
    Precondition(&'static str),
    /// `InvalidPart`.
    #[error("part {0} was not uploaded or has another ETag")]
    InvalidPart(u32),
    /// `InvalidPartOrder`.
    #[error("the parts are not in ascending order")]
    InvalidPartOrder,
    /// `EntityTooSmall`.
    #[error("part {0} is smaller than 5 MiB and not the last one")]
    PartTooSmall(u32),
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
    Database(mito_database::Error),
    /// The disk failed.
    #[error("object storage: {0}")]
    Io(String),
}

impl From<mito_database::Error> for Error {
    fn from(error: mito_database::Error) -> Self {
        match error {
            mito_database::Error::Full => Self::StorageFull,
            other => Self::Database(other),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::StorageFull,
            _ => Self::Io(error.to_string()),
        }
    }
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(current) = cause {
            if let Some(io) = current.downcast_ref::<io::Error>()
                && matches!(
                    io.kind(),
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
                )
            {
                return Self::StorageFull;
            }
            cause = current.source();
        }
        Self::Io(error.to_string())
    }
}
