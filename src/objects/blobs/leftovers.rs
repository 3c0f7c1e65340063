//! Finds what a crash left behind: blobs that no row names, and uploads that never completed.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{BLOBS, Blobs, blocking};
use crate::Error;

/// A blob is younger than its row by the time of one commit; this leaves room for a slow one.
pub(crate) const GRACE: Duration = Duration::from_hours(1);

impl Blobs {
    /// The two-letter folders below the blob folder; each is one step of a sweep.
    pub(crate) async fn folders(&self) -> Result<Vec<PathBuf>, Error> {
        let folder = self.folder.join(BLOBS);
        blocking(move || sub_folders(&folder)).await
    }

    /// Removes from `folder` the uploads of an earlier process and those that have not been written
    /// to for [`GRACE`], and returns the ids of complete blobs that are older than that.
    pub(crate) async fn old_blobs(&self, folder: PathBuf) -> Result<Vec<String>, Error> {
        let opened = self.opened;
        blocking(move || {
            let mut ids = Vec::new();
            for leaf in sub_folders(&folder)? {
                for entry in fs::read_dir(&leaf)? {
                    let entry = entry?;
                    let name = entry.file_name().to_string_lossy().into_owned();
                    // Files carry the time of the machine's clock whatever clock the role has.
                    let modified = entry.metadata()?.modified()?;
                    let old = SystemTime::now()
                        .duration_since(modified)
                        .is_ok_and(|age| age > GRACE);
                    if !name.contains('#') {
                        ids.extend(old.then_some(name));
                    } else if old || modified < opened {
                        remove(&entry.path())?;
                    }
                }
            }
            Ok::<_, io::Error>(ids)
        })
        .await
    }
}

fn sub_folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
