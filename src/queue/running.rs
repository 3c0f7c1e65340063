//! A claimed job in the hands of its handler.

use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mito_core::Shutdown;
use mito_database::{Lane, Tx};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Error, Job, Queue,
    flow::Child,
    layers::Call,
    progress::Progress,
    store::{
        self, Lease,
        follow::Follow,
        steps::{Kept, MAX_STEPS},
    },
};

/// How often a completion is tried when the database is busy or full, and the first pause, which
/// doubles. The work is done; only writing it down failed.
const COMPLETE_TRIES: u32 = 6;
const COMPLETE_PAUSE: Duration = Duration::from_millis(100);

/// The largest result of a job or a step, in bytes of JSON.
pub const MAX_RESULT_BYTES: usize = 256 * 1024;
/// The largest progress, in bytes of JSON.
pub const MAX_PROGRESS_BYTES: usize = 4 * 1024;
/// The longest name of a step, in bytes.
pub const MAX_STEP_NAME_BYTES: usize = 200;

/// A job that this process holds the lease of. The lease is renewed while the handler runs.
pub struct Running<J> {
    /// The job's id.
    pub id: String,
    /// The payload.
    pub payload: J,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// How many attempts there may be.
    pub max_attempts: u32,
    /// The request that caused the job.
    pub request_id: Option<String>,
    queue: Queue,
    lease: Lease,
    stop: Shutdown,
    progress: Arc<Progress>,
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

/// The proof that a job has been completed; only [`Running::complete`] and
/// [`Running::complete_with`] make one.
#[derive(Debug)]
pub struct Completed(pub(crate) ());

/// Why an attempt failed, and what is to be done about it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Try again after the back-off, while attempts are left.
    #[error("{0}")]
    Retry(String),
    /// Do not try again.
    #[error("{0}")]
    Discard(String),
    /// Try again after this long instead of the back-off, while attempts are left: what a server
    /// asked for.
    #[error("{reason}")]
    RetryAfter {
        /// Why the attempt failed.
        reason: String,
        /// How long to wait.
        wait: Duration,
    },
    /// It is too early. Try again after this long; no attempt is spent.
    #[error("{reason}")]
    Snooze {
        /// What it waits for.
        reason: String,
        /// How long to wait.
        wait: Duration,
    },
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
    pub(crate) fn new(call: Call, payload: J) -> Self {
        Self {
            id: call.claimed.lease.id.clone(),
            payload,
            attempt: call.claimed.attempt,
            max_attempts: call.claimed.max_attempts,
            request_id: call.claimed.request_id,
            queue: call.queue,
            lease: call.claimed.lease,
            stop: call.stop,
            progress: call.progress,
        }
    }

    /// Given when the job was cancelled, its lease was lost or the process ends. The handler's
    /// future is dropped at its next await; work on other threads has this to look at.
    pub fn stop(&self) -> &Shutdown {
        &self.stop
    }

    /// Commits what `work` writes together with the job's completion, so that the effect happens
    /// exactly once however often the process dies. If the lease was lost meanwhile, nothing is
    /// written and the answer is [`Error::LeaseLost`].
    pub async fn complete<E, F>(self, work: F) -> Result<Completed, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<(), E> + Send + 'static,
        E: From<Error> + From<mito_database::Error> + Send + 'static,
    {
        self.end(None, work).await
    }

