//! New jobs.

use mito_database::Tx;

use super::{
    Result,
    unique::{self, Decision},
};
use crate::{JobState, Unique};

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
    pub(crate) unique: Option<&'a Unique>,
    pub(crate) request_id: Option<&'a str>,
    pub(crate) due_ms: i64,
    pub(crate) expires_ms: Option<i64>,
    pub(crate) options: Option<&'a str>,
    pub(crate) group_key: Option<&'a str>,
    /// The parent that waits for it, and what its failure means to the parent.
    pub(crate) parent: Option<(&'a str, &'static str)>,
    /// How many children it waits for.
    pub(crate) children: u32,
}

/// What became of it.
pub(crate) enum Inserted {
    /// It is there, in this state.
    New(JobState),
    /// This job stands for it; if it was put off, this is when it is due.
    Existing { id: String, due_ms: Option<i64> },
}

pub(crate) fn insert(tx: &mut Tx<'_>, job: &NewJob<'_>) -> Result<Inserted> {
    let decision = match job.unique {
        Some(unique) => unique::take(tx, unique, job)?,
        None => Decision::Insert,
    };
    match decision {
        Decision::Insert => insert_row(tx, job, job.children > 0),
        Decision::Behind => insert_row(tx, job, true),
        Decision::Existing { id, due_ms } => Ok(Inserted::Existing { id, due_ms }),
    }
}

/// A job that is blocked waits for other jobs and not for a time.
fn insert_row(tx: &mut Tx<'_>, job: &NewJob<'_>, is_blocked: bool) -> Result<Inserted> {
    let now_ms = tx.now_ms();
    let waits_until_ms = (job.due_ms > now_ms && !is_blocked).then_some(job.due_ms);
    let state = if is_blocked || waits_until_ms.is_some() {
        JobState::Scheduled
    } else {
        JobState::Available
    };
    // A throttled key outlives the job; the others end with it.
    let dedup_key = match job.unique {
        None | Some(Unique::Throttle { .. }) => None,
        Some(unique) => Some(unique.key()),
    };
    let inserted = tx.execute(
        "INSERT INTO _mito_queue_jobs (id, sequence, queue, kind, state, priority, payload, \
             unique_key, request_id, attempts, created_ms, due_ms, waits_until_ms, sensitive, \
             expires_ms, options, group_key, dedup_key, parent, parent_policy, children_left) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, $12, $13, \
             $14, $15, $16, $17, $18, $19, $20) \
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
            &job.expires_ms.filter(|_| !is_blocked),
            &job.options,
            &job.group_key,
            &dedup_key,
            &job.parent.map(|(parent, _)| parent),
            &job.parent.map(|(_, policy)| policy),
            &job.children,
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
        Some(row) => Ok(Inserted::Existing {
            id: row.get("id")?,
            due_ms: None,
        }),
        None => Err(mito_database::Error::Unique(format!(
            "the key of a {} job",
            job.kind
        ))),
    }
}
