//! The thread that writes.

use std::{
    fs::File,
    io,
    path::PathBuf,
    sync::{Arc, atomic::Ordering, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    Error, Fsync,
    file::LogFile,
    folder::Folder,
    queue::{Request, Shared, Work},
};

/// How long after a failure the disk is tried again.
const RETRY: Duration = Duration::from_millis(250);

/// The pause of [`Fsync::EverySecond`].
const SECOND: Duration = Duration::from_secs(1);

/// How much memory an idle writer keeps for the next batch, in bytes.
const KEPT_BATCH_BYTES: usize = 1024 * 1024;

/// The writer's state.
pub(super) struct Writer {
    shared: Arc<Shared>,
    folder: Folder,
    file: LogFile,
    fsync: Fsync,
    /// What is being written; it stays until it is durable.
    batch: Vec<u8>,
    /// Everything before is durable.
    position: u64,
    is_failing: bool,
    /// Whether an fsync failed after its bytes had been acknowledged.
    owes_sync: bool,
    /// When to try again, or to sync.
    deadline: Option<Instant>,
    /// The thread for fsyncs that must not hold up writes; dropping this ends it.
    syncer: Option<mpsc::SyncSender<Arc<File>>>,
    is_syncing: bool,
}

/// Tells those who wait that nobody writes any more, also after a panic.
struct EndsWithThread(Arc<Shared>);

impl Drop for EndsWithThread {
    fn drop(&mut self) {
        self.0.publish_end();
    }
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, folder: Folder, file: LogFile, fsync: Fsync) -> Self {
        let writer = Self {
            shared,
            folder,
            file,
            fsync,
            batch: Vec::new(),
            position: 0,
            is_failing: false,
            owes_sync: false,
            deadline: None,
            syncer: None,
            is_syncing: false,
        };
        writer.measure();
        writer
    }

    /// Starts the thread.
    pub(super) fn start(mut self) -> Result<JoinHandle<()>, Error> {
        let failed = |source| Error::file("start a thread for", &self.folder.temporary(), source);
        if self.fsync == Fsync::EverySecond {
            self.syncer = Some(start_syncer(&self.shared).map_err(failed)?);
        }
        let place = self.folder.temporary();
        thread::Builder::new()
            .name("mito-cache-log".to_owned())
            .spawn(move || self.run())
            .map_err(|source| Error::file("start a thread for", &place, source))
    }

    fn run(mut self) {
        let _end = EndsWithThread(Arc::clone(&self.shared));
        loop {
            let shared = Arc::clone(&self.shared);
            match shared.next(&mut self.batch, self.deadline, self.is_failing) {
                Work::Write => self.flush(),
                Work::Timer if self.is_failing => self.flush(),
                Work::Timer => self.begin_sync(),
                Work::Synced(result) => self.end_sync(result),
                Work::Serve(Request::Split(reply)) => drop(reply.send(self.split())),
                Work::Serve(Request::Install(first, reply)) => {
                    drop(reply.send(self.install(first)));
                }
                Work::Close => return self.close(),
            }
        }
    }

    /// Writes the batch, or tries again what failed.
    fn flush(&mut self) {
        match self.try_flush() {
            Ok(()) => {
                if self.is_failing {
                    tracing::info!("the append-only file can be written again");
                    self.is_failing = false;
                    self.deadline = None;
                }
                self.shared.publish(self.position);
                self.plan_sync();
            }
            Err(error) => self.fail(&error),
        }
    }

    fn try_flush(&mut self) -> io::Result<()> {
        let count = self.batch.len();
        if count > 0 {
            self.file.append(&self.batch)?;
        }
        if count > 0 && self.fsync == Fsync::Always {
            self.sync().inspect_err(|_| self.file.take_back(count))?;
        }
        self.position += count as u64;
        let size_bytes = &self.shared.numbers.size_bytes;
        size_bytes.fetch_add(count as u64, Ordering::Relaxed);
        self.batch.clear();
        self.batch.shrink_to(KEPT_BATCH_BYTES);
        if self.owes_sync {
            self.sync()?;
            self.owes_sync = false;
        }
        Ok(())
    }

    fn fail(&mut self, error: &io::Error) {
        let failure: Arc<str> = error.to_string().into();
        if !self.is_failing {
            tracing::error!(
                %error,
                "the append-only file cannot be written; changes are refused until it can",
            );
            self.is_failing = true;
        }
        self.shared.publish_failure(failure);
        self.deadline = Some(Instant::now() + RETRY);
    }

    fn sync(&self) -> io::Result<()> {
        let begun = Instant::now();
        self.file.sync()?;
        self.note_sync(begun.elapsed());
        Ok(())
    }

    fn note_sync(&self, took: Duration) {
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let numbers = &self.shared.numbers;
        numbers.last_fsync_us.store(took_us, Ordering::Relaxed);
        metrics::histogram!("mito_cache_log_fsync_seconds").record(took.as_secs_f64());
    }

    /// Plans the next fsync of [`Fsync::EverySecond`]; the other policies have no timer.
    fn plan_sync(&mut self) {
        if self.fsync == Fsync::EverySecond && self.deadline.is_none() {
            self.deadline = Some(Instant::now() + SECOND);
        }
    }

    fn begin_sync(&mut self) {
        if self.is_syncing {
            let delayed = &self.shared.numbers.delayed_fsyncs;
            delayed.fetch_add(1, Ordering::Relaxed);
            self.deadline = Some(Instant::now() + SECOND);
            return;
        }
        self.deadline = None;
        let sent = self
            .syncer
            .as_ref()
            .map(|syncer| syncer.send(self.file.handle()));
        self.is_syncing = matches!(sent, Some(Ok(())));
    }

    fn end_sync(&mut self, result: io::Result<Duration>) {
        self.is_syncing = false;
        match result {
            Ok(took) => self.note_sync(took),
            Err(error) => {
                self.owes_sync = true;
                self.fail(&error);
            }
        }
    }

    /// Goes on in a new increment. What is in the old one is made durable first, whatever the
    /// policy: only the last file may end within a command.
    fn split(&mut self) -> Result<u64, Error> {
        if let Err(error) = self.sync() {
            self.owes_sync = true;
            self.fail(&error);
            return Err(Error::Disk(error.to_string().into()));
        }
        let file = self.folder.add_increment()?;
        self.file.switch(file);
        Ok(self.folder.last_sequence())
    }

    fn install(&mut self, first_increment: u64) -> Result<Vec<PathBuf>, Error> {
        let gone = self.folder.install_base(first_increment)?;
        self.measure();
        Ok(gone)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a gauge is a float; 2^53 bytes are enough"
    )]
    fn measure(&self) {
        let (base_bytes, size_bytes) = self.folder.sizes();
        let numbers = &self.shared.numbers;
        numbers.base_bytes.store(base_bytes, Ordering::Relaxed);
        numbers.size_bytes.store(size_bytes, Ordering::Relaxed);
        metrics::gauge!("mito_cache_log_bytes").set(size_bytes as f64);
    }

    /// Writes what is left and makes it durable, once.
    fn close(&mut self) {
        let shared = Arc::clone(&self.shared);
        loop {
            self.flush();
            if self.is_failing || !shared.take_rest(&mut self.batch) {
                break;
            }
        }
        if let Err(error) = self.sync() {
            self.fail(&error);
        }
    }
}

/// The thread for fsyncs in the background.
fn start_syncer(shared: &Arc<Shared>) -> io::Result<mpsc::SyncSender<Arc<File>>> {
    let (sender, files) = mpsc::sync_channel::<Arc<File>>(1);
    let shared = Arc::clone(shared);
    thread::Builder::new()
        .name("mito-cache-sync".to_owned())
        .spawn(move || {
            for file in files {
                let begun = Instant::now();
                let result = file.sync_data();
                shared.synced(result.map(|()| begun.elapsed()));
            }
        })?;
    Ok(sender)
}
