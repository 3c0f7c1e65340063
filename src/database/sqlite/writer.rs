//! The one thread that writes: it drains what is queued into one transaction, and answers after the
//! commit is on disk.
//!
//! A savepoint has SQLite copy every page that it changes, and few closures need one: those that
//! fail mostly do so before they write. So a group runs without, and only when one of its closures
//! fails half-way does all of it run again, each closure in a savepoint of its own.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::SyncSender,
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use mito_core::Clock;
use rusqlite::{config::DbConfig, hooks::Wal};
use tokio::sync::watch;

use crate::{
    Error, Tx,
    queue::{ClosesAtEnd, Entry, Next, Queue},
    sqlite::{
        checkpoint::{self, CATCH_UP_PAGES, PASSIVE_ABOVE_PAGES},
        connection::Guarded,
        errors::translate,
        file::{Lock, beside},
        space::Space,
        tx::SqliteTx,
    },
    tx::{EngineTx, State},
    work::Work,
};

/// The most closures in one transaction.
const GROUP_SIZE: usize = 256;
/// A transaction takes no more closures once it has worked this long.
const GROUP_WORK: Duration = Duration::from_millis(2);
/// A queue that has been empty this long lets the writer tidy up.
const IDLE: Duration = Duration::from_secs(2);
/// The time limit of a statement that runs alone (`exclusive`): it may build an index.
const EXCLUSIVE_STATEMENT_LIMIT: Duration = Duration::from_mins(10);
/// After the engine has ended this many transactions around one group, each closure runs alone.
const LOST_GROUPS: usize = 3;

/// How long a write on a full disk waits for readers that keep the log from starting over.
const ROOM_PATIENCE: Duration = Duration::from_millis(200);
/// If that was in vain, the next ones do not wait for this long.
const ROOM_EVERY: Duration = Duration::from_secs(1);

/// What the writer's thread owns.
pub(crate) struct Writer {
    pub(crate) guarded: Guarded,
    pub(crate) space: Space,
    /// When the log was last carried over to make room on a full disk.
    pub(crate) room_sought: Option<Instant>,
    pub(crate) path: PathBuf,
    pub(crate) name: String,
    pub(crate) clock: Clock,
    pub(crate) statement_limit: Duration,
    pub(crate) queue: Arc<Queue>,
    pub(crate) changes: watch::Sender<i64>,
    pub(crate) log_pages: Arc<AtomicU64>,
    pub(crate) checkpoints: SyncSender<()>,
    /// The length of the log at which the writer helps next.
    pub(crate) catch_up_at_pages: u64,
    /// The threads that must end before the last checkpoint.
    pub(crate) others: Vec<JoinHandle<()>>,
    pub(crate) lock: Lock,
}

/// What a closure's failure undoes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Isolation {
    /// The transaction, if the closure has written.
    None,
    /// What the closure has written.
    Savepoint,
}

/// How a closure ended.
enum Ran {
    /// Its effects are in the transaction, up to this event.
    Kept(Option<i64>),
    /// It failed and left nothing behind.
    RolledBack,
    /// It failed after it had written.
    Spoilt,
    /// SQLite rolled back the whole transaction.
    Lost,
}

/// How a transaction ended.
enum Outcome {
    Committed,
    /// Another program holds the file, or it cannot be written at all.
    NotBegun(Error),
    /// The closure at this index lost it for all.
    Lost(usize),
    /// A closure without a savepoint failed after it had written.
    Spoilt,
    CommitFailed(Error),
}

