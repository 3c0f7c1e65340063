//! The stream that hyper reads HTTP/1 from: it holds every request head back until it is whole,
//! judges it, and lets it pass or puts a harmless request in its place, whose answer is then the
//! refusal. It also closes what is slow: a head that does not end, a body that does not go on, a
//! connection on which nothing is asked, an answer that is not taken.

mod timer;

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use bytes::{Buf, BytesMut};
use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::io::poll_read_buf;

use timer::Timer;

use super::{
    Limits,
    activity::Activity,
    caps::Permit,
    head::{self, Body, Chunks, HeadFinder, Progress},
};

/// How much is read from the socket at once, in bytes.
const READ_BYTES: usize = 16 * 1024;
/// With less room than this, in bytes, there is made room for [`READ_BYTES`].
const LEAST_BYTES: usize = 4 * 1024;
/// Empty lines that are passed over before a request line (RFC 9112 §2.2 asks for one).
const MAX_EMPTY_LINES: usize = 2;
/// What hyper reads in place of a refused request; nobody but the gate ever sees it.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nHost: refused\r\nConnection: close\r\n\r\n";

/// What was decided about one request of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The status to refuse it with.
    pub(super) refused: Option<StatusCode>,
    /// It asks for an upgrade: whoever answers calls [`Verdicts::answered`].
    pub(super) upgrade: bool,
}

/// The verdicts on the requests that were let pass to hyper and not yet taken, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdicts(Arc<Mutex<Shared>>);

#[derive(Debug, Default)]
struct Shared {
    queue: VecDeque<Verdict>,
    /// Whether the upgrade that was asked for last was granted.
    upgraded: Option<bool>,
    waiting: Option<Waker>,
}

impl Verdicts {
    /// The verdict on the request that hyper hands over now. None is left if hyper saw a request
    /// where the gate saw a body: then the two disagree, and it must be refused.
    pub(super) fn take(&self) -> Verdict {
        let disagreement = Verdict {
            refused: Some(StatusCode::BAD_REQUEST),
            upgrade: false,
        };
        self.shared().queue.pop_front().unwrap_or(disagreement)
    }

