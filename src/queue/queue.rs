//! The queue's handle.

use std::{
    collections::HashMap,
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use mito_core::{Clock, Random, Shutdown};
use mito_database::{Database, Lane, Tx};
use mito_network::Task;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Completed, Enqueue, Failure, Job, JobState, Policy, Running,
    handlers::{Handler, Handlers},
    keeper,
    panel::types::{JobDetail, JobSummary, QueueSummary},
    store::{
        Lease,
        enqueue::{self, Inserted, NewJob},
        finish::{self, Changed},
        view::{self, Filter},
    },
    wake::Bells,
    worker::Worker,
};

/// The largest payload, in bytes of JSON. What is larger belongs into an object.
pub const MAX_PAYLOAD_BYTES: usize = 1024 * 1024;
/// The longest unique key, in bytes.
pub const MAX_UNIQUE_KEY_BYTES: usize = 512;

/// `[queue]`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long a claimed job stays with its worker without renewal, in milliseconds.
    pub lease_ms: u64,
    /// How long completed jobs are kept, in hours.
    pub keep_completed_hours: u64,
    /// How long discarded and cancelled jobs are kept, in hours.
    pub keep_discarded_hours: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            lease_ms: 30_000,
            keep_completed_hours: 7 * 24,
            keep_discarded_hours: 30 * 24,
        }
    }
}

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
    /// The job's state does not allow it.
    #[error("job {id} is {state}")]
    State {
        /// The job.
        id: String,
        /// Its state.
        state: String,
    },
    /// The code that applies an event panicked.
    #[error("it {0}")]
    Panicked(String),
}

/// The queue. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Queue(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    database: Database,
    clock: Clock,
    random: Random,
    config: Config,
    /// Drawn by this process; leases with another one belong to a process that has ended.
    boot: String,
    sequence: AtomicI64,
    handlers: Handlers,
    bells: Bells,
    /// The attempts that run in this process, by job.
    running: Mutex<HashMap<String, Attempt>>,
}

/// An attempt that can be stopped.
#[derive(Debug)]
struct Attempt {
    token: String,
    stop: Shutdown,
}

impl Queue {
    /// A queue over the tables of `database`.
    pub fn new(database: Database, clock: Clock, random: Random, config: Config) -> Self {
        let boot = random.id(BOOT_CHARACTERS);
        Self(Arc::new(Inner {
            database,
            clock,
            random,
            config,
            boot,
            sequence: AtomicI64::new(0),
            handlers: Handlers::default(),
            bells: Bells::new(),
            running: Mutex::new(HashMap::new()),
        }))
    }

    /// Enqueues inside a transaction; the job exists when it commits. Returns its id, or the id of
    /// the job that already has the unique key.
    pub fn enqueue<J: Job>(
        &self,
        tx: &mut Tx<'_>,
        payload: &J,
        options: &Enqueue,
    ) -> Result<String, Error> {
        let payload = written(payload, options)?;
        let now_ms = tx.now_ms();
        let job = NewJob {
            id: &self.0.random.uuid(now_ms).to_string(),
            sequence: self.next_sequence(now_ms),
            queue: J::QUEUE,
            kind: J::KIND,
            priority: options.priority,
            payload: &payload,
            sensitive: J::SENSITIVE,
            unique_key: options.unique_key.as_deref(),
            request_id: options.request_id.as_deref(),
            due_ms: options.at_ms.unwrap_or(now_ms),
        };
        match enqueue::insert(tx, &job)? {
            Inserted::New(JobState::Scheduled) => self.0.bells.ring_at(job.due_ms),
            Inserted::New(_) => self.0.bells.ring(J::QUEUE),
            Inserted::Existing(id) => return Ok(id),
        }
        Ok(job.id.to_owned())
    }

