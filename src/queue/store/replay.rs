//! Dead letters that are to run again.

use mito_database::{ToValue, Tx};

use super::Result;
use crate::control::Replay;

/// How many jobs one transaction makes available.
const JOBS_AT_ONCE: i64 = 500;

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) replayed: u64,
    /// The sequence to go on after; none at the end.
    pub(crate) last: Option<i64>,
}

/// Makes jobs available that were discarded before `until_ms`, in the order of their sequences.
pub(crate) fn discarded(
    tx: &mut Tx<'_>,
    which: &Replay,
    after: i64,
    until_ms: i64,
) -> Result<Step> {
    let rows = tx.query(
        "SELECT id, kind, sequence, sensitive, dedup_key, finished_ms FROM _mito_queue_jobs \
         WHERE queue = $1 AND state = 'discarded' AND sequence > $2 ORDER BY sequence LIMIT $3",
        &[&which.queue, &after, &JOBS_AT_ONCE],
    )?;
    let now_ms = tx.now_ms();
    let mut step = Step {
        replayed: 0,
        last: None,
    };
    let is_full = i64::try_from(rows.len()).is_ok_and(|found| found >= JOBS_AT_ONCE);
    for row in rows {
        step.last = is_full.then_some(row.get("sequence")?);
        let kind: String = row.get("kind")?;
        let is_other = which.kind.as_ref().is_some_and(|wanted| *wanted != kind);
        let is_later = row.get::<i64>("finished_ms")? > until_ms;
        if is_other || is_later || row.get::<bool>("sensitive")? {
            continue;
        }
        let id: String = row.get("id")?;
        let parameters: [&dyn ToValue; 2] = [&now_ms, &id];
        tx.execute(
            "UPDATE _mito_queue_jobs SET state = 'available', attempts = 0, due_ms = $1, \
                 waits_until_ms = NULL, finished_ms = NULL WHERE id = $2",
            &parameters,
        )?;
        if let Some(key) = row.get::<Option<String>>("dedup_key")? {
            super::unique::retake(tx, &id, &kind, &key)?;
        }
        step.replayed += 1;
    }
    Ok(step)
}
