//! Paused queues, and limits of queues and groups. A queue that was never paused or limited has no
//! row and costs a claim one look at a primary key.

use mito_database::Tx;

use super::{Result, follow};
use crate::{Limits, RateLimit};

/// How many groups a look lets go on.
const GROUPS_AT_ONCE: usize = 100;

/// The most held jobs that one transaction lets go.
const JOBS_AT_ONCE: u32 = 500;

/// A queue and the key of a group in it.
pub(crate) type GroupName = (String, String);

/// What a queue allows to be claimed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate {
    /// How many jobs may be claimed now.
    pub(crate) allowed: usize,
    /// When more may be, if time alone will tell.
    pub(crate) again_ms: Option<i64>,
    pub(crate) limits: Limits,
    window: Option<Window>,
}

/// A window of a rate limit: when it began and how many were started in it.
#[derive(Clone, Copy, Debug)]
struct Window {
    start_ms: i64,
    count: i64,
}

impl Window {
    /// The window of now. One that began in the future was begun before the clock was set back: it
    /// begins now, with what it has counted.
    fn current(self, rate: RateLimit, now_ms: i64) -> Self {
        let length_ms = i64::try_from(rate.window_ms).unwrap_or(i64::MAX);
        if now_ms >= self.start_ms.saturating_add(length_ms) {
            return Self {
                start_ms: now_ms,
                count: 0,
            };
        }
        Self {
            start_ms: self.start_ms.min(now_ms),
            ..self
        }
    }

    fn room(self, rate: RateLimit) -> usize {
        usize::try_from(i64::from(rate.max) - self.count).unwrap_or(0)
    }

    fn end_ms(self, rate: RateLimit) -> i64 {
        let length_ms = i64::try_from(rate.window_ms).unwrap_or(i64::MAX);
        self.start_ms.saturating_add(length_ms)
    }
}

/// What the queue allows to a claim of up to `wanted` jobs.
pub(crate) fn gate(tx: &mut Tx<'_>, queue: &str, wanted: usize) -> Result<Gate> {
    let sql = format!(
        "SELECT paused, limits, window_start_ms, window_count FROM _mito_queue_queues \
         WHERE name = $1{}",
        super::locked(tx)
    );
    let Some(row) = tx.query_one(&sql, &[&queue])? else {
        return Ok(Gate {
            allowed: wanted,
            ..Gate::default()
        });
    };
    if row.get::<bool>("paused")? {
        return Ok(Gate::default());
    }
    let limits = parsed(row.get::<Option<String>>("limits")?.as_deref());
    let mut gate = Gate {
        allowed: wanted,
        limits,
        ..Gate::default()
    };
    if let Some(concurrency) = limits.concurrency {
        let running = running(tx, queue, concurrency)?;
        gate.allowed = gate.allowed.min((concurrency - running) as usize);
    }
    if let Some(rate) = limits.rate {
        let window = Window {
            start_ms: row.get("window_start_ms")?,
            count: row.get("window_count")?,
        };
        let window = window.current(rate, tx.now_ms());
        if window.room(rate) < gate.allowed {
            gate.allowed = window.room(rate);
            gate.again_ms = Some(window.end_ms(rate));
        }
        gate.window = Some(window);
    }
    Ok(gate)
}

/// How many jobs of the queue run, counted up to `limit`.
fn running(tx: &mut Tx<'_>, queue: &str, limit: u32) -> Result<u32> {
    let row = tx.query_one(
        "SELECT COUNT(*) AS jobs FROM (SELECT 1 FROM _mito_queue_jobs \
             WHERE queue = $1 AND state = 'running' LIMIT $2) AS counted",
        &[&queue, &limit],
    )?;
    row.map_or(Ok(0), |row| row.get("jobs"))
}

/// Notes that `count` jobs were started.
pub(crate) fn spend(tx: &mut Tx<'_>, queue: &str, gate: &Gate, count: usize) -> Result<()> {
    let (Some(window), true) = (gate.window, count > 0) else {
        return Ok(());
    };
    let count = window.count + i64::try_from(count).unwrap_or(i64::MAX);
    tx.execute(
        "UPDATE _mito_queue_queues SET window_start_ms = $1, window_count = $2 WHERE name = $3",
        &[&window.start_ms, &count, &queue],
    )?;
    Ok(())
}

/// What a group allows to a job that would be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It may run, and that has been noted.
    Now,
    /// When another one of the group has ended.
    Behind,
    /// Not before then.
    NotBefore(i64),
}

