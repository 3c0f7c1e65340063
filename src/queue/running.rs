//! A claimed job in the hands of its handler.

use mito_database::Tx;

use crate::{Error, Job};

/// A job that this process holds the lease of. The lease is renewed while the handler runs.
#[derive(Debug)]
pub struct Running<J> {
    /// The job's id.
    pub id: String,
    /// The payload.
    pub payload: J,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The request that caused the job.
    pub request_id: Option<String>,
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

impl<J: Job> Running<J> {
    /// Commits what `work` writes together with the job's completion, so that the effect happens
    /// exactly once however often the process dies. If the lease was lost meanwhile, nothing is
    /// written and the answer is [`Error::LeaseLost`].
    pub async fn complete<E, F>(self, work: F) -> Result<Completed, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<(), E> + Send + 'static,
        E: From<Error> + From<mito_database::Error> + Send + 'static,
    {
        let _ = work;
        todo!("queue helper")
    }

    /// Appends a line to the job's log (kept with the job, at most 1,000 lines of 4 KiB).
    pub async fn log(&self, line: &str) {
        let _ = line;
        todo!("queue helper")
    }
}