impl Writer {
    /// Works until the queue is closed and empty, then carries the log over and closes the file.
    pub(crate) fn run(mut self) {
        let _closing = ClosesAtEnd(Arc::clone(&self.queue));
        let pages = Arc::clone(&self.log_pages);
        let watched = self
            .guarded
            .connection
            .wal_hook(Some(move |_: &mut Wal, count: i32| {
                pages.store(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
                Ok(())
            }));
        if let Err(error) = watched {
            tracing::warn!(error = %error, "cannot watch the size of the write-ahead log");
        }
        loop {
            match self.queue.next(IDLE) {
                Next::Run(entry) => self.group(entry),
                Next::Idle => self.tidy(),
                Next::Closed => break,
            }
        }
        self.finish();
    }

    /// Runs `first` and what is queued behind it and may join it.
    fn group(&mut self, first: Entry) {
        if first.work.is_abandoned() {
            return;
        }
        let limit = if first.exclusive {
            EXCLUSIVE_STATEMENT_LIMIT
        } else {
            self.statement_limit
        };
        let alone = first.is_alone();
        let started = Instant::now();
        let queue = Arc::clone(&self.queue);
        let mut works = vec![first.work];
        let mut outcome = self.transaction(&mut works, limit, Isolation::None, |taken| {
            if alone || taken >= GROUP_SIZE || started.elapsed() > GROUP_WORK {
                return None;
            }
            std::iter::from_fn(|| queue.next_in_group())
                .map(|entry| entry.work)
                .find(|work| !work.is_abandoned())
        });
        if matches!(outcome, Outcome::Spoilt) {
            outcome = self.again(&mut works, limit);
        }
        let size = works.len();
        self.settle(works, outcome, limit);
        self.measure(size);
        self.catch_up();
    }

    /// Runs closures again, each so that its failure is its own.
    fn again(&mut self, works: &mut Vec<Box<dyn Work>>, limit: Duration) -> Outcome {
        self.transaction(works, limit, Isolation::Savepoint, |_| None)
    }

    /// Answers the closures of a transaction; those that did not cause its end run again.
    fn settle(&mut self, mut works: Vec<Box<dyn Work>>, mut outcome: Outcome, limit: Duration) {
        for _ in 0..LOST_GROUPS {
            match outcome {
                Outcome::Committed => return answer(works),
                Outcome::NotBegun(error) => return refuse(works, &error),
                Outcome::CommitFailed(Error::Full) if self.make_room() => {}
                Outcome::CommitFailed(error) if works.len() == 1 => return refuse(works, &error),
                Outcome::CommitFailed(_) => break,
                Outcome::Lost(index) => works.remove(index).answer(),
                Outcome::Spoilt => {}
            }
            if works.is_empty() {
                return;
            }
            outcome = self.again(&mut works, limit);
        }
        for work in works {
            let mut one = vec![work];
            let outcome = self.again(&mut one, limit);
            self.settle(one, outcome, limit);
        }
    }

    /// Runs `works`, and what `more` adds to them, in one transaction.
    fn transaction(
        &mut self,
        works: &mut Vec<Box<dyn Work>>,
        limit: Duration,
        isolation: Isolation,
        mut more: impl FnMut(usize) -> Option<Box<dyn Work>>,
    ) -> Outcome {
        if let Err(error) = self.control("BEGIN IMMEDIATE") {
            return Outcome::NotBegun(error);
        }
        let mut newest_event = None;
        let mut index = 0;
        loop {
            if index == works.len() {
                works.extend(more(index));
            }
            let Some(work) = works.get_mut(index) else {
                break;
            };
            match self.closure(work.as_mut(), limit, isolation) {
                Ran::Kept(event) => newest_event = newest_event.max(event),
                Ran::RolledBack => {}
                Ran::Spoilt => {
                    self.abandon();
                    return Outcome::Spoilt;
                }
                Ran::Lost => return Outcome::Lost(index),
            }
            index += 1;
        }
        self.commit(newest_event)
    }

    fn commit(&mut self, newest_event: Option<i64>) -> Outcome {
        let started = Instant::now();
        if let Err(error) = self.control("COMMIT") {
            self.abandon();
            return Outcome::CommitFailed(error);
        }
        metrics::histogram!("mito_database_commit_seconds", "database" => self.name.clone())
            .record(started.elapsed().as_secs_f64());
        if let Some(newest) = newest_event {
            self.changes.send_if_modified(|seen| {
                let newer = newest > *seen;
                *seen = newest.max(*seen);
                newer
            });
        }
        if let Err(error) = self.space.keep_ahead(&self.guarded.connection) {
            tracing::warn!(error = %error, database = self.name, "cannot keep room for deletes");
        }
        let pages = self.log_pages.load(Ordering::Relaxed);
        // Beyond that length the writer helps, and must not find the other thread at it.
        if (PASSIVE_ABOVE_PAGES..self.catch_up_at_pages).contains(&pages) {
            // A full channel means that one is asked for already.
            let _ = self.checkpoints.try_send(());
        }
        Outcome::Committed
    }

    /// On a full disk the log cannot get longer, but start over; whether it does.
    fn make_room(&mut self) -> bool {
        if self.log_pages.load(Ordering::Relaxed) == 0
            || self
                .room_sought
                .is_some_and(|sought| sought.elapsed() < ROOM_EVERY)
        {
            return false;
        }
        let restart =
            |writer: &Self| checkpoint::restart(&writer.guarded.connection, ROOM_PATIENCE);
        let restarted = restart(self).or_else(|_| {
            self.space.give_up_reserve();
            restart(self)
        });
        match restarted {
            Ok(true) => {
                self.log_pages.store(0, Ordering::Relaxed);
                self.room_sought = None;
                true
            }
            Ok(false) => {
                self.room_sought = Some(Instant::now());
                false
            }
            Err(error) => {
                self.room_sought = Some(Instant::now());
                tracing::warn!(error = %error, database = self.name, "checkpoint failed");
                false
            }
        }
    }

    /// The log starts over only when a write finds all of it carried over. Under steady load the
    /// checkpoint thread stays a few commits behind, so now and then the writer does the rest.
    fn catch_up(&mut self) {
        let pages = self.log_pages.load(Ordering::Relaxed);
        if pages < self.catch_up_at_pages {
            if pages < PASSIVE_ABOVE_PAGES {
                self.catch_up_at_pages = CATCH_UP_PAGES;
            }
            return;
        }
        match checkpoint::catch_up(&self.guarded.connection) {
            // The other thread is still at it: again after the next group.
            Ok(false) => {}
            Ok(true) => self.catch_up_at_pages = pages + CATCH_UP_PAGES,
            Err(error) => {
                self.catch_up_at_pages = pages + CATCH_UP_PAGES;
                tracing::warn!(error = %error, database = self.name, "checkpoint failed");
            }
        }
    }

    fn closure(&mut self, work: &mut dyn Work, limit: Duration, isolation: Isolation) -> Ran {
        let is_isolated = isolation == Isolation::Savepoint;
        if is_isolated && let Err(error) = self.control("SAVEPOINT closure") {
            work.refuse(error);
            self.abandon();
            return Ran::Lost;
        }
        let pages = self.space.watched_pages(&self.guarded.connection);
        let engine = SqliteTx::new(&self.guarded, &self.path, limit);
        let mut tx = Tx::new(EngineTx::Sqlite(engine), self.clock.now_ms());
        let mut kept = work.run(&mut tx);
        let frees_space = tx.is_freeing_space();
        let lost = tx.state() != State::Whole;
        let newest_event = tx.newest_event();
        let has_written = tx.has_written();
        drop(tx);
        if lost {
            // A closure that saw the error has its answer; one that went on must not believe it.
            if kept {
                work.refuse(Error::Engine("the engine ended the transaction".to_owned()));
            }
            self.abandon();
            return Ran::Lost;
        }
        if kept && !frees_space && self.space.is_overdrawn(&self.guarded.connection, pages) {
            work.refuse(Error::Full);
            kept = false;
        }
        let ended = if !is_isolated {
            if !kept && has_written {
                return Ran::Spoilt;
            }
            Ok(())
        } else if kept {
            self.control("RELEASE closure")
        } else {
            self.control("ROLLBACK TO closure")
                .and_then(|()| self.control("RELEASE closure"))
        };
        match ended {
            Ok(()) if kept => Ran::Kept(newest_event),
            Ok(()) => Ran::RolledBack,
            Err(error) => {
                work.refuse(error);
                self.abandon();
                Ran::Lost
            }
        }
    }

    /// Ends what is left of a transaction that cannot be committed.
    fn abandon(&self) {
        if self.guarded.connection.is_autocommit() {
            return;
        }
        if let Err(error) = self.control("ROLLBACK") {
            tracing::error!(error = %error, database = self.name, "cannot roll back");
        }
    }

    /// Begins or ends a transaction or a savepoint. Such statements are not cached: a closure with
    /// the same words would get them without having been asked what it may do.
    fn control(&self, sql: &str) -> Result<(), Error> {
        self.guarded
            .connection
            .prepare(sql)
            .and_then(|mut statement| statement.raw_execute())
            .map(|_| ())
            .map_err(|error| translate(&error, sql, &self.path))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "queue lengths are far below 2^52"
    )]
    fn measure(&self, group_size: usize) {
        let name = || self.name.clone();
        metrics::histogram!("mito_database_write_batch_size", "database" => name())
            .record(group_size as f64);
        metrics::gauge!("mito_database_write_queue", "database" => name())
            .set(self.queue.len() as f64);
    }

