//! Threads that read: a read-only transaction with one snapshot for each closure.

use std::{sync::Arc, time::Duration};

use mito_core::Clock;

use crate::{
    Error, Tx,
    postgres::{
        connection::Connection,
        errors::{is_session_end, translate},
        tx::PostgresTx,
    },
    queue::{ClosesAtEnd, Next, Queue},
    tx::{EngineTx, State},
    work::Work,
};

/// Nothing to tidy up, so the thread just looks again after this long.
const IDLE: Duration = Duration::from_mins(10);
/// A read meets an old plan or a lost connection at most this often.
const ATTEMPTS: u32 = 3;

/// What a reader's thread owns.
pub(crate) struct Reader {
    pub(crate) connection: Connection,
    pub(crate) clock: Clock,
    pub(crate) queue: Arc<Queue>,
}

impl Reader {
    /// Works until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        let _closing = ClosesAtEnd(Arc::clone(&self.queue));
        loop {
            match self.queue.next(IDLE) {
                Next::Run(entry) if entry.work.is_abandoned() => {}
                Next::Run(entry) => self.read(entry.work),
                Next::Idle => {}
                Next::Closed => return,
            }
        }
    }

    fn read(&mut self, mut work: Box<dyn Work>) {
        for _ in 0..ATTEMPTS {
            match self.attempt(work.as_mut()) {
                Ok(State::RunAgain) => {}
                Ok(State::Whole | State::Broken) => return work.answer(),
                Err(error) => {
                    work.refuse(error);
                    return work.answer();
                }
            }
        }
        work.answer();
    }

    fn attempt(&mut self, work: &mut dyn Work) -> Result<State, Error> {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        self.connection.client()?;
        if let Err(error) = self.connection.run(begin) {
            // The server may have ended the idle connection; the next attempt opens another.
            if is_session_end(&error) {
                self.connection.reset();
                return Ok(State::RunAgain);
            }
            return Err(translate(&error, begin));
        }
        let engine = PostgresTx::new(&mut self.connection, false);
        let mut tx = Tx::new(EngineTx::Postgres(engine), self.clock.now_ms());
        work.run(&mut tx);
        let state = tx.state();
        drop(tx);
        if self.connection.run("ROLLBACK").is_err() {
            self.connection.reset();
        }
        Ok(state)
    }
}
