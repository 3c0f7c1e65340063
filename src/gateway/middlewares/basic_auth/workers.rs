//! Where passwords are hashed: beside the requests, few at a time, so that whoever guesses
//! passwords leaves the processors to others.

use std::{sync::Arc, thread::available_parallelism};

use tokio::sync::Semaphore;

/// Checks that wait for a place.
const MAX_WAITING: usize = 256;

/// Places for slow work.
pub(super) struct Workers {
    places: Arc<Semaphore>,
    waiting: Semaphore,
}

impl Workers {
    /// Half of the processors, and at least one.
    pub(super) fn new() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self {
            places: Arc::new(Semaphore::new((processors / 2).max(1))),
            waiting: Semaphore::new(MAX_WAITING),
        }
    }

    /// What `work` says; nothing if too many wait already.
    pub(super) async fn run(&self, work: impl FnOnce() -> bool + Send + 'static) -> Option<bool> {
        let _waiting = self.waiting.try_acquire().ok()?;
        let place = self.places.clone().acquire_owned().await.ok()?;
        let work = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(place);
            done
        });
        work.await.ok()
    }
}
