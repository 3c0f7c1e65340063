//! The tasks that answer the streams of an HTTP/2 connection. hyper and h2 wait for ever for a
//! client that makes no room for an answer (RFC 9113 §5.2.2) and answers pings meanwhile; here such
//! a stream is reset. Of HTTP/1, where nothing else is sent on the connection, the gate keeps this
//! time.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::rt::Executor;
use hyper_util::rt::TokioExecutor;

use crate::timer::Timer;

/// How much of an answer h2 is given at once, in bytes: it takes all of what it is given, however
/// little room the client made, and keeps it as long as the client likes.
const PIECE_BYTES: usize = 16 * 1024;

tokio::task_local! {
    /// How far the answer is that the task sends.
    static PROGRESS: Arc<Progress>;
}

/// How far an answer is.
#[derive(Debug, Default)]
struct Progress {
    pieces: AtomicU64,
    /// The last piece has not been sent: as soon as it is, another is asked for.
    is_unsent: AtomicBool,
}

/// Runs the tasks, each until its answer has made no progress for `limit`.
#[derive(Clone)]
pub(super) struct Streams {
    limit: Duration,
}

impl Streams {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit }
    }
}

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        TokioExecutor::new().execute(watched(stream, self.limit));
    }
}

/// Drops `stream`, which resets it, when the client has taken nothing for `limit`.
async fn watched(stream: impl Future<Output = ()>, limit: Duration) {
    let progress = Arc::new(Progress::default());
    let mut stream = pin!(PROGRESS.scope(progress.clone(), stream));
    let mut timer = Timer::default();
    poll_fn(|context| {
        if stream.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        if progress.is_unsent.load(Ordering::Relaxed) {
            let pieces = progress.pieces.load(Ordering::Relaxed);
            return timer.poll(pieces, limit, context);
        }
        timer.disarm();
        Poll::Pending
    })
    .await;
}

/// Lets the task that sends `body` see how far it is, and gives it out in small pieces.
pub(super) fn followed(body: Body) -> Body {
    let progress = PROGRESS.try_with(Arc::clone).unwrap_or_default();
    Body::new(Followed {
        body,
        rest: Bytes::new(),
        progress,
    })
}

struct Followed {
    body: Body,
    /// What is left of a piece that was too large.
    rest: Bytes,
    progress: Arc<Progress>,
}

impl Followed {
    fn poll_piece(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut data = std::mem::take(&mut self.rest);
        if data.is_empty() {
            match std::task::ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(more) => data = more,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                other => return Poll::Ready(other),
            }
        }
        if data.len() > PIECE_BYTES {
            self.rest = data.split_off(PIECE_BYTES);
        }
        Poll::Ready(Some(Ok(Frame::data(data))))
    }
}

impl http_body::Body for Followed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = self.poll_piece(context);
        self.progress.pieces.fetch_add(1, Ordering::Relaxed);
        self.progress
            .is_unsent
            .store(polled.is_ready(), Ordering::Relaxed);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut whole = SizeHint::new();
        if let Some(upper) = hint.upper() {
            whole.set_upper(upper.saturating_add(rest));
        }
        whole.set_lower(hint.lower().saturating_add(rest));
        whole
    }
}
