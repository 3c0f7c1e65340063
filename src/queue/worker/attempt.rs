//! One attempt at one job: its service, driven until it ends or is told to stop, and what is
//! written down afterwards.

use std::{sync::Arc, time::Duration};

use mito_core::Shutdown;
use mito_database::Tx;
use tower::ServiceExt as _;
use tracing::Instrument as _;

use crate::{
    Queue,
    handlers::Handler,
    layers::{Call, Outcome, span},
    progress::Progress,
    running::passes,
    store::{Lease, claim::Claimed, finish, follow::Follow},
};

/// How often the end of an attempt is written when the database is busy or full, and the first
/// pause, which doubles. After that the lease expires and the job runs again.
const SETTLE_TRIES: u32 = 6;
const SETTLE_PAUSE: Duration = Duration::from_millis(100);

/// Runs the attempt and writes down how it ended.
pub(super) async fn run(queue: Queue, handler: Arc<Handler>, claimed: Claimed, stop: Shutdown) {
    let labels = [("queue", handler.queue), ("kind", handler.kind)];
    metrics::histogram!("mito_queue_wait_seconds", &labels)
        .record(seconds(claimed.started_ms - claimed.due_ms));
    let began_ms = queue.clock().now_ms();
    let outcome = drive(&queue, &handler, &claimed, &stop).await;
    let run_ms = queue.clock().now_ms() - began_ms;
    metrics::histogram!("mito_queue_run_seconds", &labels).record(seconds(run_ms));
    let settled = settle(&queue, &claimed, outcome, run_ms);
    if let Some(outcome) = settled.instrument(span(&claimed)).await {
        let labels = [
            ("queue", handler.queue),
            ("kind", handler.kind),
            ("outcome", outcome),
        ];
        metrics::counter!("mito_queue_jobs_total", &labels).increment(1);
    }
}

/// Drives the handler to its end; `None` when it was told to stop: shutdown, cancelled, or the
/// lease is gone.
async fn drive(
    queue: &Queue,
    handler: &Handler,
    claimed: &Claimed,
    stop: &Shutdown,
) -> Option<Outcome> {
    let progress = Arc::new(Progress::default());
    let call = Call {
        queue: queue.clone(),
        claimed: claimed.clone(),
        stop: stop.clone(),
        progress: Arc::clone(&progress),
    };
    let service = handler.service.clone();
    let outcome = tokio::select! {
        biased;
        ended = service.oneshot(call) => match ended {
            Ok(outcome) => Some(outcome),
            Err(never) => match never {},
        },
        () = stop.begun() => None,
        () = progress.keep_writing(queue, &claimed.lease) => None,
    };
    if outcome != Some(Outcome::Completed) {
        progress.write(queue, &claimed.lease).await;
    }
    outcome
}

/// Writes the outcome down, fenced by the lease; returns its name for the metric, unless the job is
/// no longer this attempt's to judge.
async fn settle(
    queue: &Queue,
    claimed: &Claimed,
    outcome: Option<Outcome>,
    run_ms: i64,
) -> Option<&'static str> {
    let (name, reason, held) = match outcome {
        Some(Outcome::Completed) => {
            tracing::debug!(duration_ms = run_ms, "a job was completed");
            return Some("completed");
        }
        Some(Outcome::Retry { due_ms, reason }) => {
            let text = reason.clone();
            let retry =
                move |tx: &mut Tx<'_>, lease: &Lease| finish::retry(tx, lease, due_ms, &text);
            let held = written(queue, claimed, retry).await;
            queue.bells().ring_at(due_ms);
            ("retried", reason, held)
        }
        Some(Outcome::Snooze { due_ms, reason }) => {
            let text = reason.clone();
            let snooze =
                move |tx: &mut Tx<'_>, lease: &Lease| finish::snooze(tx, lease, due_ms, &text);
            let held = written(queue, claimed, snooze).await;
            queue.bells().ring_at(due_ms);
            ("snoozed", reason, held)
        }
        Some(Outcome::Discard { reason }) => {
            let text = reason.clone();
            let discard = move |tx: &mut Tx<'_>, lease: &Lease| finish::discard(tx, lease, &text);
            ("discarded", reason, written(queue, claimed, discard).await)
        }
        None => {
            let held = written(queue, claimed, finish::give_back).await;
            ("returned", "it was told to stop".to_owned(), held)
        }
    };
    report(name, &reason, held, run_ms)
}

fn report(name: &'static str, reason: &str, held: bool, run_ms: i64) -> Option<&'static str> {
    if !held {
        tracing::info!(error = reason, "an attempt ended after its lease");
        return None;
    }
    match name {
        "retried" => {
            tracing::warn!(
                error = reason,
                duration_ms = run_ms,
                "a job failed and is retried"
            );
        }
        "discarded" => {
            tracing::error!(
                error = reason,
                duration_ms = run_ms,
                "a job failed for good"
            );
        }
        "snoozed" => {
            tracing::debug!(reason, duration_ms = run_ms, "a job put itself off");
        }
        _ => tracing::info!(duration_ms = run_ms, "a job was returned unfinished"),
    }
    Some(name)
}

/// Runs a write until it succeeds or it is not worth trying; whether the lease was held.
async fn written<F>(queue: &Queue, claimed: &Claimed, write: F) -> bool
where
    F: Fn(&mut Tx<'_>, &Lease) -> Result<Option<Follow>, mito_database::Error>
        + Clone
        + Send
        + 'static,
{
    let mut pause = SETTLE_PAUSE;
    for attempt in 1.. {
        let (write, lease) = (write.clone(), claimed.lease.clone());
        match queue.write(move |tx| write(tx, &lease)).await {
            Ok(Some(follow)) => {
                queue.ring(&follow);
                queue.tell(&follow);
                return true;
            }
            Ok(None) => return false,
            Err(error) if attempt < SETTLE_TRIES && passes(&error) => {
                queue.clock().sleep(pause).await;
                pause *= 2;
            }
            Err(error) => {
                tracing::error!(%error, "the end of an attempt could not be written");
                return false;
            }
        }
    }
    false
}

/// Counts jobs that were given up without an attempt.
pub(super) fn count_discarded(jobs: usize) {
    metrics::counter!("mito_queue_abandoned_total").increment(jobs as u64);
}

#[expect(clippy::cast_precision_loss, reason = "a duration in a histogram")]
fn seconds(ms: i64) -> f64 {
    ms.max(0) as f64 / 1_000.0
}
