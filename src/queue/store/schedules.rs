//! Rows of schedules.

use mito_database::{Error, Row, Tx};

use super::Result;
use crate::{
    enqueue::Prepared,
    schedules::{Schedule, ScheduleSummary},
};

/// The most schedules that are shown.
const MAX_SHOWN: u32 = 500;
/// How many coming times are shown.
const COMING: usize = 5;

/// A schedule with its job.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) name: String,
    pub(crate) job: Prepared,
    pub(crate) schedule: Schedule,
    pub(crate) runs: u32,
    pub(crate) next_ms: i64,
    pub(crate) created_ms: i64,
}

const COLUMNS: &str = "name, queue, kind, payload, sensitive, rule, runs, last_ms, next_ms, \
     created_ms";

/// Creates or changes a schedule; returns when it is due next.
pub(crate) fn put(
    tx: &mut Tx<'_>,
    name: &str,
    job: &Prepared,
    schedule: &Schedule,
) -> Result<Option<i64>> {
    let rule = serde_json::to_string(schedule).map_err(|error| Error::Engine(error.to_string()))?;
    let now_ms = tx.now_ms();
    let sql = format!(
        "SELECT {COLUMNS} FROM _mito_queue_schedules WHERE name = $1{}",
        super::locked(tx)
    );
    let kept = tx.query_one(&sql, &[&name])?;
    if let Some(kept) = kept
        && kept.get::<String>("rule")? == rule
    {
        tx.execute(
            "UPDATE _mito_queue_schedules SET queue = $1, kind = $2, payload = $3, \
                 sensitive = $4 WHERE name = $5",
            &[&job.queue, &job.kind, &job.payload, &job.sensitive, &name],
        )?;
        return kept.get("next_ms");
    }
    let next_ms = schedule.next(now_ms, now_ms);
    tx.execute(
        "INSERT INTO _mito_queue_schedules (name, queue, kind, payload, sensitive, rule, runs, \
             next_ms, created_ms, changed_ms) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $8) \
         ON CONFLICT (name) DO UPDATE SET queue = excluded.queue, kind = excluded.kind, \
             payload = excluded.payload, sensitive = excluded.sensitive, rule = excluded.rule, \
             runs = 0, next_ms = excluded.next_ms, created_ms = excluded.created_ms, \
             changed_ms = excluded.changed_ms",
        &[
            &name,
            &job.queue,
            &job.kind,
            &job.payload,
            &job.sensitive,
            &rule,
            &next_ms,
            &now_ms,
        ],
    )?;
    Ok(next_ms)
}

/// Removes a schedule; whether there was one.
pub(crate) fn remove(tx: &mut Tx<'_>, name: &str) -> Result<bool> {
    let removed = tx.execute(
        "DELETE FROM _mito_queue_schedules WHERE name = $1",
        &[&name],
    )?;
    Ok(removed > 0)
}

/// A schedule by name.
pub(crate) fn find(tx: &mut Tx<'_>, name: &str) -> Result<Option<Due>> {
    let sql = format!("SELECT {COLUMNS} FROM _mito_queue_schedules WHERE name = $1");
    let row = tx.query_one(&sql, &[&name])?;
    row.map(|row| from_row(&row)).transpose()
}

/// The schedule that has been due for the longest time.
pub(crate) fn due(tx: &mut Tx<'_>) -> Result<Option<Due>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM _mito_queue_schedules WHERE next_ms <= $1 \
         ORDER BY next_ms LIMIT 1{}",
        super::skip_locked(tx)
    );
    let now_ms = tx.now_ms();
    while let Some(row) = tx.query_one(&sql, &[&now_ms])? {
        match from_row(&row) {
            Ok(due) => return Ok(Some(due)),
            Err(error) => {
                // A newer version wrote it perhaps; the others must go on.
                let name: String = row.get("name")?;
                tracing::error!(%error, schedule = name, "a schedule is unreadable and stands still");
                tx.execute(
                    "UPDATE _mito_queue_schedules SET next_ms = NULL WHERE name = $1",
                    &[&name],
                )?;
            }
        }
    }
    Ok(None)
}

/// When the next schedule is due.
pub(crate) fn next_ms(tx: &mut Tx<'_>) -> Result<Option<i64>> {
    let row = tx.query_one(
        "SELECT MIN(next_ms) AS next_ms FROM _mito_queue_schedules WHERE next_ms IS NOT NULL",
        &[],
    )?;
    Ok(row.map(|row| row.get("next_ms")).transpose()?.flatten())
}

/// Notes the times for which jobs were enqueued, and the next one.
pub(crate) fn advance(
    tx: &mut Tx<'_>,
    due: &Due,
    times: &[i64],
    next_ms: Option<i64>,
) -> Result<()> {
    let runs = i64::from(due.runs) + i64::try_from(times.len()).unwrap_or(0);
    tx.execute(
        "UPDATE _mito_queue_schedules SET runs = $1, last_ms = COALESCE($2, last_ms), \
             next_ms = $3 WHERE name = $4",
        &[&runs, &times.last().copied(), &next_ms, &due.name],
    )?;
    Ok(())
}

/// Every schedule that can be read, by name.
pub(crate) fn all(tx: &mut Tx<'_>) -> Result<Vec<ScheduleSummary>> {
    let sql = format!("SELECT {COLUMNS} FROM _mito_queue_schedules ORDER BY name LIMIT $1");
    let rows = tx.query(&sql, &[&MAX_SHOWN])?;
    // One that cannot be read does not hide the others.
    Ok(rows.iter().filter_map(|row| summary(row).ok()).collect())
}

fn summary(row: &Row) -> Result<ScheduleSummary> {
    let due = from_row(row)?;
    let next_ms: Option<i64> = row.get("next_ms")?;
    let left = due
        .schedule
        .limit
        .map_or(COMING, |limit| limit.saturating_sub(due.runs) as usize);
    let coming = std::iter::successors(next_ms, |at_ms| due.schedule.next(*at_ms, due.created_ms));
    let coming_ms = coming.take(left.min(COMING)).collect();
    Ok(ScheduleSummary {
        name: due.name,
        queue: due.job.queue,
        kind: due.job.kind,
        schedule: due.schedule,
        runs: due.runs,
        last_ms: row.get("last_ms")?,
        next_ms,
        coming_ms,
    })
}

fn from_row(row: &Row) -> Result<Due> {
    let rule: String = row.get("rule")?;
    Ok(Due {
        name: row.get("name")?,
        job: Prepared {
            queue: row.get("queue")?,
            kind: row.get("kind")?,
            payload: row.get("payload")?,
            sensitive: row.get("sensitive")?,
        },
        schedule: serde_json::from_str(&rule).map_err(|error| Error::Column {
            column: "rule".to_owned(),
            reason: error.to_string(),
        })?,
        runs: row.get("runs")?,
        next_ms: row.get::<Option<i64>>("next_ms")?.unwrap_or(i64::MAX),
        created_ms: row.get("created_ms")?,
    })
}
