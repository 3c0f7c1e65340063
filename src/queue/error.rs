//! What can go wrong with a job.

/// What can go wrong with a job.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] mito_database::Error),
    /// The payload cannot be written or read.
    #[error("the payload of a {kind} job is invalid: {reason}")]
    Payload {
        /// The kind.
        kind: String,
        /// What serde said.
        reason: String,
    },
    /// Another worker holds the job now.
    #[error("the lease of job {0} was lost")]
    LeaseLost(String),
    /// There is no such job.
    #[error("there is no job {0}")]
    NotFound(String),
    /// There is no such schedule, queue or worker role.
    #[error("there is no {what} called {name:?}")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// The job's state does not allow it.
    #[error("job {id} is {state}")]
    State {
        /// The job.
        id: String,
        /// Its state.
        state: String,
    },
    /// What was asked for is out of bounds or makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The code that applies an event panicked.
    #[error("it {0}")]
    Panicked(String),
}
