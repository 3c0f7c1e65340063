//! Challenges that were given out. Each is good for a while, and every count of it for one request,
//! so that a response that was overheard is of no use.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use mito_core::Random;

/// Challenges that are remembered; the oldest makes room.
const MAX_NONCES: usize = 10_000;
/// How long a challenge is good.
const LIFETIME: Duration = Duration::from_hours(1);
/// How many counts below the highest are told apart: requests overtake one another.
const WINDOW: u64 = 64;

/// The challenges.
pub(super) struct Nonces {
    random: Random,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    by_nonce: HashMap<String, Counts>,
    /// From the oldest on.
    order: VecDeque<String>,
}

/// Which counts of a challenge were used.
struct Counts {
    since: Instant,
    highest: u64,
    used: BTreeSet<u64>,
}

/// Whether a count was used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    First,
    Before,
    /// Nobody has given this challenge out, or long ago.
    Never,
}

impl Nonces {
    /// None yet.
    pub(super) fn new(random: Random) -> Self {
        Self {
            random,
            known: Mutex::default(),
        }
    }

    /// A new challenge.
    pub(super) fn issue(&self, now: Instant) -> String {
        let nonce = self.random.token();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        while known.order.len() >= MAX_NONCES {
            if let Some(oldest) = known.order.pop_front() {
                known.by_nonce.remove(&oldest);
            }
        }
        let counts = Counts {
            since: now,
            highest: 0,
            used: BTreeSet::new(),
        };
        known.order.push_back(nonce.clone());
        known.by_nonce.insert(nonce.clone(), counts);
        nonce
    }

    /// Uses a count of a challenge.
    pub(super) fn use_once(&self, nonce: &str, count: u64, now: Instant) -> Seen {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = known.by_nonce.get_mut(nonce);
        let Some(counts) = counts.filter(|counts| now.duration_since(counts.since) < LIFETIME)
        else {
            return Seen::Never;
        };
        let least = counts.highest.saturating_sub(WINDOW);
        if count <= least || !counts.used.insert(count) {
            return Seen::Before;
        }
        counts.highest = counts.highest.max(count);
        let least = counts.highest.saturating_sub(WINDOW);
        counts.used.retain(|used| *used > least);
        Seen::First
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_is_good_once() {
        let nonces = Nonces::new(Random::seeded(1));
        let start = Instant::now();
        let nonce = nonces.issue(start);
        let check = |count: u64, seen: Seen| {
            assert_eq!(nonces.use_once(&nonce, count, start), seen, "{count}");
        };
        check(1, Seen::First);
        check(1, Seen::Before);
        check(0, Seen::Before);
        check(3, Seen::First);
        // It was overtaken.
        check(2, Seen::First);
        check(100, Seen::First);
        // It is too far behind.
        check(36, Seen::Before);
        assert_eq!(nonces.use_once("other", 1, start), Seen::Never);
        let later = start + LIFETIME;
        assert_eq!(nonces.use_once(&nonce, 101, later), Seen::Never);
    }

    #[test]
    fn the_oldest_makes_room() {
        let nonces = Nonces::new(Random::seeded(1));
        let start = Instant::now();
        let first = nonces.issue(start);
        for _ in 0..MAX_NONCES {
            nonces.issue(start);
        }
        assert_eq!(nonces.use_once(&first, 1, start), Seen::Never);
    }
}
