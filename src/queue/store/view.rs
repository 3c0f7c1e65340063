//! What people look at. Counts stop at a limit and lists are merged from one index, so that
//! looking stays cheap with millions of rows.

use mito_database::{Error, Row, ToValue, Tx};

use super::{Result, limits};
use crate::{
    Finished, JobState,
    panel::types::{JobDetail, JobLogLine, JobSummary, QueueSummary, StateCounts},
};

/// The most queues that are shown.
const MAX_QUEUES: usize = 100;

/// Counting stops here.
pub(crate) const COUNT_LIMIT: u32 = 10_000;

/// How many jobs of a queue and state one search looks at.
const MAX_SEARCHED: u32 = 2_000;

const SUMMARY_COLUMNS: &str = "id, sequence, queue, kind, state, priority, attempts, \
    max_attempts, created_ms, due_ms, started_ms, finished_ms, error, request_id";

/// Which jobs are listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) state: Option<JobState>,
    pub(crate) queue: Option<String>,
    /// Only jobs that were enqueued before the one with this sequence.
    pub(crate) before: Option<i64>,
    /// Only jobs that have this in their kind, payload or error, or as their id.
    pub(crate) search: Option<String>,
    pub(crate) limit: usize,
}

/// A part of a list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// Jobs, the newest first.
    pub(crate) jobs: Vec<JobSummary>,
    /// What [`Filter::before`] is for the next part.
    pub(crate) next: Option<i64>,
}

/// Jobs, the newest first. A search looks at the newest [`MAX_SEARCHED`] of each queue and state,
/// and goes on from there in the next part, which may therefore be there when this one is empty.
pub(crate) fn jobs(tx: &mut Tx<'_>, filter: &Filter) -> Result<Found> {
    let queues = match &filter.queue {
        Some(queue) => vec![queue.clone()],
        None => queue_names(tx)?,
    };
    let states = filter
        .state
        .map_or_else(|| JobState::ALL.to_vec(), |state| vec![state]);
    let before = filter.before.unwrap_or(i64::MAX);
    let (mut found, mut horizon) = (Vec::new(), None);
    for queue in &queues {
        for state in &states {
            if filter.search.is_some() {
                horizon = horizon.max(searched_until(tx, queue, *state, before)?);
            }
            found.extend(of_state(tx, filter, queue, *state, before)?);
        }
    }
    // Below the horizon not all have been looked at.
    found.retain(|(sequence, _)| horizon.is_none_or(|horizon| *sequence >= horizon));
    found.sort_by_key(|(sequence, _)| std::cmp::Reverse(*sequence));
    let is_full = found.len() >= filter.limit;
    found.truncate(filter.limit);
    let last = found.last().map(|(sequence, _)| *sequence);
    Ok(Found {
        next: if is_full { last } else { horizon },
        jobs: found.into_iter().map(|(_, job)| job).collect(),
    })
}

/// How far a search sees in one state of a queue; nothing if that is all of it.
fn searched_until(
    tx: &mut Tx<'_>,
    queue: &str,
    state: JobState,
    before: i64,
) -> Result<Option<i64>> {
    let row = tx.query_one(
        "SELECT sequence FROM _mito_queue_jobs WHERE queue = $1 AND state = $2 AND sequence < $3 \
         ORDER BY sequence DESC LIMIT 1 OFFSET $4",
        &[&queue, &state.name(), &before, &(MAX_SEARCHED - 1)],
    )?;
    row.map(|row| row.get("sequence")).transpose()
}

fn of_state(
    tx: &mut Tx<'_>,
    filter: &Filter,
    queue: &str,
    state: JobState,
    before: i64,
) -> Result<Vec<(i64, JobSummary)>> {
    let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
    let rows = match &filter.search {
        None => {
            let sql = format!(
                "SELECT {SUMMARY_COLUMNS} FROM _mito_queue_jobs \
                 WHERE queue = $1 AND state = $2 AND sequence < $3 \
                 ORDER BY sequence DESC LIMIT $4"
            );
            tx.query(&sql, &[&queue, &state.name(), &before, &limit])?
        }
        Some(text) => {
            // Payloads that hold secrets are not searched: an answer would tell of them.
            let sql = format!(
                "SELECT {SUMMARY_COLUMNS} FROM (SELECT {SUMMARY_COLUMNS}, payload, sensitive \
                     FROM _mito_queue_jobs WHERE queue = $1 AND state = $2 AND sequence < $3 \
                     ORDER BY sequence DESC LIMIT $5) AS newest \
                 WHERE id = $6 OR LOWER(kind) LIKE $7 ESCAPE '!' \
                     OR LOWER(COALESCE(error, '')) LIKE $7 ESCAPE '!' \
                     OR (sensitive = 0 AND LOWER(payload) LIKE $7 ESCAPE '!') \
                 ORDER BY sequence DESC LIMIT $4"
            );
            let (name, pattern) = (state.name(), pattern(text));
            let bound: [&dyn ToValue; 7] = [
                &queue,
                &name,
                &before,
                &limit,
                &MAX_SEARCHED,
                text,
                &pattern,
            ];
            tx.query(&sql, &bound)?
        }
    };
    rows.iter()
        .map(|row| Ok((row.get("sequence")?, summary(row)?)))
        .collect()
}

/// What LIKE finds the text with, wherever it is.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.to_lowercase().chars() {
        if matches!(letter, '!' | '%' | '_') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// One job with all that is known of it.
