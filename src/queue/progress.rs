//! How far a running job is. A handler may say so in a loop: the last word counts, and is written
//! at most once a second.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use crate::{
    Queue,
    store::{Lease, steps},
};

/// The shortest time between two writes of a job's progress.
const WRITE_EVERY: Duration = Duration::from_secs(1);

/// What a handler has said and nobody has written yet.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    latest: Mutex<Option<String>>,
    said: Notify,
}

impl Progress {
    /// Replaces what was said before.
    pub(crate) fn say(&self, text: String) {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
        self.said.notify_one();
    }

    /// What is to be written, once.
    pub(crate) fn take(&self) -> Option<String> {
        self.latest
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// What is to be written, which it stays.
    pub(crate) fn latest(&self) -> Option<String> {
        self.latest
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Writes what is said, until it is dropped.
    pub(crate) async fn keep_writing(&self, queue: &Queue, lease: &Lease) {
        loop {
            self.said.notified().await;
            self.write(queue, lease).await;
            queue.clock().sleep(WRITE_EVERY).await;
        }
    }

    /// Writes what was said last. Progress that cannot be written is not worth a failure.
    pub(crate) async fn write(&self, queue: &Queue, lease: &Lease) {
        let Some(text) = self.take() else {
            return;
        };
        let holder = lease.clone();
        let written = queue
            .write(move |tx| steps::progress(tx, &holder, &text))
            .await;
        if let Err(error) = written {
            tracing::debug!(%error, job.id = lease.id, "a job's progress was not written");
        }
    }
}
