//! A new base, written beside the log while that goes on in a new increment. It takes the place of
//! what it replaces in one step, or none.

use std::{
    collections::VecDeque,
    fs,
    future::Future,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::Ordering,
        mpsc::{self, Receiver},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use super::{
    Error, folder,
    queue::{Request, Shared},
};

/// How many bytes may wait to be written; a single piece may be larger.
const MAX_WAITING_BYTES: usize = 8 * 1024 * 1024;

/// How many bytes are written between two fsyncs, so that the last is short and those of the log
/// are not held up by it.
const SYNC_BYTES: u64 = 16 * 1024 * 1024;

/// What came of a rewrite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rewritten {
    /// The length of the new base in bytes.
    pub(crate) base_bytes: u64,
    /// How long it took.
    pub(crate) took: Duration,
}

/// A rewrite that goes on. Dropping it gives it up.
#[derive(Debug)]
pub(crate) struct Rewrite {
    lane: Arc<Lane>,
    done: Option<oneshot::Receiver<Result<Rewritten, Error>>>,
}

/// Between the one who feeds and the thread.
#[derive(Debug, Default)]
struct Lane {
    state: Mutex<State>,
    woken: Condvar,
}

#[derive(Debug, Default)]
struct State {
    pieces: VecDeque<Vec<u8>>,
    waiting_bytes: usize,
    fed: Fed,
    has_failed: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fed {
    #[default]
    Partly,
    Wholly,
    GivenUp,
}

impl Lane {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.woken
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, fed: Fed) {
        self.lock().fed = fed;
        self.woken.notify_all();
    }

    /// The next piece; none when everything has been fed.
    fn next(&self) -> Result<Option<Vec<u8>>, Error> {
        let mut state = self.lock();
        loop {
            if state.fed == Fed::GivenUp {
                return Err(Error::Aborted);
            }
            if let Some(piece) = state.pieces.pop_front() {
                state.waiting_bytes -= piece.len();
                self.woken.notify_all();
                return Ok(Some(piece));
            }
            if state.fed == Fed::Wholly {
                return Ok(None);
            }
            state = self.wait(state);
        }
    }

    fn fail(&self) {
        let mut state = self.lock();
        state.has_failed = true;
        state.pieces = VecDeque::new();
        state.waiting_bytes = 0;
        self.woken.notify_all();
    }
}

impl Rewrite {
    pub(super) fn begin(shared: &Arc<Shared>, temporary: PathBuf) -> Result<Self, Error> {
        let is_rewriting = &shared.numbers.is_rewriting;
        if is_rewriting.swap(true, Ordering::AcqRel) {
            return Err(Error::Rewriting);
        }
        let lane = Arc::new(Lane::default());
        let (sender, done) = oneshot::channel();
        let (reply, split) = mpsc::sync_channel(1);
        let work = Work {
            lane: Arc::clone(&lane),
            shared: Arc::clone(shared),
            temporary: temporary.clone(),
            split,
        };
        // The thread first: without it no increment is begun.
        let started = thread::Builder::new()
            .name("mito-cache-rewrite".to_owned())
            .spawn(move || drop(sender.send(work.run())))
            .map_err(|source| Error::file("start a thread for", &temporary, source))
            .and_then(|_| shared.request(Request::Split(reply)));
        if let Err(error) = started {
            lane.end(Fed::GivenUp);
            is_rewriting.store(false, Ordering::Release);
            return Err(error);
        }
        Ok(Self {
            lane,
            done: Some(done),
        })
    }

    /// Whether [`Rewrite::write`] would return at once.
    pub(crate) fn has_room(&self) -> bool {
        let state = self.lane.lock();
        state.has_failed || state.waiting_bytes < MAX_WAITING_BYTES
    }

    /// Feeds whole commands of the base. Every base begins at database 0. It blocks while too much
    /// waits; an error says that the rewrite has failed, and [`Rewrite::finish`] will say why.
    pub(crate) fn write(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        let mut state = self.lane.lock();
        while state.waiting_bytes >= MAX_WAITING_BYTES && !state.has_failed {
            state = self.lane.wait(state);
        }
        if state.has_failed {
            return Err(Error::Aborted);
        }
        state.waiting_bytes += bytes.len();
        state.pieces.push_back(bytes);
        drop(state);
        self.lane.woken.notify_all();
        Ok(())
    }

    /// Says that the base is whole. The future ends when it is the log's, on disk; the work goes on
    /// whether it is polled or not.
    pub(crate) fn finish(
        mut self,
    ) -> impl Future<Output = Result<Rewritten, Error>> + Send + use<> {
        self.lane.end(Fed::Wholly);
        let done = self.done.take();
        async move {
            match done {
                Some(done) => done.await.unwrap_or(Err(Error::Closed)),
                None => Err(Error::Aborted),
            }
        }
    }

    /// Gives it up; the log goes on with the base that it has.
    pub(crate) fn abort(self) {
        drop(self);
    }
}

impl Drop for Rewrite {
    fn drop(&mut self) {
        if self.done.is_some() {
            self.lane.end(Fed::GivenUp);
        }
    }
}

/// What the thread does.
struct Work {
    lane: Arc<Lane>,
    shared: Arc<Shared>,
    temporary: PathBuf,
    split: Receiver<Result<u64, Error>>,
}

impl Work {
    fn run(self) -> Result<Rewritten, Error> {
        let begun = Instant::now();
        let result = self.write().map(|base_bytes| Rewritten {
            base_bytes,
            took: begun.elapsed(),
        });
        match &result {
            Ok(rewritten) => {
                tracing::info!(
                    base.size_bytes = rewritten.base_bytes,
                    duration_ms = u64::try_from(rewritten.took.as_millis()).unwrap_or(u64::MAX),
                    "rewrote the append-only file",
                );
                self.shared.rewrite_ended(None);
            }
            Err(error) => {
                let _ = fs::remove_file(&self.temporary);
                self.lane.fail();
                if !matches!(error, Error::Aborted) {
                    tracing::warn!(%error, "could not rewrite the append-only file");
                }
                self.shared.rewrite_ended(Some(error.to_string().into()));
            }
        }
        result
    }

    fn write(&self) -> Result<u64, Error> {
        let path = &self.temporary;
        let failed = |source| Error::file("write", path, source);
        let mut file = folder::create(path).map_err(failed)?;
        let mut base_bytes = 0;
        let mut unsynced_bytes = 0;
        while let Some(piece) = self.lane.next()? {
            file.write_all(&piece).map_err(failed)?;
            base_bytes += piece.len() as u64;
            unsynced_bytes += piece.len() as u64;
            if unsynced_bytes >= SYNC_BYTES {
                unsynced_bytes = 0;
                file.sync_data().map_err(failed)?;
            }
        }
        file.sync_all().map_err(failed)?;
        let first_increment = self.split.recv().map_err(|_| Error::Closed)??;
        let (reply, installed) = mpsc::sync_channel(1);
        self.shared
            .request(Request::Install(first_increment, reply))?;
        for gone in installed.recv().map_err(|_| Error::Closed)?? {
            remove(&gone);
        }
        Ok(base_bytes)
    }
}

/// Removes a file that no longer belongs to the log. Failing is no harm: the next start tries again.
fn remove(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(file.path = %path.display(), %error, "could not remove a file of the log");
        }
        _ => {}
    }
}
