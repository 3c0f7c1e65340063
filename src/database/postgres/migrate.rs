//! Migrations on PostgreSQL: all pending steps of all roles in one transaction, behind a lock
//! that lets one process at a time through.

use std::{collections::BTreeMap, path::Path};

use postgres::{Client, Transaction};

use crate::{
    Error, Migrations,
    migrations::{self, Pending},
    postgres::errors::translate,
};

/// Held until the migrations are committed.
const LOCK: &str =
    "SELECT pg_advisory_xact_lock(hashtext('mito migrations'), hashtext(current_schema()))";

/// Brings the database up to date.
pub(crate) fn migrate(
    client: &mut Client,
    place: &Path,
    roles: &[Migrations],
    now_ms: i64,
) -> Result<(), Error> {
    let failed = |error: postgres::Error, sql: &str| translate(&error, sql);
    let mut transaction = client
        .transaction()
        .map_err(|error| failed(error, "BEGIN"))?;
    transaction
        .batch_execute("SET LOCAL statement_timeout = 0")
        .map_err(|e| failed(e, "SET"))?;
    transaction
        .batch_execute(LOCK)
        .map_err(|error| failed(error, LOCK))?;
    let applied = applied(&mut transaction)?;
    let pending = migrations::pending(place, roles, &applied, |step| {
        step.postgres.unwrap_or(step.sql)
    })?;
    if pending.is_empty() {
        return Ok(());
    }
    transaction
        .batch_execute(migrations::TABLE)
        .map_err(|error| failed(error, migrations::TABLE))?;
    for step in &pending {
        apply(&mut transaction, step, now_ms).map_err(|error| step.failed(place, &error))?;
        tracing::info!(
            role = step.role,
            migration.version = step.version,
            "migration applied"
        );
    }
    transaction
        .commit()
        .map_err(|error| failed(error, "COMMIT"))
}

fn apply(transaction: &mut Transaction<'_>, step: &Pending, now_ms: i64) -> Result<(), Error> {
    transaction
        .batch_execute(step.sql)
        .map_err(|error| translate(&error, step.sql))?;
    transaction
        .execute(
            migrations::RECORD,
            &[&step.role, &i64::from(step.version), &now_ms],
        )
        .map(|_| ())
        .map_err(|error| translate(&error, migrations::RECORD))
}

fn applied(transaction: &mut Transaction<'_>) -> Result<BTreeMap<String, u32>, Error> {
    let exists = "SELECT to_regclass('_mito_migrations') IS NOT NULL";
    let read = |transaction: &mut Transaction<'_>| -> Result<Vec<(String, i64)>, postgres::Error> {
        if !transaction.query_one(exists, &[])?.try_get::<_, bool>(0)? {
            return Ok(Vec::new());
        }
        let rows = transaction.query(migrations::APPLIED, &[])?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect()
    };
    let found = read(transaction).map_err(|error| translate(&error, migrations::APPLIED))?;
    Ok(found
        .into_iter()
        .map(|(role, version)| (role, u32::try_from(version).unwrap_or(u32::MAX)))
        .collect())
}
