//! A consistent copy of a database that is in use.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use mito_core::files;
use rusqlite::Connection;

use crate::{
    Error,
    sqlite::{
        connection::{self, Access},
        errors::translate,
        file,
    },
};

/// Copies the database at `source` to `target`, which must not exist. The copy is one snapshot,
/// read beside the writers, compacted, checked and on disk when this returns.
pub(crate) fn copy(source: &Path, target: &Path) -> Result<(), Error> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(target)
        .map_err(|error| file::refused(target, &format!("it cannot be created: {error}")))?;
    let result = fill(source, target);
    if result.is_err() {
        // Half a backup must not look like one.
        let _ = fs::remove_file(target);
    }
    result
}

fn fill(source: &Path, target: &Path) -> Result<(), Error> {
    let failed = |error: rusqlite::Error| translate(&error, "VACUUM INTO", source);
    let name = target
        .to_str()
        .ok_or_else(|| file::refused(target, "its name is not UTF-8"))?;
    // Only reads the source, but `query_only` would hold for the target too. An existing empty
    // file is taken, and has its mode already.
    let reader = connection::open(source, Access::Write).map_err(failed)?;
    reader
        .connection
        .execute("VACUUM INTO ?1", [name])
        .map_err(failed)?;
    let check = |connection: &Connection| {
        connection.query_row("PRAGMA integrity_check(1)", (), |row| {
            row.get::<_, String>(0)
        })
    };
    let verdict = connection::open(target, Access::Read)
        .and_then(|copy| check(&copy.connection))
        .map_err(|error| translate(&error, "PRAGMA integrity_check", target))?;
    if verdict != "ok" {
        return Err(Error::Corrupt {
            path: target.to_owned(),
            reason: verdict,
        });
    }
    // SQLite does not sync the target of a vacuum.
    File::open(target)
        .and_then(|copy| copy.sync_all())
        .and_then(|()| files::sync_folder(file::folder(target)))
        .map_err(|error| file::refused(target, &format!("it cannot be synced: {error}")))
}
