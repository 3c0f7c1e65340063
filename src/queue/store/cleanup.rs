//! Rows whose time of keeping is over, in small steps.

use mito_database::Tx;

use super::{Result, strings};
use crate::JobState;

/// How many jobs one step deletes.
const JOBS_AT_ONCE: i64 = 100;
/// How many log lines one step deletes.
const LINES_AT_ONCE: usize = 400;

/// Deletes completed jobs of a kind that ended before `before_ms`; whether there is more.
pub(crate) fn delete_completed(tx: &mut Tx<'_>, kind: &str, before_ms: i64) -> Result<bool> {
    let rows = tx.query(
        "SELECT id FROM _mito_queue_jobs WHERE kind = $1 AND state = 'completed' \
             AND finished_ms < $2 ORDER BY finished_ms LIMIT $3",
        &[&kind, &before_ms, &JOBS_AT_ONCE],
    )?;
    delete(tx, &strings(&rows, "id")?)
}

/// When the `count`th newest completed job of a kind ended: older ones are not kept.
pub(crate) fn newest_kept_ms(tx: &mut Tx<'_>, kind: &str, count: u32) -> Result<Option<i64>> {
    if count == 0 {
        return Ok(Some(i64::MAX));
    }
    let row = tx.query_one(
        "SELECT finished_ms FROM _mito_queue_jobs WHERE kind = $1 AND state = 'completed' \
             AND finished_ms IS NOT NULL ORDER BY finished_ms DESC LIMIT 1 OFFSET $2",
        &[&kind, &(count - 1)],
    )?;
    row.map(|row| row.get("finished_ms")).transpose()
}

/// Deletes jobs that ended in `state` before `before_ms`, and their logs; whether there is more.
pub(crate) fn delete_ended(tx: &mut Tx<'_>, state: JobState, before_ms: i64) -> Result<bool> {
    let rows = tx.query(
        "SELECT id FROM _mito_queue_jobs WHERE state = $1 AND finished_ms < $2 \
         ORDER BY finished_ms LIMIT $3",
        &[&state.name(), &before_ms, &JOBS_AT_ONCE],
    )?;
    delete(tx, &strings(&rows, "id")?)
}

/// Deletes jobs with what belongs to them, as far as one step goes; whether there were any.
fn delete(tx: &mut Tx<'_>, ids: &[String]) -> Result<bool> {
    let mut lines = 0;
    for id in ids {
        if lines >= LINES_AT_ONCE {
            return Ok(true);
        }
        let rest = i64::try_from(LINES_AT_ONCE - lines).unwrap_or(0);
        let deleted = tx.execute(
            "DELETE FROM _mito_queue_log WHERE job = $1 AND number IN ( \
                 SELECT number FROM _mito_queue_log WHERE job = $1 ORDER BY number LIMIT $2)",
            &[id, &rest],
        )?;
        lines += deleted;
        if lines < LINES_AT_ONCE {
            lines += tx.execute("DELETE FROM _mito_queue_steps WHERE job = $1", &[id])?;
            tx.execute("DELETE FROM _mito_queue_jobs WHERE id = $1", &[id])?;
        }
    }
    Ok(!ids.is_empty())
}
