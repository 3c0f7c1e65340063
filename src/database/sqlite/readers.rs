//! The threads that read: each owns a connection that cannot write. Closures that wait together see
//! one snapshot, taken after the last of them came, and are answered together.
//!
//! Most readers give a statement a short time. A closure that needs longer begins anew at a reader
//! for long ones, so that nobody's long questions keep everybody's short ones waiting for longer
//! than that time.

use std::{
    collections::VecDeque,
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
    /// How many readers share the queue.
    pub(crate) readers: usize,
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

    /// Runs closures that all came before the first snapshot is taken: whoever has been told of a
    /// commit sees it in what they ask for next.
    fn read(&self, first: Entry) {
        let mut waiting = VecDeque::from([first]);
        // The other readers get their share of what waits.
        let share = (self.queue.len() / self.readers).min(GROUP - 1);
        waiting.extend((0..share).map_while(|_| self.queue.next_in_group()));
        while !waiting.is_empty() {
            self.read_together(&mut waiting);
        }
    }

    /// Runs closures in one snapshot until their time is over, and answers them.
    fn read_together(&self, waiting: &mut VecDeque<Entry>) {
        let mut done = Vec::with_capacity(waiting.len());
        let begun = self.control("BEGIN");
        let started = Instant::now();
        while let Some(Entry { mut work, .. }) = waiting.pop_front() {
            if let Err(error) = &begun {
                work.refuse(error.again());
                done.push(work);
                continue;
            }
            if !work.is_abandoned() {
                done.extend(self.run_one(work));
            }
            if started.elapsed() >= GROUP_TIME || self.guarded.connection.is_autocommit() {
                break;
            }
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
