//! The ends of attempts. Each answers whom to tell; nothing happened and nobody is told if the
//! lease was no longer held.

use mito_database::{Row, ToValue, Tx};

use super::{
    Lease, Result,
    follow::{self, End, Follow},
    log, unique,
};
use crate::JobState;

/// The longest reason that is kept, in bytes.
const MAX_ERROR_BYTES: usize = 4 * 1024;

/// What ends a job also erases a payload that holds secrets.
const ERASED: &str = "payload = CASE WHEN sensitive = 1 THEN '{}' ELSE payload END";

/// What a claim set.
const UNCLAIMED: &str = "lease_token = NULL, lease_until_ms = NULL, boot = NULL";

/// The effect commits in this transaction.
pub(crate) fn complete(
    tx: &mut Tx<'_>,
    lease: &Lease,
    result: Option<&str>,
    progress: Option<&str>,
) -> Result<Option<Follow>> {
    let now_ms = tx.now_ms();
    let assignments = format!(
        "state = 'completed', finished_ms = $3, error = NULL, result = $4, \
         progress = COALESCE($5, progress), {ERASED}"
    );
    let Some(row) = end(tx, lease, &assignments, &[&now_ms, &result, &progress])? else {
        return Ok(None);
    };
    let mut follow = Follow::default();
    follow::left(tx, &row, &mut follow)?;
    follow::ended(tx, &row, End::Completed, &mut follow)?;
    Ok(Some(follow))
}

/// The job waits until `due_ms` for its next attempt.
pub(crate) fn retry(
    tx: &mut Tx<'_>,
    lease: &Lease,
    due_ms: i64,
    error: &str,
) -> Result<Option<Follow>> {
    let error = shortened(error);
    let assignments = "state = 'retryable', due_ms = $3, waits_until_ms = $3, error = $4";
    let follow = leave(tx, lease, assignments, &[&due_ms, &error])?;
    if follow.is_some() {
        log::append(tx, &lease.id, &format!("failed: {error}"))?;
    }
    Ok(follow)
}

/// The job waits until `due_ms`, as if this attempt had not begun.
pub(crate) fn snooze(
    tx: &mut Tx<'_>,
    lease: &Lease,
    due_ms: i64,
    reason: &str,
) -> Result<Option<Follow>> {
    let reason = shortened(reason);
    let assignments = "state = 'scheduled', due_ms = $3, waits_until_ms = $3, error = $4, \
         attempts = attempts - 1";
    leave(tx, lease, assignments, &[&due_ms, &reason])
}

/// The job has failed for good.
pub(crate) fn discard(tx: &mut Tx<'_>, lease: &Lease, error: &str) -> Result<Option<Follow>> {
    let (now_ms, error) = (tx.now_ms(), shortened(error));
    let assignments = format!("state = 'discarded', finished_ms = $3, error = $4, {ERASED}");
    let Some(row) = end(tx, lease, &assignments, &[&now_ms, &error])? else {
        return Ok(None);
    };
    log::append(tx, &lease.id, &format!("discarded: {error}"))?;
    let mut follow = Follow::default();
    follow::left(tx, &row, &mut follow)?;
    follow::ended(tx, &row, End::Failed(error), &mut follow)?;
    Ok(Some(follow))
}

/// Gives up a job that waits; nothing happens if it does not.
pub(crate) fn discard_waiting(
    tx: &mut Tx<'_>,
    id: &str,
    error: &str,
    follow: &mut Follow,
) -> Result<()> {
    let (now_ms, error) = (tx.now_ms(), shortened(error));
    let sql = format!(
        "UPDATE _mito_queue_jobs SET state = 'discarded', finished_ms = $1, error = $2, \
             waits_until_ms = NULL, expires_ms = NULL, children_left = 0, held = 0, {ERASED} \
         WHERE id = $3 AND state IN ('scheduled', 'available', 'retryable') \
         RETURNING {}",
        follow::COLUMNS
    );
    let Some(row) = tx.query_one(&sql, &[&now_ms, &error, &id])? else {
        return Ok(());
    };
    log::append(tx, id, &format!("discarded: {error}"))?;
    follow::ended(tx, &row, End::Failed(error), follow)
}

/// The job is available again as if this attempt had not begun.
pub(crate) fn give_back(tx: &mut Tx<'_>, lease: &Lease) -> Result<Option<Follow>> {
    let assignments = "state = 'available', attempts = attempts - 1";
    leave(tx, lease, assignments, &[])
}

/// Ends an attempt but not the job.
fn leave(
    tx: &mut Tx<'_>,
    lease: &Lease,
    assignments: &str,
    parameters: &[&dyn ToValue],
) -> Result<Option<Follow>> {
    let Some(row) = end(tx, lease, assignments, parameters)? else {
        return Ok(None);
    };
    let mut follow = Follow::default();
    follow::left(tx, &row, &mut follow)?;
    Ok(Some(follow))
}

