//! How workers learn of new jobs without polling and without a row for each wake-up.
//!
//! Enqueueing rings a bell **inside** the write closure, before its commit. That is early but never
//! too early: a worker looks for jobs with a write of its own, and writes run one after the other on
//! the database's writer, so the look comes after the closure that rang. If that closure is rolled
//! back, the look finds nothing; if it is run again, the bell rings again.
//!
//! On PostgreSQL closures run side by side and a look may come before the commit. Workers and the
//! keeper therefore also look every few seconds, which costs nothing to speak of while there is
//! nothing to find.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use tokio::sync::{Notify, watch};

/// The bells of all queues of a process.
#[derive(Debug)]
pub(crate) struct Bells {
    queues: Mutex<HashMap<String, watch::Sender<()>>>,
    /// The next time that the keeper will look at by itself.
    keeper_looks_at_ms: AtomicI64,
    keeper: Notify,
}

impl Bells {
    pub(crate) fn new() -> Self {
        Self {
            queues: Mutex::new(HashMap::new()),
            keeper_looks_at_ms: AtomicI64::new(i64::MAX),
            keeper: Notify::new(),
        }
    }

    /// Tells the workers of `queue` that there may be a job.
    pub(crate) fn ring(&self, queue: &str) {
        let queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = queues.get(queue) {
            bell.send_replace(());
        }
    }

    /// Hears the bell of `queue`.
    pub(crate) fn listen(&self, queue: &str) -> watch::Receiver<()> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let bell = queues
            .entry(queue.to_owned())
            .or_insert_with(|| watch::channel(()).0);
        bell.subscribe()
    }

    /// Tells the keeper that a job is due at `due_ms`, unless it will look by then anyway.
    pub(crate) fn ring_at(&self, due_ms: i64) {
        if due_ms < self.keeper_looks_at_ms.load(Ordering::SeqCst) {
            self.keeper.notify_one();
        }
    }

    /// The keeper begins to look: from now on every ring counts until [`Bells::keeper_looked`].
    pub(crate) fn keeper_looks(&self) {
        self.keeper_looks_at_ms.store(i64::MAX, Ordering::SeqCst);
    }

    /// The keeper has looked and will do so again at `next_ms`.
    pub(crate) fn keeper_looked(&self, next_ms: i64) {
        self.keeper_looks_at_ms.store(next_ms, Ordering::SeqCst);
    }

    /// Returns when a job is due before the keeper's next look.
    pub(crate) async fn keeper_rung(&self) {
        self.keeper.notified().await;
    }
}
