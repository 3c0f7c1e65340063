//! What is enqueued.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

/// A kind of job: its payload is the type.
pub trait Job: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// The name of the kind, `role.verb`; never changes once released.
    const KIND: &'static str;
    /// The queue that jobs of this kind wait in: the service name of the role that works on them.
    const QUEUE: &'static str;
    /// Whether the payload holds secrets: it is shown to nobody, and erased when the job has ended.
    const SENSITIVE: bool = false;
}

/// How jobs of a kind are run.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How often a job is tried in all.
    pub attempts: u32,
    /// The wait after the first failure; doubles with each further one, with ±20 % jitter.
    pub backoff: Duration,
    /// The longest wait between attempts.
    pub backoff_limit: Duration,
    /// How long one attempt may run.
    pub timeout: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            attempts: 10,
            backoff: Duration::from_secs(1),
            backoff_limit: Duration::from_mins(10),
            timeout: Duration::from_mins(1),
        }
    }
}

/// How one job is enqueued.
#[derive(Clone, Debug, Default)]
pub struct Enqueue {
    /// Run it no earlier than this, milliseconds since the Unix epoch.
    pub at_ms: Option<i64>,
    /// Refuse a second job of the kind with this key, ever, while the first one's row is kept.
    pub unique_key: Option<String>,
    /// Lower runs first; 0 by default.
    pub priority: i32,
    /// The request that caused the job.
    pub request_id: Option<String>,
}
