//! How many requests may be with servers beside the platform at once. Each holds a file descriptor
//! of the whole process, and one connection of HTTP/2 alone can ask for a hundred.

use std::sync::Arc;

use axum::body::Body;
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests and upgraded connections at once, in all.
pub(crate) const MAX_AT_ONCE: usize = 4_096;

/// Room for requests. Clones share it.
#[derive(Clone)]
pub(crate) struct Room(Arc<Semaphore>);

/// The room of one request, until it is dropped.
pub(super) struct Place(#[expect(dead_code, reason = "it is held")] OwnedSemaphorePermit);

impl Room {
    /// All of it.
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(MAX_AT_ONCE)))
    }

    /// A place, if there is one.
    pub(super) fn enter(&self) -> Option<Place> {
        self.0.clone().try_acquire_owned().ok().map(Place)
    }

    /// The semaphore behind it, for tests to look at and to fill.
    #[cfg(test)]
    pub(crate) fn semaphore(&self) -> &Semaphore {
        &self.0
    }
}

impl Place {
    /// Keeps the place until `body` has ended or is dropped.
    pub(super) fn until_end_of(self, body: Body) -> Body {
        holding(body, self)
    }
}

/// `body`, with `held` until it has ended or is dropped.
pub(crate) fn holding<T: Send + 'static>(body: Body, held: T) -> Body {
    Body::new(body.inspect_frame(move |_| {
        // Named here, it belongs to the closure, which goes with the body.
        let _held = &held;
    }))
}
