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
mod tests {
    use super::*;

    fn mailbox() -> Mailbox {
        Mailbox::new(Bytes::from_static(b"id:a\n"))
    }

    fn take(mailbox: &Mailbox) -> Option<String> {
        match mailbox.poll_take(&Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(bytes)) => Some(String::from_utf8(bytes.to_vec()).unwrap()),
            Poll::Ready(None) => Some("end".to_owned()),
            Poll::Pending => None,
        }
    }

    #[test]
    fn messages_come_in_order_and_together_each_after_the_prefix() {
        let mailbox = mailbox();
        assert_eq!(take(&mailbox), None);
        for message in ["one\n", "two\n"] {
            assert_eq!(mailbox.post(Bytes::from(message)), Posted::Kept);
        }
        mailbox.keep_alive();
        assert_eq!(take(&mailbox).as_deref(), Some("id:a\none\nid:a\ntwo\n"));
        mailbox.keep_alive();
        assert_eq!(take(&mailbox).as_deref(), Some(":\n\n"));
        assert_eq!(mailbox.lock().bytes, 0);
        mailbox.post(Bytes::from("last\n"));
        mailbox.close();
        assert_eq!(take(&mailbox).as_deref(), Some("id:a\nlast\n"));
        assert_eq!(take(&mailbox).as_deref(), Some("end"));
        assert_eq!(mailbox.post(Bytes::from("late\n")), Posted::Closed);
    }

    #[test]
    fn a_mailbox_that_runs_over_is_emptied_and_closed() {
        let check = |size: usize, fits: usize| {
            let mailbox = mailbox();
            let message = Bytes::from(vec![b'x'; size]);
            for _ in 0..fits {
                assert_eq!(mailbox.post(message.clone()), Posted::Kept, "{size}");
            }
            assert_eq!(mailbox.post(message.clone()), Posted::RanOver, "{size}");
            assert_eq!(mailbox.post(message), Posted::Closed, "{size}");
            assert_eq!(take(&mailbox).as_deref(), Some("end"), "{size}");
        };
        check(10, MAX_MESSAGES);
        check(MAX_BYTES / 4 - 5, 4);
        // One that is larger than a mailbox goes through alone.
        check(MAX_BYTES * 2, 1);
    }

    #[test]
    fn much_is_taken_in_pieces() {
        let mailbox = mailbox();
        for _ in 0..3 {
            mailbox.post(Bytes::from(vec![b'x'; TAKEN_BYTES / 2]));
        }
        let lengths: Vec<usize> = std::iter::from_fn(|| take(&mailbox).map(|text| text.len()))
            .take(3)
            .collect();
        assert_eq!(lengths, vec![TAKEN_BYTES / 2 + 5; 3]);
        assert_eq!(take(&mailbox), None);
    }
}
