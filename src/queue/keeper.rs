//! The keeper: makes delayed jobs available when their time comes, rescues jobs whose lease has
//! expired, and deletes what need not be kept.

use std::time::Duration;

use mito_core::Shutdown;
use mito_database::{Error, Lane, Tx};

use crate::{
    JobState, Queue, prune, schedules,
    store::{cleanup, follow::Follow, limits, rescue, unique},
    worker::millis,
};

/// How often it looks without having been called; expired leases are found this late at most.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often it deletes what need not be kept.
const CLEAN_EVERY: Duration = Duration::from_mins(5);
/// How many steps of deleting it takes in a row; each is a transaction of its own.
const MAX_CLEANING_STEPS: usize = 200;

/// How long the window of a group is kept after it began: longer than the longest window.
const KEEP_WINDOWS: Duration = Duration::from_hours(25);

/// Runs until shutdown. Errors are logged and tried again.
pub(crate) async fn run(queue: &Queue, shutdown: Shutdown) {
    let mut clean_at_ms = queue.clock().now_ms();
    let mut groups_at_ms = clean_at_ms;
    while !shutdown.has_begun() {
        let now_ms = queue.clock().now_ms();
        let next_ms = look(queue).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the queue's keeper could not look after jobs");
            None
        });
        if now_ms >= groups_at_ms {
            groups_at_ms = now_ms.saturating_add(millis(LOOK_EVERY));
            if let Err(error) = wake_groups(queue).await {
                tracing::warn!(%error, "held jobs could not be looked after");
            }
        }
        if now_ms >= clean_at_ms {
            clean_at_ms = now_ms.saturating_add(millis(CLEAN_EVERY));
            if let Err(error) = clean(queue, &shutdown).await {
                tracing::warn!(%error, "old jobs could not be deleted");
            }
        }
        let look_ms = now_ms.saturating_add(millis(LOOK_EVERY));
        let next_ms = next_ms.map_or(look_ms, |next_ms| next_ms.min(look_ms));
        queue.bells().keeper_looked(next_ms);
        tokio::select! {
            () = shutdown.begun() => {}
            () = queue.bells().keeper_rung() => {}
            () = queue.sleep_until(next_ms) => {}
        }
    }
}

/// Promotes, rescues and gives up; returns when the next waiting job is due.
async fn look(queue: &Queue) -> Result<Option<i64>, Error> {
    queue.bells().keeper_looks();
    loop {
        let rescued = queue.write(rescue::expired).await?;
        for name in &rescued.available {
            queue.bells().ring(name);
        }
        queue.after(&rescued.follow);
        if rescued.len() > 0 {
            metrics::counter!("mito_queue_expired_leases_total").increment(rescued.len() as u64);
            tracing::warn!(
                jobs.available = rescued.available.len(),
                jobs.discarded = rescued.discarded,
                "took jobs back whose lease had expired"
            );
        } else {
            break;
        }
    }
    give_up(queue).await?;
    let next_run_ms = schedules::run_due(queue).await?;
    let next_due_ms = promote(queue).await?;
    Ok(next_due_ms.into_iter().chain(next_run_ms).min())
}

/// Discards jobs that have waited too long.
async fn give_up(queue: &Queue) -> Result<(), Error> {
    loop {
        let step = queue.write(|tx| {
            let mut follow = Follow::default();
            Ok((rescue::give_up(tx, &mut follow)?, follow))
        });
        let (given_up, follow) = step.await?;
        queue.after(&follow);
        if given_up == 0 {
            return Ok(());
        }
        tracing::warn!(jobs = given_up, "discarded jobs that had waited too long");
    }
}

/// Lets held groups go on that nobody else has told.
async fn wake_groups(queue: &Queue) -> Result<(), Error> {
    let mut after = (String::new(), String::new());
    for _ in 0..MAX_CLEANING_STEPS {
        let from = after.clone();
        let (queues, next) = queue
            .write(move |tx| limits::wake_groups(tx, from.clone()))
            .await?;
        for name in &queues {
            queue.bells().ring(name);
        }
        match next {
            Some(next) => after = next,
            None => break,
        }
    }
    Ok(())
}

/// Makes due jobs available; returns when the next one is.
async fn promote(queue: &Queue) -> Result<Option<i64>, Error> {
    loop {
        let (queues, next_ms) = queue
            .write(|tx| Ok((rescue::promote(tx)?, rescue::next_due_ms(tx)?)))
            .await?;
        for name in &queues {
            queue.bells().ring(name);
        }
        if queues.is_empty() || next_ms.is_none_or(|next_ms| next_ms > queue.clock().now_ms()) {
            return Ok(next_ms);
        }
    }
}

/// Deletes jobs that ended long ago, and events that nobody needs.
async fn clean(queue: &Queue, shutdown: &Shutdown) -> Result<(), Error> {
    let now_ms = queue.clock().now_ms();
    let config = queue.config();
    for (state, keep_hours) in [
        (JobState::Completed, config.keep_completed_hours),
        (JobState::Discarded, config.keep_discarded_hours),
        (JobState::Cancelled, config.keep_discarded_hours),
    ] {
        let keep_ms = i64::try_from(keep_hours.saturating_mul(3_600_000)).unwrap_or(i64::MAX);
        let before_ms = now_ms.saturating_sub(keep_ms);
        for _ in 0..MAX_CLEANING_STEPS {
            let step = move |tx: &mut Tx<'_>| cleanup::delete_ended(tx, state, before_ms);
            let more = queue.database().write_in(Lane::Bulk, step).await?;
            if !more || shutdown.has_begun() {
                break;
            }
        }
    }
    clean_kinds(queue, shutdown).await?;
    forget(queue).await?;
    prune::outbox(queue.database(), queue.database(), queue.clock().now_ms()).await
}

/// Deletes completed jobs that the policies of their kinds do not keep.
async fn clean_kinds(queue: &Queue, shutdown: &Shutdown) -> Result<(), Error> {
    let now_ms = queue.clock().now_ms();
    for handler in queue.handlers().all() {
        let (kind, keep) = (handler.kind, handler.policy.keep);
        let by_age = keep.age.map(|age| now_ms.saturating_sub(millis(age)));
        let by_count = match keep.count {
            None => None,
            Some(count) => {
                let find = move |tx: &mut Tx<'_>| cleanup::newest_kept_ms(tx, kind, count);
                queue.database().read(find).await?
            }
        };
        let Some(before_ms) = by_age.into_iter().chain(by_count).max() else {
            continue;
        };
        for _ in 0..MAX_CLEANING_STEPS {
            let step = move |tx: &mut Tx<'_>| cleanup::delete_completed(tx, kind, before_ms);
            let more = queue.database().write_in(Lane::Bulk, step).await?;
            if !more || shutdown.has_begun() {
                break;
            }
        }
    }
    Ok(())
}

/// Forgets keys and windows whose time is over.
async fn forget(queue: &Queue) -> Result<(), Error> {
    let before_ms = queue.clock().now_ms().saturating_sub(millis(KEEP_WINDOWS));
    for _ in 0..MAX_CLEANING_STEPS {
        let step = move |tx: &mut Tx<'_>| {
            let more_keys = unique::forget(tx, rescue::CHUNK)?;
            Ok(limits::forget_windows(tx, before_ms, rescue::CHUNK)? || more_keys)
        };
        let more: Result<bool, Error> = queue.database().write_in(Lane::Bulk, step).await;
        if !more? {
            break;
        }
    }
    Ok(())
}
