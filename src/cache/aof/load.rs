//! Reads a log's files and shows their commands. What a crash may have left at the very end is cut
//! off; anything else that is wrong ends it, because what follows a hole would be applied to a state
//! that never was.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    time::Instant,
};

use bytes::Bytes;

use super::{
    Apply, Error, Loaded, Options,
    commands::{Commands, Fault},
    folder::{Folder, set_aside_name},
};
use crate::rdb;

/// How much is read at once, in bytes.
const BUFFER_BYTES: usize = 256 * 1024;

/// How a file of the log begins when its base is in Redis's other format.
const RDB_MAGIC: &[u8] = b"REDIS";

/// Where a file can no longer be read.
struct Break {
    /// The end of the last whole command or group, in bytes.
    keep_bytes: u64,
    /// Where it cannot be read, in bytes.
    offset: u64,
    reason: &'static str,
    /// Whether a crash while appending leaves just this.
    is_torn: bool,
}

/// The commands between a `MULTI` and its `EXEC`.
type Unit = Vec<(u32, Vec<Bytes>)>;

struct Loading<'a, 'b> {
    apply: &'a mut Apply<'b>,
    now_ms: i64,
    loaded: Loaded,
}

/// Reads every file in order. Files are changed only to cut off what is reported in [`Loaded`].
pub(super) fn load(
    folder: &mut Folder,
    options: &Options,
    apply: &mut Apply<'_>,
) -> Result<Loaded, Error> {
    let begun = Instant::now();
    let mut loading = Loading {
        apply,
        now_ms: options.clock.now_ms(),
        loaded: Loaded::default(),
    };
    let files: Vec<_> = folder.paths().collect();
    for (index, path) in files.iter().enumerate() {
        let Some(end) = loading.file(path)? else {
            continue;
        };
        let later = &files[index + 1..];
        // An increment is listed before anything is in it; until then the one before is the last.
        let is_last = later
            .iter()
            .all(|later| fs::metadata(later).is_ok_and(|metadata| metadata.len() == 0));
        if is_last && end.is_torn {
            loading.cut(path, &end)?;
        } else if options.repair {
            // In this order, so that a crash in between leaves the damage to be found again.
            loading.keep_copies(&files[index..], &end)?;
            folder.forget(later)?;
            shorten(path, end.keep_bytes)?;
            break;
        } else {
            return Err(Error::Damaged {
                file: path.clone(),
                offset: end.offset,
                reason: end.reason,
                keep_bytes: end.keep_bytes,
            });
        }
    }
    loading.loaded.took = begun.elapsed();
    Ok(loading.loaded)
}

impl Loading<'_, '_> {
    /// Reads one file; where it breaks off, if it does.
    fn file(&mut self, path: &Path) -> Result<Option<Break>, Error> {
        let failed = |source| Error::file("read", path, source);
        let file = File::open(path).map_err(failed)?;
        let size_bytes = file.metadata().map_err(failed)?.len();
        self.loaded.bytes += size_bytes;
        let mut reader = BufReader::with_capacity(BUFFER_BYTES, file);
        let mut offset = 0;
        if reader.fill_buf().map_err(failed)?.starts_with(RDB_MAGIC) {
            let summary =
                rdb::read(&mut reader, self.now_ms, self.apply).map_err(|source| Error::Base {
                    file: path.to_owned(),
                    source,
                })?;
            offset = summary.size_bytes;
            self.loaded.commands += summary.commands;
            self.loaded.base = Some(summary);
        }
        let mut commands = Commands::new(reader, offset);
        let end = self.commands(path, &mut commands)?;
        let Some(mut end) = end else {
            return Ok(None);
        };
        // After a power failure a file may have its length already but not yet its bytes.
        if !end.is_torn {
            end.is_torn = commands.ends_in_zeros().map_err(failed)?;
        }
        Ok(Some(end))
    }

