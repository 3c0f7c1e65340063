//! Flows: trees of jobs in which a parent waits for its children. A flow is enqueued in one
//! transaction. The parent is released in the transaction in which the last child ends, so it is
//! released once, whatever dies when.

use serde::Serialize;
use ts_rs::TS;

use crate::{Enqueue, Error, Job, JobState, enqueue::Prepared};

/// The most jobs of one flow: what one transaction may insert.
pub const MAX_FLOW_JOBS: usize = 500;

/// What the failure of a child (it was discarded or cancelled) means to its parent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnChildFailure {
    /// The parent goes on waiting: the child may be replayed.
    #[default]
    Wait,
    /// The parent is discarded too, and what that means to its own parent follows.
    FailParent,
    /// The child counts as done; the parent can read why it failed.
    Ignore,
    /// The child counts as done and is no longer a child.
    Remove,
    /// The parent runs at once, even if other children have not ended.
    Continue,
}

impl OnChildFailure {
    const ALL: [Self; 5] = [
        Self::Wait,
        Self::FailParent,
        Self::Ignore,
        Self::Remove,
        Self::Continue,
    ];

    /// The name, as it is stored.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::FailParent => "fail",
            Self::Ignore => "ignore",
            Self::Remove => "remove",
            Self::Continue => "continue",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == name)
    }
}

/// A job and the jobs that it waits for.
#[derive(Clone, Debug)]
pub struct Flow {
    pub(crate) job: Prepared,
    pub(crate) options: Enqueue,
    pub(crate) on_failure: OnChildFailure,
    pub(crate) children: Vec<Flow>,
}

impl Flow {
    /// A job without children so far; an error if the payload cannot be written.
    pub fn new<J: Job>(payload: &J, options: Enqueue) -> Result<Self, Error> {
        Ok(Self {
            job: Prepared::new(payload)?,
            options,
            on_failure: OnChildFailure::default(),
            children: Vec::new(),
        })
    }

    /// The job also waits for `child`.
    #[must_use]
    pub fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// What this job's failure means to the job that waits for it.
    #[must_use]
    pub fn on_failure(mut self, on_failure: OnChildFailure) -> Self {
        self.on_failure = on_failure;
        self
    }

    /// How many jobs the flow has.
    pub fn len(&self) -> usize {
        1 + self.children.iter().map(Self::len).sum::<usize>()
    }

    /// Never: a flow has at least its own job.
    pub fn is_empty(&self) -> bool {
        false
    }
}

/// A child as its parent sees it.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct Child {
    /// The id.
    pub id: String,
    /// What was to be done.
    pub kind: String,
    /// Where it is in its life.
    pub state: JobState,
    /// What it gave back; null in the panel, which shows it with the child.
    #[ts(type = "unknown")]
    pub result: serde_json::Value,
    /// Why it failed.
    pub error: Option<String>,
}
