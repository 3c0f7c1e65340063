//! The threads that read: each owns a connection that cannot write. Closures that wait together see
//! one snapshot, taken after the last of them came, and are answered together.
//!
//! Most readers give a statement a short time. A closure that needs longer begins anew at a reader
//! for long ones, so that nobody's long question holds up everybody's short ones.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use mito_core::Clock;

use crate::{
    Error, Lane, Tx,
    queue::{ClosesAtEnd, Entry, Next, Queue},
    sqlite::{connection::Guarded, errors::translate, tx::SqliteTx},
    tx::EngineTx,
    work::Work,
};

/// A reader has nothing to tidy up, so it just looks again after this long.
const IDLE: Duration = Duration::from_mins(10);
/// The most closures that are answered together.
const GROUP: usize = 8;
/// How long closures may run before those that are done are answered.
const GROUP_TIME: Duration = Duration::from_micros(300);

/// What a reader's thread owns.
pub(crate) struct Reader {
    pub(crate) guarded: Guarded,
    pub(crate) path: PathBuf,
    pub(crate) clock: Clock,
    pub(crate) statement_limit: Duration,
    pub(crate) queue: Arc<Queue>,
    /// Takes the closures that need longer; those of its own readers stay.
    pub(crate) longer: Option<Arc<Queue>>,
}

impl Reader {
    /// Works until the queue is closed and empty.
    pub(crate) fn run(self) {
        let _closing = ClosesAtEnd(Arc::clone(&self.queue));
        let _closing_longer = self.longer.clone().map(ClosesAtEnd);
        loop {
            match self.queue.next(IDLE) {
                Next::Run(entry) => self.read(entry),
                Next::Idle => {}
                Next::Closed => return,
            }
        }
    }

    fn read(&self, first: Entry) {
        let mut done = Vec::with_capacity(GROUP);
        if let Err(error) = self.control("BEGIN") {
            let mut work = first.work;
            work.refuse(error);
            work.answer();
            return;
        }
        let started = Instant::now();
        let mut next = Some(first);
        while let Some(entry) = next {
            if !entry.work.is_abandoned() {
                done.extend(self.run_one(entry.work));
            }
            let goes_on = done.len() < GROUP
                && self.longer.is_some()
                && started.elapsed() < GROUP_TIME
                && !self.guarded.connection.is_autocommit();
            next = goes_on.then(|| self.queue.next_in_group()).flatten();
        }
        self.end();
        for work in done {
            work.answer();
        }
    }

    /// Runs a closure; gives it back unless it has been handed on.
    fn run_one(&self, mut work: Box<dyn Work>) -> Option<Box<dyn Work>> {
        let engine = SqliteTx::new(&self.guarded, &self.path, self.statement_limit);
        let mut tx = Tx::new(EngineTx::Sqlite(engine), self.clock.now_ms());
        work.run(&mut tx);
        let took_too_long = tx.was_stopped();
        drop(tx);
        let Some(longer) = self.longer.as_ref().filter(|_| took_too_long) else {
            return Some(work);
        };
        match longer.offer(Lane::Normal, work) {
            Ok(()) => None,
            Err(mut work) => {
                work.refuse(Error::Busy);
                Some(work)
            }
        }
    }

    /// A snapshot that stayed open would pin the write-ahead log.
    fn end(&self) {
        if self.guarded.connection.is_autocommit() {
            return;
        }
        if let Err(error) = self.control("ROLLBACK") {
            tracing::error!(error = %error, "cannot end a read");
        }
    }

    fn control(&self, sql: &str) -> Result<(), Error> {
        self.guarded
            .connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.raw_execute())
            .map(|_| ())
            .map_err(|error| translate(&error, sql, &self.path))
    }
}
