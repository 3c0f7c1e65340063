//! What a running job keeps while it runs: results of its steps, and its progress. Written by the
//! holder of the lease alone.

use mito_database::Tx;

use super::{Lease, Result};

/// The most steps of one job.
pub(crate) const MAX_STEPS: i64 = 1_000;

/// Whether the lease is held; it stays so until the transaction ends.
pub(crate) fn is_held(tx: &mut Tx<'_>, lease: &Lease) -> Result<bool> {
    let sql = format!(
        "SELECT 1 AS held FROM _mito_queue_jobs \
         WHERE id = $1 AND state = 'running' AND lease_token = $2{}",
        super::locked(tx)
    );
    Ok(tx.query_one(&sql, &[&lease.id, &lease.token])?.is_some())
}

/// The kept result of a step.
pub(crate) fn find(tx: &mut Tx<'_>, job: &str, name: &str) -> Result<Option<String>> {
    let row = tx.query_one(
        "SELECT result FROM _mito_queue_steps WHERE job = $1 AND name = $2",
        &[&job, &name],
    )?;
    row.map(|row| row.get("result")).transpose()
}

/// What became of a step's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It is there.
    Yes,
    /// The lease is gone.
    LeaseLost,
    /// The job has [`MAX_STEPS`] already.
    TooMany,
}

/// Keeps the result of a step.
pub(crate) fn keep(tx: &mut Tx<'_>, lease: &Lease, name: &str, result: &str) -> Result<Kept> {
    if !is_held(tx, lease)? {
        return Ok(Kept::LeaseLost);
    }
    let row = tx.query_one(
        "SELECT COUNT(*) AS steps FROM _mito_queue_steps WHERE job = $1",
        &[&lease.id],
    )?;
    if row.map_or(Ok(0), |row| row.get::<i64>("steps"))? >= MAX_STEPS {
        return Ok(Kept::TooMany);
    }
    let now_ms = tx.now_ms();
    tx.execute(
        "INSERT INTO _mito_queue_steps (job, name, result, at_ms) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (job, name) DO NOTHING",
        &[&lease.id, &name, &result, &now_ms],
    )?;
    Ok(Kept::Yes)
}

/// Writes the progress; whether the lease was held.
pub(crate) fn progress(tx: &mut Tx<'_>, lease: &Lease, progress: &str) -> Result<bool> {
    let written = tx.execute(
        "UPDATE _mito_queue_jobs SET progress = $1 \
         WHERE id = $2 AND state = 'running' AND lease_token = $3",
        &[&progress, &lease.id, &lease.token],
    )?;
    Ok(written > 0)
}
