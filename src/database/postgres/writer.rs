//! Threads that write: a transaction for each closure, run again when it met another one.
//!
//! Unlike SQLite there are several, and no group commit: the server has its own.

use std::{
    sync::{Arc, PoisonError, RwLock},
    thread,
    time::Duration,
};

use mito_core::{Clock, Random};

use crate::{
    Error, Tx,
    postgres::{
        connection::Connection,
        errors::{is_conflict, is_session_end, translate},
        tx::PostgresTx,
    },
    queue::{ClosesAtEnd, Entry, Next, Queue},
    tx::{EngineTx, State},
    work::Work,
};

/// Nothing to tidy up, so the thread just looks again after this long.
const IDLE: Duration = Duration::from_mins(10);
/// How often a transaction is tried.
const ATTEMPTS: u32 = 64;
/// After this many conflicts the closure has the process's writers to itself.
const ATTEMPTS_BESIDE_OTHERS: u32 = 3;
/// The longest wait between two attempts, in milliseconds.
const LONGEST_WAIT_MS: u64 = 200;
/// Announces a commit to the processes that listen.
pub(crate) const CHANNEL: &str = "mito_outbox";

/// What a writer's thread owns.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) clock: Clock,
    pub(crate) queue: Arc<Queue>,
    /// Shared by closures that run beside each other, exclusive for one that must be alone.
    pub(crate) turn: Arc<RwLock<()>>,
}

/// How an attempt ended.
enum Attempt {
    Done,
    RunAgain,
}

impl Writer {
    /// Works until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        let _closing = ClosesAtEnd(Arc::clone(&self.queue));
        loop {
            match self.queue.next(IDLE) {
                Next::Run(entry) if entry.work.is_abandoned() => {}
                Next::Run(entry) => self.write(entry),
                Next::Idle => {}
                Next::Closed => return,
            }
        }
    }

    fn write(&mut self, entry: Entry) {
        let Entry {
            mut work,
            exclusive,
            ..
        } = entry;
        for attempt in 0..ATTEMPTS {
            let turn = Arc::clone(&self.turn);
            let (mut beside, mut alone) = (None, None);
            if exclusive || attempt >= ATTEMPTS_BESIDE_OTHERS {
                alone = Some(turn.write().unwrap_or_else(PoisonError::into_inner));
            } else {
                beside = Some(turn.read().unwrap_or_else(PoisonError::into_inner));
            }
            let outcome = self.attempt(work.as_mut(), exclusive);
            drop((beside.take(), alone.take()));
            match outcome {
                Ok(Attempt::Done) => return work.answer(),
                Ok(Attempt::RunAgain) => wait(attempt),
                Err(error) => {
                    work.refuse(error);
                    return work.answer();
                }
            }
        }
        work.refuse(Error::Busy);
        work.answer();
    }

    fn attempt(&mut self, work: &mut dyn Work, exclusive: bool) -> Result<Attempt, Error> {
        self.connection.client()?;
        let begin = if exclusive {
            "BEGIN ISOLATION LEVEL SERIALIZABLE; SET LOCAL statement_timeout = '10min'"
        } else {
            "BEGIN ISOLATION LEVEL SERIALIZABLE"
        };
        if let Err(error) = self.connection.run(begin) {
            // The server may have ended the idle connection; the next attempt opens another.
            if is_session_end(&error) {
                self.connection.reset();
                return Ok(Attempt::RunAgain);
            }
            return Err(translate(&error, begin));
        }
        let engine = PostgresTx::new(&mut self.connection, true);
        let mut tx = Tx::new(EngineTx::Postgres(engine), self.clock.now_ms());
        let kept = work.run(&mut tx);
        let newest_event = tx.newest_event();
        let state = tx.state();
        drop(tx);
        match state {
            State::RunAgain => {
                self.roll_back();
                Ok(Attempt::RunAgain)
            }
            State::Broken if kept => {
                self.roll_back();
                Err(Error::Engine("the engine ended the transaction".to_owned()))
            }
            State::Whole if kept => self.commit(newest_event),
            State::Whole | State::Broken => {
                self.roll_back();
                Ok(Attempt::Done)
            }
        }
    }

    fn commit(&mut self, newest_event: Option<i64>) -> Result<Attempt, Error> {
        let commit = match newest_event {
            // One notice a transaction, delivered by the server with the commit. The channel is
            // the database's; listeners look at the sequence of their own schema.
            Some(newest) => format!("SELECT pg_notify('{CHANNEL}', '{newest}'); COMMIT"),
            None => "COMMIT".to_owned(),
        };
        let Err(error) = self.connection.run(&commit) else {
            return Ok(Attempt::Done);
        };
        self.roll_back();
        if is_conflict(&error) {
            return Ok(Attempt::RunAgain);
        }
        Err(translate(&error, "COMMIT"))
    }

    fn roll_back(&mut self) {
        if self.connection.run("ROLLBACK").is_err() {
            self.connection.reset();
        }
    }
}

/// Waits a random part of a time that doubles with each attempt.
fn wait(attempt: u32) {
    let longest_ms = (1_u64 << attempt.min(10)).min(LONGEST_WAIT_MS);
    let draw = u64::from(u16::from_le_bytes(Random::system().bytes::<2>()));
    thread::park_timeout(Duration::from_micros(longest_ms * 1_000 * draw / 65_536));
}
