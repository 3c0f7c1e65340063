//! What the panel is told, also as TypeScript.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{JobState, Limits, flow::Child};

/// A job in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct JobSummary {
    /// The id.
    pub id: String,
    /// The queue it waits in.
    pub queue: String,
    /// What is to be done.
    pub kind: String,
    /// Where it is in its life.
    pub state: JobState,
    /// Lower runs first.
    pub priority: i32,
    /// How often it has been started.
    pub attempts: u32,
    /// How often it may be; known once it has been started.
    pub max_attempts: Option<u32>,
    /// When it was enqueued, milliseconds since the Unix epoch.
    #[ts(type = "number")]
    pub created_ms: i64,
    /// When it is or was due.
    #[ts(type = "number")]
    pub due_ms: i64,
    /// When its last attempt began.
    #[ts(type = "number | null")]
    pub started_ms: Option<i64>,
    /// When it ended for good.
    #[ts(type = "number | null")]
    pub finished_ms: Option<i64>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// The request that caused it.
    pub request_id: Option<String>,
}

/// A job with all that is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct JobDetail {
    /// What lists show.
    #[serde(flatten)]
    pub summary: JobSummary,
    /// What it works on; null where that holds secrets.
    #[ts(type = "unknown")]
    pub payload: serde_json::Value,
    /// What keeps a second such job from being enqueued.
    pub unique_key: Option<String>,
    /// What it shares with other jobs of its kind of which one waits or runs at a time.
    pub dedup_key: Option<String>,
    /// The group whose limits it shares.
    pub group_key: Option<String>,
    /// The job that waits for it.
    pub parent: Option<String>,
    /// For how many children it waits.
    pub children_left: u32,
    /// The jobs that it waits or waited for.
    pub children: Vec<Child>,
    /// What it gave back.
    #[ts(type = "unknown")]
    pub result: serde_json::Value,
    /// How far it is: a percentage, or what its handler says.
    #[ts(type = "unknown")]
    pub progress: serde_json::Value,
    /// The names of the steps behind it; a further attempt begins after them.
    pub steps: Vec<String>,
    /// Lines that its attempts left.
    pub log: Vec<JobLogLine>,
}

/// A line of a job's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct JobLogLine {
    /// From 1.
    pub number: u32,
    /// When, milliseconds since the Unix epoch.
    #[ts(type = "number")]
    pub at_ms: i64,
    /// The text.
    pub line: String,
}

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct QueueSummary {
    /// The name.
    pub name: String,
    /// Whether no jobs are started.
    pub paused: bool,
    /// How much of it may run.
    pub limits: Limits,
    /// Jobs by state.
    pub counts: StateCounts,
    /// Counting stops at this number, which then means "at least".
    pub count_limit: u32,
    /// Since when the oldest available job has been waiting.
    #[ts(type = "number | null")]
    pub oldest_available_ms: Option<i64>,
}

/// Jobs by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct StateCounts {
    /// Waiting for the time they were enqueued for.
    pub scheduled: u32,
    /// Waiting for a worker.
    pub available: u32,
    /// In the hands of workers.
    pub running: u32,
    /// Failed, waiting for the next attempt.
    pub retryable: u32,
    /// Done.
    pub completed: u32,
    /// Failed for good.
    pub discarded: u32,
    /// Stopped.
    pub cancelled: u32,
}

impl StateCounts {
    /// The count of a state.
    pub(crate) fn of(&mut self, state: JobState) -> &mut u32 {
        match state {
            JobState::Scheduled => &mut self.scheduled,
            JobState::Available => &mut self.available,
            JobState::Running => &mut self.running,
            JobState::Retryable => &mut self.retryable,
            JobState::Completed => &mut self.completed,
            JobState::Discarded => &mut self.discarded,
            JobState::Cancelled => &mut self.cancelled,
        }
    }
}

/// How many dead letters are available again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Replayed {
    /// How many.
    #[ts(type = "number")]
    pub jobs: u64,
}

/// How many replicas a worker role is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Scale {
    /// How many; 0 starts no jobs.
    pub replicas: usize,
}
