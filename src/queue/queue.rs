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
use tower::Service;

use crate::{
    Completed, Failure, Job, Policy, Running,
    finished::Ends,
    handlers::{Handler, Handlers},
    keeper,
    replicas::Replicas,
    store::{Lease, follow::Follow},
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
    ends: Ends,
    replicas: Replicas,
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
            ends: Ends::default(),
            replicas: Replicas::default(),
            running: Mutex::new(HashMap::new()),
        }))
    }

    /// Registers the handler of a kind. Called while the process is put together, before workers
    /// start.
    pub fn handle<J, F, R>(&self, policy: Policy, handler: F)
    where
        J: Job,
        F: Fn(Running<J>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Completed, Failure>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let service = tower::service_fn(move |running| {
            let handler = Arc::clone(&handler);
            // Called by the future, so that a panic before the first await is its own.
            async move { handler(running).await }
        });
        self.service(policy, service);
    }

    /// [`Queue::handle`] for a tower service. Around it are, from the outside: a span with the
    /// job's id, the classification of failures, the time limit, the containment of panics, and
    /// the reading of the payload. Each attempt calls a clone that it has asked for readiness.
    pub fn service<J, S>(&self, policy: Policy, service: S)
    where
        J: Job,
        S: Service<Running<J>, Response = Completed, Error = Failure>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send,
    {
        self.0.handlers.add(Handler::new(policy, service));
    }

    /// The worker task of the queue called `queue`, running up to `replicas` jobs at once, or as
    /// many as [`Queue::scale`] has asked for since. It wakes when a commit enqueues, returns its
    /// leases at shutdown, and takes over the leases that a killed process left behind.
    pub fn worker(&self, queue: &'static str, replicas: usize) -> Task {
        let this = self.clone();
        let scale = self.0.replicas.register(queue, replicas);
        Task::new("worker", move |shutdown| {
            let (this, scale) = (this.clone(), scale.clone());
            async move {
                this.recall_scale(queue, replicas).await?;
                Ok(Worker::new(this, queue, scale).run(shutdown).await?)
            }
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

    pub(crate) fn ends(&self) -> &Ends {
        &self.0.ends
    }

    pub(crate) fn replicas(&self) -> &Replicas {
        &self.0.replicas
    }

    /// Tells workers of what followed from a write. May be called before its commit: see [`Bells`].
    pub(crate) fn ring(&self, follow: &Follow) {
        for queue in &follow.queues {
            self.0.bells.ring(queue);
        }
    }

    /// Tells those who wait for jobs, after the commit.
    pub(crate) fn tell(&self, follow: &Follow) {
        for id in &follow.ended {
            self.0.ends.ring(id);
        }
    }

    /// Stops the attempt at a job, if it runs in this process.
    pub(crate) fn stop_attempt(&self, id: &str) {
        if let Some(attempt) = self.running().get(id) {
            attempt.stop.begin();
        }
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
    pub(crate) fn next_sequence(&self, now_ms: i64) -> i64 {
        let micros = now_ms.saturating_mul(1_000);
        let next = |last: i64| Some(micros.max(last + 1));
        let order = (Ordering::SeqCst, Ordering::SeqCst);
        let last = self.0.sequence.fetch_update(order.0, order.1, next);
        micros.max(last.unwrap_or_default() + 1)
    }
}

/// The length of a boot id.
const BOOT_CHARACTERS: usize = 20;
