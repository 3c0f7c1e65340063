//! The threads that read: each owns a connection that cannot write and gives every closure a
//! snapshot of its own, beside the writer.

use std::{path::PathBuf, sync::Arc, time::Duration};

use mito_core::Clock;

use crate::{
    Error, Tx,
    queue::{ClosesAtEnd, Next, Queue},
    sqlite::{connection::Guarded, errors::translate, tx::SqliteTx},
    tx::EngineTx,
    work::Work,
};

/// A reader has nothing to tidy up, so it just looks again after this long.
const IDLE: Duration = Duration::from_mins(10);

/// What a reader's thread owns.
pub(crate) struct Reader {
    pub(crate) guarded: Guarded,
    pub(crate) path: PathBuf,
    pub(crate) clock: Clock,
    pub(crate) statement_limit: Duration,
    pub(crate) queue: Arc<Queue>,
}

impl Reader {
    /// Works until the queue is closed and empty.
    pub(crate) fn run(self) {
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

    fn read(&self, mut work: Box<dyn Work>) {
        match self.control("BEGIN") {
            Ok(()) => {
                let engine = SqliteTx::new(&self.guarded, &self.path, self.statement_limit);
                let mut tx = Tx::new(EngineTx::Sqlite(engine), self.clock.now_ms());
                work.run(&mut tx);
                drop(tx);
                self.end();
            }
            Err(error) => work.refuse(error),
        }
        work.answer();
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
