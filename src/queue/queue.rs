//! The queue's handle.

use std::future::Future;

use mito_core::{Clock, Random};
use mito_database::{Database, Tx};
use mito_network::Task;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Completed, Enqueue, Failure, Job, Policy, Running};

/// `[queue]`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long a claimed job stays with its worker without renewal, in milliseconds.
    pub lease_ms: u64,
    /// How long completed jobs are kept, in hours.
    pub keep_completed_hours: u64,
    /// How long discarded and cancelled jobs are kept, in hours.
    pub keep_discarded_hours: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { lease_ms: 30_000, keep_completed_hours: 7 * 24, keep_discarded_hours: 30 * 24 }
    }
}

/// What can go wrong with a job.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] mito_database::Error),
    /// The payload cannot be written or read.
    #[error("the payload of a {kind} job is invalid: {reason}")]
    Payload {
        /// The kind.
        kind: String,
        /// What serde said.
        reason: String,
    },
    /// Another worker holds the job now.
    #[error("the lease of job {0} was lost")]
    LeaseLost(String),
    /// There is no such job.
    #[error("there is no job {0}")]
    NotFound(String),
    /// The job's state does not allow it.
    #[error("job {id} is {state}")]
    State {
        /// The job.
        id: String,
        /// Its state.
        state: String,
    },
}

/// The queue. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Queue {}

impl Queue {
    /// A queue over the tables of `database`.
    pub fn new(database: Database, clock: Clock, random: Random, config: Config) -> Self {
        let _ = (database, clock, random, config);
        todo!("queue helper")
    }

    /// Enqueues inside a transaction; the job exists when it commits. Returns its id, or the id of
    /// the job that already has the unique key.
    pub fn enqueue<J: Job>(
        &self,
        tx: &mut Tx<'_>,
        payload: &J,
        options: &Enqueue,
    ) -> Result<String, Error> {
        let _ = (tx, payload, options);
        todo!("queue helper")
    }

    /// Registers the handler of a kind. Called while the process is put together, before workers
    /// start.
    pub fn handle<J, F, R>(&self, policy: Policy, handler: F)
    where
        J: Job,
        F: Fn(Running<J>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Completed, Failure>> + Send + 'static,
    {
        let _ = (policy, handler);
        todo!("queue helper")
    }

    /// The worker task of the queue called `queue`, running up to `concurrency` jobs at once. It
    /// wakes when a commit enqueues, returns its leases at shutdown, and takes over the leases
    /// that a killed process left behind.
    pub fn worker(&self, queue: &'static str, concurrency: usize) -> Task {
        let _ = (queue, concurrency);
        todo!("queue helper")
    }

    /// The task that promotes delayed jobs, rescues expired leases and deletes old rows.
    pub fn keeper(&self) -> Task {
        todo!("queue helper")
    }
}
