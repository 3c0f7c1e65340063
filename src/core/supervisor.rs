//! Long-lived tasks by name: started here alone, restarted with back-off when they panic or fail,
//! and shown with their state.

use std::{
    any::Any,
    collections::BTreeMap,
    future::Future,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::FutureExt as _;
use serde::Serialize;
use tokio::task::AbortHandle;
use tokio_util::task::TaskTracker;

use crate::Shutdown;

/// The pause before the first restart.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause before a restart.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A task that ran this long begins again with the first pause.
const STEADY_AFTER: Duration = Duration::from_mins(1);
/// How long an abandoned task is given to reach a point where it can be dropped.
const ABORT_GRACE: Duration = Duration::from_millis(100);

/// Starts, restarts and ends named tasks. Cheap to clone. Tasks run on the Tokio runtime that is
/// current when they are started.
#[derive(Clone, Debug, Default)]
pub struct Supervisor(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    shutdown: Shutdown,
    tracker: TaskTracker,
    next_id: AtomicU64,
    statuses: Mutex<BTreeMap<String, Entry>>,
    /// What runs now, detached work included, by a number of its own.
    live: Mutex<BTreeMap<u64, Live>>,
}

#[derive(Debug)]
struct Entry {
    status: TaskStatus,
    /// It returned `Ok(())` or saw shutdown: the name may be used again.
    ended: bool,
}

#[derive(Debug)]
struct Live {
    name: String,
    abort: Option<AbortHandle>,
}

/// What a task has been doing.
#[derive(Clone, Debug, Serialize)]
pub struct TaskStatus {
    /// The name it was started under, `role/task`.
    pub name: String,
    /// Whether it runs now (false while it waits for its next start).
    pub running: bool,
    /// How often it has been restarted.
    pub restarts: u32,
    /// Why it ended last.
    pub last_error: Option<String>,
}

/// Why a task ended other than by shutdown.
pub type TaskError = Box<dyn std::error::Error + Send + Sync>;

impl Supervisor {
    /// A supervisor whose tasks end when `shutdown` begins.
    pub fn new(shutdown: Shutdown) -> Self {
        Self(Arc::new(Inner {
            shutdown,
            ..Inner::default()
        }))
    }

    /// The signal that its tasks are given.
    pub fn shutdown(&self) -> Shutdown {
        self.0.shutdown.clone()
    }

    /// Starts `task` now, and again (after 100 ms doubling to 30 s, reset after a minute of
    /// running) whenever it panics or returns an error. `Ok(())` ends it for good. A name that is
    /// still running gets a number (`queue/worker#2`).
    pub fn start<F, R>(&self, name: impl Into<String>, task: F)
    where
        F: Fn(Shutdown) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        let name = self.0.enter(name.into());
        let inner = self.0.clone();
        self.spawn(name.clone(), async move {
            inner.keep_running(&name, task).await;
        });
    }

    /// Runs `work` once beside the caller; it is waited for at shutdown, a panic is logged and
    /// counted, and nothing is restarted. For work that belongs to one request or connection.
    pub fn detach<R>(&self, name: &'static str, work: R)
    where
        R: Future<Output = ()> + Send + 'static,
    {
        self.spawn(name.to_owned(), async move {
            if let Err(panic) = AssertUnwindSafe(work).catch_unwind().await {
                let reason = record_panic(name, panic.as_ref());
                tracing::error!(task.name = name, error = %reason, "work panicked");
            }
        });
    }

    /// The state of every task, by name.
    pub fn tasks(&self) -> Vec<TaskStatus> {
        lock(&self.0.statuses)
            .values()
            .map(|entry| entry.status.clone())
            .collect()
    }

    /// Gives the shutdown signal and waits until all tasks have ended or `deadline` has passed;
    /// returns the names of those that had to be abandoned.
    pub async fn shut_down(&self, deadline: Duration) -> Vec<String> {
        self.0.shutdown.begin();
        self.0.tracker.close();
        if tokio::time::timeout(deadline, self.0.tracker.wait())
            .await
            .is_ok()
        {
            return Vec::new();
        }
        let abandoned: Vec<String> = {
            let live = lock(&self.0.live);
            live.values()
                .filter_map(|live| live.abort.as_ref())
                .for_each(AbortHandle::abort);
            live.values().map(|live| live.name.clone()).collect()
        };
        for name in &abandoned {
            tracing::warn!(task.name = %name, "the task did not end in time and was abandoned");
        }
        // Aborted tasks are dropped at their next await point, which releases what they hold.
        let _ = tokio::time::timeout(ABORT_GRACE, self.0.tracker.wait()).await;
        abandoned
    }

    fn spawn(&self, name: String, work: impl Future<Output = ()> + Send + 'static) {
        let id = self.0.next_id.fetch_add(1, Ordering::Relaxed);
        lock(&self.0.live).insert(id, Live { name, abort: None });
        let leave = LeaveOnDrop {
            inner: self.0.clone(),
            id,
        };
        let handle = self.0.tracker.spawn(async move {
            let _leave = leave;
            work.await;
        });
        if let Some(live) = lock(&self.0.live).get_mut(&id) {
            live.abort = Some(handle.abort_handle());
        }
    }
}

/// Takes a task off the list of live ones, also when it is aborted.
struct LeaveOnDrop {
    inner: Arc<Inner>,
    id: u64,
}

impl Drop for LeaveOnDrop {
    fn drop(&mut self) {
        lock(&self.inner.live).remove(&self.id);
    }
}

impl Inner {
    /// Enters a status under `wanted`, numbered if that name is taken by a live task.
    fn enter(&self, wanted: String) -> String {
        let mut statuses = lock(&self.statuses);
        let taken = |name: &str| statuses.get(name).is_some_and(|entry| !entry.ended);
        let mut name = wanted.clone();
        let mut number = 1;
        while taken(&name) {
            number += 1;
            name = format!("{wanted}#{number}");
        }
        let status = TaskStatus {
            name: name.clone(),
            running: true,
            restarts: 0,
            last_error: None,
        };
        statuses.insert(
            name.clone(),
            Entry {
                status,
                ended: false,
            },
        );
        name
    }

    fn update(&self, name: &str, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = lock(&self.statuses).get_mut(name) {
            change(entry);
        }
    }

    async fn keep_running<F, R>(&self, name: &str, task: F)
    where
        F: Fn(Shutdown) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        let mut pause = FIRST_PAUSE;
        loop {
            let started = Instant::now();
            let Err(reason) = self.run_once(name, &task).await else {
                break;
            };
            self.update(name, |entry| {
                entry.status.running = false;
                entry.status.last_error = Some(reason.clone());
            });
            if self.shutdown.has_begun() {
                tracing::warn!(task.name = name, error = %reason, "the task failed at shutdown");
                break;
            }
            if started.elapsed() >= STEADY_AFTER {
                pause = FIRST_PAUSE;
            }
            tracing::error!(
                task.name = name,
                error = %reason,
                restart_in_ms = pause.as_millis(),
                "the task failed and will be restarted"
            );
            tokio::select! {
                () = self.shutdown.begun() => break,
                () = tokio::time::sleep(pause) => {}
            }
            pause = next_pause(pause);
            self.update(name, |entry| {
                entry.status.running = true;
                entry.status.restarts = entry.status.restarts.saturating_add(1);
            });
        }
        self.update(name, |entry| {
            entry.status.running = false;
            entry.ended = true;
        });
    }

    async fn run_once<F, R>(&self, name: &str, task: &F) -> Result<(), String>
    where
        F: Fn(Shutdown) -> R,
        R: Future<Output = Result<(), TaskError>>,
    {
        // The call itself is inside, so that a panic before the first await is contained too.
        let work = async { task(self.shutdown.clone()).await };
        match AssertUnwindSafe(work).catch_unwind().await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(panic) => Err(record_panic(name, panic.as_ref())),
        }
    }
}

/// Counts a contained panic in `mito_panics_total` and returns what it said, for the log.
pub fn record_panic(place: &str, panic: &(dyn Any + Send)) -> String {
    metrics::counter!("mito_panics_total", "place" => place.to_owned()).increment(1);
    let said = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", said.unwrap_or("without a message"))
}

fn next_pause(pause: Duration) -> Duration {
    (pause * 2).min(LONGEST_PAUSE)
}

/// The state stays usable after a panic elsewhere: every update is a single assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
