//! Keys that stand for one job of a kind at a time. Who holds a key is a row of its own, so that a
//! key can outlive its job (throttle) and end before the job's row does (the others).

use mito_database::Tx;

use super::{Result, enqueue::NewJob};
use crate::{JobState, Unique, worker::millis};

/// What is to become of a new job.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It is inserted.
    Insert,
    /// It is inserted, and waits until the holder of its key has ended.
    Behind,
    /// This job stands for it; if it was put off, this is when it is due.
    Existing { id: String, due_ms: Option<i64> },
}

/// Who has a key.
struct Holder {
    job: String,
    next: Option<String>,
    until_ms: Option<i64>,
}

/// Takes the key for `job`, or tells who has it.
pub(crate) fn take(tx: &mut Tx<'_>, unique: &Unique, job: &NewJob<'_>) -> Result<Decision> {
    let now_ms = tx.now_ms();
    let until_ms = match unique {
        Unique::Throttle { window, .. } => Some(now_ms.saturating_add(millis(*window))),
        _ => None,
    };
    let taken = tx.execute(
        "INSERT INTO _mito_queue_keys (kind, dedup_key, job, until_ms) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (kind, dedup_key) DO NOTHING",
        &[&job.kind, &unique.key(), &job.id, &until_ms],
    )?;
    if taken > 0 {
        return Ok(Decision::Insert);
    }
    let Some(holder) = holder(tx, job.kind, unique.key())? else {
        return Err(mito_database::Error::Busy);
    };
    let state = state_of(tx, &holder.job)?;
    let waits = matches!(state, Some(JobState::Scheduled | JobState::Available));
    let is_active = matches!(state, Some(JobState::Running | JobState::Retryable));
    match unique {
        Unique::Throttle { .. } if holder.until_ms.is_some_and(|until_ms| until_ms > now_ms) => {
            existing(holder.job, None)
        }
        Unique::Simple { .. } if waits || is_active => existing(holder.job, None),
        Unique::Debounce { .. } if waits => {
            put_off(tx, &holder.job, job)?;
            existing(holder.job, Some(job.due_ms))
        }
        Unique::KeepLastIfActive { .. } if waits => {
            replace_payload(tx, &holder.job, job.payload)?;
            existing(holder.job, None)
        }
        Unique::KeepLastIfActive { .. } if is_active => behind(tx, holder, unique.key(), job),
        _ => {
            tx.execute(
                "UPDATE _mito_queue_keys SET job = $1, next_job = NULL, until_ms = $2 \
                 WHERE kind = $3 AND dedup_key = $4",
                &[&job.id, &until_ms, &job.kind, &unique.key()],
            )?;
            Ok(Decision::Insert)
        }
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "it ends arms that answer with a result"
)]
fn existing(id: String, due_ms: Option<i64>) -> Result<Decision> {
    Ok(Decision::Existing { id, due_ms })
}

fn holder(tx: &mut Tx<'_>, kind: &str, key: &str) -> Result<Option<Holder>> {
    let sql = format!(
        "SELECT job, next_job, until_ms FROM _mito_queue_keys \
         WHERE kind = $1 AND dedup_key = $2{}",
        super::locked(tx)
    );
    let row = tx.query_one(&sql, &[&kind, &key])?;
    row.map(|row| {
        Ok(Holder {
            job: row.get("job")?,
            next: row.get("next_job")?,
            until_ms: row.get("until_ms")?,
        })
    })
    .transpose()
}

fn state_of(tx: &mut Tx<'_>, id: &str) -> Result<Option<JobState>> {
    let sql = format!(
        "SELECT state FROM _mito_queue_jobs WHERE id = $1{}",
        super::locked(tx)
    );
    let Some(row) = tx.query_one(&sql, &[&id])? else {
        return Ok(None);
    };
    Ok(JobState::from_name(&row.get::<String>("state")?))
}

fn put_off(tx: &mut Tx<'_>, id: &str, job: &NewJob<'_>) -> Result<()> {
    tx.execute(
        "UPDATE _mito_queue_jobs SET payload = $1, state = 'scheduled', due_ms = $2, \
             waits_until_ms = $2, held = 0, expires_ms = $3 WHERE id = $4",
        &[&job.payload, &job.due_ms, &job.expires_ms, &id],
    )?;
    Ok(())
}

fn replace_payload(tx: &mut Tx<'_>, id: &str, payload: &str) -> Result<()> {
    tx.execute(
        "UPDATE _mito_queue_jobs SET payload = $1 WHERE id = $2",
        &[&payload, &id],
    )?;
    Ok(())
}

fn behind(tx: &mut Tx<'_>, holder: Holder, key: &str, job: &NewJob<'_>) -> Result<Decision> {
    if let Some(next) = holder.next
        && state_of(tx, &next)? == Some(JobState::Scheduled)
    {
        replace_payload(tx, &next, job.payload)?;
        return existing(next, None);
    }
    tx.execute(
        "UPDATE _mito_queue_keys SET next_job = $1 WHERE kind = $2 AND dedup_key = $3",
        &[&job.id, &job.kind, &key],
    )?;
    Ok(Decision::Behind)
}

/// The job has ended: its key is free, or the next job's, which may run now; returns whether one
/// may.
pub(crate) fn release(tx: &mut Tx<'_>, id: &str, kind: &str, key: &str) -> Result<bool> {
    let Some(holder) = holder(tx, kind, key)? else {
        return Ok(false);
    };
    if holder.job != id {
        // One that waited behind another and was stopped.
        tx.execute(
            "UPDATE _mito_queue_keys SET next_job = NULL \
             WHERE kind = $1 AND dedup_key = $2 AND next_job = $3",
            &[&kind, &key, &id],
        )?;
        return Ok(false);
    }
    let Some(next) = holder.next else {
        tx.execute(
            "DELETE FROM _mito_queue_keys WHERE kind = $1 AND dedup_key = $2 AND until_ms IS NULL",
            &[&kind, &key],
        )?;
        return Ok(false);
    };
    tx.execute(
        "UPDATE _mito_queue_keys SET job = $1, next_job = NULL \
         WHERE kind = $2 AND dedup_key = $3",
        &[&next, &kind, &key],
    )?;
    let now_ms = tx.now_ms();
    let released = tx.execute(
        "UPDATE _mito_queue_jobs SET state = 'available', due_ms = $1 \
         WHERE id = $2 AND state = 'scheduled' AND waits_until_ms IS NULL",
        &[&now_ms, &next],
    )?;
    Ok(released > 0)
}

/// A job that had ended runs again: it takes its key back if nobody has it.
pub(crate) fn retake(tx: &mut Tx<'_>, id: &str, kind: &str, key: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO _mito_queue_keys (kind, dedup_key, job) VALUES ($1, $2, $3) \
         ON CONFLICT (kind, dedup_key) DO NOTHING",
        &[&kind, &key, &id],
    )?;
    Ok(())
}

/// Forgets keys whose time is over, at most `limit` of them; whether there may be more.
pub(crate) fn forget(tx: &mut Tx<'_>, limit: i64) -> Result<bool> {
    let now_ms = tx.now_ms();
    let forgotten = tx.execute(
        "DELETE FROM _mito_queue_keys WHERE (kind, dedup_key) IN ( \
             SELECT kind, dedup_key FROM _mito_queue_keys WHERE until_ms <= $1 LIMIT $2)",
        &[&now_ms, &limit],
    )?;
    Ok(i64::try_from(forgotten).is_ok_and(|forgotten| forgotten >= limit))
}
