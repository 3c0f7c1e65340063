//! The metadata tables: functions of a transaction, one module a table family.
//!
//! Every object has a row in `versions`; while versioning does not exist it is the only one of its
//! key and its version is `null`. Rows name blobs, blobs count who names them, and a blob that
//! nobody names any more goes to `gc` in the same transaction.

pub(crate) mod blobs;
pub(crate) mod buckets;
pub(crate) mod listing;
pub(crate) mod uploads;
pub(crate) mod versions;

use serde::{Serialize, de::DeserializeOwned};

use crate::Error;

/// Sizes are BIGINT; no object comes near 2^63 bytes.
pub(crate) fn to_bigint(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

pub(crate) fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("maps of strings always serialize")
}

pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text)
        .map_err(|error| Error::Io(format!("the metadata is damaged: {error}")))
}
