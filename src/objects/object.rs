//! What callers hand in and get back.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};

use crate::checksums::Algorithm;

/// Bytes in or out. An error on the way in leaves no object; on the way out it ends the stream.
pub type Body = BoxStream<'static, std::io::Result<Bytes>>;

/// A bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// When it was made, milliseconds since the Unix epoch.
    pub created_ms: i64,
}

/// The HTTP headers that S3 stores with an object and sends back, beside the content type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Headers {
    /// `Cache-Control`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    /// `Content-Disposition`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    /// `Content-Encoding`, without `aws-chunked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// `Content-Language`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
    /// `Expires`, as an HTTP date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// The additional checksums of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Checksums {
    /// The value in base64 by algorithm; a composite one ends in `-` and the number of parts.
    pub values: BTreeMap<Algorithm, String>,
    /// Whether the values are made of the parts' values rather than of the bytes.
    pub composite: bool,
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
    /// The ETag without quotes: the MD5 of the bytes in hex, or of the parts' MD5s and `-n`.
    pub etag: String,
    /// The stored content type.
    pub content_type: Option<String>,
    /// User metadata, names lower case without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// When it was put, milliseconds since the Unix epoch.
    pub modified_ms: i64,
    /// Other stored headers.
    pub headers: Headers,
    /// Additional checksums.
    pub checksums: Checksums,
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
    /// Only if the object has this ETag (`If-Match`), `*` for any.
    pub if_match: Option<String>,
    /// The request that caused it; it goes on with the event.
    pub request_id: Option<String>,
    /// Other headers to store.
    pub headers: Headers,
}

/// What to list.
#[derive(Clone, Debug)]
pub struct ListOptions {
    /// Keys that start with this.
    pub prefix: String,
    /// Group keys at the first of these after the prefix; empty means no grouping.
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
