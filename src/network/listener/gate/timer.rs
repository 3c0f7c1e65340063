//! A time limit for whatever a stream waits for.

use std::{
    future::Future as _,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep};

/// A time limit that runs while the same thing is waited for.
pub(super) struct Timer<W> {
    armed: Option<W>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl<W> Default for Timer<W> {
    fn default() -> Self {
        Self {
            armed: None,
            sleep: None,
        }
    }
}

impl<W: Copy + PartialEq> Timer<W> {
    /// Nothing is waited for any more.
    pub(super) fn disarm(&mut self) {
        self.armed = None;
    }

    /// Ready when `wait` has lasted for `limit`.
    pub(super) fn poll(&mut self, wait: W, limit: Duration, context: &mut Context<'_>) -> Poll<()> {
        let until = Instant::now() + limit;
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        if self.armed != Some(wait) {
            sleep.as_mut().reset(until);
            self.armed = Some(wait);
        }
        sleep.as_mut().poll(context)
    }
}