    /// Carries the log over while nobody waits.
    fn tidy(&self) {
        if self.log_pages.load(Ordering::Relaxed) == 0 {
            return;
        }
        match checkpoint::tidy(&self.guarded.connection, &beside(&self.path, "-wal")) {
            Ok(true) => {
                self.log_pages.store(0, Ordering::Relaxed);
                self.space.keep_log();
            }
            // A long reader still needs the log; the next idle moment tries again.
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(error = %error, database = self.name, "checkpoint failed");
            }
        }
    }

    fn finish(self) {
        let Self {
            guarded,
            space,
            name,
            checkpoints,
            others,
            lock,
            ..
        } = self;
        drop(checkpoints);
        for thread in others {
            if thread.join().is_err() {
                tracing::error!(database = name, "a database thread panicked");
            }
        }
        let connection = guarded.connection;
        let closed = connection
            .execute_batch("PRAGMA optimize")
            .and_then(|()| {
                connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
            })
            .and_then(|_| checkpoint::truncate(&connection));
        let closed = closed.and_then(|_| connection.close().map_err(|(_, error)| error));
        if let Err(error) = closed {
            tracing::warn!(error = %error, database = name, "the log stays until the next start");
        }
        drop(space);
        drop(lock);
    }
}

fn answer(works: Vec<Box<dyn Work>>) {
    for work in works {
        work.answer();
    }
}

fn refuse(works: Vec<Box<dyn Work>>, error: &Error) {
    for mut work in works {
        work.refuse(error.again());
        work.answer();
    }
}
