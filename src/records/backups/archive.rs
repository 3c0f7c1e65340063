//! From a data folder to an archive. Copies are taken beside the writers and readers; whatever is
//! left when it fails carries a name that begins with a dot, and the next start removes it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use mito_core::files;
use mito_database::Database;
use sha2::{Digest as _, Sha256};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{
    Dependencies, blocking, io_failed,
    manifest::{self, Entry, Manifest},
};
use crate::Error;

/// Read and written at a time, in bytes.
const CHUNK: usize = 256 * 1024;
/// Databases shrink well by the fastest level; blobs mostly are compressed already.
const LEVEL: i64 = 1;

/// Backups of another engine are made by its own tools.
pub(super) fn refuse_postgres(database: &Database) -> Result<(), Error> {
    if database.is_file() {
        return Ok(());
    }
    Err(Error::Invalid(
        "The platform's data is in PostgreSQL: back it up with pg_dump and restore it with \
         pg_restore."
            .to_owned(),
    ))
}

/// Makes the archive `name` in `folder`.
pub(super) async fn make(
    dependencies: &Dependencies,
    folder: &Path,
    name: &str,
) -> Result<PathBuf, Error> {
    refuse_postgres(&dependencies.database)?;
    let work = folder.join(format!(".work-{}", dependencies.random.id(12)));
    let made = work.clone();
    blocking(move || {
        files::create_folder(&made).map_err(|error| io_failed("cannot make a folder", &error))
    })
    .await?;
    let target = folder.join(name);
    let result = fill(dependencies, &work, &target).await;
    let _ = tokio::fs::remove_dir_all(&work).await;
    result.map(|()| target)
}

async fn fill(dependencies: &Dependencies, work: &Path, target: &Path) -> Result<(), Error> {
    // What the first copy names must still be there when the second is taken, and the blobs of the
    // second when they are read.
    let _held = dependencies.objects.hold_removals().await;
    // The destination of relays before their source: events that the copy of the destination has
    // applied are known to it, and those that it has not are in the copy of the source.
    dependencies.database.backup(work.join("mito.db")).await?;
    dependencies
        .objects_database
        .backup(work.join("objects.db"))
        .await?;
    let (data, work, target) = (
        dependencies.folder.clone(),
        work.to_owned(),
        target.to_owned(),
    );
    blocking(move || {
        write(&data, &work, &target).map_err(|error| io_failed("cannot write a backup", &error))
    })
    .await
}

fn write(data: &Path, work: &Path, target: &Path) -> io::Result<()> {
    let staging = work.join("archive.zip");
    let file = OpenOptions::new()
        .write(true)
        .read(true)
        .create_new(true)
        .mode(0o600)
        .open(&staging)?;
    let mut archive = Archive {
        zip: ZipWriter::new(file),
        manifest: Manifest {
            format: manifest::FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            files: std::collections::BTreeMap::new(),
        },
    };
    for name in ["mito.db", "objects.db"] {
        archive.add(name, &work.join(name), CompressionMethod::Deflated)?;
    }
    for folder in ["secrets", "gateway"] {
        for name in names_in(&data.join(folder))? {
            let (path, name) = (data.join(folder).join(&name), format!("{folder}/{name}"));
            if manifest::is_known(&name) && path.is_file() {
                archive.add(&name, &path, CompressionMethod::Stored)?;
            }
        }
    }
    let blobs = data.join("objects").join("blob");
    for first in names_in(&blobs)? {
        for second in names_in(&blobs.join(&first))? {
            for id in names_in(&blobs.join(&first).join(&second))? {
                let path = blobs.join(&first).join(&second).join(&id);
                let name = format!("objects/blob/{first}/{second}/{id}");
                archive.add(&name, &path, CompressionMethod::Stored)?;
            }
        }
    }
    archive.finish()?.sync_all()?;
    // Fails where another file has taken the name meanwhile.
    fs::hard_link(&staging, target)?;
    target.parent().map_or(Ok(()), files::sync_folder)
}

/// The names in a folder, in order, without what is still being written; none if there is no such
/// folder.
fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with('.') && !name.contains('#') {
            names.push(name.into_owned());
        }
    }
    names.sort();
    Ok(names)
}

struct Archive {
    zip: ZipWriter<File>,
    manifest: Manifest,
}

impl Archive {
    fn add(&mut self, name: &str, path: &Path, method: CompressionMethod) -> io::Result<()> {
        let mut file = match File::open(path) {
            // An upload that was given up since the folder was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound && name.contains('/') => {
                return Ok(());
            }
            file => file?,
        };
        self.zip.start_file(name, options(method))?;
        let (mut hash, mut size) = (Sha256::new(), 0);
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = file.read(&mut chunk)?;
            if read == 0 {
                break;
            }
            hash.update(&chunk[..read]);
            size += read as u64;
            self.zip.write_all(&chunk[..read])?;
        }
        let sha256 = hex::encode(hash.finalize());
        let entry = Entry { size, sha256 };
        self.manifest.files.insert(name.to_owned(), entry);
        Ok(())
    }

    fn finish(mut self) -> io::Result<File> {
        let manifest = serde_json::to_vec_pretty(&self.manifest)?;
        self.zip
            .start_file(manifest::NAME, options(CompressionMethod::Deflated))?;
        self.zip.write_all(&manifest)?;
        Ok(self.zip.finish()?)
    }
}

fn options(method: CompressionMethod) -> SimpleFileOptions {
    let level = (method == CompressionMethod::Deflated).then_some(LEVEL);
    SimpleFileOptions::default()
        .compression_method(method)
        .compression_level(level)
        .large_file(true)
        .unix_permissions(0o600)
}
