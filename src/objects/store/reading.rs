//! Which blobs are read now.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::Inner;

/// The blobs that streams read.
#[derive(Default)]
pub(super) struct Registry(Mutex<HashMap<String, Reads>>);

#[derive(Default)]
struct Reads {
    streams: usize,
    /// The sweep has met it and waits.
    awaited: bool,
}

/// Keeps the sweep away from blobs while they are read.
pub(super) struct Reading {
    inner: Arc<Inner>,
    blobs: Vec<String>,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Reads>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a stream reads the blob now; if so the sweep is woken after the last one.
    pub(super) fn holds(&self, blob: &str) -> bool {
        let mut registry = self.lock();
        let reads = registry.get_mut(blob);
        reads.map(|reads| reads.awaited = true).is_some()
    }
}

impl Reading {
    /// Announces that `blobs` are read until this is dropped.
    pub(super) fn begin(inner: &Arc<Inner>, blobs: Vec<String>) -> Self {
        let mut registry = inner.reading.lock();
        for blob in &blobs {
            registry.entry(blob.clone()).or_default().streams += 1;
        }
        drop(registry);
        Self {
            inner: inner.clone(),
            blobs,
        }
    }

    /// What is read.
    pub(super) fn blobs(&self) -> &[String] {
        &self.blobs
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let mut registry = self.inner.reading.lock();
        let mut awaited = false;
        for blob in &self.blobs {
            let Some(reads) = registry.get_mut(blob) else {
                continue;
            };
            reads.streams -= 1;
            if reads.streams == 0 {
                awaited |= reads.awaited;
                registry.remove(blob);
            }
        }
        drop(registry);
        if awaited {
            self.inner.garbage.notify_one();
        }
    }
}
