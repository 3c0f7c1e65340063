//! New jobs.

use mito_database::Tx;

use super::Result;
use crate::JobState;

/// A row to insert.
pub(crate) struct NewJob<'a> {
    pub(crate) id: &'a str,
    /// Rises with every job of the process; the order among equal priorities.
    pub(crate) sequence: i64,
    pub(crate) queue: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) priority: i32,
    pub(crate) payload: &'a str,
    pub(crate) sensitive: bool,
    pub(crate) unique_key: Option<&'a str>,
    pub(crate) request_id: Option<&'a str>,
    pub(crate) due_ms: i64,
}

/// What became of it.
pub(crate) enum Inserted {
    /// It is there, in this state.
    New(JobState),
    /// This job has its unique key.
    Existing(String),
}

pub(crate) fn insert(tx: &mut Tx<'_>, job: &NewJob<'_>) -> Result<Inserted> {
    let now_ms = tx.now_ms();
    let waits_until_ms = (job.due_ms > now_ms).then_some(job.due_ms);
    let state = waits_until_ms.map_or(JobState::Available, |_| JobState::Scheduled);
    let inserted = tx.execute(
        "INSERT INTO _mito_queue_jobs (id, sequence, queue, kind, state, priority, payload, \
             unique_key, request_id, attempts, created_ms, due_ms, waits_until_ms, sensitive) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, $12, $13) \
         ON CONFLICT (kind, unique_key) WHERE unique_key IS NOT NULL DO NOTHING",
        &[
            &job.id,
            &job.sequence,
            &job.queue,
            &job.kind,
            &state.name(),
            &job.priority,
            &job.payload,
            &job.unique_key,
            &job.request_id,
            &now_ms,
            &job.due_ms,
            &waits_until_ms,
            &job.sensitive,
        ],
    )?;
    if inserted > 0 {
        return Ok(Inserted::New(state));
    }
    let existing = tx.query_one(
        "SELECT id FROM _mito_queue_jobs WHERE kind = $1 AND unique_key = $2",
        &[&job.kind, &job.unique_key],
    )?;
    match existing {
        Some(row) => Ok(Inserted::Existing(row.get("id")?)),
        None => Err(mito_database::Error::Unique(format!(
            "the key of a {} job",
            job.kind
        ))),
    }
}
