//! Buckets and objects: the S3 protocol through s3s, metadata in `objects.db`, bytes through
//! object_store under opaque ids. Put streams to a temporary file while hashing, syncs file and
//! folder, then commits one metadata transaction; a crash leaves only garbage that a sweep removes.

pub mod config;
pub mod panel;
pub mod store;

use mito_database::Migrations;

pub use config::Config;
pub use store::{Body, Bucket, Error, Listing, ListOptions, Object, Objects, Put};

/// The tables of `objects.db`.
pub const MIGRATIONS: Migrations = Migrations { role: "objects", steps: &[] };
