//! The stream that hyper reads HTTP/1 from: it holds every request head back until it is whole,
//! judges it, and lets it pass or puts a harmless request in its place, whose answer is then the
//! refusal. It also closes what is slow: a head that does not end, a body that does not go on, a
//! connection on which nothing is asked, an answer that is not taken.

mod verdicts;

use std::{
    any::Any,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, BytesMut};
use http::StatusCode;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};
use tokio_util::io::poll_read_buf;

use super::{
    Limits,
    activity::Activity,
    head::{self, Body, Chunks, HeadFinder, Progress},
};
use crate::timer::Timer;

pub(super) use verdicts::{Verdict, Verdicts};

/// How much is read from the socket at once, in bytes.
const READ_BYTES: usize = 16 * 1024;
/// With less room than this, in bytes, there is made room for [`READ_BYTES`].
const LEAST_BYTES: usize = 4 * 1024;
/// Empty lines that are passed over before a request line (RFC 9112 §2.2 asks for one).
const MAX_EMPTY_LINES: usize = 2;
/// How long what still comes is thrown away after the last answer. To close at once would reset the
/// connection, and the client could lose what it has not read yet (RFC 9112 §9.6).
const LINGER: Duration = Duration::from_secs(1);
/// What hyper reads in place of a refused request; nobody but the gate ever sees it.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nHost: refused\r\nConnection: close\r\n\r\n";

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
    /// The client to notice the end.
    End,
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
    held: Option<Box<dyn Any + Send>>,
    /// What passes is not HTTP any more.
    is_upgraded: bool,
    /// Nothing is written any more.
    is_shut: bool,
    /// The client was still sending when its connection was shut.
    is_talking: bool,
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
            // Without any time, looking whether it is over would never end.
            idle: Duration::from_millis(limits.idle_timeout_ms.max(1)),
            head: Duration::from_millis(limits.header_timeout_ms),
            body: Duration::from_millis(limits.body_stall_timeout_ms),
            write: Duration::from_millis(limits.write_stall_timeout_ms),
        };
        let (reading, writing) = (Timer::default(), Timer::default());
        let (released, held) = (0, None);
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
            held,
            is_upgraded: false,
            is_shut: false,
            is_talking: false,
        }
    }

    /// Keeps what counts the connection as long as the stream lives: an upgraded one leaves hyper and
    /// goes on elsewhere.
    pub(super) fn holding(mut self, held: impl Any + Send) -> Self {
        self.held = Some(Box::new(held));
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
                if upgraded {
                    self.is_upgraded = true;
                    self.state = State::Open;
                } else {
                    self.state = between_requests();
                }
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

    /// Judges what was read at once: true if all of it may pass, which is what nearly every read
    /// is. Otherwise nothing has changed, and it is to be judged piece by piece.
    fn lets_through(&mut self, bytes: &[u8]) -> bool {
        let count = bytes.len() as u64;
        match &mut self.state {
            State::Head {
                finder,
                empty_lines: 0,
            } if !finder.has_request_line() => {
                let Some(end) = HeadFinder::default().end(bytes) else {
                    return false;
                };
                if end > self.timing.max_header_bytes || !head::is_token(&bytes[..1]) {
                    return false;
                }
                let Ok(head) = head::inspect(&bytes[..end]) else {
                    return false;
                };
                let upgrade = head.upgrade;
                self.state = match head.body {
                    Body::Fixed(length) if length >= count - end as u64 => State::Fixed {
                        left: length - (count - end as u64),
                        upgrade,
                    },
                    Body::Chunked if end == bytes.len() => State::Chunked {
                        chunks: Chunks::new(),
                        upgrade,
                    },
                    Body::Fixed(_) | Body::Chunked => return false,
                };
                let refused = None;
                let verdict = Verdict { refused, upgrade };
                self.verdicts.shared().queue.push_back(verdict);
                self.reading.disarm();
                true
            }
            State::Fixed { left, .. } if *left >= count => {
                *left -= count;
                true
            }
            State::Chunked { chunks, upgrade } => {
                let mut ahead = *chunks;
                match ahead.advance(bytes) {
                    Progress::More => *chunks = ahead,
                    Progress::Ended(length) if length == bytes.len() => {
                        self.state = after_body(*upgrade);
                    }
                    Progress::Ended(_) | Progress::Broken => return false,
                }
                true
            }
            _ => false,
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

    /// Registers for the time limit of what is waited for. `Ready` if it has passed: true to go
    /// on (a refusal was prepared), false for the end of the stream.
    fn poll_time_limit(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        match &self.state {
            State::Head { .. } if self.inbox.is_empty() => {
                ready!(self.poll_idle_limit(context));
                Poll::Ready(Ok(false))
            }
            State::Head { .. } => {
                let limit = self.timing.head;
                ready!(self.reading.poll(Wait::HeadEnd, limit, context));
                Poll::Ready(Ok(self.refuse(StatusCode::REQUEST_TIMEOUT)))
            }
            State::Fixed { .. } | State::Chunked { .. } => {
                let limit = self.timing.body;
                ready!(self.reading.poll(Wait::BodyProgress, limit, context));
                Poll::Ready(Err(timed_out("the request body stopped")))
            }
            State::Deciding | State::Open | State::Refused => {
                self.reading.disarm();
                Poll::Pending
            }
        }
    }

    /// Ready when nothing has been asked for too long. Nobody says when an answer has ended: that
    /// is looked at when the time since the last look has passed.
    fn poll_idle_limit(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let idle_since = self.activity.idle_since();
            let until = idle_since.unwrap_or_else(Instant::now) + self.timing.idle;
            ready!(self.reading.poll_until(Wait::NextRequest, until, context));
            // The answer may have ended after the time began.
            if idle_since.is_some() && self.activity.idle_since() == idle_since {
                return Poll::Ready(());
            }
        }
    }
}

impl<S: AsyncRead + Unpin> Gate<S> {
    /// Reads from the socket, straight into hyper's buffer where nothing waits in the inbox; what
    /// may not pass whole goes there. 0 is the end.
    fn poll_receive(
        &mut self,
        buffer: &mut ReadBuf<'_>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if !self.inbox.is_empty() || matches!(self.state, State::Deciding | State::Refused) {
            return self.poll_fill(context);
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let read = buffer.filled().len() - before;
        if !self.lets_through(&buffer.filled()[before..]) {
            self.inbox.extend_from_slice(&buffer.filled()[before..]);
            buffer.set_filled(before);
        }
        if read > 0 && matches!(self.state, State::Fixed { .. } | State::Chunked { .. }) {
            self.reading.disarm();
        }
        Poll::Ready(Ok(read))
    }

    /// Reads from the socket into the inbox; 0 is the end.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.inbox.capacity() - self.inbox.len() < LEAST_BYTES {
            self.inbox.reserve(READ_BYTES);
        }
        let stream = Pin::new(&mut self.stream);
        let read = ready!(poll_read_buf(stream, context, &mut self.inbox))?;
        if read > 0 && matches!(self.state, State::Fixed { .. } | State::Chunked { .. }) {
            self.reading.disarm_if(Wait::BodyProgress);
        }
        Poll::Ready(Ok(read))
    }
}

