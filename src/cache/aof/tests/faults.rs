//! A disk that fails when told to.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// What goes wrong.
#[derive(Debug, Default)]
pub(in crate::aof) struct Faults {
    /// How many bytes still fit.
    pub(super) room_bytes: Mutex<Option<usize>>,
    /// Whether fsync fails.
    pub(super) sync: AtomicBool,
}

impl Faults {
    pub(in crate::aof) fn before_write(
        &self,
        file: &File,
        bytes: &[u8],
        at: u64,
    ) -> io::Result<()> {
        let mut room = self.room_bytes.lock().unwrap();
        let Some(left) = room.as_mut() else {
            return Ok(());
        };
        if bytes.len() <= *left {
            *left -= bytes.len();
            return Ok(());
        }
        file.write_all_at(&bytes[..*left], at)?;
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }

    pub(in crate::aof) fn before_sync(&self) -> io::Result<()> {
        match self.sync.load(Ordering::SeqCst) {
            true => Err(io::Error::other("the disk is gone")),
            false => Ok(()),
        }
    }
}
