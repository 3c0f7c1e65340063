//! How long a failed job waits for its next attempt.

use std::{fmt, sync::Arc, time::Duration};

use mito_core::Random;
use serde::{Deserialize, Serialize};

/// How much of a wait is left to chance unless told otherwise, in percent to either side.
const JITTER_PERCENT: u8 = 20;

/// The wait after a failed attempt. Jitter keeps jobs that failed together from coming back
/// together: a wait varies by that many percent to either side, at most 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Backoff {
    /// The same each time.
    Fixed {
        /// The wait.
        wait: Duration,
        /// What is left to chance, in percent.
        jitter_percent: u8,
    },
    /// Doubling with each attempt, up to a limit.
    Exponential {
        /// The wait after the first failure.
        first: Duration,
        /// The longest wait, before jitter.
        limit: Duration,
        /// What is left to chance, in percent.
        jitter_percent: u8,
    },
}

impl Backoff {
    /// The same wait each time, exactly.
    pub fn fixed(wait: Duration) -> Self {
        Self::Fixed {
            wait,
            jitter_percent: 0,
        }
    }

    /// `first`, doubling up to `limit`, give or take a fifth.
    pub fn exponential(first: Duration, limit: Duration) -> Self {
        Self::Exponential {
            first,
            limit,
            jitter_percent: JITTER_PERCENT,
        }
    }

    /// The wait after the attempt with that number, from 1.
    pub(crate) fn wait(self, attempt: u32, random: &Random) -> Duration {
        let (wait, jitter_percent) = match self {
            Self::Fixed {
                wait,
                jitter_percent,
            } => (wait, jitter_percent),
            Self::Exponential {
                first,
                limit,
                jitter_percent,
            } => {
                let doublings = attempt.saturating_sub(1).min(31);
                (
                    first.saturating_mul(1 << doublings).min(limit),
                    jitter_percent,
                )
            }
        };
        let jitter = u32::from(jitter_percent.min(100));
        if jitter == 0 {
            return wait;
        }
        let draw = u32::from(u16::from_le_bytes(random.bytes::<2>()));
        let percent = 100 - jitter + draw % (2 * jitter + 1);
        wait.saturating_mul(percent) / 100
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::exponential(Duration::from_secs(1), Duration::from_mins(10))
    }
}

type Wait = dyn Fn(u32, &str) -> Duration + Send + Sync;

/// A wait that code decides: a function of the attempt's number, from 1, and the reason why it
/// failed.
#[derive(Clone)]
pub struct CustomBackoff(Arc<Wait>);

impl CustomBackoff {
    /// Asks `wait` after each failed attempt.
    pub fn new(wait: impl Fn(u32, &str) -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(wait))
    }

    pub(crate) fn wait(&self, attempt: u32, reason: &str) -> Duration {
        (self.0)(attempt, reason)
    }
}

impl fmt::Debug for CustomBackoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomBackoff")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit_and_vary_by_a_fifth() {
        for (attempt, expected_ms) in [
            (1, 1_000),
            (2, 2_000),
            (3, 4_000),
            (10, 512_000),
            (11, 600_000),
            (4_000, 600_000),
        ] {
            for seed in 0..50 {
                let wait_ms = Backoff::default()
                    .wait(attempt, &Random::seeded(seed))
                    .as_millis();
                let (low, high) = (expected_ms * 80 / 100, expected_ms * 120 / 100);
                assert!(
                    (low..=high).contains(&wait_ms),
                    "attempt {attempt}: {wait_ms}"
                );
            }
        }
    }

    #[test]
    fn waits_differ_unless_they_are_fixed() {
        let differing = |backoff: Backoff| {
            let waits = (0..50).map(|seed| backoff.wait(1, &Random::seeded(seed)));
            waits.collect::<std::collections::HashSet<_>>().len()
        };
        assert!(differing(Backoff::default()) > 5);
        assert_eq!(differing(Backoff::fixed(Duration::from_secs(3))), 1);
        let wild = Backoff::Fixed {
            wait: Duration::from_secs(3),
            jitter_percent: 255,
        };
        assert!(wild.wait(9, &Random::seeded(1)) <= Duration::from_secs(6));
    }
}
