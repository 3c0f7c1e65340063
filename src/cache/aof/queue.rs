//! What waits for the writer, and what it publishes. The lock is held for the length of a copy, never
//! during a write or an fsync.

use std::{
    collections::VecDeque,
    future::Future,
    io, mem,
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::SyncSender,
    },
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::{Error, Status};

/// What the writer is asked between two appended pieces.
#[derive(Debug)]
pub(super) enum Request {
    /// Go on in a new increment; the answer is its number.
    Split(SyncSender<Result<u64, Error>>),
    /// Make the temporary base the log's, with the increments from a number on; the answer are the
    /// files to remove.
    Install(u64, SyncSender<Result<Vec<PathBuf>, Error>>),
}

/// What the writer has to do next.
#[derive(Debug)]
pub(super) enum Work {
    /// Write the batch.
    Write,
    Serve(Request),
    /// An fsync in the background has ended.
    Synced(io::Result<Duration>),
    /// The deadline has come.
    Timer,
    Close,
}

#[derive(Debug, Default)]
struct Queue {
    bytes: Vec<u8>,
    /// How many bytes were ever appended.
    end: u64,
    /// How many bytes the writer has taken and not yet written.
    in_flight: usize,
    /// Each with the position that it stands at.
    requests: VecDeque<(u64, Request)>,
    synced: Option<io::Result<Duration>>,
    is_closing: bool,
}

/// How far the writer is.
#[derive(Clone, Debug, Default)]
struct Published {
    durable: u64,
    failure: Option<Arc<str>>,
    is_closed: bool,
}

/// Numbers for whoever asks.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    pub(super) size_bytes: AtomicU64,
    pub(super) base_bytes: AtomicU64,
    pub(super) last_fsync_us: AtomicU64,
    pub(super) delayed_fsyncs: AtomicU64,
    pub(super) is_rewriting: AtomicBool,
}

/// Between the handles and the writer.
#[derive(Debug)]
pub(super) struct Shared {
    queue: Mutex<Queue>,
    woken: Condvar,
    published: watch::Sender<Published>,
    is_failing: AtomicBool,
    is_full: AtomicBool,
    max_waiting_bytes: usize,
    pub(super) numbers: Numbers,
    rewrite_failure: Mutex<Option<Arc<str>>>,
}

