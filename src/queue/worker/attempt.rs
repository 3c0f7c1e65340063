//! One attempt at one job: the handler under its time limit, panics contained, and what is written
//! down afterwards.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use mito_core::{Random, Shutdown, supervisor::record_panic};
use mito_database::Tx;
use tracing::Instrument as _;

use super::millis;
use crate::{
    Completed, Failure, Policy, Queue,
    handlers::{Attempt, Handler},
    running::passes,
    store::{Lease, claim::Claimed, finish},
};

/// How often the end of an attempt is written when the database is busy or full, and the first
/// pause, which doubles. After that the lease expires and the job runs again.
const SETTLE_TRIES: u32 = 6;
const SETTLE_PAUSE: Duration = Duration::from_millis(100);

/// How much of a wait between attempts is left to chance, in percent to either side.
const JITTER_PERCENT: u64 = 20;

/// How an attempt ended.
enum Outcome {
    /// The handler has committed its effect.
    Completed,
    /// Another attempt is due then.
    Retry { due_ms: i64, reason: String },
    /// There is no further attempt.
    Discard { reason: String },
    /// It was told to stop: shutdown, cancelled, or the lease is gone.
    Stopped,
}

/// Runs the attempt and writes down how it ended.
pub(super) async fn run(queue: Queue, handler: Arc<Handler>, claimed: Claimed, stop: Shutdown) {
    let span = tracing::info_span!(
        "job",
        job.id = claimed.lease.id,
        job.kind = claimed.kind,
        job.attempt = claimed.attempt,
        request.id = claimed.request_id,
    );
    attempt(queue, handler, claimed, stop)
        .instrument(span)
        .await;
}

async fn attempt(queue: Queue, handler: Arc<Handler>, claimed: Claimed, stop: Shutdown) {
    let labels = [("queue", handler.queue), ("kind", handler.kind)];
    metrics::histogram!("mito_queue_wait_seconds", &labels)
        .record(seconds(claimed.started_ms - claimed.due_ms));
    let began_ms = queue.clock().now_ms();
    let outcome = match handler.start(queue.clone(), &claimed) {
        Ok(attempt) => {
            let ended = supervise(&queue, attempt, handler.policy.timeout, &stop).await;
            judge(&queue, &handler.policy, claimed.attempt, ended)
        }
        Err(error) => Outcome::Discard {
            reason: error.to_string(),
        },
    };
    let run_ms = queue.clock().now_ms() - began_ms;
    metrics::histogram!("mito_queue_run_seconds", &labels).record(seconds(run_ms));
    if let Some(outcome) = settle(&queue, &claimed, outcome, run_ms).await {
        let labels = [
            ("queue", handler.queue),
            ("kind", handler.kind),
            ("outcome", outcome),
        ];
        metrics::counter!("mito_queue_jobs_total", &labels).increment(1);
    }
}

/// Drives the handler to its end; `None` when it was stopped.
async fn supervise(
    queue: &Queue,
    attempt: Attempt,
    timeout: Duration,
    stop: &Shutdown,
) -> Option<Result<Completed, Failure>> {
    tokio::select! {
        biased;
        ended = AssertUnwindSafe(attempt).catch_unwind() => Some(ended.unwrap_or_else(|panic| {
            Err(Failure::Retry(format!("it {}", record_panic("queue/job", panic.as_ref()))))
        })),
        () = stop.begun() => None,
        () = queue.clock().sleep(timeout) => {
            Some(Err(Failure::Retry(format!("it did not finish within {timeout:?}"))))
        }
    }
}

fn judge(
    queue: &Queue,
    policy: &Policy,
    attempt: u32,
    ended: Option<Result<Completed, Failure>>,
) -> Outcome {
    match ended {
        None => Outcome::Stopped,
        Some(Ok(Completed(()))) => Outcome::Completed,
        Some(Err(Failure::Discard(reason))) => Outcome::Discard { reason },
        Some(Err(Failure::Retry(reason))) if attempt >= policy.attempts => {
            Outcome::Discard { reason }
        }
        Some(Err(Failure::Retry(reason))) => {
            let wait = backoff(policy, attempt, queue.random());
            let due_ms = queue.clock().now_ms().saturating_add(millis(wait));
            Outcome::Retry { due_ms, reason }
        }
    }
}