impl<S: AsyncRead + Unpin> Gate<S> {
    /// Throws away what a client still sends that has not noticed the end, for a while.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        // Of an upgraded connection one half may end before the other.
        if self.is_upgraded || matches!(self.state, State::Deciding) {
            return Poll::Ready(());
        }
        self.is_talking |= match self.state {
            State::Refused | State::Chunked { .. } => true,
            State::Fixed { left, .. } => left > 0,
            State::Head { .. } | State::Deciding | State::Open => false,
        };
        // Before reading, which may never have to wait.
        if self.reading.poll(Wait::End, LINGER, context).is_ready() {
            return Poll::Ready(());
        }
        loop {
            self.inbox.clear();
            match self.poll_fill(context) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(_)) => self.is_talking = true,
                Poll::Pending if self.is_talking => return Poll::Pending,
                Poll::Pending => return Poll::Ready(()),
            }
        }
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
                if this.inbox.is_empty() {
                    // A connection on which nothing is asked holds no buffer.
                    this.inbox = BytesMut::new();
                }
                return Poll::Ready(Ok(()));
            }
            if ready!(this.advance(context)) {
                continue;
            }
            if matches!(this.state, State::Open) {
                return Pin::new(&mut this.stream).poll_read(context, buffer);
            }
            let before = buffer.filled().len();
            match this.poll_receive(buffer, context)? {
                Poll::Ready(_) if buffer.filled().len() > before => return Poll::Ready(Ok(())),
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

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Gate<S> {
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
        if !this.is_shut {
            let outcome = Pin::new(&mut this.stream).poll_shutdown(context);
            ready!(this.watch_write(outcome, context))?;
            this.is_shut = true;
        }
        this.poll_linger(context).map(Ok)
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