    /// Shows the commands of a file.
    fn commands(
        &mut self,
        path: &Path,
        commands: &mut Commands<impl BufRead>,
    ) -> Result<Option<Break>, Error> {
        let mut db = 0;
        let mut group: Option<(u64, Unit)> = None;
        loop {
            let start = commands.offset();
            let keep_bytes = group.as_ref().map_or(start, |(start, _)| *start);
            let end = |offset, reason, is_torn| -> Result<Option<Break>, Error> {
                Ok(Some(Break {
                    keep_bytes,
                    offset,
                    reason,
                    is_torn,
                }))
            };
            let command = match commands.next() {
                Ok(Some(command)) => command,
                Ok(None) if group.is_none() => return Ok(None),
                Ok(None) => return end(start, "a MULTI without its EXEC", true),
                Err(Fault::Truncated) => {
                    return end(commands.offset(), "the file ends within a command", true);
                }
                Err(Fault::Damaged(reason)) => return end(commands.offset(), reason, false),
                Err(Fault::File(source)) => return Err(Error::file("read", path, source)),
            };
            let name = &command[0];
            if name.eq_ignore_ascii_case(b"MULTI") {
                if group.is_some() {
                    return end(start, "a MULTI within a MULTI", false);
                }
                group = Some((start, Vec::new()));
            } else if name.eq_ignore_ascii_case(b"EXEC") {
                let Some((_, unit)) = group.take() else {
                    return end(start, "an EXEC without its MULTI", false);
                };
                for (db, command) in unit {
                    self.apply(path, start, db, command)?;
                }
            } else if name.eq_ignore_ascii_case(b"SELECT") {
                match database(&command) {
                    Some(selected) => db = selected,
                    None => return end(start, "a SELECT of no database", false),
                }
            } else if let Some((_, unit)) = &mut group {
                unit.push((db, command));
            } else {
                self.apply(path, start, db, command)?;
            }
        }
    }

    fn apply(
        &mut self,
        path: &Path,
        offset: u64,
        db: u32,
        command: Vec<Bytes>,
    ) -> Result<(), Error> {
        self.loaded.commands += 1;
        (self.apply)(db, command).map_err(|message| Error::Refused {
            file: path.to_owned(),
            offset,
            message,
        })
    }

    /// Cuts off what a crash left behind.
    fn cut(&mut self, path: &Path, end: &Break) -> Result<(), Error> {
        let cut_bytes = shorten(path, end.keep_bytes)?;
        self.loaded.cut_bytes += cut_bytes;
        tracing::warn!(
            file.path = %path.display(),
            file.size_bytes = end.keep_bytes,
            cut_bytes,
            reason = end.reason,
            "cut the incomplete end off the append-only file",
        );
        Ok(())
    }

    /// Copies a damaged file, and those that follow, to names that nothing removes.
    fn keep_copies(&mut self, files: &[PathBuf], end: &Break) -> Result<(), Error> {
        let mut lost_bytes = 0;
        for path in files {
            let copied = fs::copy(path, set_aside_name(path));
            lost_bytes += copied.map_err(|source| Error::file("copy", path, source))?;
        }
        let cut_bytes = lost_bytes.saturating_sub(end.keep_bytes);
        self.loaded.cut_bytes += cut_bytes;
        self.loaded.repaired = true;
        tracing::warn!(
            file.path = %files[0].display(),
            file.size_bytes = end.keep_bytes,
            cut_bytes,
            offset = end.offset,
            reason = end.reason,
            "cut the append-only file where it is damaged; what followed is lost, a copy stays",
        );
        Ok(())
    }
}

fn database(command: &[Bytes]) -> Option<u32> {
    match command {
        [_, db] => std::str::from_utf8(db).ok()?.parse().ok(),
        _ => None,
    }
}

/// Cuts a file down; how many bytes went.
fn shorten(path: &Path, keep_bytes: u64) -> Result<u64, Error> {
    let failed = |source| Error::file("shorten", path, source);
    let file = OpenOptions::new().write(true).open(path).map_err(failed)?;
    let size_bytes = file.metadata().map_err(failed)?.len();
    file.set_len(keep_bytes).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    Ok(size_bytes.saturating_sub(keep_bytes))
}