pub(crate) fn job(tx: &mut Tx<'_>, id: &str) -> Result<Option<JobDetail>> {
    let sql = format!(
        "SELECT {SUMMARY_COLUMNS}, payload, sensitive, unique_key, dedup_key, group_key, \
             parent, children_left, result, progress \
         FROM _mito_queue_jobs WHERE id = $1"
    );
    let Some(row) = tx.query_one(&sql, &[&id])? else {
        return Ok(None);
    };
    let is_sensitive: bool = row.get("sensitive")?;
    let payload: String = if is_sensitive {
        "null".to_owned()
    } else {
        row.get("payload")?
    };
    let said = |column: &str| -> Result<serde_json::Value> {
        let text: Option<String> = row.get(column)?;
        Ok(super::json(text.filter(|_| !is_sensitive).as_deref()))
    };
    let log = tx.query(
        "SELECT number, at_ms, line FROM _mito_queue_log WHERE job = $1 ORDER BY number",
        &[&id],
    )?;
    Ok(Some(JobDetail {
        summary: summary(&row)?,
        // What cannot be read is shown as the text it is.
        payload: serde_json::from_str(&payload).unwrap_or(serde_json::Value::String(payload)),
        unique_key: row.get("unique_key")?,
        dedup_key: row.get("dedup_key")?,
        group_key: row.get("group_key")?,
        parent: row.get("parent")?,
        children_left: row.get("children_left")?,
        result: said("result")?,
        progress: said("progress")?,
        steps: steps(tx, id)?,
        children: super::flow::shown_children(tx, id)?,
        log: log.iter().map(log_line).collect::<Result<_>>()?,
    }))
}

/// Every queue that has jobs.
pub(crate) fn queues(tx: &mut Tx<'_>) -> Result<Vec<QueueSummary>> {
    let names = queue_names(tx)?;
    names.into_iter().map(|name| queue(tx, name)).collect()
}

fn queue(tx: &mut Tx<'_>, name: String) -> Result<QueueSummary> {
    let mut counts = StateCounts::default();
    for state in JobState::ALL {
        *counts.of(state) = count(tx, &name, state)?;
    }
    let oldest = tx.query_one(
        "SELECT due_ms FROM _mito_queue_jobs WHERE queue = $1 AND state = 'available' \
         ORDER BY sequence LIMIT 1",
        &[&name],
    )?;
    let oldest_available_ms = oldest.map(|row| row.get("due_ms")).transpose()?;
    let (paused, limits) = limits::of_queue(tx, &name)?;
    Ok(QueueSummary {
        name,
        paused,
        limits,
        counts,
        count_limit: COUNT_LIMIT,
        oldest_available_ms,
    })
}

fn count(tx: &mut Tx<'_>, queue: &str, state: JobState) -> Result<u32> {
    let row = tx.query_one(
        "SELECT COUNT(*) AS jobs FROM (SELECT 1 FROM _mito_queue_jobs \
             WHERE queue = $1 AND state = $2 LIMIT $3) AS counted",
        &[&queue, &state.name(), &COUNT_LIMIT],
    )?;
    row.map_or(Ok(0), |row| row.get("jobs"))
}

fn queue_names(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    while names.len() < MAX_QUEUES {
        let after: &dyn ToValue = &names.last().cloned().unwrap_or_default();
        let row = tx.query_one(
            "SELECT MIN(queue) AS queue FROM _mito_queue_jobs WHERE queue > $1",
            &[after],
        )?;
        match row
            .map(|row| row.get::<Option<String>>("queue"))
            .transpose()?
            .flatten()
        {
            Some(name) => names.push(name),
            None => break,
        }
    }
    Ok(names)
}

/// The state of a row.
pub(crate) fn state(row: &Row) -> Result<JobState> {
    let state: String = row.get("state")?;
    JobState::from_name(&state).ok_or_else(|| Error::Column {
        column: "state".to_owned(),
        reason: format!("{state:?} is no state of a job"),
    })
}

fn summary(row: &Row) -> Result<JobSummary> {
    Ok(JobSummary {
        id: row.get("id")?,
        queue: row.get("queue")?,
        kind: row.get("kind")?,
        state: state(row)?,
        priority: row.get("priority")?,
        attempts: row.get("attempts")?,
        max_attempts: row.get("max_attempts")?,
        created_ms: row.get("created_ms")?,
        due_ms: row.get("due_ms")?,
        started_ms: row.get("started_ms")?,
        finished_ms: row.get("finished_ms")?,
        error: row.get("error")?,
        request_id: row.get("request_id")?,
    })
}

/// The names of the steps that a job has behind it.
fn steps(tx: &mut Tx<'_>, id: &str) -> Result<Vec<String>> {
    let rows = tx.query(
        "SELECT name FROM _mito_queue_steps WHERE job = $1 ORDER BY at_ms, name",
        &[&id],
    )?;
    super::strings(&rows, "name")
}

/// Whether a job has ended, and how.
pub(crate) enum Ending {
    /// There is no such job.
    Missing,
    /// It has not ended.
    Ahead,
    /// It has ended.
    Ended(Finished),
}

/// Whether a job has ended, and how.
pub(crate) fn ending(tx: &mut Tx<'_>, id: &str) -> Result<Ending> {
    let row = tx.query_one(
        "SELECT state, result, error, finished_ms FROM _mito_queue_jobs WHERE id = $1",
        &[&id],
    )?;
    let Some(row) = row else {
        return Ok(Ending::Missing);
    };
    if row.get::<Option<i64>>("finished_ms")?.is_none() {
        return Ok(Ending::Ahead);
    }
    Ok(Ending::Ended(Finished {
        state: state(&row)?,
        result: super::json(row.get::<Option<String>>("result")?.as_deref()),
        error: row.get("error")?,
    }))
}

fn log_line(row: &Row) -> Result<JobLogLine> {
    Ok(JobLogLine {
        number: row.get("number")?,
        at_ms: row.get("at_ms")?,
        line: row.get("line")?,
    })
}
