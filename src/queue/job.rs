//! What is enqueued, and how it is run.

use std::time::Duration;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Backoff, CustomBackoff};

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
    /// The wait after a failed attempt.
    pub backoff: Backoff,
    /// Decides the wait instead, unless the job was enqueued with a back-off of its own.
    pub custom_backoff: Option<CustomBackoff>,
    /// How long one attempt may run.
    pub timeout: Duration,
    /// How long completed jobs are kept, with their results.
    pub keep: Keep,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            attempts: 10,
            backoff: Backoff::default(),
            custom_backoff: None,
            timeout: Duration::from_mins(1),
            keep: Keep::default(),
        }
    }
}

/// How long completed jobs of a kind are kept. What `[queue]` says is a limit to both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// No longer than this.
    pub age: Option<Duration>,
    /// The newest ones alone.
    pub count: Option<u32>,
}

/// How one job is enqueued.
#[derive(Clone, Debug, Default)]
pub struct Enqueue {
    /// Run it no earlier than this, milliseconds since the Unix epoch.
    pub at_ms: Option<i64>,
    /// Refuse a second job of the kind with this key, ever, while the first one's row is kept.
    pub unique_key: Option<String>,
    /// What to do about another job of the kind with the same key.
    pub unique: Option<Unique>,
    /// Lower runs first; 0 by default. See [`URGENT`] and [`BULK`].
    pub priority: i32,
    /// The request that caused the job.
    pub request_id: Option<String>,
    /// How often this job is tried, instead of what its kind's policy says.
    pub attempts: Option<u32>,
    /// The wait after a failed attempt, instead of what its kind's policy says.
    pub backoff: Option<Backoff>,
    /// How long one attempt may run, instead of what its kind's policy says.
    pub timeout: Option<Duration>,
    /// Discard the job if it has not been started this long after it was due.
    pub wait_limit: Option<Duration>,
    /// Jobs of a queue with the same group key share the limits of a group.
    pub group_key: Option<String>,
}

/// The priority of work that overtakes what is ordinary.
pub const URGENT: i32 = -100;
/// The priority of work that everything else overtakes.
pub const BULK: i32 = 100;

/// What to do about another job of the kind with the same key. Keys have at most
/// [`MAX_UNIQUE_KEY_BYTES`](crate::queue::MAX_UNIQUE_KEY_BYTES).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unique {
    /// While a job with the key has not ended, another one is not enqueued.
    Simple {
        /// The key.
        key: String,
    },
    /// For a while after a job with the key was enqueued, another one is not, even if the first
    /// one has ended.
    Throttle {
        /// The key.
        key: String,
        /// How long.
        window: Duration,
    },
    /// The job runs when this long nobody has enqueued another one: while it waits, a newer one
    /// replaces its payload and starts the wait over.
    Debounce {
        /// The key.
        key: String,
        /// How long it must be quiet; takes the place of [`Enqueue::at_ms`].
        quiet: Duration,
    },
    /// While a job with the key waits, a newer one replaces its payload; from its first attempt to
    /// its end the newest one waits behind it, and runs after it.
    KeepLastIfActive {
        /// The key.
        key: String,
    },
}

impl Unique {
    /// The key.
    pub fn key(&self) -> &str {
        match self {
            Self::Simple { key }
            | Self::Throttle { key, .. }
            | Self::Debounce { key, .. }
            | Self::KeepLastIfActive { key } => key,
        }
    }
}

/// What a job says against its kind's policy, as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Overrides {
    pub(crate) attempts: Option<u32>,
    pub(crate) backoff: Option<Backoff>,
    pub(crate) timeout: Option<Duration>,
}

impl Overrides {
    pub(crate) fn of(options: &Enqueue) -> Self {
        Self {
            attempts: options.attempts.map(|attempts| attempts.max(1)),
            backoff: options.backoff,
            timeout: options.timeout,
        }
    }

    /// As it is stored; nothing where nothing is said.
    pub(crate) fn to_text(&self) -> Option<String> {
        if *self == Self::default() {
            return None;
        }
        serde_json::to_string(self).ok()
    }

    /// What cannot be read, of a newer version perhaps, leaves the policy as it is.
    pub(crate) fn from_text(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    }
}
