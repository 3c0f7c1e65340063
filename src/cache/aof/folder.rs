//! The folder of a log: its manifest and its files, changed so that a crash between any two steps
//! leaves a folder that loads. What a crash leaves over is removed at the next start.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use mito_core::files;

use super::{
    Error,
    manifest::{Entry, Manifest},
};

/// What Redis calls the log unless told otherwise; also the name of the single file before Redis 7.
const NAME: &str = "appendonly.aof";
const MANIFEST: &str = "appendonly.aof.manifest";
/// Where [`files::replace`] prepares a manifest.
const STAGING: &str = "appendonly.aof.manifest.new";
/// What a base is called until it is whole.
const TEMPORARY: &str = "temp-rewrite.aof";

/// The folder, and the manifest as it was last written.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    manifest: Manifest,
    /// No base ever gets the number of one that failed, because the manifest on disk may name it.
    next_base: u64,
    /// Files of attempts that failed, to be removed once a manifest without them is on disk.
    left_over: Vec<PathBuf>,
}

impl Folder {
    /// Opens or creates a folder, and takes over a log from before Redis 7 that lies beside it.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        files::create_folder(path).map_err(|source| Error::file("create", path, source))?;
        let mut folder = Self {
            path: path.to_owned(),
            manifest: Manifest::default(),
            next_base: 1,
            left_over: Vec::new(),
        };
        let manifest = path.join(MANIFEST);
        match fs::read(&manifest) {
            Ok(text) => {
                folder.manifest = Manifest::parse(&text).map_err(|fault| Error::Manifest {
                    file: manifest,
                    line: fault.line,
                    reason: fault.reason,
                })?;
                folder.finish_take_over()?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => folder.begin()?,
            Err(source) => return Err(Error::file("read", &manifest, source)),
        }
        folder.next_base = folder
            .manifest
            .base
            .as_ref()
            .map_or(0, |base| base.sequence)
            + 1;
        Ok(folder)
    }

    /// A folder without a manifest: a new one, or one that gets the old log.
    fn begin(&mut self) -> Result<(), Error> {
        if !self.path.join(NAME).exists() {
            if let Some(orphan) = self.first_with_content()? {
                return Err(Error::NoManifest { file: orphan });
            }
            if !self.move_old_log()? {
                return Ok(());
            }
        }
        self.write(Manifest {
            base: Some(Entry {
                name: NAME.to_owned(),
                sequence: 1,
            }),
            ..Manifest::default()
        })
    }

    /// Redis writes the manifest first and moves the old log then; a crash of its may be between.
    fn finish_take_over(&mut self) -> Result<(), Error> {
        let is_old = self
            .manifest
            .base
            .as_ref()
            .is_some_and(|base| base.name == NAME);
        if is_old && !self.path.join(NAME).exists() {
            self.move_old_log()?;
        }
        Ok(())
    }

    fn move_old_log(&self) -> Result<bool, Error> {
        let Some(parent) = self.path.parent() else {
            return Ok(false);
        };
        let old = parent.join(NAME);
        if !old.is_file() {
            return Ok(false);
        }
        fs::rename(&old, self.path.join(NAME))
            .and_then(|()| files::sync_folder(&self.path))
            .and_then(|()| files::sync_folder(parent))
            .map_err(|source| Error::file("move", &old, source))?;
        tracing::info!(file.path = %old.display(), "took over an append-only file of before Redis 7");
        Ok(true)
    }

