//! The rows of sessions.

use mito_database::{Row, Tx};

use crate::{
    Error,
    accounts::{
        sessions::{MAX_PER_ACCOUNT, Refreshed, Start, Stored},
        tokens::{Claims, same},
    },
};

/// Over sessions deleted with each new one.
const SWEEP: i64 = 100;
/// The longest user agent that is kept, in characters.
const MAX_USER_AGENT: usize = 400;
/// The longest address that is kept, in characters.
const MAX_ADDRESS: usize = 64;

/// Puts another token into the place of the one that was brought. `lives_ms` is how long the session
/// may now be left unused.
pub(crate) fn rotate(
    tx: &mut Tx<'_>,
    stored: &mut Stored,
    claims: &Claims,
    jti: &str,
    lives_ms: i64,
) -> Result<Refreshed, Error> {
    let now_ms = tx.now_ms();
    if !stored.lives(now_ms) || stored.record != claims.id {
        return Ok(Refreshed::Ended);
    }
    if !stored.accepts(&claims.jti, now_ms) {
        end(tx, &stored.id)?;
        return Ok(Refreshed::Reused);
    }
    if !stored.refreshable {
        return Ok(Refreshed::Kept);
    }
    stored.idle_at = now_ms.saturating_add(lives_ms);
    if same(&stored.jti, &claims.jti) {
        stored.previous_jti = std::mem::replace(&mut stored.jti, jti.to_owned());
        stored.rotated_at = now_ms;
    }
    tx.execute(
        "UPDATE _mito_records_sessions SET jti = $1, previous_jti = $2, rotated_at = $3, \
         idle_at = $4, used_at = $5 WHERE id = $6",
        &[
            &stored.jti,
            &stored.previous_jti,
            &stored.rotated_at,
            &stored.idle_at,
            &now_ms,
            &stored.id,
        ],
    )?;
    Ok(Refreshed::Kept)
}

/// Makes room and inserts.
pub(crate) fn insert(tx: &mut Tx<'_>, stored: &Stored, start: &Start) -> Result<(), Error> {
    let now_ms = stored.rotated_at;
    tx.execute(
        "DELETE FROM _mito_records_sessions WHERE id IN (SELECT id FROM _mito_records_sessions \
         WHERE idle_at <= $1 OR absolute_at <= $1 LIMIT $2)",
        &[&now_ms, &SWEEP],
    )?;
    tx.execute(
        "DELETE FROM _mito_records_sessions WHERE id IN (SELECT id FROM _mito_records_sessions \
         WHERE collection_id = $1 AND record = $2 \
         ORDER BY idle_at DESC, id LIMIT $3 OFFSET $4)",
        &[
            &stored.collection_id,
            &stored.record,
            &SWEEP,
            &(MAX_PER_ACCOUNT - 1),
        ],
    )?;
    let user_agent: String = start.user_agent.chars().take(MAX_USER_AGENT).collect();
    let client_ip: String = start.client_ip.chars().take(MAX_ADDRESS).collect();
    tx.execute(
        "INSERT INTO _mito_records_sessions (id, collection_id, record, jti, previous_jti, \
         rotated_at, created_at, used_at, idle_at, absolute_at, refreshable, method, \
         impersonator, user_agent, client_ip) \
         VALUES ($1, $2, $3, $4, $5, $6, $6, $6, $7, $8, $9, $10, $11, $12, $13)",
        &[
            &stored.id,
            &stored.collection_id,
            &stored.record,
            &stored.jti,
            &stored.previous_jti,
            &now_ms,
            &stored.idle_at,
            &stored.absolute_at,
            &stored.refreshable,
            &start.method,
            &start.impersonator,
            &user_agent,
            &client_ip,
        ],
    )?;
    Ok(())
}

/// The session with that id.
pub(crate) fn find(tx: &mut Tx<'_>, session: &str) -> Result<Option<Stored>, Error> {
    let row = tx.query_one(
        "SELECT id, collection_id, record, jti, previous_jti, rotated_at, idle_at, absolute_at, \
         refreshable FROM _mito_records_sessions WHERE id = $1",
        &[&session],
    )?;
    row.as_ref().map(parse).transpose()
}

fn parse(row: &Row) -> Result<Stored, Error> {
    Ok(Stored {
        id: row.get("id")?,
        collection_id: row.get("collection_id")?,
        record: row.get("record")?,
        jti: row.get("jti")?,
        previous_jti: row.get("previous_jti")?,
        rotated_at: row.get("rotated_at")?,
        idle_at: row.get("idle_at")?,
        absolute_at: row.get("absolute_at")?,
        refreshable: row.get("refreshable")?,
    })
}

/// The sessions of an account.
pub(crate) fn of_account(
    tx: &mut Tx<'_>,
    collection_id: &str,
    record: &str,
) -> Result<Vec<String>, Error> {
    let rows = tx.query(
        "SELECT id FROM _mito_records_sessions WHERE collection_id = $1 AND record = $2 LIMIT $3",
        &[&collection_id, &record, &(MAX_PER_ACCOUNT * 2)],
    )?;
    rows.iter().map(|row| Ok(row.get("id")?)).collect()
}

/// Ends a session.
pub(crate) fn end(tx: &mut Tx<'_>, session: &str) -> Result<bool, Error> {
    let ended = tx.execute(
        "DELETE FROM _mito_records_sessions WHERE id = $1",
        &[&session],
    )?;
    Ok(ended > 0)
}

/// Ends all sessions of an account.
pub(crate) fn end_all(tx: &mut Tx<'_>, collection_id: &str, record: &str) -> Result<(), Error> {
    tx.execute(
        "DELETE FROM _mito_records_sessions WHERE collection_id = $1 AND record = $2",
        &[&collection_id, &record],
    )?;
    Ok(())
}
