//! Waiting in process for a job to end.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::sync::Notify;

use crate::{
    Error, JobState, Queue,
    store::view::{self, Ending},
};

/// How often a waiter looks without having been called: for jobs that other processes end.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How a job ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// Completed, discarded or cancelled.
    pub state: JobState,
    /// What it gave back; null without a result.
    pub result: Value,
    /// Why it failed.
    pub error: Option<String>,
}

impl Queue {
    /// Returns when the job has ended, in this process or another. The caller bounds the wait; one
    /// whose row is deleted meanwhile is [`Error::NotFound`].
    pub async fn finished(&self, id: &str) -> Result<Finished, Error> {
        let waiter = self.ends().wait_for(id);
        loop {
            let rung = waiter.rung();
            let mut rung = std::pin::pin!(rung);
            // Counts from here on, so that an end between the look and the wait is not missed.
            rung.as_mut().enable();
            let job = id.to_owned();
            let found = self.database().read(move |tx| view::ending(tx, &job));
            let found: Result<_, mito_database::Error> = found.await;
            match found? {
                Ending::Missing => return Err(Error::NotFound(id.to_owned())),
                Ending::Ended(finished) => return Ok(finished),
                Ending::Ahead => {}
            }
            tokio::select! {
                () = rung => {}
                () = self.clock().sleep(LOOK_EVERY) => {}
            }
        }
    }
}

/// Who waits for the ends of jobs.
#[derive(Debug, Default)]
pub(crate) struct Ends(Mutex<HashMap<String, Bell>>);

#[derive(Debug)]
struct Bell {
    notify: Arc<Notify>,
    waiters: usize,
}

/// One that waits; it is forgotten when it is dropped.
struct Waiter<'a> {
    ends: &'a Ends,
    id: String,
    notify: Arc<Notify>,
}

impl Ends {
    fn wait_for(&self, id: &str) -> Waiter<'_> {
        let mut bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bell = bells.entry(id.to_owned()).or_insert_with(|| Bell {
            notify: Arc::default(),
            waiters: 0,
        });
        bell.waiters += 1;
        Waiter {
            ends: self,
            id: id.to_owned(),
            notify: Arc::clone(&bell.notify),
        }
    }

    /// Tells those who wait for the job.
    pub(crate) fn ring(&self, id: &str) {
        let bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = bells.get(id) {
            bell.notify.notify_waiters();
        }
    }
}

impl Waiter<'_> {
    fn rung(&self) -> tokio::sync::futures::Notified<'_> {
        self.notify.notified()
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut bells = self.ends.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = bells.get_mut(&self.id) {
            bell.waiters -= 1;
            if bell.waiters == 0 {
                bells.remove(&self.id);
            }
        }
    }
}