/// Writes the outcome down, fenced by the lease; returns its name for the metric, unless the job is
/// no longer this attempt's to judge.
async fn settle(
    queue: &Queue,
    claimed: &Claimed,
    outcome: Outcome,
    run_ms: i64,
) -> Option<&'static str> {
    let (name, reason, held) = match outcome {
        Outcome::Completed => {
            tracing::debug!(duration_ms = run_ms, "a job was completed");
            return Some("completed");
        }
        Outcome::Retry { due_ms, reason } => {
            let text = reason.clone();
            let retry =
                move |tx: &mut Tx<'_>, lease: &Lease| finish::retry(tx, lease, due_ms, &text);
            let held = written(queue, claimed, retry).await;
            queue.bells().ring_at(due_ms);
            ("retried", reason, held)
        }
        Outcome::Discard { reason } => {
            let text = reason.clone();
            let discard = move |tx: &mut Tx<'_>, lease: &Lease| finish::discard(tx, lease, &text);
            ("discarded", reason, written(queue, claimed, discard).await)
        }
        Outcome::Stopped => {
            let held = written(queue, claimed, finish::give_back).await;
            ("returned", "it was told to stop".to_owned(), held)
        }
    };
    match name {
        _ if !held => {
            tracing::info!(error = reason, "an attempt ended after its lease");
            return None;
        }
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
        _ => tracing::info!(duration_ms = run_ms, "a job was returned unfinished"),
    }
    Some(name)
}

/// Runs a write until it succeeds or it is not worth trying; whether the lease was held.
async fn written<F>(queue: &Queue, claimed: &Claimed, write: F) -> bool
where
    F: Fn(&mut Tx<'_>, &Lease) -> Result<bool, mito_database::Error> + Clone + Send + 'static,
{
    let mut pause = SETTLE_PAUSE;
    for attempt in 1.. {
        let (write, lease) = (write.clone(), claimed.lease.clone());
        match queue.write(move |tx| write(tx, &lease)).await {
            Ok(held) => return held,
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

/// The wait after the attempt with that number: doubling, limited, and spread so that jobs that
/// failed together do not come back together.
fn backoff(policy: &Policy, attempt: u32, random: &Random) -> Duration {
    let doublings = attempt.saturating_sub(1).min(31);
    let wait = policy
        .backoff
        .saturating_mul(1 << doublings)
        .min(policy.backoff_limit);
    let draw = u64::from(u16::from_le_bytes(random.bytes::<2>()));
    let spread = draw % (2 * JITTER_PERCENT + 1);
    let percent = u32::try_from(100 - JITTER_PERCENT + spread).unwrap_or(100);
    wait.saturating_mul(percent) / 100
}

#[expect(clippy::cast_precision_loss, reason = "a duration in a histogram")]
fn seconds(ms: i64) -> f64 {
    ms.max(0) as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit_and_vary_by_a_fifth() {
        let policy = Policy::default();
        for (attempt, expected_ms) in [
            (1, 1_000),
            (2, 2_000),
            (3, 4_000),
            (10, 512_000),
            (11, 600_000),
            (4_000, 600_000),
        ] {
            for seed in 0..50 {
                let wait = backoff(&policy, attempt, &Random::seeded(seed));
                let (low, high) = (expected_ms * 80 / 100, expected_ms * 120 / 100);
                let wait_ms = millis(wait);
                assert!(
                    (low..=high).contains(&wait_ms),
                    "attempt {attempt}: {wait_ms}"
                );
            }
        }
    }

    #[test]
    fn waits_differ() {
        let waits: std::collections::HashSet<Duration> = (0..50)
            .map(|seed| backoff(&Policy::default(), 1, &Random::seeded(seed)))
            .collect();
        assert!(waits.len() > 5);
    }
}
