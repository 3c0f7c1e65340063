//! Payloads of jobs that cross roles. Versioned with serde: a field that is added later has a
//! default, so that old rows stay readable.

use serde::{Deserialize, Serialize};

use crate::Job;

/// Run a content pipeline over an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessObject {
    /// The pipeline's name.
    pub pipeline: String,
    /// The bucket.
    pub bucket: String,
    /// The object key.
    pub key: String,
    /// The ETag of the version that caused the job, without quotes.
    pub etag: String,
}

impl Job for ProcessObject {
    const KIND: &'static str = "ai.process_object";
    const QUEUE: &'static str = "ai-pipeline";
}

/// Tell one recipient of an event through one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverNotification {
    /// The id of the row in `_mito_notifications_deliveries`.
    pub delivery: String,
}

impl Job for DeliverNotification {
    const KIND: &'static str = "notifications.deliver";
    const QUEUE: &'static str = "notifications";
}
