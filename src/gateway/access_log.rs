//! The access log: one line for each finished request, written beside the requests to
//! `DATA/logs/access.log`. It never makes a request wait: a line for which there is no room is
//! dropped and counted. The file is opened anew for every batch of lines, so whoever moves it away
//! need not tell.

mod file;
mod filter;
mod format;

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use mito_core::Shutdown;
use tokio::sync::mpsc;

use crate::{config::AccessLogFormat, record::Record};

pub(crate) use filter::Filter;

/// Lines that may wait to be written.
const MAX_WAITING_LINES: usize = 8_192;

/// What is written, and how.
struct Options {
    format: AccessLogFormat,
    filter: Filter,
}

/// Takes lines. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AccessLog(Arc<Inner>);

struct Inner {
    options: ArcSwap<Options>,
    sender: mpsc::Sender<String>,
    waiting: Mutex<Option<mpsc::Receiver<String>>>,
    path: PathBuf,
    dropped: AtomicU64,
    requests: AtomicU64,
}

impl AccessLog {
    /// A log at `path`; nothing is opened before [`AccessLog::run`].
    pub(crate) fn new(format: AccessLogFormat, filter: Filter, path: PathBuf) -> Self {
        let (sender, receiver) = mpsc::channel(MAX_WAITING_LINES);
        Self(Arc::new(Inner {
            options: ArcSwap::from_pointee(Options { format, filter }),
            sender,
            waiting: Mutex::new(Some(receiver)),
            path,
            dropped: AtomicU64::new(0),
            requests: AtomicU64::new(0),
        }))
    }

    /// Writes from now on in this way.
    pub(crate) fn set(&self, format: AccessLogFormat, filter: Filter) {
        self.0.options.store(Arc::new(Options { format, filter }));
    }

    /// Counts requests, from 1.
    pub(crate) fn next_number(&self) -> u64 {
        self.0.requests.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Notes a finished request.
    pub(crate) fn write(self, record: &Record) {
        let options = self.0.options.load();
        if !options.filter.keeps(record.code(), record.elapsed()) {
            return;
        }
        let line = match options.format {
            AccessLogFormat::Off => return,
            AccessLogFormat::Common => format::common(record),
            AccessLogFormat::Json => format::json(record),
        };
        if self.0.sender.try_send(line).is_err() {
            self.0.dropped.fetch_add(1, Ordering::Relaxed);
            metrics::counter!("mito_gateway_access_log_dropped_total").increment(1);
        }
    }

    /// Writes lines until shutdown begins, then what is still waiting.
    pub(crate) async fn run(&self, shutdown: &Shutdown) {
        let waiting = self
            .0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(mut waiting) = waiting else {
            return;
        };
        file::write_all(&self.0.path, &mut waiting, shutdown).await;
        *self
            .0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(waiting);
    }

    #[cfg(test)]
    pub(crate) fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }
}
