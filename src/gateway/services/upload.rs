//! When something of a request was last taken by its server, so that a long upload is not a server
//! that does not answer, and whether the request broke off, which is not the server's fault either.

use std::{
    error::Error,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Instant;

/// When the request was begun, or a part of its body was asked for last. Clones share it.
#[derive(Clone)]
pub(super) struct Progress(Arc<Mutex<State>>);

struct State {
    last: Instant,
    broken: Option<Broken>,
}

/// Why the body of a request did not come whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The client went away.
    Left,
    /// Nothing came for too long.
    Stopped,
    /// It is not what its framing says.
    Malformed,
}

impl Progress {
    /// Begins now.
    pub(super) fn begin() -> Self {
        let (last, broken) = (Instant::now(), None);
        Self(Arc::new(Mutex::new(State { last, broken })))
    }

    /// When it went on last.
    pub(super) fn last(&self) -> Instant {
        self.state().last
    }

    /// Why it will not go on.
    pub(super) fn broken(&self) -> Option<Broken> {
        self.state().broken
    }

    /// Lets `body` note when it goes on.
    pub(super) fn follow(&self, body: Body) -> Body {
        if body.is_end_stream() {
            return body;
        }
        let progress = self.clone();
        Body::new(Followed { body, progress })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Broken {
    fn of(error: &axum::Error) -> Self {
        let mut cause: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(current) = cause {
            if let Some(error) = current.downcast_ref::<io::Error>() {
                return match error.kind() {
                    io::ErrorKind::TimedOut => Self::Stopped,
                    io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Self::Malformed,
                    _ => Self::Left,
                };
            }
            cause = current.source();
        }
        Self::Left
    }
}

struct Followed {
    body: Body,
    progress: Progress,
}

impl HttpBody for Followed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(frame) = &polled {
            let mut state = self.progress.state();
            state.last = Instant::now();
            if let Some(Err(error)) = frame {
                state.broken = Some(Broken::of(error));
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
