//! Starters: files in `data/starters` that define collections, and what the other roles set up for
//! them (buckets, pipelines, notification triggers, sample texts).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Collection;

/// A starter file. The root package imports it: each part by the role that owns it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Starter {
    /// Its name.
    pub name: String,
    /// What it is for, one sentence.
    pub description: String,
    /// Collections to create.
    pub collections: Vec<Collection>,
    /// Records to create, by collection; those with an `id` that exists are left alone.
    #[serde(default)]
    pub records: serde_json::Map<String, Value>,
    /// Buckets to create.
    #[serde(default)]
    pub buckets: Vec<String>,
    /// Which pipeline runs over new objects of which bucket, as `ai` reads it.
    #[serde(default)]
    pub pipelines: Vec<Value>,
    /// Who is told of which event, as `notifications` reads it.
    #[serde(default)]
    pub triggers: Vec<Value>,
    /// Sample objects: bucket, key, content type and the file in `data/`.
    #[serde(default)]
    pub objects: Vec<SampleObject>,
}

/// A sample object of a starter.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleObject {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The content type.
    pub content_type: String,
    /// The file below `data/`.
    pub file: String,
}
