//! Durable jobs: rows of `mito.db`, claimed with leases, retried with back-off. Enqueueing inside a
//! write closure commits with the data that caused it.
//!
//! A job runs at least once, and its effect happens once if the handler commits it with
//! [`Running::complete`]: completion and effect are one transaction, fenced by the lease. An attempt
//! counts from the claim, so that a job that kills its process stops after as many attempts as its
//! [`Policy`] allows.
//!
//! A process that dies spends an attempt of every job that it ran, because nobody can tell which of
//! them killed it; enough attempts keep the others from being given up with the one.
//!
//! What has no place in a row's life is refused rather than guessed: there is no ageing of
//! priorities, and order is that of starting, not of ending.
//!
//! | module | what it holds |
//! |---|---|
//! | [`job`] | [`Job`], [`Policy`], [`Enqueue`], [`Unique`]: what is enqueued and how it is run |
//! | [`backoff`] | [`Backoff`]: the wait after a failure |
//! | [`flow`] | [`Flow`]: a job and those that it waits for |
//! | [`schedules`], [`cron`] | [`Schedule`]: jobs by the clock |
//! | [`limits`] | [`Limits`] of queues and groups |
//! | [`kinds`] | payloads of jobs that cross roles |
//! | [`queue`] | [`Queue`]: handle, workers; `enqueue` has the rest of enqueueing |
//! | [`running`] | [`Running`]: a claimed job in its handler: result, progress, log, steps |
//! | [`finished`] | waiting for a job to end |
//! | [`control`] | what people do: cancel, run again, replay, pause, limit |
//! | [`replicas`] | how many jobs a worker role runs at once |
//! | [`state`], [`error`] | [`JobState`], [`Error`] |
//! | [`relay`] | [`Relay`]: carries events of an outbox to where they take effect, exactly once |
//! | [`panel`] | what the control panel reads and does |
//! | `worker`, `keeper` | the tasks: claim and run; promote, rescue, schedule, clean |
//! | `handlers`, `layers` | handlers by kind, and the tower layers around each |
//! | `wake` | how a worker learns of a job without polling |
//! | `store` | the SQL |
//! | `prune` | which events of an outbox need not be kept |

pub mod backoff;
#[cfg(test)]
mod behaviour;
pub mod control;
pub mod cron;
mod enqueue;
pub mod error;
pub mod finished;
pub mod flow;
mod handlers;
pub mod job;
mod keeper;
pub mod kinds;
mod layers;
pub mod limits;
pub mod panel;
mod progress;
mod prune;
pub mod queue;
pub mod relay;
pub mod replicas;
pub mod running;
pub mod schedules;
pub mod state;
mod store;
mod wake;
mod worker;

use mito_database::{Migration, Migrations};

pub use backoff::{Backoff, CustomBackoff};
pub use control::Replay;
pub use cron::Cron;
pub use error::Error;
pub use finished::Finished;
pub use flow::{Flow, OnChildFailure};
pub use job::{Enqueue, Job, Keep, Policy, Unique};
pub use limits::{Limits, RateLimit};
pub use queue::Queue;
pub use relay::Relay;
pub use running::{Completed, Failure, Running};
pub use schedules::{CatchUp, Schedule, When};
pub use state::JobState;

/// The tables of the queue.
pub const MIGRATIONS: Migrations = Migrations {
    role: "queue",
    steps: &[
        Migration {
            version: 1,
            sql: include_str!("migrations/1_jobs.sql"),
            postgres: None,
        },
        Migration {
            version: 2,
            sql: include_str!("migrations/2_engine.sql"),
            postgres: None,
        },
        Migration {
            version: 3,
            sql: include_str!("migrations/3_schedules.sql"),
            postgres: None,
        },
    ],
};