fn end(
    tx: &mut Tx<'_>,
    lease: &Lease,
    assignments: &str,
    parameters: &[&dyn ToValue],
) -> Result<Option<Row>> {
    let sql = format!(
        "UPDATE _mito_queue_jobs SET {assignments}, {UNCLAIMED} \
         WHERE id = $1 AND state = 'running' AND lease_token = $2 RETURNING {}",
        follow::COLUMNS
    );
    let mut all: Vec<&dyn ToValue> = vec![&lease.id, &lease.token];
    all.extend(parameters);
    Ok(tx.query(&sql, &all)?.into_iter().next())
}

/// What a person's wish did.
pub(crate) enum Changed {
    /// It was done.
    Done {
        /// The job's queue.
        queue: String,
        /// Its kind.
        kind: String,
        /// Whom to tell.
        follow: Follow,
    },
    /// The job's state does not allow it.
    Refused(String),
    /// There is no such job.
    Missing,
}

/// Stops a job that has not ended. Who holds its lease loses it.
pub(crate) fn cancel(tx: &mut Tx<'_>, id: &str) -> Result<Changed> {
    let allowed = [
        JobState::Scheduled,
        JobState::Available,
        JobState::Running,
        JobState::Retryable,
    ];
    let assignments = format!(
        "state = 'cancelled', finished_ms = $2, waits_until_ms = NULL, expires_ms = NULL, \
         children_left = 0, held = 0, {UNCLAIMED}, {ERASED}"
    );
    let mut changed = change(tx, id, &allowed, &assignments)?;
    if let (Changed::Done { follow, .. }, Some(row)) = (&mut changed, row(tx, id)?) {
        follow::left(tx, &row, follow)?;
        follow::ended(tx, &row, End::Failed("it was cancelled"), follow)?;
    }
    Ok(changed)
}

/// Makes a job available now that waits, or that ended without effect; the latter starts over
/// with all its attempts.
pub(crate) fn run_now(tx: &mut Tx<'_>, id: &str) -> Result<Changed> {
    let allowed = [
        JobState::Scheduled,
        JobState::Retryable,
        JobState::Discarded,
        JobState::Cancelled,
    ];
    let assignments = "attempts = CASE WHEN finished_ms IS NULL THEN attempts ELSE 0 END, \
         state = 'available', due_ms = $2, waits_until_ms = NULL, finished_ms = NULL";
    let changed = change(tx, id, &allowed, assignments)?;
    if matches!(changed, Changed::Done { .. })
        && let Some(row) = row(tx, id)?
        && let Some(key) = row.get::<Option<String>>("dedup_key")?
    {
        unique::retake(tx, id, &row.get::<String>("kind")?, &key)?;
    }
    Ok(changed)
}

fn row(tx: &mut Tx<'_>, id: &str) -> Result<Option<Row>> {
    let sql = format!(
        "SELECT {} FROM _mito_queue_jobs WHERE id = $1",
        follow::COLUMNS
    );
    tx.query_one(&sql, &[&id])
}

fn change(tx: &mut Tx<'_>, id: &str, allowed: &[JobState], assignments: &str) -> Result<Changed> {
    let sql = format!(
        "SELECT state, queue, kind, sensitive, finished_ms, waits_until_ms FROM _mito_queue_jobs \
         WHERE id = $1{}",
        super::locked(tx)
    );
    let Some(row) = tx.query_one(&sql, &[&id])? else {
        return Ok(Changed::Missing);
    };
    let name: String = row.get("state")?;
    let state = JobState::from_name(&name);
    if state.is_none_or(|state| !allowed.contains(&state)) {
        return Ok(Changed::Refused(name));
    }
    let has_ended = row.get::<Option<i64>>("finished_ms")?.is_some();
    if has_ended && row.get::<bool>("sensitive")? {
        // What it was about has been erased.
        return Ok(Changed::Refused(name));
    }
    let is_blocked =
        state == Some(JobState::Scheduled) && row.get::<Option<i64>>("waits_until_ms")?.is_none();
    if is_blocked && !allowed.contains(&JobState::Available) {
        return Ok(Changed::Refused("waiting for other jobs".to_owned()));
    }
    let now_ms = tx.now_ms();
    tx.execute(
        &format!("UPDATE _mito_queue_jobs SET {assignments} WHERE id = $1"),
        &[&id, &now_ms],
    )?;
    Ok(Changed::Done {
        queue: row.get("queue")?,
        kind: row.get("kind")?,
        follow: Follow::default(),
    })
}

fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_ERROR_BYTES)]
}
