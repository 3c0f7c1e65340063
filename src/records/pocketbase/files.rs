//! Files of records: read from `storage/COLLECTION/RECORD/NAME`, stored under the same names.
//! Thumbnails are made anew when they are asked for.

use std::{
    fs::File,
    io,
    path::{Component, Path, PathBuf},
};

use futures_util::StreamExt as _;
use rustix::fs::{Mode, OFlags, open, openat};
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
    pub(super) async fn exists(&self) -> bool {
        let found = tokio::fs::metadata(&self.folder).await;
        found.is_ok_and(|found| found.is_dir())
    }

    /// Opens a file; returns its size too. The error is the reason in words.
    async fn open(&self, key: &FileKey) -> Result<(File, u64), String> {
        let (folder, key) = (self.folder.clone(), key.clone());
        let opened = tokio::task::spawn_blocking(move || open_inside(&folder, &key));
        opened.await.map_err(|error| error.to_string())?
    }
}

/// Opens `COLLECTION/RECORD/NAME` in a folder. No link is followed on the way: one could lead to any
/// file that mito may read, and a record would then show it.
fn open_inside(folder: &Path, key: &FileKey) -> Result<(File, u64), String> {
    let parts = [&key.collection_id, &key.record_id, &key.name];
    if !parts.iter().all(|part| is_plain(part)) {
        return Err("its name is no file name".to_owned());
    }
    let told = |error: rustix::io::Errno| match io::Error::from(error) {
        error if error.kind() == io::ErrorKind::NotFound => "the file is missing".to_owned(),
        error => format!("the file cannot be read: {error}"),
    };
    let inside = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY;
    let mut place = open(folder, flags, Mode::empty()).map_err(told)?;
    for part in &parts[..2] {
        let flags = inside | OFlags::DIRECTORY;
        place = openat(&place, part.as_str(), flags, Mode::empty()).map_err(told)?;
    }
    // What is no plain file must not hold the import up either.
    let flags = inside | OFlags::NONBLOCK;
    let file = File::from(openat(&place, key.name.as_str(), flags, Mode::empty()).map_err(told)?);
    let found = file.metadata().map_err(|error| error.to_string())?;
    if !found.is_file() {
        return Err("it is no file".to_owned());
    }
    Ok((file, found.len()))
}

impl Records {
    /// Stores a file of theirs, unless it is here already. The inner error says why it cannot be
    /// taken; the record then has it as little as it had there.
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
        let kept = self.files().keep_stored(&taken.key).await?;
        taken.was_there = kept.is_some_and(|kept| kept.bytes == bytes || !kept.is_nobodys);
        if kept.is_some_and(|kept| kept.bytes == bytes) {
            return Ok(Ok(taken));
        }
        let file = tokio::fs::File::from_std(file);
        let body = ReaderStream::with_capacity(file, CHUNK_BYTES).boxed();
        let is_new = !taken.was_there;
        match self.files().put_existing(&taken.key, body, is_new).await {
            Ok(bytes) => taken.bytes = bytes,
            Err(Error::Invalid(reason)) => return Ok(Err((taken.key, reason))),
            Err(error) => return Err(error),
        }
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
    use super::{is_plain, open_inside};
    use crate::files::FileKey;

    #[test]
    fn links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let record = folder.path().join("c/r");
        std::fs::create_dir_all(&record).unwrap();
        std::fs::write(record.join("plain.txt"), "text").unwrap();
        std::fs::write(folder.path().join("secret.txt"), "secret").unwrap();
        std::os::unix::fs::symlink("../../secret.txt", record.join("link.txt")).unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("c/up")).unwrap();
        let open = |record: &str, name: &str| {
            let key = FileKey {
                collection_id: "c".to_owned(),
                record_id: record.to_owned(),
                name: name.to_owned(),
            };
            open_inside(folder.path(), &key).map(|(_, bytes)| bytes)
        };
        assert_eq!(open("r", "plain.txt"), Ok(4));
        assert!(open("r", "link.txt").is_err());
        assert!(open("up", "secret.txt").is_err());
        assert!(open("r", ".").is_err());
    }

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