/// Asks whether a job of the group may run now. Jobs that the same claim has started are running
/// in the table already.
pub(crate) fn group_turn(
    tx: &mut Tx<'_>,
    queue: &str,
    group_key: &str,
    limits: &Limits,
) -> Result<Turn> {
    if let Some(concurrency) = limits.group_concurrency
        && running_in_group(tx, queue, group_key, concurrency)? >= concurrency
    {
        return Ok(Turn::Behind);
    }
    let Some(rate) = limits.group_rate else {
        return Ok(Turn::Now);
    };
    let row = tx.query_one(
        "SELECT window_start_ms, window_count FROM _mito_queue_groups \
         WHERE queue = $1 AND group_key = $2",
        &[&queue, &group_key],
    )?;
    let now_ms = tx.now_ms();
    let window = match row {
        None => Window {
            start_ms: now_ms,
            count: 0,
        },
        Some(row) => Window {
            start_ms: row.get("window_start_ms")?,
            count: row.get("window_count")?,
        }
        .current(rate, now_ms),
    };
    if window.room(rate) == 0 {
        return Ok(Turn::NotBefore(window.end_ms(rate)));
    }
    tx.execute(
        "INSERT INTO _mito_queue_groups (queue, group_key, window_start_ms, window_count) \
         VALUES ($1, $2, $3, $4) ON CONFLICT (queue, group_key) DO UPDATE \
         SET window_start_ms = excluded.window_start_ms, window_count = excluded.window_count",
        &[&queue, &group_key, &window.start_ms, &(window.count + 1)],
    )?;
    Ok(Turn::Now)
}

/// Pauses or resumes a queue.
pub(crate) fn pause(tx: &mut Tx<'_>, queue: &str, paused: bool) -> Result<()> {
    tx.execute(
        "INSERT INTO _mito_queue_queues (name, paused) VALUES ($1, $2) \
         ON CONFLICT (name) DO UPDATE SET paused = excluded.paused",
        &[&queue, &paused],
    )?;
    Ok(())
}

/// Sets the limits of a queue.
pub(crate) fn set(tx: &mut Tx<'_>, queue: &str, limits: &Limits) -> Result<()> {
    let text = (*limits != Limits::default())
        .then(|| serde_json::to_string(limits))
        .transpose()
        .map_err(|error| mito_database::Error::Engine(error.to_string()))?;
    tx.execute(
        "INSERT INTO _mito_queue_queues (name, limits) VALUES ($1, $2) \
         ON CONFLICT (name) DO UPDATE SET limits = excluded.limits",
        &[&queue, &text],
    )?;
    Ok(())
}

/// Whether the queue is paused, and its limits.
pub(crate) fn of_queue(tx: &mut Tx<'_>, queue: &str) -> Result<(bool, Limits)> {
    let row = tx.query_one(
        "SELECT paused, limits FROM _mito_queue_queues WHERE name = $1",
        &[&queue],
    )?;
    let Some(row) = row else {
        return Ok((false, Limits::default()));
    };
    let limits: Option<String> = row.get("limits")?;
    Ok((row.get("paused")?, parsed(limits.as_deref())))
}

/// Limits that cannot be read, of a newer version perhaps, do not stop the queue.
fn parsed(text: Option<&str>) -> Limits {
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

/// Lets held jobs of groups be claimed whose limits leave room: the limits have changed, or the last
/// runner has ended unseen. Returns the queues, and where to go on.
pub(crate) fn wake_groups(
    tx: &mut Tx<'_>,
    mut after: GroupName,
) -> Result<(Vec<String>, Option<GroupName>)> {
    let mut queues = Vec::new();
    for _ in 0..GROUPS_AT_ONCE {
        let row = tx.query_one(
            "SELECT queue, group_key FROM _mito_queue_jobs \
             WHERE held = 1 AND (queue, group_key) > ($1, $2) \
             ORDER BY queue, group_key LIMIT 1",
            &[&after.0, &after.1],
        )?;
        let Some(row) = row else {
            return Ok((queues, None));
        };
        let group: GroupName = (row.get("queue")?, row.get("group_key")?);
        let (_, limits) = of_queue(tx, &group.0)?;
        let room = match limits.group_concurrency {
            Some(most) => most - running_in_group(tx, &group.0, &group.1, most)?,
            None => JOBS_AT_ONCE,
        };
        let released = match room {
            0 => 0,
            room => follow::release_held(tx, &group.0, &group.1, room.min(JOBS_AT_ONCE))?,
        };
        if released > 0 && !queues.contains(&group.0) {
            queues.push(group.0.clone());
        }
        if released >= JOBS_AT_ONCE as usize {
            // The same group again, in another transaction.
            return Ok((queues, Some(after)));
        }
        after = group;
    }
    Ok((queues, Some(after)))
}

/// How many jobs of a group run, counted up to `limit`.
fn running_in_group(tx: &mut Tx<'_>, queue: &str, group_key: &str, limit: u32) -> Result<u32> {
    let row = tx.query_one(
        "SELECT COUNT(*) AS jobs FROM (SELECT 1 FROM _mito_queue_jobs \
             WHERE queue = $1 AND group_key = $2 AND state = 'running' LIMIT $3) AS counted",
        &[&queue, &group_key, &limit],
    )?;
    row.map_or(Ok(0), |row| row.get("jobs"))
}

/// Forgets windows that began long ago, at most `limit`; whether there may be more.
pub(crate) fn forget_windows(tx: &mut Tx<'_>, before_ms: i64, limit: i64) -> Result<bool> {
    let forgotten = tx.execute(
        "DELETE FROM _mito_queue_groups WHERE (queue, group_key) IN ( \
             SELECT queue, group_key FROM _mito_queue_groups WHERE window_start_ms < $1 LIMIT $2)",
        &[&before_ms, &limit],
    )?;
    Ok(i64::try_from(forgotten).is_ok_and(|forgotten| forgotten >= limit))
}
