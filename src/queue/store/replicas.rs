//! How many replicas each worker role was asked to have.

use mito_database::Tx;

use super::Result;

/// Notes what was asked for.
pub(crate) fn set(tx: &mut Tx<'_>, role: &str, configured: usize, wanted: usize) -> Result<()> {
    let (configured, wanted) = (stored(configured), stored(wanted));
    tx.execute(
        "INSERT INTO _mito_queue_replicas (role, configured, wanted) VALUES ($1, $2, $3) \
         ON CONFLICT (role) DO UPDATE \
         SET configured = excluded.configured, wanted = excluded.wanted",
        &[&role, &configured, &wanted],
    )?;
    Ok(())
}

/// What was asked for last, unless the configuration has changed since.
pub(crate) fn recall(tx: &mut Tx<'_>, role: &str, configured: usize) -> Result<usize> {
    let row = tx.query_one(
        "SELECT wanted FROM _mito_queue_replicas WHERE role = $1 AND configured = $2",
        &[&role, &stored(configured)],
    )?;
    if let Some(row) = row {
        return row.get("wanted");
    }
    tx.execute("DELETE FROM _mito_queue_replicas WHERE role = $1", &[&role])?;
    Ok(configured)
}

fn stored(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
