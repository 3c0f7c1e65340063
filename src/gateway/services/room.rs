//! How many requests may be with servers beside the platform at once. Each holds a file descriptor
//! of the whole process, and one connection of HTTP/2 alone can ask for a hundred.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests and upgraded connections at once, in all.
pub(crate) const MAX_AT_ONCE: usize = 4_096;

/// Room for requests. Clones share it.
#[derive(Clone)]
pub(crate) struct Room(Arc<Semaphore>);

/// The room of one request, until it is dropped.
pub(super) struct Place(OwnedSemaphorePermit);

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
        let Self(permit) = self;
        Body::new(Holding {
            body,
            _permit: permit,
        })
    }
}

struct Holding {
    body: Body,
    _permit: OwnedSemaphorePermit,
}

impl HttpBody for Holding {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
