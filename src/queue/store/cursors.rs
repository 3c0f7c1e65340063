//! How far relays have come, stored where their effects are.

use mito_database::Tx;

use super::Result;

/// A relay's cursor in one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) relay: String,
    pub(crate) sequence: i64,
    pub(crate) seen_ms: i64,
}

/// The cursor of a relay, which is created at the beginning of the outbox, and noted as seen.
pub(crate) fn register(tx: &mut Tx<'_>, relay: &str, source: &str) -> Result<i64> {
    let now_ms = tx.now_ms();
    tx.execute(
        "INSERT INTO _mito_queue_cursors (relay, source, sequence, seen_ms) \
         VALUES ($1, $2, 0, $3) \
         ON CONFLICT (relay, source) DO UPDATE SET seen_ms = excluded.seen_ms",
        &[&relay, &source, &now_ms],
    )?;
    position(tx, relay, source)
}

/// The cursor of a registered relay, which no other transaction moves until this one ends.
pub(crate) fn position(tx: &mut Tx<'_>, relay: &str, source: &str) -> Result<i64> {
    let sql = format!(
        "SELECT sequence FROM _mito_queue_cursors WHERE relay = $1 AND source = $2{}",
        super::locked(tx)
    );
    let row = tx.query_one(&sql, &[&relay, &source])?;
    row.map_or(Ok(0), |row| row.get("sequence"))
}

/// Moves a cursor.
pub(crate) fn advance(tx: &mut Tx<'_>, relay: &str, source: &str, sequence: i64) -> Result<()> {
    let now_ms = tx.now_ms();
    tx.execute(
        "UPDATE _mito_queue_cursors SET sequence = $1, seen_ms = $2 \
         WHERE relay = $3 AND source = $4",
        &[&sequence, &now_ms, &relay, &source],
    )?;
    Ok(())
}

/// All cursors in a source.
pub(crate) fn of_source(tx: &mut Tx<'_>, source: &str) -> Result<Vec<Cursor>> {
    let rows = tx.query(
        "SELECT relay, sequence, seen_ms FROM _mito_queue_cursors WHERE source = $1",
        &[&source],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Cursor {
                relay: row.get("relay")?,
                sequence: row.get("sequence")?,
                seen_ms: row.get("seen_ms")?,
            })
        })
        .collect()
}
