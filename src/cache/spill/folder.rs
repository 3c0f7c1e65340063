//! The spill's folder. Each generation of the store has a folder of its own and `current` names the
//! one in use, so that replacing a store is one atomic change of a small file, and a crash leaves
//! the old or the new one.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use mito_core::files;

/// Names the generation in use.
const CURRENT: &str = "current";
const GENERATION: &str = "generation-";
/// Where an unreadable generation is kept for a person to look at; only the latest one.
const ASIDE: &str = "unreadable";

/// The folder.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    generation: u64,
}

impl Folder {
    /// Uses `path`, created if need be, and removes generations that are not in use.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        files::create_folder(&path)?;
        let named = fs::read_to_string(path.join(CURRENT)).unwrap_or_default();
        let generation = named.trim().parse().unwrap_or(0);
        let folder = Self { path, generation };
        folder.remove_leftovers()?;
        folder.point()?;
        Ok(folder)
    }

    /// The folder of the generation in use.
    pub(super) fn current(&self) -> PathBuf {
        self.generation_path(self.generation)
    }

    /// The folder of the next generation, empty.
    pub(super) fn next(&self) -> io::Result<PathBuf> {
        let path = self.generation_path(self.generation + 1);
        remove(&path)?;
        Ok(path)
    }

    /// Puts the next generation into use. The caller has filled and flushed it, and removes the
    /// old one with [`Folder::remove_leftovers`] once it has closed it.
    pub(super) fn advance(&mut self) -> io::Result<()> {
        self.generation += 1;
        self.point()
    }

    /// Sets the generation in use aside and starts a new one.
    pub(super) fn set_aside(&mut self) -> io::Result<PathBuf> {
        let aside = self.path.join(ASIDE);
        remove(&aside)?;
        let current = self.current();
        match fs::rename(&current, &aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.advance()?;
        Ok(aside)
    }

    /// Removes generations that are not in use.
    pub(super) fn remove_leftovers(&self) -> io::Result<()> {
        let current = self.current();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let is_generation = entry.file_name().to_string_lossy().starts_with(GENERATION);
            if is_generation && entry.path() != current {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }

    fn point(&self) -> io::Result<()> {
        files::replace(
            &self.path.join(CURRENT),
            self.generation.to_string().as_bytes(),
        )
    }

    fn generation_path(&self, generation: u64) -> PathBuf {
        self.path.join(format!("{GENERATION}{generation}"))
    }
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
