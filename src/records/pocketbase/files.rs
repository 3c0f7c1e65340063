//! Files of records: read from `storage/COLLECTION/RECORD/NAME`, stored under the same names.
//! Thumbnails are made anew when they are asked for.

use std::path::{Component, Path, PathBuf};

use futures_util::StreamExt as _;
use rustix::fs::OFlags;
use tokio::fs::{File, OpenOptions};
use tokio_util::io::ReaderStream;

use crate::{Error, Records, files::FileKey};

/// Bytes read at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// The folder `storage` of an installation.
pub(super) struct Storage {
    folder: PathBuf,
}

/// A file of a record that is on its way in.
pub(super) struct Taken {
    /// Where it is.
    pub(super) key: FileKey,
    /// Its size in bytes.
    pub(super) bytes: u64,
    /// Whether it was there already, from an earlier import.
    pub(super) was_there: bool,
}

impl Storage {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Whether there are files at all. PocketBase makes the folder with the first of them, unless
    /// they go to an external storage.
    pub(super) fn exists(&self) -> bool {
        self.folder.is_dir()
    }

    /// Opens a file; returns its size too. The error is the reason in words.
    async fn open(&self, key: &FileKey) -> Result<(File, u64), String> {
        let mut path = self.folder.clone();
        for part in [&key.collection_id, &key.record_id, &key.name] {
            if !is_plain(part) {
                return Err("its name is no file name".to_owned());
            }
            path.push(part);
        }
        // What is no plain file must not lead elsewhere, nor hold the import up.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let mut options = OpenOptions::new();
        options.read(true);
        options.custom_flags(i32::try_from(flags.bits()).unwrap_or_default());
        let file = options.open(&path).await;
        let file = file.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "the file is missing".to_owned(),
            _ => format!("the file cannot be read: {error}"),
        })?;
        let found = file.metadata().await.map_err(|error| error.to_string())?;
        if !found.is_file() {
            return Err("it is no file".to_owned());
        }
        Ok((file, found.len()))
    }
}

impl Records {
    /// Stores a file of theirs, unless it is here already. The inner error says why it cannot be
    /// read; the record then has it as little as it had there.
    pub(super) async fn take_file(
        &self,
        storage: &Storage,
        key: FileKey,
        dry_run: bool,
    ) -> Result<Result<Taken, (FileKey, String)>, Error> {
        let (file, bytes) = match storage.open(&key).await {
            Ok(found) => found,
            Err(reason) => return Ok(Err((key, reason))),
        };
        let mut taken = Taken {
            key,
            bytes,
            was_there: false,
        };
        if dry_run {
            return Ok(Ok(taken));
        }
        // Files are never changed under their names, so one of the same size is the same.
        if self.files().stored_bytes(&taken.key).await? == Some(bytes) {
            taken.was_there = true;
            return Ok(Ok(taken));
        }
        let body = ReaderStream::with_capacity(file, CHUNK_BYTES).boxed();
        taken.bytes = self.files().put_existing(&taken.key, body).await?;
        Ok(Ok(taken))
    }
}

fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    let only = parts.next();
    !name.contains('\0')
        && parts.next().is_none()
        && matches!(only, Some(Component::Normal(part)) if part == name)
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn names_that_lead_elsewhere() {
        let check = |name: &str, expected: bool| assert_eq!(is_plain(name), expected, "{name:?}");
        check("photo_a1b2c3.png", true);
        check("..png", true);
        check("", false);
        check(".", false);
        check("..", false);
        check("/etc/passwd", false);
        check("a/b", false);
        check("a/", false);
        check("a\0", false);
    }
}