    /// [`Running::complete`], and keeps `result` with the job: [`Queue::finished`] and a parent
    /// read it. At most [`MAX_RESULT_BYTES`] of JSON.
    pub async fn complete_with<R, E, F>(self, result: &R, work: F) -> Result<Completed, E>
    where
        R: Serialize,
        F: Fn(&mut Tx<'_>) -> Result<(), E> + Send + 'static,
        E: From<Error> + From<mito_database::Error> + Send + 'static,
    {
        let result = bounded("a result", result, MAX_RESULT_BYTES)?;
        self.end(Some(result), work).await
    }

    async fn end<E, F>(self, result: Option<String>, work: F) -> Result<Completed, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<(), E> + Send + 'static,
        E: From<Error> + From<mito_database::Error> + Send + 'static,
    {
        // The lock is for the type system alone: one writer runs the closure.
        let work = Arc::new(Mutex::new(work));
        let progress = self.progress.latest();
        let mut pause = COMPLETE_PAUSE;
        for attempt in 1.. {
            let (work, lease) = (Arc::clone(&work), self.lease.clone());
            let (result, progress) = (result.clone(), progress.clone());
            let queue = self.queue.clone();
            let written = self.queue.database().write_in(Lane::Urgent, move |tx| {
                let (result, progress) = (result.as_deref(), progress.as_deref());
                let Some(follow) = store::finish::complete(tx, &lease, result, progress)? else {
                    let lost = Error::LeaseLost(lease.id.clone());
                    return Err(CompleteError::Work(E::from(lost)));
                };
                queue.ring(&follow);
                let work = work.lock().unwrap_or_else(PoisonError::into_inner);
                work(tx).map_err(CompleteError::Work)?;
                Ok::<Follow, CompleteError<E>>(follow)
            });
            match written.await {
                Ok(follow) => {
                    self.queue.tell(&follow);
                    break;
                }
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

    /// Appends a line to the job's log (kept with the job, at most 1,000 lines of 4 KiB). A holder
    /// whose lease is gone writes nothing.
    pub async fn log(&self, line: &str) {
        let (lease, line) = (self.lease.clone(), line.to_owned());
        let written: Result<bool, mito_database::Error> = self
            .queue
            .database()
            .write(move |tx| store::log::append_held(tx, &lease, &line))
            .await;
        match written {
            Ok(true) => {}
            Ok(false) => tracing::debug!(job.id = self.id, "a line came after its lease"),
            Err(error) => {
                tracing::warn!(%error, job.id = self.id, "a line of a job's log was lost");
            }
        }
    }

    /// Says how far the job is: a number from 0 to 100, or anything of at most
    /// [`MAX_PROGRESS_BYTES`] of JSON. Cheap to call in a loop: the last word is written, about
    /// once a second, and with the completion.
    pub fn progress<P: Serialize>(&self, progress: &P) -> Result<(), Error> {
        let text = bounded("the progress", progress, MAX_PROGRESS_BYTES)?;
        self.progress.say(text);
        Ok(())
    }

    /// Runs `work` once in the life of the job: its result is kept, and a further attempt gets the
    /// kept one without running it. A process that dies between the work and the commit of its
    /// result runs it again. Names are the caller's and distinct within the job; at most 1,000
    /// steps with results of at most [`MAX_RESULT_BYTES`] of JSON.
    pub async fn step<R, F>(
        &self,
        name: &str,
        work: impl FnOnce() -> F + Send,
    ) -> Result<R, Failure>
    where
        R: Serialize + DeserializeOwned,
        F: Future<Output = Result<R, Failure>> + Send,
    {
        if name.len() > MAX_STEP_NAME_BYTES {
            let reason = format!("the name of a step has {} bytes", name.len());
            return Err(Failure::Discard(reason));
        }
        let (job, step) = (self.id.clone(), name.to_owned());
        let kept = self.queue.database();
        let kept = kept.read(move |tx| store::steps::find(tx, &job, &step));
        let kept: Result<_, mito_database::Error> = kept.await;
        if let Some(kept) = kept? {
            return serde_json::from_str(&kept).map_err(|error| {
                Failure::Discard(format!(
                    "the kept result of step {name:?} is unreadable: {error}"
                ))
            });
        }
        let result = work().await?;
        let text = bounded("the result of a step", &result, MAX_RESULT_BYTES)
            .map_err(|error| Failure::Discard(error.to_string()))?;
        let (lease, step) = (self.lease.clone(), name.to_owned());
        let keep = move |tx: &mut Tx<'_>| store::steps::keep(tx, &lease, &step, &text);
        match self.queue.write(keep).await? {
            Kept::Yes => Ok(result),
            Kept::LeaseLost => Err(Error::LeaseLost(self.id.clone()).into()),
            Kept::TooMany => {
                let reason = format!("a job has at most {MAX_STEPS} steps");
                Err(Failure::Discard(reason))
            }
        }
    }

    /// The jobs that this one has waited for, with what they gave back; at most 500.
    pub async fn children(&self) -> Result<Vec<Child>, Error> {
        let id = self.id.clone();
        let children = self.queue.database();
        let children = children.read(move |tx| store::flow::children(tx, &id));
        let children: Result<_, mito_database::Error> = children.await;
        Ok(children?)
    }
}

/// Whether the same write may succeed in a moment.
pub(crate) fn passes(error: &mito_database::Error) -> bool {
    use mito_database::Error;
    matches!(error, Error::Busy | Error::TimedOut | Error::Full)
}

/// JSON of at most `limit` bytes.
fn bounded<T: Serialize>(what: &str, value: &T, limit: usize) -> Result<String, Error> {
    let text = serde_json::to_string(value)
        .map_err(|error| Error::Invalid(format!("{what} cannot be written: {error}")))?;
    if text.len() > limit {
        let size = text.len();
        return Err(Error::Invalid(format!(
            "{what} has {size} bytes, allowed are {limit}"
        )));
    }
    Ok(text)
}
