//! Channels: who listens, and the messages on their way to each listener.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use foldhash::fast::RandomState;
use tokio::sync::mpsc;

use crate::{glob, resp::Reply};

/// The most messages, and the most bytes, that wait for one listener; one that does not keep up is
/// cut off, as Redis does it.
const MAX_WAITING: usize = 100_000;
const MAX_WAITING_BYTES: usize = 32 * 1024 * 1024;

/// The kinds of subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Channel,
    Pattern,
    /// A sharded channel; this is the only shard.
    Shard,
}

/// A message for one listener.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    kind: Kind,
    /// The pattern that it matched.
    pattern: Option<Bytes>,
    channel: Bytes,
    payload: Bytes,
}

impl Message {
    /// As it is sent.
    pub(crate) fn reply(self) -> Reply {
        let kind = match self.kind {
            Kind::Channel => "message",
            Kind::Pattern => "pmessage",
            Kind::Shard => "smessage",
        };
        let mut parts = vec![Reply::bulk(kind)];
        parts.extend(self.pattern.map(Reply::Bulk));
        parts.extend([Reply::Bulk(self.channel), Reply::Bulk(self.payload)]);
        Reply::Push(parts)
    }

    /// The channel and the payload.
    pub(crate) fn into_parts(self) -> (Bytes, Bytes) {
        (self.channel, self.payload)
    }

    fn size_bytes(&self) -> usize {
        self.channel.len() + self.payload.len() + self.pattern.as_ref().map_or(0, Bytes::len)
    }
}

/// The sending end of a listener.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    id: u64,
    sender: mpsc::Sender<Message>,
    waiting_bytes: Arc<AtomicUsize>,
    /// Begun when it has not kept up.
    overrun: mito_core::Shutdown,
}

/// The receiving end of a listener.
#[derive(Debug)]
pub(crate) struct Messages {
    receiver: mpsc::Receiver<Message>,
    waiting_bytes: Arc<AtomicUsize>,
}

impl Messages {
    /// The next message; `None` when all senders are gone.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        let message = self.receiver.recv().await?;
        self.waiting_bytes
            .fetch_sub(message.size_bytes(), Ordering::Relaxed);
        Some(message)
    }

    /// A message that is there already.
    pub(crate) fn ready(&mut self) -> Option<Message> {
        let message = self.receiver.try_recv().ok()?;
        self.waiting_bytes
            .fetch_sub(message.size_bytes(), Ordering::Relaxed);
        Some(message)
    }
}

/// The two ends of listener `id`; `overrun` begins when it does not keep up.
pub(crate) fn listener(id: u64, overrun: mito_core::Shutdown) -> (Listener, Messages) {
    let (sender, receiver) = mpsc::channel(MAX_WAITING);
    let waiting_bytes = Arc::new(AtomicUsize::new(0));
    let messages = Messages {
        receiver,
        waiting_bytes: Arc::clone(&waiting_bytes),
    };
    (
        Listener {
            id,
            sender,
            waiting_bytes,
            overrun,
        },
        messages,
    )
}

impl Listener {
    /// Its number.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    fn send(&self, message: Message) {
        let size = message.size_bytes();
        let waiting = self.waiting_bytes.fetch_add(size, Ordering::Relaxed) + size;
        if waiting > MAX_WAITING_BYTES || self.sender.try_send(message).is_err() {
            self.overrun.begin();
        }
    }
}

type Listeners = HashMap<Bytes, HashMap<u64, Listener, RandomState>, RandomState>;

/// Who listens to what.
#[derive(Debug, Default)]
pub(crate) struct Channels(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    channels: Listeners,
    patterns: Listeners,
    shards: Listeners,
}

impl Table {
    fn of(&mut self, kind: Kind) -> &mut Listeners {
        match kind {
            Kind::Channel => &mut self.channels,
            Kind::Pattern => &mut self.patterns,
            Kind::Shard => &mut self.shards,
        }
    }
}

impl Channels {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn subscribe(&self, kind: Kind, name: &Bytes, listener: &Listener) {
        let mut table = self.lock();
        let listeners = table
            .of(kind)
            .entry(Bytes::copy_from_slice(name))
            .or_default();
        listeners.insert(listener.id, listener.clone());
    }

    pub(crate) fn unsubscribe(&self, kind: Kind, name: &Bytes, id: u64) {
        let mut table = self.lock();
        let all = table.of(kind);
        if let Some(listeners) = all.get_mut(name) {
            listeners.remove(&id);
            if listeners.is_empty() {
                all.remove(name);
            }
        }
    }

    /// Sends a message; how many got it.
    pub(crate) fn publish(&self, kind: Kind, channel: &Bytes, payload: &Bytes) -> usize {
        let mut table = self.lock();
        // Copied once, so that waiting messages do not keep network buffers alive.
        let message = |kind, pattern: Option<&Bytes>| Message {
            kind,
            pattern: pattern.cloned(),
            channel: channel.clone(),
            payload: payload.clone(),
        };
        let mut count = 0;
        for listener in table
            .of(kind)
            .get(channel)
            .into_iter()
            .flat_map(HashMap::values)
        {
            listener.send(message(kind, None));
            count += 1;
        }
        if kind == Kind::Channel {
            for (pattern, listeners) in &table.patterns {
                if glob::matches(pattern, channel) {
                    for listener in listeners.values() {
                        listener.send(message(Kind::Pattern, Some(pattern)));
                        count += 1;
                    }
                }
            }
        }
        count
    }

    /// The channels that have listeners and match `pattern`.
    pub(crate) fn names(&self, kind: Kind, pattern: Option<&[u8]>) -> Vec<Bytes> {
        let mut table = self.lock();
        let names = table.of(kind).keys();
        let shown = names.filter(|name| pattern.is_none_or(|pattern| glob::matches(pattern, name)));
        shown.cloned().collect()
    }

    /// How many listen to the channel called `name`.
    pub(crate) fn listeners(&self, kind: Kind, name: &[u8]) -> usize {
        self.lock().of(kind).get(name).map_or(0, HashMap::len)
    }

    /// How many patterns are listened to.
    pub(crate) fn patterns(&self) -> usize {
        self.lock().patterns.len()
    }
}
