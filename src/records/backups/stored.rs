//! The folder of archives: what is in it, what comes in, what goes.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use mito_core::files;
use serde::Serialize;
use tokio::{fs::File, io::AsyncWriteExt as _};
use zip::ZipArchive;

use super::{blocking, io_failed, names};
use crate::{Error, FieldError, fields::dates};

/// What a zip file begins with (APPNOTE 4.3.7), or an empty one (4.3.16).
const SIGNATURES: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];
/// Room on the disk that an upload leaves, in bytes.
const RESERVE: u64 = 256 * 1024 * 1024;
/// How often the room is looked at, in bytes that came in.
const LOOK_EVERY: u64 = 64 * 1024 * 1024;

/// An archive as `/api/backups` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BackupFile {
    /// Its name.
    pub key: String,
    /// Its length in bytes.
    pub size: u64,
    /// When it was made.
    pub modified: String,
}

/// The archives by name.
pub(super) async fn list(folder: PathBuf) -> Result<Vec<BackupFile>, Error> {
    let list = move || -> io::Result<Vec<BackupFile>> {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry?;
            let key = entry.file_name().to_string_lossy().into_owned();
            let metadata = entry.metadata()?;
            if !metadata.is_file() || names::key(&key).is_err() {
                continue;
            }
            let since = metadata.modified()?.duration_since(UNIX_EPOCH);
            let modified_ms =
                since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0));
            found.push(BackupFile {
                key,
                size: metadata.len(),
                modified: dates::format_ms(modified_ms),
            });
        }
        found.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(found)
    };
    blocking(move || list().map_err(|error| io_failed("cannot list the backups", &error))).await
}

pub(super) async fn remove(path: PathBuf) -> Result<(), Error> {
    blocking(move || {
        fs::remove_file(&path)
            .and_then(|()| path.parent().map_or(Ok(()), files::sync_folder))
            .map_err(|error| io_failed("cannot remove a backup", &error))
    })
    .await
}

/// Removes the oldest of the archives whose names begin with `prefix`, so that `keep` are left.
pub(super) async fn keep_newest(folder: PathBuf, prefix: &str, keep: usize) -> Result<(), Error> {
    let mut automatic: Vec<BackupFile> = list(folder.clone())
        .await?
        .into_iter()
        .filter(|file| file.key.starts_with(prefix))
        .collect();
    automatic.sort_by(|one, other| other.modified.cmp(&one.modified));
    for file in automatic.into_iter().skip(keep) {
        remove(folder.join(file.key)).await?;
    }
    Ok(())
}

/// Removes what a process that has died left behind: nobody else has the folder.
pub(super) fn remove_leftovers(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// An archive on its way in. Dropped before the end it leaves nothing.
pub struct Uploading {
    file: File,
    staging: Staging,
    target: PathBuf,
    shown: String,
    beginning: Vec<u8>,
    received: u64,
    looked_at: u64,
}

struct Staging(PathBuf);

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

pub(super) async fn upload(folder: PathBuf, name: &str, id: &str) -> Result<Uploading, Error> {
    let name = names::of_upload(name).map_err(|error| Error::field("file", error))?;
    let (target, path) = (folder.join(name), folder.join(format!(".upload-{id}")));
    if target.exists() {
        return Err(exists());
    }
    let staged = path.clone();
    let file = blocking(move || {
        files::create_folder(&folder)
            .and_then(|()| {
                use std::os::unix::fs::OpenOptionsExt as _;
                fs::OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(&staged)
            })
            .map_err(|error| io_failed("cannot take a backup", &error))
    })
    .await?;
    Ok(Uploading {
        file: File::from_std(file),
        staging: Staging(path),
        shown: name.to_owned(),
        target,
        beginning: Vec::new(),
        received: 0,
        looked_at: 0,
    })
}

impl Uploading {
    /// Takes the next part.
    pub async fn write(&mut self, part: &[u8]) -> Result<(), Error> {
        let wanted = SIGNATURES[0].len() - self.beginning.len().min(SIGNATURES[0].len());
        self.beginning.extend(part.iter().take(wanted));
        if self.beginning.len() == SIGNATURES[0].len()
            && !SIGNATURES.contains(&self.beginning.as_slice())
        {
            return Err(self.no_zip());
        }
        if self.received >= self.looked_at {
            self.look_at_room()?;
            self.looked_at = self.received + LOOK_EVERY;
        }
        self.received += part.len() as u64;
        self.file
            .write_all(part)
            .await
            .map_err(|error| io_failed("cannot take a backup", &error))
    }

    /// Checks that it is an archive and gives it its name.
    pub async fn finish(mut self) -> Result<(), Error> {
        let failed = |error: io::Error| io_failed("cannot take a backup", &error);
        self.file.flush().await.map_err(failed)?;
        self.file.sync_all().await.map_err(failed)?;
        if !SIGNATURES.contains(&self.beginning.as_slice()) {
            return Err(self.no_zip());
        }
        let no_zip = self.no_zip();
        let Self {
            staging, target, ..
        } = self;
        blocking(move || {
            let file = fs::File::open(&staging.0).map_err(failed)?;
            if ZipArchive::new(file).is_err() {
                return Err(no_zip);
            }
            match fs::hard_link(&staging.0, &target) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(exists()),
                linked => linked
                    .and_then(|()| target.parent().map_or(Ok(()), files::sync_folder))
                    .map_err(failed),
            }
        })
        .await
    }

    fn look_at_room(&self) -> Result<(), Error> {
        let disk = rustix::fs::statvfs(&self.staging.0)
            .map_err(|error| io_failed("cannot look at the disk", &error.into()))?;
        if disk.f_bavail.saturating_mul(disk.f_frsize) < RESERVE {
            return Err(Error::Database(mito_database::Error::Full));
        }
        Ok(())
    }

    fn no_zip(&self) -> Error {
        let message = format!(
            "{:?} mime type must be one of: application/zip.",
            self.shown
        );
        let error = FieldError::new("validation_invalid_mime_type", message);
        Error::field("file", error)
    }
}

fn exists() -> Error {
    let message = "Backup file with the specified name already exists.";
    let error = FieldError::new("validation_backup_name_exists", message);
    Error::field("file", error)
}
