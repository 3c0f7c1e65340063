//! Backups: archives of the data folder in `DATA/backups`, made while everything runs, and restored
//! whole or not at all.
//!
//! An archive holds consistent copies of `mito.db` and, after it, `objects.db`, the blobs that the
//! latter names, the platform's secrets (tokens and sealed settings need them), and a manifest with
//! the checksum of each. It does not hold the log, the cache, or other backups. Whoever has an
//! archive has everything, so its file is 0600.
//!
//! | module | what it holds |
//! |---|---|
//! | [`manifest`] | what an archive says of itself |
//! | [`archive`] | from a data folder to an archive |
//! | [`restore`] | from an archive to a data folder, in two steps around a restart |
//! | [`names`] | what archives may be called |
//! | [`stored`] | the folder of archives |

mod archive;
mod manifest;
mod names;
mod restore;
mod stored;
#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use mito_core::{Random, Shutdown};
use mito_database::{Database, Migrations};
use mito_objects::Objects;
use tokio::sync::{Mutex, MutexGuard};

pub use restore::{Failed as RestoreFailed, finish as finish_restore, stage as stage_restore};
pub use stored::{BackupFile, Uploading};

use crate::{Error, FieldError, Records, fields::dates};

/// The folder of archives in the data folder.
pub(crate) const FOLDER: &str = "backups";
const BUSY: &str = "Try again later - another backup/restore process has already been started.";

/// What backups need.
pub struct Dependencies {
    /// The data folder.
    pub folder: PathBuf,
    /// `mito.db`.
    pub database: Database,
    /// `objects.db`.
    pub objects_database: Database,
    /// Whose blobs are copied.
    pub objects: Objects,
    /// What this program knows of `mito.db` and of `objects.db`.
    pub migrations: Known,
    /// Draws names of temporary files.
    pub random: Random,
    /// Given when the platform is to start anew with restored data.
    pub restart: Shutdown,
}

/// The migrations that this program knows: an archive of a newer one is refused.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Those of `mito.db`.
    pub main: &'static [Migrations],
    /// Those of `objects.db`.
    pub objects: &'static [Migrations],
}

/// Backups of a data folder. Cheap to clone.
#[derive(Clone)]
pub struct Backups(Arc<Inner>);

struct Inner {
    dependencies: Dependencies,
    /// Held by the one that makes or restores a backup.
    busy: Mutex<()>,
}

impl Backups {
    /// Backups of a data folder; does no I/O.
    pub fn new(dependencies: Dependencies) -> Self {
        Self(Arc::new(Inner {
            dependencies,
            busy: Mutex::new(()),
        }))
    }

    fn folder(&self) -> PathBuf {
        self.0.dependencies.folder.join(FOLDER)
    }

    fn begin(&self) -> Result<MutexGuard<'_, ()>, Error> {
        self.0
            .busy
            .try_lock()
            .map_err(|_| Error::Invalid(BUSY.to_owned()))
    }

    /// Makes an archive under a name that nothing has yet.
    async fn make(&self, name: &str) -> Result<PathBuf, Error> {
        let _busy = self.begin()?;
        archive::make(&self.0.dependencies, &self.folder(), name).await
    }
}

impl Records {
    fn backups(&self) -> Result<&Backups, Error> {
        let platform = self.inner.platform.get();
        platform
            .map(|platform| &platform.backups)
            .ok_or(Error::NotFound)
    }

    /// Whether no backup is being made or restored.
    pub fn can_backup(&self) -> bool {
        self.backups()
            .is_ok_and(|backups| backups.0.busy.try_lock().is_ok())
    }

    /// The archives that there are, by name.
    pub async fn backup_files(&self) -> Result<Vec<BackupFile>, Error> {
        stored::list(self.backups()?.folder()).await
    }

    /// Makes an archive; without a name it gets one with the time. Returns where it is.
    pub async fn make_backup(&self, name: &str) -> Result<PathBuf, Error> {
        let backups = self.backups()?;
        let name = match name {
            "" => self.generated_name(""),
            given => {
                names::check_given(given).map_err(|error| Error::field("name", error))?;
                given.to_owned()
            }
        };
        if backups.folder().join(&name).exists() {
            let message = "The backup file name is invalid or already exists.";
            let error = FieldError::new("validation_backup_name_exists", message);
            return Err(Error::field("name", error));
        }
        backups.make(&name).await
    }

    /// The backup that makes itself: one more, and no more than are wanted.
    pub(crate) async fn auto_backup(&self) -> Result<(), Error> {
        let backups = self.backups()?;
        let path = backups.make(&self.generated_name(names::AUTOMATIC)).await?;
        tracing::info!(file = %path.display(), "a backup was made");
        let keep = self.settings().backups.cron_max_keep;
        let keep = usize::try_from(keep).unwrap_or(usize::MAX).max(1);
        stored::keep_newest(backups.folder(), names::AUTOMATIC, keep).await
    }

    /// The file of an archive, to be read.
    pub fn backup_path(&self, key: &str) -> Result<PathBuf, Error> {
        let path = self.backups()?.folder().join(names::key(key)?);
        path.is_file().then_some(path).ok_or(Error::NotFound)
    }

    /// Removes an archive.
    pub async fn delete_backup(&self, key: &str) -> Result<(), Error> {
        let backups = self.backups()?;
        let missing = || Error::Invalid("Invalid or already deleted backup file.".to_owned());
        let path = backups
            .folder()
            .join(names::key(key).map_err(|_| missing())?);
        // Whoever restores needs its archive.
        let _busy = backups.begin()?;
        stored::remove(path).await.map_err(|_| missing())
    }

    /// A place for an archive that is being sent, under the name that it has at the sender.
    pub async fn upload_backup(&self, name: &str) -> Result<Uploading, Error> {
        let backups = self.backups()?;
        let random = &backups.0.dependencies.random;
        stored::upload(backups.folder(), name, &random.id(12)).await
    }

    /// Checks an archive completely, puts its content beside the data, and asks for the restart that
    /// puts it in its place. Until then nothing has changed.
    pub async fn restore_backup(&self, path: &Path) -> Result<(), Error> {
        let backups = self.backups()?;
        let _busy = backups.begin()?;
        let dependencies = &backups.0.dependencies;
        archive::refuse_postgres(&dependencies.database)?;
        let (folder, path) = (dependencies.folder.clone(), path.to_owned());
        let known = dependencies.migrations;
        blocking(move || Ok(restore::stage(&folder, &path, known))).await??;
        tracing::warn!("a backup is restored: the platform starts anew");
        dependencies.restart.begin();
        Ok(())
    }

    fn generated_name(&self, prefix: &str) -> String {
        let at = dates::format_ms(self.inner.clock.now_ms());
        names::generated(prefix, &self.settings().meta.app_name, &at)
    }
}

impl From<restore::Failed> for Error {
    fn from(failed: restore::Failed) -> Self {
        match failed {
            restore::Failed::Archive(reason) => {
                Self::Invalid(format!("Missing or invalid backup file: {reason}"))
            }
            restore::Failed::System(reason) => Self::Internal(reason),
        }
    }
}

/// Runs work on files on a thread where it may wait.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Error::Internal(format!("a backup task failed: {error}"))))
}

fn io_failed(what: &str, error: &std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            Error::Database(mito_database::Error::Full)
        }
        _ => Error::Internal(format!("{what}: {error}")),
    }
}
