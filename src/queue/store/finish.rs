//! The ends of attempts. Each answers whether the lease was still held; if not, nothing happened.

use mito_database::{ToValue, Tx};

use super::{Lease, Result, log};
use crate::JobState;

/// The longest reason that is kept, in bytes.
const MAX_ERROR_BYTES: usize = 4 * 1024;

/// What ends a job also erases a payload that holds secrets.
const ERASED: &str = "payload = CASE WHEN sensitive = 1 THEN '{}' ELSE payload END";

/// The effect commits in this transaction.
pub(crate) fn complete(tx: &mut Tx<'_>, lease: &Lease) -> Result<bool> {
    let now_ms = tx.now_ms();
    end(
        tx,
        lease,
        &format!("state = 'completed', finished_ms = $3, error = NULL, {ERASED}"),
        &[&now_ms],
    )
}

/// The job waits until `due_ms` for its next attempt.
pub(crate) fn retry(tx: &mut Tx<'_>, lease: &Lease, due_ms: i64, error: &str) -> Result<bool> {
    let error = shortened(error);
    let held = end(
        tx,
        lease,
        "state = 'retryable', due_ms = $3, waits_until_ms = $3, error = $4",
        &[&due_ms, &error],
    )?;
    if held {
        log::append(tx, &lease.id, &format!("failed: {error}"))?;
    }
    Ok(held)
}

/// The job has failed for good.
pub(crate) fn discard(tx: &mut Tx<'_>, lease: &Lease, error: &str) -> Result<bool> {
    let (now_ms, error) = (tx.now_ms(), shortened(error));
    let assignments = format!("state = 'discarded', finished_ms = $3, error = $4, {ERASED}");
    let held = end(tx, lease, &assignments, &[&now_ms, &error])?;
    if held {
        log::append(tx, &lease.id, &format!("discarded: {error}"))?;
    }
    Ok(held)
}

/// The job is available again as if this attempt had not begun.
pub(crate) fn give_back(tx: &mut Tx<'_>, lease: &Lease) -> Result<bool> {
    end(
        tx,
        lease,
        "state = 'available', attempts = attempts - 1",
        &[],
    )
}

fn end(
    tx: &mut Tx<'_>,
    lease: &Lease,
    assignments: &str,
    parameters: &[&dyn ToValue],
) -> Result<bool> {
    let sql = format!(
        "UPDATE _mito_queue_jobs SET {assignments}, \
             lease_token = NULL, lease_until_ms = NULL, boot = NULL \
         WHERE id = $1 AND state = 'running' AND lease_token = $2"
    );
    let mut all: Vec<&dyn ToValue> = vec![&lease.id, &lease.token];
    all.extend(parameters);
    Ok(tx.execute(&sql, &all)? > 0)
}

/// What a person's wish did.
pub(crate) enum Changed {
    /// It was done.
    Done {
        /// The job's queue.
        queue: String,
        /// Its kind.
        kind: String,
    },
    /// The job's state does not allow it.
    Refused(String),
    /// There is no such job.
    Missing,
}

/// Stops a job that has not ended. Who holds its lease loses it.
pub(crate) fn cancel(tx: &mut Tx<'_>, id: &str) -> Result<Changed> {
    change(
        tx,
        id,
        &[
            JobState::Scheduled,
            JobState::Available,
            JobState::Running,
            JobState::Retryable,
        ],
        &format!(
            "state = 'cancelled', finished_ms = $2, waits_until_ms = NULL, \
             lease_token = NULL, lease_until_ms = NULL, boot = NULL, {ERASED}"
        ),
    )
}

/// Makes a job available now that waits, or that ended without effect; the latter starts over
/// with all its attempts.
pub(crate) fn run_now(tx: &mut Tx<'_>, id: &str) -> Result<Changed> {
    change(
        tx,
        id,
        &[
            JobState::Scheduled,
            JobState::Retryable,
            JobState::Discarded,
            JobState::Cancelled,
        ],
        "attempts = CASE WHEN finished_ms IS NULL THEN attempts ELSE 0 END, \
         state = 'available', due_ms = $2, waits_until_ms = NULL, finished_ms = NULL",
    )
}

fn change(tx: &mut Tx<'_>, id: &str, allowed: &[JobState], assignments: &str) -> Result<Changed> {
    let sql = format!(
        "SELECT state, queue, kind, sensitive, finished_ms FROM _mito_queue_jobs WHERE id = $1{}",
        super::locked(tx)
    );
    let Some(row) = tx.query_one(&sql, &[&id])? else {
        return Ok(Changed::Missing);
    };
    let name: String = row.get("state")?;
    if JobState::from_name(&name).is_none_or(|state| !allowed.contains(&state)) {
        return Ok(Changed::Refused(name));
    }
    let has_ended = row.get::<Option<i64>>("finished_ms")?.is_some();
    if has_ended && row.get::<bool>("sensitive")? {
        // What it was about has been erased.
        return Ok(Changed::Refused(name));
    }
    let now_ms = tx.now_ms();
    tx.execute(
        &format!("UPDATE _mito_queue_jobs SET {assignments} WHERE id = $1"),
        &[&id, &now_ms],
    )?;
    Ok(Changed::Done {
        queue: row.get("queue")?,
        kind: row.get("kind")?,
    })
}

fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_ERROR_BYTES)]
}
