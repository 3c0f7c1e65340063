//! One circuit breaker for each host: after some failures in a row nobody waits for that host for
//! a while.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Failures in a row that open the breaker.
const FAILURES: u32 = 5;
/// How long it stays open. Then one exchange may try; if that fails too, it opens again.
const OPEN_FOR: Duration = Duration::from_secs(10);
/// Hosts that are remembered at once.
const MAX_HOSTS: usize = 1024;

/// The breakers of all hosts.
#[derive(Debug, Default)]
pub(super) struct Breakers(Mutex<HashMap<String, Breaker>>);

#[derive(Debug, Default)]
struct Breaker {
    failures: u32,
    open_until: Option<Instant>,
}

impl Breakers {
    /// Whether an exchange may begin; otherwise how long to wait.
    pub(super) fn check(&self, host: &str, now: Instant) -> Result<(), Duration> {
        let mut hosts = self.hosts();
        let Some(breaker) = hosts.get_mut(host) else {
            return Ok(());
        };
        let Some(open_until) = breaker.open_until else {
            return Ok(());
        };
        if now < open_until {
            return Err(open_until - now);
        }
        // The one that is let through holds the others off until it has an outcome.
        breaker.open_until = Some(now + OPEN_FOR);
        Ok(())
    }

    /// The host answered.
    pub(super) fn succeeded(&self, host: &str) {
        self.hosts().remove(host);
    }

    /// The host could not be reached or did not answer.
    pub(super) fn failed(&self, host: &str, now: Instant) {
        let mut hosts = self.hosts();
        if hosts.len() >= MAX_HOSTS && !hosts.contains_key(host) {
            hosts.retain(|_, breaker| breaker.open_until.is_some_and(|until| now < until));
            if hosts.len() >= MAX_HOSTS {
                return;
            }
        }
        let breaker = hosts.entry(host.to_owned()).or_default();
        breaker.failures = breaker.failures.saturating_add(1);
        if breaker.failures >= FAILURES {
            breaker.open_until = Some(now + OPEN_FOR);
        }
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Breaker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_breaker_opens_lets_one_try_and_closes() {
        let breakers = Breakers::default();
        let start = Instant::now();
        for _ in 0..FAILURES {
            assert_eq!(breakers.check("a", start), Ok(()));
            breakers.failed("a", start);
        }
        assert_eq!(breakers.check("a", start), Err(OPEN_FOR));
        assert_eq!(breakers.check("b", start), Ok(()));
        let later = start + OPEN_FOR;
        assert_eq!(breakers.check("a", later), Ok(()), "one may try");
        assert_eq!(
            breakers.check("a", later),
            Err(OPEN_FOR),
            "the others wait for it"
        );
        breakers.failed("a", later);
        assert_eq!(breakers.check("a", later), Err(OPEN_FOR));
        breakers.succeeded("a");
        assert_eq!(breakers.check("a", later), Ok(()));
    }

    #[test]
    fn memory_is_bounded() {
        let breakers = Breakers::default();
        let start = Instant::now();
        for host in 0..MAX_HOSTS * 2 {
            breakers.failed(&host.to_string(), start);
        }
        assert!(breakers.hosts().len() <= MAX_HOSTS);
    }
}
