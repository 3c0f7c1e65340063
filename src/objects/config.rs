//! `[objects]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[objects]`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The access key of the root user (`MINIO_ROOT_USER`).
    pub root_user: String,
    /// The secret key of the root user (`MINIO_ROOT_PASSWORD`); generated and kept when empty.
    #[schemars(extend("secret" = true))]
    pub root_password: String,
    /// A bucket that is created at start (`MINIO_BUCKET`); empty means none.
    pub bucket: String,
    /// The region that signatures must name.
    pub region: String,
    /// The largest object in one put, in bytes.
    pub max_object_bytes: u64,
    /// Objects up to this size are kept inside the metadata file, in bytes.
    pub inline_bytes: u64,
    /// Writes are refused when less than this is free on the disk, in bytes.
    pub reserve_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            root_user: "mito".to_owned(),
            root_password: String::new(),
            bucket: String::new(),
            region: "us-east-1".to_owned(),
            max_object_bytes: 5 * 1024 * 1024 * 1024,
            inline_bytes: 16 * 1024,
            reserve_bytes: 64 * 1024 * 1024,
        }
    }
}
