//! Migrations on SQLite: all pending steps of all roles in one transaction, after a copy of the
//! file has been put beside it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use rusqlite::Connection;

use crate::{
    Error,
    migrations::{self, Migrations, Pending},
    sqlite::{backup, errors::translate, file},
};

/// How many copies from before a migration are kept.
const COPIES_KEPT: usize = 3;
/// What the copies' names have between the file's name and the versions.
const COPY_INFIX: &str = ".before-";

/// Refuses a file that is ahead of this program, before anything is written to it.
pub(crate) fn verify(
    connection: &Connection,
    path: &Path,
    roles: &[Migrations],
) -> Result<(), Error> {
    migrations::pending(path, roles, &applied(connection, path)?, |step| step.sql).map(|_| ())
}

/// Brings the file up to date. `existed` says whether there is anything to copy first.
pub(crate) fn migrate(
    connection: &Connection,
    path: &Path,
    roles: &[Migrations],
    existed: bool,
    now_ms: i64,
) -> Result<(), Error> {
    let applied = applied(connection, path)?;
    let pending = migrations::pending(path, roles, &applied, |step| step.sql)?;
    if pending.is_empty() {
        return Ok(());
    }
    if existed {
        copy_before(path, &pending)?;
    }
    let failed = |error: rusqlite::Error, sql: &str| translate(&error, sql, path);
    // Rebuilding a table must not cascade; every reference is checked before the commit instead.
    connection
        .execute_batch("PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE")
        .map_err(|error| failed(error, "BEGIN"))?;
    let result = apply(connection, path, &pending, now_ms).and_then(|()| {
        connection
            .execute_batch("COMMIT")
            .map_err(|error| failed(error, "COMMIT"))
    });
    if result.is_err() && !connection.is_autocommit() {
        connection
            .execute_batch("ROLLBACK")
            .map_err(|error| failed(error, "ROLLBACK"))?;
    }
    connection
        .pragma_update(None, "foreign_keys", true)
        .map_err(|error| failed(error, "PRAGMA foreign_keys"))?;
    result
}

fn apply(
    connection: &Connection,
    path: &Path,
    pending: &[Pending],
    now_ms: i64,
) -> Result<(), Error> {
    let run = |sql: &str| {
        connection
            .execute_batch(sql)
            .map_err(|error| translate(&error, sql, path))
    };
    run(migrations::TABLE)?;
    for step in pending {
        run(step.sql).map_err(|error| step.failed(path, &error))?;
        if connection.is_autocommit() {
            let ended = Error::Engine("the step ended the transaction".to_owned());
            return Err(step.failed(path, &ended));
        }
        connection
            .execute(migrations::RECORD, (step.role, step.version, now_ms))
            .map_err(|error| translate(&error, migrations::RECORD, path))?;
        tracing::info!(
            role = step.role,
            migration.version = step.version,
            "migration applied"
        );
    }
    let dangling: i64 = connection
        .query_row("SELECT COUNT(*) FROM pragma_foreign_key_check", (), |row| {
            row.get(0)
        })
        .map_err(|error| translate(&error, "PRAGMA foreign_key_check", path))?;
    if dangling > 0 {
        return Err(Error::Constraint(format!(
            "the migrations leave {dangling} rows that refer to missing ones"
        )));
    }
    Ok(())
}

/// The newest applied version of each role; empty for a new file.
fn applied(connection: &Connection, path: &Path) -> Result<BTreeMap<String, u32>, Error> {
    let read = || -> rusqlite::Result<BTreeMap<String, u32>> {
        let exists: bool = connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = '_mito_migrations')",
            (),
            |row| row.get(0),
        )?;
        if !exists {
            return Ok(BTreeMap::new());
        }
        connection
            .prepare(migrations::APPLIED)?
            .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    };
    read().map_err(|error| translate(&error, migrations::APPLIED, path))
}

/// Puts a copy beside the file, named for the steps that follow, and drops the oldest copies.
fn copy_before(path: &Path, pending: &[Pending]) -> Result<(), Error> {
    let copy = file::beside(path, &format!("{COPY_INFIX}{}", migrations::label(pending)));
    let staging = file::beside(&copy, ".new");
    let failed = |error: std::io::Error| {
        file::refused(
            path,
            &format!("cannot copy it to {}: {error}", copy.display()),
        )
    };
    if staging.exists() {
        fs::remove_file(&staging).map_err(failed)?;
    }
    backup::copy(path, &staging)?;
    fs::rename(&staging, &copy).map_err(failed)?;
    tracing::info!(copy = %copy.display(), "copied the database before its migrations");
    for old in copies(path).map_err(failed)?.into_iter().skip(COPIES_KEPT) {
        if let Err(error) = fs::remove_file(&old) {
            tracing::warn!(copy = %old.display(), error = %error, "cannot remove an old copy");
        }
    }
    Ok(())
}

/// The copies of the file, the newest first.
fn copies(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut prefix = path.file_name().unwrap_or_default().to_owned();
    prefix.push(COPY_INFIX);
    let prefix = prefix.to_string_lossy().into_owned();
    let mut found: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in fs::read_dir(file::folder(path))? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            found.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    found.sort();
    Ok(found.into_iter().rev().map(|(_, path)| path).collect())
}
