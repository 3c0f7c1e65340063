//! Buckets and objects: the S3 protocol through s3s, metadata in `objects.db`, bytes through
//! object_store under opaque ids. Put streams into a staged file while hashing, syncs file and
//! folder, then commits one metadata transaction; a crash leaves only garbage that a sweep removes.
//!
//! | module | what it holds |
//! |---|---|
//! | [`store`] | [`Objects`]: the facade that roles use in process |
//! | `meta` | the tables and what may happen to them in one transaction |
//! | `blobs` | blob files: written through object_store, read chunk by verified chunk |
//! | `checksums` | digests of a body in one pass |
//! | `s3` | the S3 protocol: the only module that knows s3s |
//! | `front` | what stands before it: health paths, guards, request ids, errors as S3 writes them |
//! | [`panel`] | the control panel's object browser |
//!
//! A key never becomes a path, so every key that S3 allows is allowed: `..`, `//x`, `a` beside
//! `a/b`. Versioning, object lock, policies and CORS are not here yet; the tables have room for
//! versions already.

mod blobs;
mod checksums;
pub mod config;
mod error;
mod front;
mod meta;
mod names;
mod object;
pub mod panel;
mod s3;
pub mod store;

use mito_database::{Migration, Migrations};

pub use blobs::fault::BlobFault;
pub use checksums::Algorithm;
pub use config::Config;
pub use error::Error;
pub use names::RECORDS_BUCKET;
pub use object::{Body, Bucket, Checksums, Headers, ListOptions, Listing, Object, Put};
pub use store::Objects;

/// The tables of `objects.db`.
pub const MIGRATIONS: Migrations = Migrations {
    role: "objects",
    steps: &[Migration {
        version: 1,
        sql: include_str!("migrations/0001.sql"),
        postgres: Some(include_str!("migrations/0001.postgres.sql")),
    }],
};
