//! What becomes of answers, and of middlewares together: `compress`, `errors`, `grpcWeb`, `chain`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::is_default;

/// `compress`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Compress {
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) excluded_content_types: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) included_content_types: Vec<String>,
    /// Smaller answers stay as they are; 1,024 if absent.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) min_response_body_bytes: u64,
    /// `gzip`, `br`, `zstd`, the preferred one first; all three if empty.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) encodings: Vec<String>,
    /// What a client gets that does not say what it accepts; nothing if empty.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) default_encoding: String,
}

/// `errors`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Errors {
    /// The statuses whose page is replaced: `404`, `500-599`.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) status: Vec<String>,
    /// Statuses that are shown as another one: `"418": 404`.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) status_rewrites: BTreeMap<String, u16>,
    /// The service that has the pages.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) service: String,
    /// Where it has them: `/{status}.html`.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) query: String,
    /// The headers of the request that it sees; all if empty.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) error_request_headers: Vec<String>,
}

/// `chain`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Chain {
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) middlewares: Vec<String>,
}

/// `grpcWeb`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct GrpcWeb {
    /// The pages that may ask: `https://shop.example`, or `*`.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) allow_origins: Vec<String>,
}
