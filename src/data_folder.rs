//! The user's data folder: made with mode 0700, recognised by a marker file, and locked so that a
//! second process is refused before it opens anything.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read as _, Seek as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// The lock file is also the marker by which mito knows a folder of its own.
const LOCK: &str = "mito.lock";
/// The folder of the gateway's files.
const ROUTES: &str = "gateway";

/// A locked data folder; the lock ends with the value or the process, whichever is first.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

/// Why a folder cannot be used; every message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another mito has it.
    #[error(
        "the data folder {} is in use by another mito{}; stop it, or choose another folder with \
         --data", path.display(), pid.as_ref().map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The process that has it.
        pid: Option<String>,
    },
    /// It holds something else.
    #[error(
        "{} is not a data folder of mito: it holds {entry:?}; choose an empty or new folder with \
         --data", path.display()
    )]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// What was found in it.
        entry: String,
    },
    /// It cannot be made, read or written.
    #[error("cannot use the data folder {}: {reason}; choose another one with --data", path.display())]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
}

impl DataFolder {
    /// Makes the folder if it does not exist, and locks it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let unusable = |reason| Error::Unusable {
            path: path.to_owned(),
            reason,
        };
        if !path.join(LOCK).exists() {
            mito_core::files::create_folder(path).map_err(unusable)?;
            refuse_foreign(path)?;
        }
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join(LOCK))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let pid = lock
                    .read_to_string(&mut pid)
                    .ok()
                    .map(|_| pid.trim().to_owned());
                let pid = pid.filter(|pid| !pid.is_empty());
                return Err(Error::InUse {
                    path: path.to_owned(),
                    pid,
                });
            }
            Err(TryLockError::Error(reason)) => return Err(unusable(reason)),
        }
        write_pid(&mut lock).map_err(unusable)?;
        let path = path.canonicalize().map_err(unusable)?;
        Ok(Self { path, _lock: lock })
    }

    /// The absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn write_pid(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", std::process::id())?;
    lock.sync_all()
}

fn refuse_foreign(path: &Path) -> Result<(), Error> {
    let unusable = |reason: io::Error| match reason.kind() {
        ErrorKind::NotADirectory => Error::Foreign {
            path: path.to_owned(),
            entry: "a file".to_owned(),
        },
        _ => Error::Unusable {
            path: path.to_owned(),
            reason,
        },
    };
    let mut foreign = None;
    for entry in fs::read_dir(path).map_err(unusable)? {
        let name = entry.map_err(unusable)?.file_name();
        if name == LOCK {
            // Another mito that starts now was faster; the lock decides.
            return Ok(());
        }
        // Routes may be written before the first start.
        if name != ROUTES {
            foreign = Some(name);
        }
    }
    foreign.map_or(Ok(()), |entry| {
        Err(Error::Foreign {
            path: path.to_owned(),
            entry: entry.to_string_lossy().into_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_opener_is_refused_with_the_process_that_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataFolder::open(folder.path()).unwrap();
        let refused = DataFolder::open(folder.path()).unwrap_err().to_string();
        assert!(
            refused.contains(&std::process::id().to_string()),
            "{refused}"
        );
        drop(first);
        DataFolder::open(folder.path()).unwrap();
    }

    #[test]
    fn a_folder_of_something_else_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.txt"), "chapter one").unwrap();
        let refused = DataFolder::open(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("thesis.txt"), "{refused}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn routes_may_be_there_before_the_first_start() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(ROUTES)).unwrap();
        DataFolder::open(folder.path()).unwrap();
    }

    #[test]
    fn a_folder_that_another_mito_makes_at_the_same_time_is_not_foreign() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mito.db"), "").unwrap();
        assert!(refuse_foreign(folder.path()).is_err());
        fs::write(folder.path().join(LOCK), "").unwrap();
        refuse_foreign(folder.path()).unwrap();
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data");
        fs::write(&file, "").unwrap();
        assert!(DataFolder::open(&file).is_err());
    }
}
