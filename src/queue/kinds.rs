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

/// Send one mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendMail {
    /// The address. `None` sends nothing: asking for a mail to an account that does not exist does
    /// the same work as one to an account that does.
    pub to: Option<String>,
    /// The recipient's name; may be empty.
    #[serde(default)]
    pub name: String,
    /// One line.
    pub subject: String,
    /// The HTML part.
    pub html: String,
    /// The text part.
    pub text: String,
}

impl Job for SendMail {
    const KIND: &'static str = "notifications.send_mail";
    const QUEUE: &'static str = "notifications";
    const SENSITIVE: bool = true;
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
