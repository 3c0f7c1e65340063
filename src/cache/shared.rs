//! What all executors share: who is connected, who listens to channels, what was slow, and the
//! numbers of each database. Everything here is locked for the length of one small operation.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Instant,
};

use bytes::Bytes;
use mito_core::Clock;
use secrecy::SecretString;

use crate::{clients::Client, core::DATABASES, pubsub::Channels};

/// How many slow commands are remembered, and how long a command takes to be one, in microseconds.
const SLOW_KEPT: usize = 128;
const SLOW_MICROS: i64 = 10_000;
/// How much of a slow command is remembered.
const SLOW_WORDS: usize = 32;
const SLOW_WORD_BYTES: usize = 128;

/// The numbers of one database, as they were a moment ago.
#[derive(Debug, Default)]
pub(crate) struct DatabaseNumbers {
    pub(crate) keys: AtomicU64,
    pub(crate) expires: AtomicU64,
}

/// A command that took long.
#[derive(Clone, Debug)]
pub(crate) struct Slow {
    pub(crate) id: i64,
    pub(crate) at_seconds: i64,
    pub(crate) micros: i64,
    pub(crate) words: Vec<Bytes>,
    pub(crate) address: String,
    pub(crate) name: String,
}

/// Shared by the executors and the handles.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) started: Instant,
    pub(crate) password: SecretString,
    /// Drawn by this process.
    pub(crate) run_id: String,
    pub(crate) channels: Channels,
    pub(crate) databases: [DatabaseNumbers; DATABASES],
    pub(crate) connections: AtomicU64,
    pub(crate) commands: AtomicU64,
    pub(crate) slow_micros: AtomicI64,
    pub(crate) max_request_bytes: usize,
    clients: Mutex<BTreeMap<u64, Arc<Client>>>,
    slow: Mutex<(i64, VecDeque<Slow>)>,
}

impl Shared {
    pub(crate) fn new(
        clock: Clock,
        password: SecretString,
        run_id: String,
        max_request_bytes: usize,
    ) -> Self {
        Self {
            clock,
            started: Instant::now(),
            password,
            run_id,
            channels: Channels::default(),
            databases: Default::default(),
            connections: AtomicU64::new(0),
            commands: AtomicU64::new(0),
            slow_micros: AtomicI64::new(SLOW_MICROS),
            max_request_bytes,
            clients: Mutex::new(BTreeMap::new()),
            slow: Mutex::new((0, VecDeque::new())),
        }
    }

    /// The clients that are connected, by number.
    pub(crate) fn clients(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Client>>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a new connection.
    pub(crate) fn next_client(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Remembers a command that took `micros`, if that is long.
    pub(crate) fn note_slow(&self, micros: i64, words: &[Bytes], client: Option<&Client>) {
        let limit = self.slow_micros.load(Ordering::Relaxed);
        if limit < 0 || micros < limit {
            return;
        }
        let short = |word: &Bytes| Bytes::copy_from_slice(&word[..word.len().min(SLOW_WORD_BYTES)]);
        let mut slow = self.slow();
        slow.0 += 1;
        let entry = Slow {
            id: slow.0 - 1,
            at_seconds: self.clock.now_ms() / 1_000,
            micros,
            words: hidden(words).iter().take(SLOW_WORDS).map(short).collect(),
            address: client
                .map(|client| client.address.clone())
                .unwrap_or_default(),
            name: client.map(Client::name).unwrap_or_default(),
        };
        slow.1.push_front(entry);
        slow.1.truncate(SLOW_KEPT);
    }

    /// The next number, and the slow commands, the newest first.
    pub(crate) fn slow(&self) -> MutexGuard<'_, (i64, VecDeque<Slow>)> {
        self.slow.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Commands that carry a password are kept without their words.
fn hidden(words: &[Bytes]) -> &[Bytes] {
    let secret = |name: &str| {
        words
            .first()
            .is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
    };
    if secret("auth") || secret("hello") || secret("config") {
        return &words[..1];
    }
    words
}