impl Shared {
    pub(super) fn new(max_waiting_bytes: usize) -> Self {
        Self {
            queue: Mutex::default(),
            woken: Condvar::new(),
            published: watch::Sender::default(),
            is_failing: AtomicBool::new(false),
            is_full: AtomicBool::new(false),
            max_waiting_bytes,
            numbers: Numbers::default(),
            rewrite_failure: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn append(&self, bytes: &[u8]) -> Result<u64, Error> {
        let mut queue = self.lock();
        if queue.is_closing {
            return Err(Error::Closed);
        }
        let was_empty = queue.bytes.is_empty();
        queue.bytes.extend_from_slice(bytes);
        queue.end += bytes.len() as u64;
        if queue.bytes.len() + queue.in_flight >= self.max_waiting_bytes {
            self.is_full.store(true, Ordering::Release);
        }
        let end = queue.end;
        drop(queue);
        // Whoever found it empty wakes the writer, the others know that it is awake.
        if was_empty {
            self.woken.notify_one();
        }
        Ok(end)
    }

    pub(super) fn has_failed(&self) -> bool {
        self.is_failing.load(Ordering::Acquire) || self.is_full.load(Ordering::Acquire)
    }

    pub(super) fn durable(
        &self,
        position: u64,
    ) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        let is_durable = self.published.borrow().durable >= position;
        let published = (!is_durable).then(|| self.published.subscribe());
        async move {
            let Some(mut published) = published else {
                return Ok(());
            };
            let state = published
                .wait_for(|state| {
                    state.durable >= position || state.failure.is_some() || state.is_closed
                })
                .await
                .map_err(|_| Error::Closed)?;
            match &state.failure {
                _ if state.durable >= position => Ok(()),
                Some(failure) => Err(Error::Disk(Arc::clone(failure))),
                None => Err(Error::Closed),
            }
        }
    }

    pub(super) fn status(&self) -> Status {
        let queue = self.lock();
        let waiting_bytes = queue.bytes.len() + queue.in_flight;
        drop(queue);
        let numbers = &self.numbers;
        let rewrite_failure = self.rewrite_failure.lock();
        Status {
            failure: self.published.borrow().failure.clone(),
            size_bytes: numbers.size_bytes.load(Ordering::Relaxed),
            base_bytes: numbers.base_bytes.load(Ordering::Relaxed),
            waiting_bytes,
            last_fsync: Duration::from_micros(numbers.last_fsync_us.load(Ordering::Relaxed)),
            delayed_fsyncs: numbers.delayed_fsyncs.load(Ordering::Relaxed),
            is_rewriting: numbers.is_rewriting.load(Ordering::Acquire),
            rewrite_failure: rewrite_failure
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        }
    }

    /// Notes how a rewrite ended.
    pub(super) fn rewrite_ended(&self, failure: Option<Arc<str>>) {
        let mut last = self
            .rewrite_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = failure;
        self.numbers.is_rewriting.store(false, Ordering::Release);
    }

    /// Asks the writer for something, after everything that was appended so far.
    pub(super) fn request(&self, request: Request) -> Result<(), Error> {
        let mut queue = self.lock();
        if queue.is_closing {
            return Err(Error::Closed);
        }
        let end = queue.end;
        queue.requests.push_back((end, request));
        drop(queue);
        self.woken.notify_one();
        Ok(())
    }

    pub(super) fn close(&self) {
        self.lock().is_closing = true;
        self.woken.notify_one();
    }

    // From here on: for the writer and its fsync thread.

    /// Waits for work. `batch` is what the writer works on; while it fails (`is_failing`) it gets
    /// nothing else.
    pub(super) fn next(
        &self,
        batch: &mut Vec<u8>,
        deadline: Option<Instant>,
        is_failing: bool,
    ) -> Work {
        let mut queue = self.lock();
        loop {
            if let Some(work) = queue.take(batch, is_failing) {
                return work;
            }
            let Some(deadline) = deadline else {
                queue = self
                    .woken
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Work::Timer;
            }
            let waited = self.woken.wait_timeout(queue, left);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What is left when the log is closed; false when nothing is.
    pub(super) fn take_rest(&self, batch: &mut Vec<u8>) -> bool {
        let mut queue = self.lock();
        batch.append(&mut queue.bytes);
        queue.in_flight = batch.len();
        !batch.is_empty()
    }

    /// Publishes that everything before `position` is durable, and that the disk works.
    pub(super) fn publish(&self, position: u64) {
        self.lock().in_flight = 0;
        self.is_full.store(false, Ordering::Release);
        self.is_failing.store(false, Ordering::Release);
        self.published.send_modify(|published| {
            published.durable = position;
            published.failure = None;
        });
    }

    /// Publishes that the disk fails.
    pub(super) fn publish_failure(&self, failure: Arc<str>) {
        self.is_failing.store(true, Ordering::Release);
        self.published
            .send_modify(|published| published.failure = Some(failure));
    }

    /// Publishes that nothing will be written any more.
    pub(super) fn publish_end(&self) {
        let mut queue = self.lock();
        queue.is_closing = true;
        // Whoever waits for an answer gets none.
        queue.requests.clear();
        drop(queue);
        self.published
            .send_modify(|published| published.is_closed = true);
    }

    /// Tells the writer how an fsync in the background went.
    pub(super) fn synced(&self, result: io::Result<Duration>) {
        self.lock().synced = Some(result);
        self.woken.notify_one();
    }
}

impl Queue {
    fn take(&mut self, batch: &mut Vec<u8>, is_failing: bool) -> Option<Work> {
        if let Some(result) = self.synced.take() {
            return Some(Work::Synced(result));
        }
        if is_failing {
            return self.is_closing.then_some(Work::Close);
        }
        let begin = self.end - self.bytes.len() as u64;
        let ahead = match self.requests.front() {
            None => self.bytes.len(),
            Some((position, _)) => usize::try_from(position - begin).unwrap_or(usize::MAX),
        };
        if ahead == 0
            && let Some((_, request)) = self.requests.pop_front()
        {
            return Some(Work::Serve(request));
        }
        if self.bytes.is_empty() {
            return self.is_closing.then_some(Work::Close);
        }
        if ahead < self.bytes.len() {
            batch.extend(self.bytes.drain(..ahead));
        } else {
            mem::swap(batch, &mut self.bytes);
        }
        self.in_flight = batch.len();
        Some(Work::Write)
    }
}
