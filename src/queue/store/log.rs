//! Lines that handlers leave with their jobs.

use mito_database::Tx;

use super::{Lease, Result, steps};

/// The most lines of one job.
pub(crate) const MAX_LINES: i64 = 1_000;
/// The longest line, in bytes.
const MAX_LINE_BYTES: usize = 4 * 1024;

/// [`append`] by the holder of the lease; whether it was held.
pub(crate) fn append_held(tx: &mut Tx<'_>, lease: &Lease, line: &str) -> Result<bool> {
    let is_held = steps::is_held(tx, lease)?;
    if is_held {
        append(tx, &lease.id, line)?;
    }
    Ok(is_held)
}

/// Appends a line, unless the job has [`MAX_LINES`] already.
pub(crate) fn append(tx: &mut Tx<'_>, job: &str, line: &str) -> Result<()> {
    let last = tx.query_one(
        "SELECT COALESCE(MAX(number), 0) AS number FROM _mito_queue_log WHERE job = $1",
        &[&job],
    )?;
    let last: i64 = last.map_or(Ok(0), |row| row.get("number"))?;
    if last >= MAX_LINES {
        return Ok(());
    }
    let now_ms = tx.now_ms();
    let line = &line[..line.floor_char_boundary(MAX_LINE_BYTES)];
    tx.execute(
        "INSERT INTO _mito_queue_log (job, number, at_ms, line) VALUES ($1, $2, $3, $4)",
        &[&job, &(last + 1), &now_ms, &line],
    )?;
    Ok(())
}
