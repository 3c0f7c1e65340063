//! From an archive to a data folder, in two steps around a restart.
//!
//! [`stage`] unpacks an archive beside the data, checks every byte of it, and then renames the whole
//! to `DATA/restore.ready`: that rename is the moment at which the old data gives way. [`finish`]
//! runs at the next start, before anything is opened, and moves the pieces into their places. It can
//! be killed at any point and goes on where it was, so there is the old state or the new one, and
//! never a mixture that anybody sees.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use mito_core::files;
use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use super::{
    FOLDER, Known,
    manifest::{self, Entry, Manifest},
    stored,
};

/// Content that is complete and takes the place of the old at the next start.
const READY: &str = "restore.ready";
/// Content that is being unpacked.
const STAGING: &str = "restore.staging";
/// What has given way and is being removed.
const REPLACED: &str = "restore.replaced";
/// The files with routes.
const GATEWAY: &str = "gateway";
/// What an archive replaces, in this order, with what belongs to it. A database's log goes before
/// the database: without its file it means nothing to anybody.
const REPLACES: &[&str] = &[
    "mito.db-wal",
    "mito.db-shm",
    "mito.db",
    "objects.db-wal",
    "objects.db-shm",
    "objects.db",
    "objects",
    "secrets",
    "cache",
    GATEWAY,
];
/// Read and written at a time, in bytes.
const CHUNK: usize = 256 * 1024;

/// Why an archive was not restored.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// It is no archive of this platform, or damaged, or of a newer version.
    #[error("{0}")]
    Archive(String),
    /// The system refused.
    #[error("{0}")]
    System(String),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::System(format!("cannot restore a backup: {error}"))
    }
}

/// Unpacks and checks the archive at `path` beside the data in `data`. Blocks. Nothing of the data
/// changes before [`finish`].
pub fn stage(data: &Path, path: &Path, known: Known) -> Result<(), Failed> {
    let staging = data.join(STAGING);
    remove_folder(&staging)?;
    let result = unpack(path, &staging)
        .and_then(|()| check_databases(&staging, known))
        .and_then(|()| {
            files::sync_folder(&staging)?;
            remove_folder(&data.join(READY))?;
            fs::rename(&staging, data.join(READY))?;
            Ok(files::sync_folder(data)?)
        });
    if result.is_err() {
        remove_folder(&staging)?;
    }
    result
}

/// Puts staged content in its place, if there is any, and removes what a killed backup or restore
/// left. Called with the data folder locked and nothing open. Returns whether there was any.
pub fn finish(data: &Path) -> io::Result<bool> {
    stored::remove_leftovers(&data.join(FOLDER))?;
    remove_folder(&data.join(STAGING))?;
    let (ready, replaced) = (data.join(READY), data.join(REPLACED));
    if !ready.exists() {
        remove_folder(&replaced)?;
        return Ok(false);
    }
    files::create_folder(&replaced)?;
    for name in REPLACES {
        let (new, current, old) = (ready.join(name), data.join(name), replaced.join(name));
        // Routes stay where an archive has none.
        if *name == GATEWAY && !new.exists() {
            continue;
        }
        // What is in `replaced` was moved by an earlier try, and what is in its place is new.
        if !old.exists() && current.exists() {
            fs::rename(&current, &old)?;
            files::sync_folder(&replaced)?;
        }
        if new.exists() {
            fs::rename(&new, &current)?;
        }
    }
    files::sync_folder(data)?;
    // Now the pieces are in their places, and only their empty folder says that they came.
    remove_folder(&ready)?;
    files::sync_folder(data)?;
    remove_folder(&replaced)?;
    Ok(true)
}

fn unpack(path: &Path, staging: &Path) -> Result<(), Failed> {
    let broken =
        |error: zip::result::ZipError| Failed::Archive(format!("it cannot be read: {error}"));
    let mut archive = ZipArchive::new(File::open(path)?).map_err(broken)?;
    let manifest = read_manifest(&mut archive)?;
    let bytes = manifest.files.values().map(|entry| entry.size).sum::<u64>();
    files::create_folder(staging)?;
    let disk = rustix::fs::statvfs(staging).map_err(io::Error::from)?;
    if bytes > disk.f_bavail.saturating_mul(disk.f_frsize) {
        return Err(Failed::System(format!(
            "the disk has no room for the {bytes} bytes of the backup"
        )));
    }
    let mut folders = BTreeSet::new();
    for (name, expected) in &manifest.files {
        if !manifest::is_known(name) {
            return Err(Failed::Archive(format!(
                "it holds the foreign file {name:?}"
            )));
        }
        let target = staging.join(name);
        let folder = target.parent().unwrap_or(staging).to_owned();
        if folders.insert(folder.clone()) {
            files::create_folder(&folder)?;
        }
        let missing = |_| Failed::Archive(format!("the file {name} is missing"));
        let mut file = archive.by_name(name).map_err(missing)?;
        let found = copy(&mut file, &target, expected.size)
            .map_err(|error| Failed::Archive(format!("the file {name} is damaged: {error}")))?;
        if found != *expected {
            return Err(Failed::Archive(format!("the file {name} is damaged")));
        }
    }
    for name in ["mito.db", "objects.db"] {
        if !manifest.files.contains_key(name) {
            return Err(Failed::Archive(format!("the file {name} is missing")));
        }
    }
    // From the deepest up, so that every entry is on disk before the rename of the whole.
    for folder in folders.iter().rev() {
        let mut folder: Option<&Path> = Some(folder);
        while let Some(inside) = folder.filter(|folder| folder.starts_with(staging)) {
            files::sync_folder(inside)?;
            folder = inside.parent();
        }
    }
    Ok(())
}

fn read_manifest(archive: &mut ZipArchive<File>) -> Result<Manifest, Failed> {
    let foreign = || Failed::Archive("it is no backup of this platform".to_owned());
    let file = archive.by_name(manifest::NAME).map_err(|_| foreign())?;
    let mut text = Vec::new();
    file.take(manifest::MAX_BYTES)
        .read_to_end(&mut text)
        .map_err(|error| Failed::Archive(format!("its manifest is damaged: {error}")))?;
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|_| foreign())?;
    if manifest.format > manifest::FORMAT {
        return Err(Failed::Archive(format!(
            "it was written by the newer version {}",
            manifest.version
        )));
    }
    Ok(manifest)
}

/// Copies at most one byte more than is expected: an archive may say less than it holds.
fn copy(from: &mut impl io::Read, target: &Path, expected: u64) -> io::Result<Entry> {
    let mut to = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(target)?;
    let mut from = from.take(expected.saturating_add(1));
    let (mut hash, mut size) = (Sha256::new(), 0);
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = from.read(&mut chunk)?;
        if read == 0 {
            break;
        }
        hash.update(&chunk[..read]);
        size += read as u64;
        to.write_all(&chunk[..read])?;
    }
    to.sync_all()?;
    let sha256 = hex::encode(hash.finalize());
    Ok(Entry { size, sha256 })
}

fn check_databases(staging: &Path, known: Known) -> Result<(), Failed> {
    for (name, migrations) in [("mito.db", known.main), ("objects.db", known.objects)] {
        let path: PathBuf = staging.join(name);
        mito_database::database::check_file(&path, migrations)
            .map_err(|error| Failed::Archive(format!("{name}: {error}")))?;
    }
    Ok(())
}

fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
