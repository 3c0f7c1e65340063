//! Rows whose time of keeping is over, in small steps.

use mito_database::Tx;

use super::{Result, strings};
use crate::JobState;

/// How many jobs one step deletes.
const JOBS_AT_ONCE: i64 = 100;
/// How many log lines one step deletes.
const LINES_AT_ONCE: usize = 400;

/// Deletes jobs that ended in `state` before `before_ms`, and their logs; whether there is more.
pub(crate) fn delete_ended(tx: &mut Tx<'_>, state: JobState, before_ms: i64) -> Result<bool> {
    let rows = tx.query(
        "SELECT id FROM _mito_queue_jobs WHERE state = $1 AND finished_ms < $2 \
         ORDER BY finished_ms LIMIT $3",
        &[&state.name(), &before_ms, &JOBS_AT_ONCE],
    )?;
    let ids = strings(&rows, "id")?;
    let mut lines = 0;
    for id in &ids {
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
            tx.execute("DELETE FROM _mito_queue_jobs WHERE id = $1", &[id])?;
        }
    }
    Ok(!ids.is_empty())
}