    /// Says how a request for an upgrade was answered.
    pub(super) fn answered(&self, upgraded: bool) {
        let mut shared = self.shared();
        shared.upgraded = Some(upgraded);
        if let Some(waker) = shared.waiting.take() {
            waker.wake();
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
enum State {
    /// Between requests or inside a head.
    Head {
        finder: HeadFinder,
        empty_lines: usize,
    },
    Fixed {
        left: u64,
        upgrade: bool,
    },
    Chunked {
        chunks: Chunks,
        upgrade: bool,
    },
    /// The client asked for an upgrade: what comes next is known when it has been answered.
    Deciding,
    /// Everything passes: HTTP/2, an upgraded connection, or a body that hyper will refuse.
    Open,
    /// What still comes is thrown away, so that closing does not destroy the answer on its way.
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    NextRequest,
    HeadEnd,
    BodyProgress,
}

/// See the module's doc.
pub(super) struct Gate<S> {
    stream: S,
    state: State,
    /// Read from the socket and not yet handed to hyper.
    inbox: BytesMut,
    /// How much of the inbox may pass.
    released: usize,
    verdicts: Verdicts,
    activity: Arc<Activity>,
    timing: Timing,
    reading: Timer<Wait>,
    writing: Timer<()>,
    permit: Option<Permit>,
}

#[derive(Clone, Copy)]
struct Timing {
    max_header_bytes: usize,
    idle: Duration,
    head: Duration,
    body: Duration,
    write: Duration,
}

impl<S> Gate<S> {
    /// A gate for HTTP/1. `inbox` was read from `stream` before.
    pub(super) fn http1(
        stream: S,
        inbox: BytesMut,
        verdicts: Verdicts,
        activity: Arc<Activity>,
        limits: &Limits,
    ) -> Self {
        let state = State::Head {
            finder: HeadFinder::default(),
            empty_lines: 0,
        };
        Self::new(stream, inbox, state, verdicts, activity, limits)
    }

    /// Lets everything pass and watches only whether what is written is taken.
    pub(super) fn open(
        stream: S,
        inbox: BytesMut,
        activity: Arc<Activity>,
        limits: &Limits,
    ) -> Self {
        Self::new(
            stream,
            inbox,
            State::Open,
            Verdicts::default(),
            activity,
            limits,
        )
    }

    fn new(
        stream: S,
        inbox: BytesMut,
        state: State,
        verdicts: Verdicts,
        activity: Arc<Activity>,
        limits: &Limits,
    ) -> Self {
        let timing = Timing {
            max_header_bytes: limits.max_header_bytes,
            idle: Duration::from_millis(limits.idle_timeout_ms),
            head: Duration::from_millis(limits.header_timeout_ms),
            body: Duration::from_millis(limits.body_stall_timeout_ms),
            write: Duration::from_millis(limits.write_stall_timeout_ms),
        };
        let (reading, writing) = (Timer::default(), Timer::default());
        let (released, permit) = (0, None);
        Self {
            stream,
            state,
            inbox,
            released,
            verdicts,
            activity,
            timing,
            reading,
            writing,
            permit,
        }
    }

    /// Counts the connection as long as the stream lives: an upgraded one leaves hyper and goes
    /// on elsewhere.
    pub(super) fn holding(mut self, permit: Permit) -> Self {
        self.permit = Some(permit);
        self
    }

    /// Works on what is in the inbox. False: more must be read first.
    fn advance(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        match &mut self.state {
            State::Head { .. } => Poll::Ready(self.advance_head()),
            State::Fixed { left: 0, upgrade } => {
                self.state = after_body(*upgrade);
                Poll::Ready(true)
            }
            State::Fixed { left, .. } => {
                let available = self.inbox.len() as u64;
                let passes = (*left).min(available);
                *left -= passes;
                self.released = usize::try_from(passes).expect("no more than the inbox holds");
                Poll::Ready(passes > 0)
            }
            State::Chunked { chunks, upgrade } => {
                match chunks.advance(&self.inbox) {
                    Progress::More => self.released = self.inbox.len(),
                    Progress::Ended(length) => {
                        self.released = length;
                        self.state = after_body(*upgrade);
                    }
                    Progress::Broken => self.state = State::Open,
                }
                Poll::Ready(!self.inbox.is_empty())
            }
            State::Deciding => {
                let mut shared = self.verdicts.shared();
                let Some(upgraded) = shared.upgraded.take() else {
                    shared.waiting = Some(context.waker().clone());
                    return Poll::Pending;
                };
                drop(shared);
                self.state = if upgraded {
                    State::Open
                } else {
                    between_requests()
                };
                Poll::Ready(true)
            }
            State::Open => {
                self.released = self.inbox.len();
                Poll::Ready(self.released > 0)
            }
            State::Refused => {
                self.inbox.clear();
                Poll::Ready(false)
            }
        }
    }

    fn advance_head(&mut self) -> bool {
        let State::Head {
            finder,
            empty_lines,
        } = &mut self.state
        else {
            return true;
        };
        while !finder.has_request_line() && self.inbox.starts_with(b"\r\n") {
            *empty_lines += 1;
            self.inbox.advance(2);
        }
        let Some(first) = self.inbox.first() else {
            return false;
        };
        let begins_well = head::is_token(&[*first]) || (*first == b'\r' && self.inbox.len() == 1);
        if !begins_well || *empty_lines > MAX_EMPTY_LINES {
            return self.refuse(StatusCode::BAD_REQUEST);
        }
        let end = finder.end(&self.inbox);
        if end.unwrap_or(self.inbox.len()) > self.timing.max_header_bytes {
            let in_fields = finder.has_request_line();
            return self.refuse(if in_fields {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            } else {
                StatusCode::URI_TOO_LONG
            });
        }
        let Some(end) = end else { return false };
        match head::inspect(&self.inbox[..end]) {
            Ok(head) => {
                let verdict = Verdict {
                    refused: None,
                    upgrade: head.upgrade,
                };
                self.verdicts.shared().queue.push_back(verdict);
                self.released = end;
                let upgrade = head.upgrade;
                self.state = match head.body {
                    Body::Fixed(left) => State::Fixed { left, upgrade },
                    Body::Chunked => State::Chunked {
                        chunks: Chunks::new(),
                        upgrade,
                    },
                };
                self.reading.disarm();
                true
            }
            Err(status) => self.refuse(status),
        }
    }

    fn refuse(&mut self, status: StatusCode) -> bool {
        let verdict = Verdict {
            refused: Some(status),
            upgrade: false,
        };
        self.verdicts.shared().queue.push_back(verdict);
        self.inbox.clear();
        self.inbox.extend_from_slice(STAND_IN);
        self.released = self.inbox.len();
        self.state = State::Refused;
        self.reading.disarm();
        true
    }

    /// What the next byte is waited for, and how long; nothing while an answer is under way.
    fn waits_for(&self, context: &mut Context<'_>) -> Option<(Wait, Duration)> {
        match &self.state {
            State::Head { .. } if !self.inbox.is_empty() => Some((Wait::HeadEnd, self.timing.head)),
            State::Head { .. } if self.activity.poll_idle(context).is_ready() => {
                Some((Wait::NextRequest, self.timing.idle))
            }
            State::Fixed { .. } | State::Chunked { .. } => {
                Some((Wait::BodyProgress, self.timing.body))
            }
            State::Head { .. } | State::Deciding | State::Open | State::Refused => None,
        }
    }

    /// Registers for the time limit of what is waited for. `Ready` if it has passed: true to go
    /// on (a refusal was prepared), false for the end of the stream.
    fn poll_time_limit(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let Some((wait, limit)) = self.waits_for(context) else {
            self.reading.disarm();
            return Poll::Pending;
        };
        ready!(self.reading.poll(wait, limit, context));
        Poll::Ready(match wait {
            Wait::NextRequest => Ok(false),
            Wait::HeadEnd => Ok(self.refuse(StatusCode::REQUEST_TIMEOUT)),
            Wait::BodyProgress => Err(timed_out("the request body stopped")),
        })
    }
}

impl<S: AsyncRead + Unpin> Gate<S> {
    /// Reads from the socket into the inbox; 0 is the end.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.inbox.capacity() - self.inbox.len() < LEAST_BYTES {
            self.inbox.reserve(READ_BYTES);
        }
        let stream = Pin::new(&mut self.stream);
        let read = ready!(poll_read_buf(stream, context, &mut self.inbox))?;
        if read > 0 && matches!(self.state, State::Fixed { .. } | State::Chunked { .. }) {
            self.reading.disarm();
        }
        Poll::Ready(Ok(read))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gate<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.released > 0 {
                let length = this.released.min(buffer.remaining());
                buffer.put_slice(&this.inbox[..length]);
                this.inbox.advance(length);
                this.released -= length;
                return Poll::Ready(Ok(()));
            }
            if ready!(this.advance(context)) {
                continue;
            }
            if matches!(this.state, State::Open) {
                return Pin::new(&mut this.stream).poll_read(context, buffer);
            }
            match this.poll_fill(context)? {
                Poll::Ready(0) if matches!(this.state, State::Refused) => return Poll::Pending,
                // A head or body that ends here is hyper's to complain about.
                Poll::Ready(0) if this.inbox.is_empty() => return Poll::Ready(Ok(())),
                Poll::Ready(0) => this.state = State::Open,
                Poll::Ready(_) => {}
                Poll::Pending => {
                    if !ready!(this.poll_time_limit(context))? {
                        return Poll::Ready(Ok(()));
                    }
                }
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> Gate<S> {
    /// Passes the outcome of a write on, or fails if nothing has been taken for too long.
    fn watch_write<T>(
        &mut self,
        outcome: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.writing.disarm();
            return outcome;
        }
        ready!(self.writing.poll((), self.timing.write, context));
        Poll::Ready(Err(timed_out("the peer takes no data")))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gate<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.watch_write(outcome, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        this.watch_write(outcome, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_flush(context);
        this.watch_write(outcome, context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_shutdown(context);
        this.watch_write(outcome, context)
    }
}

fn between_requests() -> State {
    State::Head {
        finder: HeadFinder::default(),
        empty_lines: 0,
    }
}

fn after_body(upgrade: bool) -> State {
    if upgrade {
        State::Deciding
    } else {
        between_requests()
    }
}

fn timed_out(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what.to_owned())
}
