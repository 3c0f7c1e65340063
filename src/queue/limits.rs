//! How much of a queue may run. Limits are kept with the queue, so they hold across processes and
//! restarts.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// At most so many jobs are started within a window, which begins with the first of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RateLimit {
    /// How many.
    pub max: u32,
    /// The length of the window, in milliseconds.
    #[ts(type = "number")]
    pub window_ms: u64,
}

/// What limits a queue. `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
#[ts(export)]
pub struct Limits {
    /// How many jobs of the queue run at once, in all processes.
    pub concurrency: Option<u32>,
    /// How many jobs of the queue are started within a window.
    pub rate: Option<RateLimit>,
    /// How many jobs of one group run at once.
    pub group_concurrency: Option<u32>,
    /// How many jobs of one group are started within a window.
    pub group_rate: Option<RateLimit>,
}
