//! A time limit for whatever a connection waits for. Setting a timer of the runtime costs more than
//! letting it run out, and nearly everything that is waited for comes: so one timer runs on, and
//! where it is early it is set again to what is left.

use std::{
    future::Future as _,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep};

/// A time limit that runs while the same thing is waited for.
#[derive(Debug)]
pub struct Timer<W> {
    /// What is waited for, and until when.
    armed: Option<(W, Instant)>,
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
    pub fn disarm(&mut self) {
        self.armed = None;
    }

    /// `wait` is not waited for any more.
    pub fn disarm_if(&mut self, wait: W) {
        if self.armed.is_some_and(|(armed, _)| armed == wait) {
            self.disarm();
        }
    }

    /// Ready when `wait` has lasted for `limit`.
    pub fn poll(&mut self, wait: W, limit: Duration, context: &mut Context<'_>) -> Poll<()> {
        let until = match self.armed {
            Some((armed, until)) if armed == wait => until,
            _ => Instant::now() + limit,
        };
        self.poll_until(wait, until, context)
    }

    /// Ready at `until`, which may be another moment each time.
    pub fn poll_until(&mut self, wait: W, until: Instant, context: &mut Context<'_>) -> Poll<()> {
        self.armed = Some((wait, until));
        // A task that has done much in its turn hears of no timer of the runtime: whoever sends without
        // an end would never be too late.
        if Instant::now() >= until {
            return Poll::Ready(());
        }
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        if sleep.deadline() > until {
            sleep.as_mut().reset(until);
        }
        ready!(sleep.as_mut().poll(context));
        if sleep.deadline() >= until {
            return Poll::Ready(());
        }
        sleep.as_mut().reset(until);
        sleep.as_mut().poll(context)
    }
}
