//! The database file before SQLite sees it: the lock that keeps a second process out, the checks
//! that leave a foreign or damaged file untouched, and the creation of a new one.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use mito_core::files;
use rusqlite::Connection;

use crate::Error;

/// "MITO" in the header of every file that mito created.
pub(crate) const APPLICATION_ID: u32 = 0x4D49_544F;
/// Every SQLite file begins with this (file format, section 1.3).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// The length of a SQLite header, in bytes.
const HEADER_BYTES: usize = 100;

/// `path` with `suffix` appended to its name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// The lock beside a database.
pub(crate) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone would not do while a child process is between fork and exec: it shares
        // the lock until then.
        if let Err(error) = self.0.unlock() {
            tracing::warn!(error = %error, "cannot release the database lock");
        }
    }
}

/// Takes the lock beside the database for as long as the returned value lives. The lock is on a
/// file of its own: closing any handle on the database would drop SQLite's own locks.
pub(crate) fn lock(path: &Path) -> Result<Lock, Error> {
    let name = beside(path, ".lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&name)
        .map_err(|error| refused(path, &format!("cannot create {}: {error}", name.display())))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            // Who holds it is a courtesy; the refusal stands without it.
            let _ = (&file).take(20).read_to_string(&mut owner);
            let owner = owner.trim();
            let owner = if owner.is_empty() {
                "another process"
            } else {
                owner
            };
            return Err(refused(
                path,
                &format!("it is in use by {owner}; stop that mito first or choose another folder"),
            ));
        }
        Err(TryLockError::Error(error)) => {
            return Err(refused(
                path,
                &format!("cannot lock {}: {error}", name.display()),
            ));
        }
    }
    let note = format!("process {}\n", std::process::id());
    let written = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(note.as_bytes()));
    if let Err(error) = written {
        tracing::warn!(error = %error, "cannot note the owner in the database lock");
    }
    Ok(Lock(file))
}

/// Whether there is a database at `path` already; an error if what is there must not be opened.
pub(crate) fn inspect(path: &Path) -> Result<bool, Error> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return no_orphans(path).map(|()| false);
        }
        Err(error) => return Err(refused(path, &format!("it cannot be read: {error}"))),
    };
    let unreadable = |error: io::Error| refused(path, &format!("it cannot be read: {error}"));
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(refused(
            path,
            "it is not a file; choose another data folder",
        ));
    }
    if metadata.len() == 0 {
        return no_orphans(path).map(|()| false);
    }
    let mut header = [0; HEADER_BYTES];
    if metadata.len() < HEADER_BYTES as u64 {
        return Err(not_a_database(path));
    }
    file.read_exact(&mut header).map_err(unreadable)?;
    let log_bytes = fs::metadata(beside(path, "-wal")).map_or(0, |log| log.len());
    check_header(path, &header, metadata.len(), log_bytes)?;
    Ok(true)
}

/// Creates an empty database at `path`, all or nothing.
pub(crate) fn create(path: &Path) -> Result<(), Error> {
    let staging = beside(path, ".new");
    let failed =
        |reason: &dyn std::fmt::Display| refused(path, &format!("it cannot be created: {reason}"));
    match fs::remove_file(&staging) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&error)),
        _ => {}
    }
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&staging)
        .map_err(|error| failed(&error))?;
    let filled = Connection::open(&staging).and_then(|connection| {
        // The file is not in place yet, so nothing is lost if the power fails here.
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.close().map_err(|(_, error)| error)
    });
    filled.map_err(|error| failed(&error))?;
    file.sync_all()
        .and_then(|()| fs::rename(&staging, path))
        .and_then(|()| files::sync_folder(folder(path)))
        .map_err(|error| failed(&error))
}

/// The folder of `path`.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// A refusal to open `path`.
pub(crate) fn refused(path: &Path, reason: &str) -> Error {
    Error::Open {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

fn not_a_database(path: &Path) -> Error {
    refused(
        path,
        "it is not a database (nothing was changed); move the file away or choose another folder",
    )
}

/// A write-ahead log without its database would be replayed into the new file.
fn no_orphans(path: &Path) -> Result<(), Error> {
    let log = beside(path, "-wal");
    if fs::metadata(&log).map_or(0, |log| log.len()) == 0 {
        return Ok(());
    }
    Err(refused(
        path,
        &format!(
            "it is missing but its write-ahead log {} is there; put the file back, or move the \
             log away to start empty",
            log.display()
        ),
    ))
}

fn check_header(
    path: &Path,
    header: &[u8; HEADER_BYTES],
    file_bytes: u64,
    log_bytes: u64,
) -> Result<(), Error> {
    if &header[..MAGIC.len()] != MAGIC {
        return Err(not_a_database(path));
    }
    let field = |at: usize| {
        u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    if field(68) != APPLICATION_ID {
        return Err(refused(
            path,
            "it is a SQLite file of another program (nothing was changed); choose another folder",
        ));
    }
    let page_bytes = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        other => u64::from(other),
    };
    // The page count is valid if the change counter agrees (file format, section 1.3.8). With a
    // write-ahead log the file itself may lag.
    let expected_bytes = u64::from(field(28)) * page_bytes;
    if log_bytes == 0 && field(24) == field(92) && file_bytes < expected_bytes {
        return Err(Error::Corrupt {
            path: path.to_owned(),
            reason: format!("it has {file_bytes} of {expected_bytes} bytes"),
        });
    }
    Ok(())
}
