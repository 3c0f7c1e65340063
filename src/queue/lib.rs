//! Durable jobs: rows of `mito.db`, claimed with leases, retried with back-off. Enqueueing inside a
//! write closure commits with the data that caused it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`job`] | [`Job`], [`Policy`], [`Enqueue`]: what is enqueued |
//! | [`kinds`] | payloads of jobs that cross roles |
//! | [`queue`] | [`Queue`]: enqueue, handle, workers |
//! | [`running`] | [`Running`]: a claimed job in its handler |
//! | [`relay`] | [`Relay`]: carries events of an outbox to where they take effect, exactly once |
//! | [`panel`] | what the control panel reads and does |

pub mod job;
pub mod kinds;
pub mod panel;
pub mod queue;
pub mod relay;
pub mod running;

use mito_database::Migrations;

pub use job::{Enqueue, Job, Policy};
pub use queue::{Error, Queue};
pub use relay::Relay;
pub use running::{Completed, Failure, Running};

/// The tables of the queue.
pub const MIGRATIONS: Migrations = Migrations { role: "queue", steps: &[] };
