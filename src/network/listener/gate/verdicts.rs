//! What the gate decided about the requests that it let pass to hyper.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};

use http::StatusCode;

/// What was decided about one request of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::listener) struct Verdict {
    /// The status to refuse it with.
    pub(in crate::listener) refused: Option<StatusCode>,
    /// It asks for an upgrade: whoever answers calls [`Verdicts::answered`].
    pub(in crate::listener) upgrade: bool,
}

/// The verdicts on the requests that were let pass to hyper and not yet taken, in their order.
#[derive(Clone, Debug, Default)]
pub(in crate::listener) struct Verdicts(Arc<Mutex<Shared>>);

#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) queue: VecDeque<Verdict>,
    /// Whether the upgrade that was asked for last was granted.
    pub(super) upgraded: Option<bool>,
    pub(super) waiting: Option<Waker>,
}

impl Verdicts {
    /// The verdict on the request that hyper hands over now. None is left if hyper saw a request
    /// where the gate saw a body: then the two disagree, and it must be refused.
    pub(in crate::listener) fn take(&self) -> Verdict {
        let disagreement = Verdict {
            refused: Some(StatusCode::BAD_REQUEST),
            upgrade: false,
        };
        self.shared().queue.pop_front().unwrap_or(disagreement)
    }

    /// Says how a request for an upgrade was answered.
    pub(in crate::listener) fn answered(&self, upgraded: bool) {
        let mut shared = self.shared();
        shared.upgraded = Some(upgraded);
        if let Some(waker) = shared.waiting.take() {
            waker.wake();
        }
    }

    pub(super) fn shared(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