    /// A file of some log that holds something.
    fn first_with_content(&self) -> Result<Option<PathBuf>, Error> {
        let mut found: Vec<_> = self
            .list()?
            .into_iter()
            .filter(|name| name.contains(".aof") && name != STAGING && name != TEMPORARY)
            .map(|name| self.path.join(name))
            .filter(|path| fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0))
            .collect();
        found.sort();
        Ok(found.into_iter().next())
    }

    fn list(&self) -> Result<Vec<String>, Error> {
        let failed = |source| Error::file("list", &self.path, source);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            names.extend(entry.map_err(failed)?.file_name().into_string());
        }
        Ok(names)
    }

    fn write(&mut self, manifest: Manifest) -> Result<(), Error> {
        let path = self.path.join(MANIFEST);
        files::replace(&path, manifest.encode().as_bytes())
            .map_err(|source| Error::file("replace", &path, source))?;
        self.manifest = manifest;
        Ok(())
    }

    /// The files to read, in order.
    pub(super) fn paths(&self) -> impl Iterator<Item = PathBuf> + '_ {
        self.manifest
            .files()
            .map(|entry| self.path.join(&entry.name))
    }

    /// The sizes of the base and of everything, in bytes.
    pub(super) fn sizes(&self) -> (u64, u64) {
        let size = |entry: &Entry| {
            fs::metadata(self.path.join(&entry.name)).map_or(0, |metadata| metadata.len())
        };
        let base = self.manifest.base.as_ref().map_or(0, size);
        (base, self.manifest.files().map(size).sum())
    }

    /// Takes files out of the manifest.
    pub(super) fn forget(&mut self, paths: &[PathBuf]) -> Result<(), Error> {
        let mut manifest = self.manifest.clone();
        manifest
            .increments
            .retain(|entry| !paths.contains(&self.path.join(&entry.name)));
        self.write(manifest)
    }

    /// Removes what no longer belongs to the log: history, and what crashes left over.
    pub(super) fn clean(&mut self) -> Result<(), Error> {
        let is_history = |name: &str| {
            let history = &self.manifest.history;
            history.iter().any(|entry| entry.name == name)
        };
        for name in self.list()? {
            if !self.manifest.names(&name) && (is_ours(&name) || is_history(&name)) {
                let path = self.path.join(&name);
                fs::remove_file(&path).map_err(|source| Error::file("remove", &path, source))?;
                tracing::info!(file.path = %path.display(), "removed a left-over file of the log");
            }
        }
        if self.manifest.history.is_empty() {
            return Ok(());
        }
        self.write(Manifest {
            history: Vec::new(),
            ..self.manifest.clone()
        })
    }

    /// The file to append to, its length in bytes, and its number.
    pub(super) fn last_increment(&mut self) -> Result<(File, u64), Error> {
        let Some(last) = self.manifest.increments.last() else {
            return Ok((self.add_increment()?, 0));
        };
        let path = self.path.join(&last.name);
        let failed = |source| Error::file("open", &path, source);
        let file = OpenOptions::new().write(true).open(&path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        Ok((file, length))
    }

    /// The number of the file that is appended to.
    pub(super) fn last_sequence(&self) -> u64 {
        self.manifest
            .increments
            .last()
            .map_or(0, |last| last.sequence)
    }

    /// Adds an empty increment, which is the one to append to once this returns. What was appended
    /// before must be on disk already: only the last file may end within a command.
    pub(super) fn add_increment(&mut self) -> Result<File, Error> {
        let sequence = self.last_sequence() + 1;
        let name = format!("{NAME}.{sequence}.incr.aof");
        let path = self.path.join(&name);
        let file = create(&path)
            .and_then(|file| file.sync_all().map(|()| file))
            .and_then(|file| files::sync_folder(&self.path).map(|()| file))
            .map_err(|source| Error::file("create", &path, source))?;
        let mut manifest = self.manifest.clone();
        manifest.increments.push(Entry { name, sequence });
        self.write(manifest)?;
        Ok(file)
    }

    /// Where the next base is prepared.
    pub(super) fn temporary(&self) -> PathBuf {
        self.path.join(TEMPORARY)
    }

    /// Makes a base that is on disk already the log's base, with the increments from number
    /// `first_increment` on. Returns the files that no longer belong to it.
    pub(super) fn install_base(&mut self, first_increment: u64) -> Result<Vec<PathBuf>, Error> {
        let sequence = self.next_base;
        self.next_base += 1;
        let name = format!("{NAME}.{sequence}.base.aof");
        let path = self.path.join(&name);
        self.left_over.push(path.clone());
        fs::rename(self.temporary(), &path)
            .and_then(|()| files::sync_folder(&self.path))
            .map_err(|source| Error::file("rename", &path, source))?;
        let before: Vec<_> = self.paths().collect();
        let mut manifest = self.manifest.clone();
        manifest.base = Some(Entry { name, sequence });
        manifest
            .increments
            .retain(|increment| increment.sequence >= first_increment);
        self.write(manifest)?;
        let now: Vec<_> = self.paths().collect();
        let mut gone = std::mem::take(&mut self.left_over);
        gone.extend(before);
        gone.retain(|path| !now.contains(path));
        Ok(gone)
    }
}

/// Creates an empty file that only its owner reads.
pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

/// A name beside `path` for a copy that nothing removes.
pub(super) fn set_aside_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut aside = path.with_file_name(format!("{name}.damaged"));
    let mut number = 1;
    while aside.exists() {
        number += 1;
        aside = path.with_file_name(format!("{name}.damaged.{number}"));
    }
    aside
}

/// Whether a file that the manifest does not name can only be a left-over.
fn is_ours(name: &str) -> bool {
    if name == TEMPORARY || name == STAGING {
        return true;
    }
    let Some(rest) = name
        .strip_prefix(NAME)
        .and_then(|rest| rest.strip_prefix('.'))
    else {
        return false;
    };
    let numbered = rest.split_once('.');
    numbered.is_some_and(|(number, kind)| {
        number.parse::<u64>().is_ok() && matches!(kind, "base.aof" | "base.rdb" | "incr.aof")
    })
}
