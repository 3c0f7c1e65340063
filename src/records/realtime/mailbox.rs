//! What waits for one client to take it: bounded in messages and in bytes, so that somebody who
//! reads slowly costs no more than that. A mailbox that runs over is emptied and closed; its client
//! connects again.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::{Bytes, BytesMut};

/// The most messages that wait for one client.
pub(crate) const MAX_MESSAGES: usize = 4_096;
/// The most bytes that wait for one client. A message that is larger finds an empty mailbox or none.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;
/// The most bytes that are taken out at once, unless one message is larger.
const TAKEN_BYTES: usize = 64 * 1024;
/// A comment of the stream: nothing to read, but the connection is seen to live.
const KEEP_ALIVE: Bytes = Bytes::from_static(b":\n\n");

/// A bounded queue with one reader.
#[derive(Debug)]
pub(crate) struct Mailbox {
    /// Stands before every message: the line with the client's id.
    prefix: Bytes,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    messages: VecDeque<Bytes>,
    bytes: usize,
    closed: bool,
    reader: Option<Waker>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Posted {
    /// It waits to be read.
    Kept,
    /// The mailbox was closed before.
    Closed,
    /// It was one too many: the mailbox is closed now.
    RanOver,
}

impl Mailbox {
    pub(crate) fn new(prefix: Bytes) -> Self {
        Self {
            prefix,
            waiting: Mutex::default(),
        }
    }

    /// Adds a message, which may be shared with other mailboxes.
    pub(crate) fn post(&self, message: Bytes) -> Posted {
        let mut waiting = self.lock();
        if waiting.closed {
            return Posted::Closed;
        }
        let size = self.prefix.len() + message.len();
        let too_many = waiting.messages.len() >= MAX_MESSAGES;
        let too_large = waiting.bytes + size > MAX_BYTES && !waiting.messages.is_empty();
        if too_many || too_large {
            waiting.messages = VecDeque::new();
            waiting.bytes = 0;
            waiting.close();
            return Posted::RanOver;
        }
        waiting.bytes += size;
        waiting.messages.push_back(message);
        waiting.wake();
        Posted::Kept
    }

    /// Adds a keep-alive, unless something waits that keeps the connection alive as well.
    pub(crate) fn keep_alive(&self) {
        let mut waiting = self.lock();
        if !waiting.closed && waiting.messages.is_empty() {
            waiting.bytes += KEEP_ALIVE.len();
            waiting.messages.push_back(KEEP_ALIVE);
            waiting.wake();
        }
    }

    /// Ends the stream after what waits.
    pub(crate) fn close(&self) {
        self.lock().close();
    }

    /// The next bytes of the stream, several messages at once if they wait; `None` at its end.
    pub(crate) fn poll_take(&self, context: &Context<'_>) -> Poll<Option<Bytes>> {
        let mut waiting = self.lock();
        if waiting.messages.is_empty() {
            if waiting.closed {
                return Poll::Ready(None);
            }
            waiting.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let mut taken = BytesMut::new();
        while let Some(message) = waiting.messages.front() {
            let size = self.size_of(message);
            if !taken.is_empty() && taken.len() + size > TAKEN_BYTES {
                break;
            }
            if *message != KEEP_ALIVE {
                taken.extend_from_slice(&self.prefix);
            }
            taken.extend_from_slice(message);
            waiting.bytes -= size;
            waiting.messages.pop_front();
        }
        if waiting.messages.is_empty() {
            // Ten thousand quiet clients hold no buffers.
            waiting.messages = VecDeque::new();
        }
        Poll::Ready(Some(taken.freeze()))
    }

    fn size_of(&self, message: &Bytes) -> usize {
        if *message == KEEP_ALIVE {
            return KEEP_ALIVE.len();
        }
        self.prefix.len() + message.len()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn close(&mut self) {
        self.closed = true;
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

#[cfg(test)]
mod tests;
