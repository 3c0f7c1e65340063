//! A claimed job in the hands of its handler.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mito_database::{Lane, Tx};

use crate::{
    Error, Job, Queue,
    store::{self, Lease, claim::Claimed},
};

/// How often a completion is tried when the database is busy or full, and the first pause, which
/// doubles. The work is done; only writing it down failed.
const COMPLETE_TRIES: u32 = 6;
const COMPLETE_PAUSE: Duration = Duration::from_millis(100);

/// A job that this process holds the lease of. The lease is renewed while the handler runs.
pub struct Running<J> {
    /// The job's id.
    pub id: String,
    /// The payload.
    pub payload: J,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The request that caused the job.
    pub request_id: Option<String>,
    queue: Queue,
    lease: Lease,
}

impl<J: fmt::Debug> fmt::Debug for Running<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("id", &self.id)
            .field("payload", &self.payload)
            .field("attempt", &self.attempt)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

/// The proof that a job has been completed; only [`Running::complete`] makes one.
#[derive(Debug)]
pub struct Completed(pub(crate) ());

/// Why an attempt failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Try again after the back-off, while attempts are left.
    #[error("{0}")]
    Retry(String),
    /// Do not try again.
    #[error("{0}")]
    Discard(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Retry(error.to_string())
    }
}

impl From<mito_database::Error> for Failure {
    fn from(error: mito_database::Error) -> Self {
        Self::Retry(error.to_string())
    }
}

/// Tells the engine's failures, which may pass, from those of the work.
enum CompleteError<E> {
    Engine(mito_database::Error),
    Work(E),
}

impl<E> From<mito_database::Error> for CompleteError<E> {
    fn from(error: mito_database::Error) -> Self {
        Self::Engine(error)
    }
}

impl<J: Job> Running<J> {
    pub(crate) fn new(queue: Queue, claimed: &Claimed, payload: J) -> Self {
        Self {
            id: claimed.lease.id.clone(),
            payload,
            attempt: claimed.attempt,
            request_id: claimed.request_id.clone(),
            queue,
            lease: claimed.lease.clone(),
        }
    }

    /// Commits what `work` writes together with the job's completion, so that the effect happens
    /// exactly once however often the process dies. If the lease was lost meanwhile, nothing is
    /// written and the answer is [`Error::LeaseLost`].
    pub async fn complete<E, F>(self, work: F) -> Result<Completed, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<(), E> + Send + 'static,
        E: From<Error> + From<mito_database::Error> + Send + 'static,
    {
        // The lock is for the type system alone: one writer runs the closure.
        let work = Arc::new(Mutex::new(work));
        let mut pause = COMPLETE_PAUSE;
        for attempt in 1.. {
            let (work, lease) = (Arc::clone(&work), self.lease.clone());
            let written = self.queue.database().write_in(Lane::Urgent, move |tx| {
                if !store::finish::complete(tx, &lease)? {
                    let lost = Error::LeaseLost(lease.id.clone());
                    return Err(CompleteError::Work(E::from(lost)));
                }
                let work = work.lock().unwrap_or_else(PoisonError::into_inner);
                work(tx).map_err(CompleteError::Work)
            });
            match written.await {
                Ok(()) => break,
                Err(CompleteError::Work(error)) => return Err(error),
                Err(CompleteError::Engine(error)) if attempt < COMPLETE_TRIES && passes(&error) => {
                    tracing::warn!(%error, job.id = self.id, "a completion has to wait");
                    self.queue.clock().sleep(pause).await;
                    pause *= 2;
                }
                Err(CompleteError::Engine(error)) => return Err(E::from(error)),
            }
        }
        Ok(Completed(()))
    }

    /// Appends a line to the job's log (kept with the job, at most 1,000 lines of 4 KiB).
    pub async fn log(&self, line: &str) {
        let (job, line) = (self.id.clone(), line.to_owned());
        let written: Result<(), mito_database::Error> = self
            .queue
            .database()
            .write(move |tx| store::log::append(tx, &job, &line))
            .await;
        if let Err(error) = written {
            tracing::warn!(%error, job.id = self.id, "a line of a job's log was lost");
        }
    }
}

/// Whether the same write may succeed in a moment.
pub(crate) fn passes(error: &mito_database::Error) -> bool {
    use mito_database::Error;
    matches!(error, Error::Busy | Error::TimedOut | Error::Full)
}