    /// Registers the handler of a kind. Called while the process is put together, before workers
    /// start.
    pub fn handle<J, F, R>(&self, policy: Policy, handler: F)
    where
        J: Job,
        F: Fn(Running<J>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Completed, Failure>> + Send + 'static,
    {
        self.0.handlers.add(Handler::new(policy, handler));
    }

    /// The worker task of the queue called `queue`, running up to `concurrency` jobs at once. It
    /// wakes when a commit enqueues, returns its leases at shutdown, and takes over the leases
    /// that a killed process left behind.
    pub fn worker(&self, queue: &'static str, concurrency: usize) -> Task {
        let this = self.clone();
        Task::new("worker", move |shutdown| {
            let worker = Worker::new(this.clone(), queue, concurrency);
            async move { Ok(worker.run(shutdown).await?) }
        })
    }

    /// The task that promotes delayed jobs, rescues expired leases and deletes old rows.
    pub fn keeper(&self) -> Task {
        let this = self.clone();
        Task::new("keeper", move |shutdown| {
            let queue = this.clone();
            async move {
                keeper::run(&queue, shutdown).await;
                Ok(())
            }
        })
    }

    /// Stops a job that has not ended; the handler of one that runs is dropped, and what it has
    /// not committed does not happen.
    pub async fn cancel(&self, id: &str) -> Result<(), Error> {
        let job = id.to_owned();
        let changed = self.write(move |tx| finish::cancel(tx, &job)).await?;
        let (queue, kind) = after_change(id, changed)?;
        if let Some(attempt) = self.running().get(id) {
            attempt.stop.begin();
        }
        tracing::info!(job.id = id, queue, kind, "a job was cancelled");
        let labels = [
            ("queue", queue),
            ("kind", kind),
            ("outcome", "cancelled".to_owned()),
        ];
        metrics::counter!("mito_queue_jobs_total", &labels).increment(1);
        Ok(())
    }

    /// Makes a job available now that waits, or that was discarded or cancelled; such a job gets
    /// all its attempts again.
    pub async fn run_now(&self, id: &str) -> Result<(), Error> {
        let job = id.to_owned();
        let changed = self.write(move |tx| finish::run_now(tx, &job)).await?;
        let (queue, kind) = after_change(id, changed)?;
        self.0.bells.ring(&queue);
        tracing::info!(job.id = id, queue, kind, "a job was made available by hand");
        Ok(())
    }

    /// One job with its payload and log.
    pub async fn job(&self, id: &str) -> Result<JobDetail, Error> {
        let job = id.to_owned();
        let found = self.0.database.read(move |tx| view::job(tx, &job)).await?;
        found.ok_or_else(|| Error::NotFound(id.to_owned()))
    }

    /// Every queue that has jobs, with counts by state.
    pub async fn queues(&self) -> Result<Vec<QueueSummary>, Error> {
        Ok(self.0.database.read(view::queues).await?)
    }

    pub(crate) async fn jobs(&self, filter: Filter) -> Result<Vec<(i64, JobSummary)>, Error> {
        Ok(self
            .0
            .database
            .read(move |tx| view::jobs(tx, &filter))
            .await?)
    }

    pub(crate) fn database(&self) -> &Database {
        &self.0.database
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn random(&self) -> &Random {
        &self.0.random
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    pub(crate) fn boot(&self) -> &str {
        &self.0.boot
    }

    pub(crate) fn handlers(&self) -> &Handlers {
        &self.0.handlers
    }

    pub(crate) fn bells(&self) -> &Bells {
        &self.0.bells
    }

    /// An attempt begins; `stop` ends it.
    pub(crate) fn attempt_begins(&self, lease: &Lease, stop: Shutdown) {
        let token = lease.token.clone();
        self.running()
            .insert(lease.id.clone(), Attempt { token, stop });
    }

    /// An attempt has ended. A later one of the same job may run already and stays.
    pub(crate) fn attempt_ended(&self, lease: &Lease) {
        let mut running = self.running();
        if running
            .get(&lease.id)
            .is_some_and(|attempt| attempt.token == lease.token)
        {
            running.remove(&lease.id);
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, Attempt>> {
        self.0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` before bulk and ordinary writes: others wait for it.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, mito_database::Error>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, mito_database::Error> + Send + 'static,
        T: Send + 'static,
    {
        self.0.database.write_in(Lane::Urgent, work).await
    }

    /// Returns when the clock shows `at_ms`.
    pub(crate) async fn sleep_until(&self, at_ms: i64) {
        let wait_ms = u64::try_from(at_ms.saturating_sub(self.0.clock.now_ms())).unwrap_or(0);
        self.0.clock.sleep(Duration::from_millis(wait_ms)).await;
    }

    /// A number above all earlier ones of this process, and of earlier processes as long as the
    /// clock was not set back: microseconds, or one more than the last.
    fn next_sequence(&self, now_ms: i64) -> i64 {
        let micros = now_ms.saturating_mul(1_000);
        let next = |last: i64| Some(micros.max(last + 1));
        let order = (Ordering::SeqCst, Ordering::SeqCst);
        let last = self.0.sequence.fetch_update(order.0, order.1, next);
        micros.max(last.unwrap_or_default() + 1)
    }
}

fn after_change(id: &str, changed: Changed) -> Result<(String, String), Error> {
    match changed {
        Changed::Done { queue, kind } => Ok((queue, kind)),
        Changed::Refused(state) => Err(Error::State {
            id: id.to_owned(),
            state,
        }),
        Changed::Missing => Err(Error::NotFound(id.to_owned())),
    }
}

/// The length of a boot id.
const BOOT_CHARACTERS: usize = 20;

/// The payload as it is stored.
fn written<J: Job>(payload: &J, options: &Enqueue) -> Result<String, Error> {
    let refused = |reason: String| Error::Payload {
        kind: J::KIND.to_owned(),
        reason,
    };
    let text = serde_json::to_string(payload).map_err(|error| refused(error.to_string()))?;
    if text.len() > MAX_PAYLOAD_BYTES {
        let size_bytes = text.len();
        return Err(refused(format!(
            "{size_bytes} bytes, allowed are {MAX_PAYLOAD_BYTES}"
        )));
    }
    let key_bytes = options.unique_key.as_ref().map_or(0, String::len);
    if key_bytes > MAX_UNIQUE_KEY_BYTES {
        let limit = MAX_UNIQUE_KEY_BYTES;
        return Err(refused(format!(
            "its unique key has {key_bytes} bytes, allowed are {limit}"
        )));
    }
    Ok(text)
}
