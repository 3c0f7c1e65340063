//! The time that limits are measured by: monotonic, and moved by hand in tests.

use std::time::{Duration, Instant};

use governor::{clock, nanos::Nanos};

/// A monotonic clock that can wait.
#[derive(Clone, Debug)]
pub(super) enum Time {
    /// Time since the limiter was made.
    Since(Instant),
    /// A clock that stands until it is moved.
    #[cfg(test)]
    Manual(clock::FakeRelativeClock),
}

impl Time {
    /// The machine's.
    pub(super) fn system() -> Self {
        Self::Since(Instant::now())
    }

    /// What it shows.
    pub(super) fn now(&self) -> Nanos {
        clock::Clock::now(self)
    }

    /// Waits; a manual clock is moved by that.
    pub(super) async fn sleep(&self, duration: Duration) {
        match self {
            Self::Since(_) => tokio::time::sleep(duration).await,
            #[cfg(test)]
            Self::Manual(clock) => clock.advance(duration),
        }
    }
}

impl clock::Clock for Time {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        match self {
            Self::Since(begun) => begun.elapsed().into(),
            #[cfg(test)]
            Self::Manual(clock) => clock.now(),
        }
    }
}
