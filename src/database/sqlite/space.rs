//! Room on the disk that is taken before it is needed. A full disk must not keep anybody from
//! deleting, and a delete needs room too: pages in the log, sometimes a page in the file.
//!
//! Three things are allocated ahead: the beginning of the log, so that it can always start over;
//! the file as far as its pages in the log reach, so that they can be carried over (blocks behind
//! its end are lost when a checkpoint cuts it, but by then those pages are in front of the end);
//! and a file beside it that is given up when nothing else helps. Where no more is to be had,
//! closures that take more pages than they give back are refused.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use rusqlite::Connection;
use rustix::{
    fs::{FallocateFlags, fallocate},
    io::Errno,
};

use crate::{
    Error,
    sqlite::file::{beside, refused},
};

/// What the log has at least: the room of a few hundred pages.
const LOG_BYTES: u64 = 1024 * 1024;
/// What is kept in the file beside the database, and allocated ahead of a growing one.
const RESERVE_BYTES: u64 = 1024 * 1024;
/// The part of a bounded file that is for closures that free space: a sixteenth, at most 1 MiB.
const BOUND_SHARE: u64 = 16;
/// The suffix of the reserve's name.
const RESERVE: &str = ".reserve";
/// The page limit of SQLite itself.
const NO_LIMIT: u64 = u32::MAX as u64 - 1;

/// The room of a database file.
pub(crate) struct Space {
    // Closing a handle on the file drops SQLite's locks in this process, so this must outlive the
    // connections.
    database: File,
    log: File,
    reserve: File,
    reserve_is_whole: bool,
    page_bytes: u64,
    /// The configured bound.
    bound_pages: Option<u64>,
    /// So many pages have their blocks.
    allocated_pages: u64,
    limits: Limits,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Limits {
    /// Beyond this many pages, closures that take more than they give are refused.
    growth_pages: Option<u64>,
    /// SQLite refuses to go beyond this.
    pages: u64,
}

impl Space {
    /// Allocates the first blocks. The log must exist.
    pub(crate) fn open(
        path: &Path,
        connection: &Connection,
        max_bytes: u64,
    ) -> Result<Self, Error> {
        let open = |path: &Path| OpenOptions::new().write(true).open(path);
        let failed = |error: io::Error| {
            refused(
                path,
                &format!("it or a file beside it cannot be written: {error}"),
            )
        };
        let page_bytes = pragma(connection, "PRAGMA page_size")
            .map_err(|error| refused(path, &format!("its page size cannot be read: {error}")))?;
        let bound_pages = (max_bytes > 0).then(|| (max_bytes / page_bytes).clamp(1, NO_LIMIT));
        let mut space = Self {
            database: open(path).map_err(failed)?,
            log: open(&beside(path, "-wal")).map_err(failed)?,
            reserve: reserve(path).map_err(failed)?,
            reserve_is_whole: false,
            page_bytes,
            bound_pages,
            allocated_pages: 0,
            limits: Limits {
                growth_pages: None,
                pages: 0,
            },
        };
        space.keep_log();
        space
            .keep_ahead(connection)
            .map_err(|error| refused(path, &format!("its size cannot be read: {error}")))?;
        Ok(space)
    }

    /// Gives the log its blocks, which it loses when it is truncated.
    pub(crate) fn keep_log(&self) {
        let kept = allocate_some(&self.log, FallocateFlags::KEEP_SIZE, LOG_BYTES);
        if let Err(error) = kept {
            tracing::debug!(error = %error, "no room can be kept for the write-ahead log");
        }
    }

    /// Gives up the reserve, for what must be written now. The next commit takes it back.
    pub(crate) fn give_up_reserve(&mut self) {
        self.reserve_is_whole = false;
        if let Err(error) = self.reserve.set_len(0) {
            tracing::warn!(error = %error, "the reserve on the disk cannot be given up");
        }
    }

    /// Gives the file the blocks of its pages, and sets the limits that follow.
    pub(crate) fn keep_ahead(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let pages = pragma(connection, "PRAGMA page_count")?;
        let mut short = false;
        // A file that grows steadily is given more now and then, before the half of it is used up.
        let ahead_pages = RESERVE_BYTES / self.page_bytes;
        if pages + ahead_pages / 2 > self.allocated_pages {
            let used_bytes = pages * self.page_bytes;
            if allocate(&self.database, used_bytes + RESERVE_BYTES).is_ok() {
                self.allocated_pages = pages + ahead_pages;
            } else if pages > self.allocated_pages {
                match allocate(&self.database, used_bytes) {
                    Err(Errno::NOSPC | Errno::DQUOT) => short = true,
                    // Not every file system can; then there is nothing to keep.
                    Ok(()) | Err(_) => self.allocated_pages = pages,
                }
            }
        }
        if !self.reserve_is_whole {
            let kept = allocate_some(&self.reserve, FallocateFlags::empty(), RESERVE_BYTES);
            self.reserve_is_whole = !matches!(kept, Err(Errno::NOSPC | Errno::DQUOT));
            short |= !self.reserve_is_whole;
        }
        let limits = self.limits(short);
        if limits.pages != self.limits.pages {
            connection.pragma_update(None, "max_page_count", limits.pages.cast_signed())?;
        }
        self.limits = limits;
        Ok(())
    }

    fn limits(&self, short: bool) -> Limits {
        let mut limits = Limits {
            growth_pages: short.then_some(0),
            pages: NO_LIMIT,
        };
        if let Some(bound) = self.bound_pages {
            let kept = (RESERVE_BYTES / self.page_bytes).min(bound / BOUND_SHARE);
            limits.pages = bound;
            limits.growth_pages = limits.growth_pages.or(Some(bound - kept));
        }
        limits
    }

    /// How many pages hold something, if somebody has to watch that.
    pub(crate) fn watched_pages(&self, connection: &Connection) -> Option<u64> {
        self.limits.growth_pages?;
        let pages = pragma(connection, "PRAGMA page_count").ok()?;
        let free = pragma(connection, "PRAGMA freelist_count").ok()?;
        Some(pages.saturating_sub(free))
    }

    /// Whether a closure has taken pages that are kept for those that free space.
    pub(crate) fn is_overdrawn(&self, connection: &Connection, before: Option<u64>) -> bool {
        let (Some(before), Some(growth)) = (before, self.limits.growth_pages) else {
            return false;
        };
        self.watched_pages(connection)
            .is_some_and(|pages| pages > growth && pages > before)
    }
}

/// Frees what a process before has kept: opening a database needs room too.
pub(crate) fn free_reserve(path: &Path) {
    let name = beside(path, RESERVE);
    let freed = OpenOptions::new().write(true).truncate(true).open(&name);
    if let Err(error) = freed
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %name.display(), error = %error, "cannot free the reserve");
    }
}

fn reserve(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(beside(path, RESERVE))
}

fn allocate(file: &File, end: u64) -> Result<(), Errno> {
    fallocate(file, FallocateFlags::KEEP_SIZE, 0, end)
}

/// Allocates up to `bytes`, or some part of them; the error is that of the whole.
fn allocate_some(file: &File, flags: FallocateFlags, bytes: u64) -> Result<(), Errno> {
    let whole = fallocate(file, flags, 0, bytes);
    if whole.is_err() {
        for part in [4, 16] {
            if fallocate(file, flags, 0, bytes / part).is_ok() {
                break;
            }
        }
    }
    whole
}

fn pragma(connection: &Connection, sql: &str) -> rusqlite::Result<u64> {
    connection
        .prepare_cached(sql)?
        .query_row((), |row| row.get::<_, u32>(0))
        .map(u64::from)
}
