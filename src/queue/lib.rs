//! Durable jobs: rows of `mito.db`, claimed with leases, retried with back-off. Enqueueing inside a
//! write closure commits with the data that caused it.
//!
//! A job runs at least once, and its effect happens once if the handler commits it with
//! [`Running::complete`]: completion and effect are one transaction, fenced by the lease. An attempt
//! counts from the claim, so that a job that kills its process stops after as many attempts as its
//! [`Policy`] allows.
//!
//! | module | what it holds |
//! |---|---|
//! | [`job`] | [`Job`], [`Policy`], [`Enqueue`]: what is enqueued |
//! | [`kinds`] | payloads of jobs that cross roles |
//! | [`queue`] | [`Queue`]: enqueue, handle, workers |
//! | [`running`] | [`Running`]: a claimed job in its handler |
//! | [`state`] | [`JobState`] |
//! | [`relay`] | [`Relay`]: carries events of an outbox to where they take effect, exactly once |
//! | [`panel`] | what the control panel reads and does |
//! | `worker`, `keeper` | the tasks: claim and run; promote, rescue, clean |
//! | `wake` | how a worker learns of a job without polling |
//! | `store` | the SQL |
//! | `prune` | which events of an outbox need not be kept |

#[cfg(test)]
mod behaviour;
mod handlers;
pub mod job;
mod keeper;
pub mod kinds;
pub mod panel;
mod prune;
pub mod queue;
pub mod relay;
pub mod running;
pub mod state;
mod store;
mod wake;
mod worker;

use mito_database::{Migration, Migrations};

pub use job::{Enqueue, Job, Policy};
pub use queue::{Error, Queue};
pub use relay::Relay;
pub use running::{Completed, Failure, Running};
pub use state::JobState;

/// The tables of the queue.
pub const MIGRATIONS: Migrations = Migrations {
    role: "queue",
    steps: &[Migration {
        version: 1,
        sql: include_str!("migrations/1_jobs.sql"),
        postgres: None,
    }],
};
