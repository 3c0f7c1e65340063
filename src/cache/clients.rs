//! What is known of a connection from outside of it: `CLIENT LIST`, and the means to end it.

use std::{
    fmt::Write as _,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU8, AtomicU64, AtomicUsize, Ordering},
    },
};

use mito_core::Shutdown;

/// One connection.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) id: u64,
    pub(crate) address: String,
    pub(crate) local_address: String,
    pub(crate) since_ms: i64,
    pub(crate) last_ms: AtomicI64,
    pub(crate) db: AtomicUsize,
    pub(crate) protocol: AtomicU8,
    pub(crate) subscriptions: AtomicUsize,
    pub(crate) patterns: AtomicUsize,
    /// Commands that wait for `EXEC`; negative outside of a transaction.
    pub(crate) multi: AtomicI64,
    /// The waiter that it blocks on; 0 when it does not.
    pub(crate) blocked: AtomicU64,
    /// Ends the connection.
    pub(crate) stop: Shutdown,
    texts: Mutex<Texts>,
}

#[derive(Clone, Debug, Default)]
struct Texts {
    name: String,
    library: String,
    library_version: String,
    command: &'static str,
}

impl Client {
    pub(crate) fn new(id: u64, address: String, local_address: String, now_ms: i64) -> Self {
        Self {
            id,
            address,
            local_address,
            since_ms: now_ms,
            last_ms: AtomicI64::new(now_ms),
            db: AtomicUsize::new(0),
            protocol: AtomicU8::new(2),
            subscriptions: AtomicUsize::new(0),
            patterns: AtomicUsize::new(0),
            multi: AtomicI64::new(-1),
            blocked: AtomicU64::new(0),
            stop: Shutdown::new(),
            texts: Mutex::new(Texts {
                command: "NULL",
                ..Texts::default()
            }),
        }
    }

    fn texts(&self) -> std::sync::MutexGuard<'_, Texts> {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn name(&self) -> String {
        self.texts().name.clone()
    }

    pub(crate) fn set_name(&self, name: String) {
        self.texts().name = name;
    }

    pub(crate) fn set_library(&self, name: String) {
        self.texts().library = name;
    }

    pub(crate) fn set_library_version(&self, version: String) {
        self.texts().library_version = version;
    }

    /// Notes the last command and when it came.
    pub(crate) fn note(&self, command: &'static str, now_ms: i64) {
        self.last_ms.store(now_ms, Ordering::Relaxed);
        self.texts().command = command;
    }

    /// What `CLIENT LIST TYPE` calls it.
    pub(crate) fn kind(&self) -> &'static str {
        let listens =
            self.subscriptions.load(Ordering::Relaxed) + self.patterns.load(Ordering::Relaxed);
        if listens > 0 { "pubsub" } else { "normal" }
    }

    /// The line of `CLIENT LIST`.
    pub(crate) fn line(&self, now_ms: i64) -> String {
        let texts = self.texts().clone();
        let number = |value: &AtomicUsize| value.load(Ordering::Relaxed);
        let multi = self.multi.load(Ordering::Relaxed);
        let mut flags = String::new();
        for (held, flag) in [
            (self.kind() == "pubsub", 'P'),
            (multi >= 0, 'x'),
            (self.blocked.load(Ordering::Relaxed) != 0, 'b'),
        ] {
            if held {
                flags.push(flag);
            }
        }
        if flags.is_empty() {
            flags.push('N');
        }
        let mut line = String::new();
        let seconds = |since_ms: i64| (now_ms - since_ms).max(0) / 1_000;
        let _ = write!(
            line,
            "id={} addr={} laddr={} fd=0 name={} age={} idle={} flags={flags} db={} sub={} psub={} \
             ssub=0 multi={multi} watch=0 qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 \
             obl=0 oll=0 omem=0 tot-mem=0 events=r cmd={} user=default redir=-1 resp={} \
             lib-name={} lib-ver={}",
            self.id,
            self.address,
            self.local_address,
            texts.name,
            seconds(self.since_ms),
            seconds(self.last_ms.load(Ordering::Relaxed)),
            number(&self.db),
            number(&self.subscriptions),
            number(&self.patterns),
            texts.command,
            self.protocol.load(Ordering::Relaxed),
            texts.library,
            texts.library_version,
        );
        line
    }
}
