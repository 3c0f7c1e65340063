//! The file that is appended to. A write that fails leaves no trace: what it wrote is cut off
//! before anything is written again.

use std::{fs::File, io, os::unix::fs::FileExt, sync::Arc};

#[cfg(test)]
use super::tests::faults::Faults;

/// An increment, and how much of it counts.
#[derive(Debug)]
pub(super) struct LogFile {
    file: Arc<File>,
    /// The end of what counts, in bytes.
    length: u64,
    /// Whether something behind that could not be cut off.
    is_torn: bool,
    #[cfg(test)]
    pub(super) faults: Arc<Faults>,
}

impl LogFile {
    /// A file whose first `length` bytes count.
    pub(super) fn new(file: File, length: u64) -> Self {
        Self {
            file: Arc::new(file),
            length,
            is_torn: false,
            #[cfg(test)]
            faults: Arc::default(),
        }
    }

    /// The same for another file.
    pub(super) fn switch(&mut self, file: File) {
        self.file = Arc::new(file);
        self.length = 0;
        self.is_torn = false;
    }

    /// A handle to make it durable with.
    pub(super) fn handle(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// Appends all of `bytes` or nothing.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.is_torn {
            self.file.set_len(self.length)?;
            self.is_torn = false;
        }
        let written = self.write(bytes);
        if written.is_ok() {
            self.length += bytes.len() as u64;
        } else {
            self.is_torn = self.file.set_len(self.length).is_err();
        }
        written
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        #[cfg(test)]
        self.faults.before_write(&self.file, bytes, self.length)?;
        self.file.write_all_at(bytes, self.length)
    }

    /// Makes what was appended durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        #[cfg(test)]
        self.faults.before_sync()?;
        self.file.sync_data()
    }

    /// Takes back the last `count` bytes, because they could not be made durable: after a failed
    /// fsync the kernel may take pages for clean that never reached the disk, so they have to be
    /// written anew.
    pub(super) fn take_back(&mut self, count: usize) {
        self.length = self.length.saturating_sub(count as u64);
        self.is_torn = self.file.set_len(self.length).is_err();
    }
}
