//! The one clock. Roles never read the system time themselves, so a test can move it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jiff::Timestamp;
use tokio::sync::watch;

/// Tells the time and sleeps. Cheap to clone; every clone shows the same time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<Manual>),
}

#[derive(Debug)]
struct Manual {
    now_ms: AtomicI64,
    moved: watch::Sender<i64>,
}

impl Clock {
    /// The clock of the machine.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `start_ms` (milliseconds since the Unix epoch) until
    /// [`Clock::advance`] moves it.
    pub fn manual(start_ms: i64) -> Self {
        let (moved, _) = watch::channel(start_ms);
        Self(Source::Manual(Arc::new(Manual {
            now_ms: AtomicI64::new(start_ms),
            moved,
        })))
    }

    /// Moves a manual clock forward and wakes those sleeping until then. Does nothing to the
    /// system clock.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(manual) = &self.0 {
            let by_ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
            let now_ms = manual.now_ms.fetch_add(by_ms, Ordering::SeqCst) + by_ms;
            manual.moved.send_replace(now_ms);
        }
    }

    /// Milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> i64 {
        match &self.0 {
            Source::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| {
                    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
                }),
            Source::Manual(manual) => manual.now_ms.load(Ordering::SeqCst),
        }
    }

    /// The time as a timestamp.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now_ms()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Returns when `duration` has passed on this clock.
    pub async fn sleep(&self, duration: Duration) {
        match &self.0 {
            Source::System => tokio::time::sleep(duration).await,
            Source::Manual(manual) => {
                let mut moved = manual.moved.subscribe();
                let until_ms = self
                    .now_ms()
                    .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX));
                // The sender lives as long as `self`, so an error cannot happen; ending early
                // would still only shorten a sleep.
                let _ = moved.wait_for(|now_ms| *now_ms >= until_ms).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_sleepers_when_it_is_moved() {
        let clock = Clock::manual(1_000);
        let sleeper = clock.sleep(Duration::from_secs(5));
        tokio::pin!(sleeper);
        assert!(futures_util::poll!(&mut sleeper).is_pending());
        clock.advance(Duration::from_secs(5));
        sleeper.await;
        assert_eq!(clock.now_ms(), 6_000);
    }
}
