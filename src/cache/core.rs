//! The state of one executor: its databases, what waits for their keys, and what is to be written
//! down. It runs one command after the other and knows no connection.

use bytes::Bytes;
use mito_core::Random;

use crate::{
    commands::{Flags, Spec},
    context::Context,
    copying::Copying,
    database::{Database, Key},
    eviction::{Draw, Memory},
    fault::Fault,
    journal::Journal,
    resp::Reply,
    waiting::Waiting,
};

/// How many databases there are, as in Redis.
pub(crate) const DATABASES: usize = 16;

/// Counters since the start.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) commands: u64,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) expired: u64,
    pub(crate) evicted: u64,
}

/// What an executor's thread owns.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) databases: Vec<Database>,
    /// Which of the databases are kept here; the others are empty.
    pub(crate) home: [bool; DATABASES],
    pub(crate) memory: Memory,
    pub(crate) journal: Journal,
    pub(crate) waiting: Waiting,
    pub(crate) copying: Option<Copying>,
    /// The number of the last copy that was begun.
    pub(crate) copies: u32,
    pub(crate) counters: Counters,
    /// The time of the command that runs, milliseconds since the Unix epoch.
    pub(crate) now_ms: i64,
    pub(crate) draw: Draw,
    /// Somebody asked for a rewrite of the append-only file.
    pub(crate) wants_rewrite: bool,
    /// Changes that have been made, for `INFO` and `LASTSAVE`'s readers.
    pub(crate) dirty: u64,
}

impl Core {
    pub(crate) fn new(
        home: [bool; DATABASES],
        memory: Memory,
        journal: Journal,
        random: &Random,
    ) -> Self {
        Self {
            databases: (0..DATABASES).map(|_| Database::default()).collect(),
            home,
            wants_rewrite: false,
            memory,
            journal,
            waiting: Waiting::default(),
            copying: None,
            copies: 0,
            counters: Counters::default(),
            now_ms: 0,
            draw: Draw::new(random),
            dirty: 0,
        }
    }

    /// The memory that all keys and values take, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.databases.iter().map(Database::memory_bytes).sum()
    }

    /// Runs a command on database `db`. What it changed is noted for the log, as part of the unit
    /// that is open.
    pub(crate) fn run(
        &mut self,
        spec: &'static Spec,
        db: usize,
        protocol: u8,
        arguments: &[Bytes],
    ) -> Result<Reply, Fault> {
        self.counters.commands += 1;
        if spec.flags.contains(Flags::DENY_OOM) && !crate::eviction::make_room(self) {
            return Err(Fault::OUT_OF_MEMORY);
        }
        if spec.flags.contains(Flags::WRITE) && self.journal.has_failed() {
            return Err(Fault::error(
                "MISCONF Errors writing to the append-only file: what is written now would not \
                 survive a restart, so commands that change data are refused until the disk works \
                 again. See the log.",
            ));
        }
        let mut context = Context::new(self, db, protocol);
        let outcome = spec.run_data(&mut context, arguments);
        let (dirty, propagated) = context.into_effects();
        if dirty > 0 {
            self.dirty += dirty;
            match propagated {
                Some(commands) => {
                    for command in commands {
                        self.journal.note(db, &command);
                    }
                }
                None => self.journal.note(db, arguments),
            }
        }
        outcome
    }

    /// Removes a key whose time has come, as its own command of the log.
    pub(crate) fn expire(&mut self, db: usize, key: &[u8]) {
        self.drop_key(db, key);
        self.counters.expired += 1;
    }

    /// Removes a key for want of memory.
    pub(crate) fn evict(&mut self, db: usize, key: &[u8]) {
        self.drop_key(db, key);
        self.counters.evicted += 1;
    }

    fn drop_key(&mut self, db: usize, key: &[u8]) {
        self.before_change(db, key);
        self.databases[db].remove(key);
        self.after_change(db, key);
        self.journal.note(db, &[&b"DEL"[..], key]);
    }

    /// Called before a key is changed or removed: a copy of everything that is under way takes the
    /// value as it was.
    pub(crate) fn before_change(&mut self, db: usize, key: &[u8]) {
        if let Some(copying) = &mut self.copying {
            copying.before_change(db, key, &mut self.databases[db]);
        }
    }

    /// Called after a key was changed or removed.
    pub(crate) fn after_change(&mut self, db: usize, key: &[u8]) {
        self.databases[db].tell_watches(key);
        self.waiting.changed(db, key);
    }

    /// Whether the key is there; one whose time has come is removed.
    pub(crate) fn lives(&mut self, db: usize, key: &[u8]) -> bool {
        match self.databases[db].get(key) {
            None => false,
            Some(entry) if entry.expires_ms.is_some_and(|at_ms| at_ms <= self.now_ms) => {
                // While the log is read, time stands still: what expired says so itself.
                if self.journal.is_loading() {
                    return true;
                }
                self.expire(db, key);
                false
            }
            Some(_) => true,
        }
    }

    /// Removes up to `limit` keys whose time has come; how many.
    pub(crate) fn sweep(&mut self, limit: usize) -> usize {
        let mut removed = 0;
        for db in 0..self.databases.len() {
            while removed < limit {
                let due = self.databases[db].first_deadline();
                let Some((_, key)) = due.filter(|(at_ms, _)| *at_ms <= self.now_ms) else {
                    break;
                };
                let key = Key::clone(key);
                self.expire(db, &key);
                removed += 1;
            }
        }
        removed
    }

    /// Ends the unit: a command, a transaction or a script. Those who waited for what it changed
    /// are served, each as a unit of its own.
    pub(crate) fn end_unit(&mut self) {
        self.journal.end_unit();
        while let Some((db, key)) = self.waiting.next_signal() {
            self.serve(db, &key);
        }
    }

    fn serve(&mut self, db: usize, key: &Key) {
        for id in self.waiting.of_key(db, key) {
            let Some(waiter) = self.waiting.take(id) else {
                continue;
            };
            if waiter.answer.is_closed() {
                self.waiting.served(id, &waiter);
                continue;
            }
            match self.run(waiter.spec, db, waiter.protocol, &waiter.arguments) {
                Ok(reply) => {
                    self.journal.end_unit();
                    self.waiting.served(id, &waiter);
                    // The connection looked alive a moment ago on this very thread.
                    let _ = waiter.answer.send(reply);
                }
                // There is still nothing; or the key holds another type now, or there is no room,
                // which may change again.
                Err(Fault::Wait(_) | Fault::Error(_)) => self.waiting.put_back(id, waiter),
            }
        }
    }

    /// Whether database `db` is kept by this executor.
    pub(crate) fn is_home_of(&self, db: usize) -> bool {
        self.home.get(db).copied().unwrap_or(false)
    }

    /// Empties a database. A copy that is under way is of no use any more.
    pub(crate) fn clear(&mut self, db: usize) {
        self.copying = None;
        self.databases[db].clear();
    }

    /// Empties all databases, as one command of the log.
    pub(crate) fn clear_all(&mut self) {
        for db in 0..self.databases.len() {
            self.clear(db);
        }
        self.dirty += 1;
        self.journal.note(0, &["FLUSHALL"]);
    }

    /// Exchanges the contents of two databases.
    pub(crate) fn swap(&mut self, one: usize, other: usize) {
        self.copying = None;
        let (low, high) = (one.min(other), one.max(other));
        let (before, after) = self.databases.split_at_mut(high);
        before[low].swap(&mut after[0]);
        for db in [one, other] {
            self.waiting.all_changed(db);
        }
    }
}
