//! Long-lived tasks by name: started here alone, restarted with back-off when they panic or fail,
//! and shown with their state.

use std::{future::Future, time::Duration};

use serde::Serialize;

use crate::Shutdown;

/// Starts, restarts and ends named tasks. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Supervisor {}

/// What a task has been doing.
#[derive(Clone, Debug, Serialize)]
pub struct TaskStatus {
    /// The name it was started under, `role/task`.
    pub name: String,
    /// Whether it runs now (false while it waits for its next start).
    pub running: bool,
    /// How often it has been restarted.
    pub restarts: u32,
    /// Why it ended last.
    pub last_error: Option<String>,
}

/// Why a task ended other than by shutdown.
pub type TaskError = Box<dyn std::error::Error + Send + Sync>;

impl Supervisor {
    /// A supervisor whose tasks end when `shutdown` begins.
    pub fn new(shutdown: Shutdown) -> Self {
        let _ = shutdown;
        todo!("core helper")
    }

    /// The signal that its tasks are given.
    pub fn shutdown(&self) -> Shutdown {
        todo!("core helper")
    }

    /// Starts `task` now, and again (after 100 ms doubling to 30 s, reset after a minute of
    /// running) whenever it panics or returns an error. `Ok(())` ends it for good.
    pub fn start<F, R>(&self, name: impl Into<String>, task: F)
    where
        F: Fn(Shutdown) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        let _ = (name.into(), task);
        todo!("core helper")
    }

    /// Runs `work` once beside the caller; it is waited for at shutdown, a panic is logged and
    /// counted, and nothing is restarted. For work that belongs to one request or connection.
    pub fn detach<R>(&self, name: &'static str, work: R)
    where
        R: Future<Output = ()> + Send + 'static,
    {
        let _ = (name, work);
        todo!("core helper")
    }

    /// The state of every task, by name.
    pub fn tasks(&self) -> Vec<TaskStatus> {
        todo!("core helper")
    }

    /// Gives the shutdown signal and waits until all tasks have ended or `deadline` has passed;
    /// returns the names of those that had to be abandoned.
    pub async fn shut_down(&self, deadline: Duration) -> Vec<String> {
        let _ = deadline;
        todo!("core helper")
    }
}
