//! Jobs whose time has come, and jobs whose holder has gone.

use mito_database::{Row, ToValue, Tx};

use super::{
    Lease, Result, claim, finish,
    follow::{self, Follow},
    strings,
};

/// The most rows that one transaction changes here.
pub(crate) const CHUNK: i64 = 500;

/// Makes due jobs available, at most [`CHUNK`] of them; returns the queue of each.
pub(crate) fn promote(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    let now_ms = tx.now_ms();
    let rows = tx.query(
        "UPDATE _mito_queue_jobs SET state = 'available', waits_until_ms = NULL \
         WHERE id IN (SELECT id FROM _mito_queue_jobs WHERE waits_until_ms <= $1 \
             ORDER BY waits_until_ms LIMIT $2) \
         RETURNING queue",
        &[&now_ms, &CHUNK],
    )?;
    strings(&rows, "queue")
}

/// When the next waiting job is due.
pub(crate) fn next_due_ms(tx: &mut Tx<'_>) -> Result<Option<i64>> {
    let row = tx.query_one(
        "SELECT MIN(waits_until_ms) AS due_ms FROM _mito_queue_jobs \
         WHERE waits_until_ms IS NOT NULL",
        &[],
    )?;
    Ok(row.map(|row| row.get("due_ms")).transpose()?.flatten())
}

/// Jobs that were taken from holders that are gone.
#[derive(Debug, Default)]
pub(crate) struct Rescued {
    /// The queues of those that are available again.
    pub(crate) available: Vec<String>,
    /// How many had no attempt left.
    pub(crate) discarded: usize,
    /// Whom to tell.
    pub(crate) follow: Follow,
}

impl Rescued {
    /// How many there were.
    pub(crate) fn len(&self) -> usize {
        self.available.len() + self.discarded
    }
}

/// Takes over expired leases, at most [`CHUNK`] of them.
pub(crate) fn expired(tx: &mut Tx<'_>) -> Result<Rescued> {
    let now_ms = tx.now_ms();
    rescue(
        tx,
        "lease_until_ms <= $1 ORDER BY lease_until_ms",
        &[&now_ms],
    )
}

/// Takes over the leases of one queue that were drawn by another process than `boot`, at most
/// [`CHUNK`] of them.
pub(crate) fn of_other_boots(tx: &mut Tx<'_>, queue: &str, boot: &str) -> Result<Rescued> {
    let condition = "queue = $1 AND state = 'running' AND boot <> $2 ORDER BY sequence";
    rescue(tx, condition, &[&queue, &boot])
}

fn rescue(tx: &mut Tx<'_>, condition: &str, parameters: &[&dyn ToValue]) -> Result<Rescued> {
    let sql = format!(
        "SELECT {}, lease_token, attempts, max_attempts FROM _mito_queue_jobs \
         WHERE {condition} LIMIT {CHUNK}{}",
        follow::COLUMNS,
        super::skip_locked(tx)
    );
    let mut rescued = Rescued::default();
    for row in tx.query(&sql, parameters)? {
        rescue_one(tx, &row, &mut rescued)?;
    }
    Ok(rescued)
}

/// A job whose every attempt ended its process or outlived its lease would do so for ever; it stops
/// after as many attempts as its policy allows.
fn rescue_one(tx: &mut Tx<'_>, row: &Row, rescued: &mut Rescued) -> Result<()> {
    let lease = Lease {
        id: row.get("id")?,
        token: row.get("lease_token")?,
    };
    let attempts: i64 = row.get("attempts")?;
    let max_attempts: Option<i64> = row.get("max_attempts")?;
    if max_attempts.is_some_and(|max_attempts| attempts >= max_attempts) {
        let reason =
            format!("attempt {attempts} was the last one, and its process ended or lost the lease");
        if let Some(follow) = finish::discard(tx, &lease, &reason)? {
            rescued.follow.queues.extend(follow.queues);
            rescued.follow.ended.extend(follow.ended);
        }
        rescued.discarded += 1;
        return Ok(());
    }
    tx.execute(
        "UPDATE _mito_queue_jobs SET state = 'available', \
             lease_token = NULL, lease_until_ms = NULL, boot = NULL, error = $1 \
         WHERE id = $2 AND lease_token = $3",
        &[
            &"the process of the last attempt ended or lost the lease",
            &lease.id,
            &lease.token,
        ],
    )?;
    follow::left(tx, row, &mut rescued.follow)?;
    rescued.available.push(row.get("queue")?);
    Ok(())
}

/// Gives up jobs that nobody has started in the time that they were given, at most [`CHUNK`] of
/// them; returns how many.
pub(crate) fn give_up(tx: &mut Tx<'_>, follow: &mut Follow) -> Result<usize> {
    let now_ms = tx.now_ms();
    let rows = tx.query(
        "SELECT id, due_ms, expires_ms FROM _mito_queue_jobs WHERE expires_ms <= $1 \
         ORDER BY expires_ms LIMIT $2",
        &[&now_ms, &CHUNK],
    )?;
    for row in &rows {
        let limit_ms = row.get::<i64>("expires_ms")? - row.get::<i64>("due_ms")?;
        let reason = claim::waited_too_long(limit_ms);
        finish::discard_waiting(tx, &row.get::<String>("id")?, &reason, follow)?;
    }
    Ok(rows.len())
}
