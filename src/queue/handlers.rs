//! The handlers of a process, by kind, with their payload types erased.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{Completed, Error, Failure, Job, Policy, Queue, Running, store::claim::Claimed};

/// An attempt that can be polled.
pub(crate) type Attempt = Pin<Box<dyn Future<Output = Result<Completed, Failure>> + Send>>;

type Start = dyn Fn(Queue, &Claimed) -> Result<Attempt, Error> + Send + Sync;

/// How jobs of a kind are run.
pub(crate) struct Handler {
    pub(crate) kind: &'static str,
    pub(crate) queue: &'static str,
    pub(crate) policy: Policy,
    start: Box<Start>,
}

impl Handler {
    pub(crate) fn new<J, F, R>(policy: Policy, handler: F) -> Self
    where
        J: Job,
        F: Fn(Running<J>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Completed, Failure>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let start = move |queue: Queue, claimed: &Claimed| -> Result<Attempt, Error> {
            let payload =
                serde_json::from_str::<J>(&claimed.payload).map_err(|error| Error::Payload {
                    kind: J::KIND.to_owned(),
                    reason: error.to_string(),
                })?;
            let running = Running::new(queue, claimed, payload);
            let handler = Arc::clone(&handler);
            // Called inside the future, so that a panic before the first await is contained too.
            Ok(Box::pin(async move { handler(running).await }))
        };
        Self {
            kind: J::KIND,
            queue: J::QUEUE,
            policy,
            start: Box::new(start),
        }
    }

    /// The attempt, not yet begun; an error if the payload cannot be read.
    pub(crate) fn start(&self, queue: Queue, claimed: &Claimed) -> Result<Attempt, Error> {
        (self.start)(queue, claimed)
    }
}

/// All handlers.
#[derive(Default)]
pub(crate) struct Handlers(Mutex<BTreeMap<&'static str, Arc<Handler>>>);

impl Handlers {
    pub(crate) fn add(&self, handler: Handler) {
        let kind = handler.kind;
        let mut handlers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if handlers.insert(kind, Arc::new(handler)).is_some() {
            tracing::warn!(kind, "a second handler replaces the first");
        }
    }

    pub(crate) fn of_queue(&self, queue: &str) -> Vec<Arc<Handler>> {
        let handlers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        handlers
            .values()
            .filter(|handler| handler.queue == queue)
            .cloned()
            .collect()
    }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let handlers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_set().entries(handlers.keys()).finish()
    }
}
