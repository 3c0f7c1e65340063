//! The handlers of a process, by kind, with their payload types erased.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tower::Service;

use crate::{
    Completed, Failure, Job, Policy, Running,
    layers::{self, Layered},
};

/// How jobs of a kind are run.
pub(crate) struct Handler {
    pub(crate) kind: &'static str,
    pub(crate) queue: &'static str,
    pub(crate) policy: Policy,
    pub(crate) service: Layered,
}

impl Handler {
    pub(crate) fn new<J, S>(policy: Policy, service: S) -> Self
    where
        J: Job,
        S: Service<Running<J>, Response = Completed, Error = Failure>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send,
    {
        Self {
            kind: J::KIND,
            queue: J::QUEUE,
            service: layers::around(&policy, service),
            policy,
        }
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

    pub(crate) fn all(&self) -> Vec<Arc<Handler>> {
        let handlers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        handlers.values().cloned().collect()
    }

    pub(crate) fn of_queue(&self, queue: &str) -> Vec<Arc<Handler>> {
        let mut handlers = self.all();
        handlers.retain(|handler| handler.queue == queue);
        handlers
    }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let handlers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_set().entries(handlers.keys()).finish()
    }
}
