//! Which keys go when memory is short: a few are drawn, and the best of them to lose goes, as Redis
//! does it. <https://redis.io/docs/latest/develop/reference/eviction/>

use std::cell::Cell;

use mito_core::Random;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    core::Core,
    database::{Entry, FIRST_FREQUENCY, Key},
};

/// How many keys are compared for each one that goes.
const SAMPLES: usize = 10;
/// How many keys go at most before one command; more go before the next.
const MOST_AT_ONCE: usize = 10_000;
/// How fast the counter of uses grows: 10 as in Redis reaches 255 at about a million uses.
const LFU_LOG_FACTOR: usize = 10;
/// After how long without a use the counter loses one.
const LFU_DECAY_MS: i64 = 60_000;

/// What happens when the memory is used up, by Redis's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// Commands that need memory are refused.
    #[default]
    Noeviction,
    /// The least recently used key goes.
    AllkeysLru,
    /// The least frequently used key goes.
    AllkeysLfu,
    /// Any key goes.
    AllkeysRandom,
    /// The least recently used key that expires goes.
    VolatileLru,
    /// The least frequently used key that expires goes.
    VolatileLfu,
    /// Any key that expires goes.
    VolatileRandom,
    /// The key that expires soonest goes.
    VolatileTtl,
}

impl Policy {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Noeviction,
        Self::AllkeysLru,
        Self::AllkeysLfu,
        Self::AllkeysRandom,
        Self::VolatileLru,
        Self::VolatileLfu,
        Self::VolatileRandom,
        Self::VolatileTtl,
    ];

    /// The name, as `CONFIG` and `INFO` show it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Noeviction => "noeviction",
            Self::AllkeysLru => "allkeys-lru",
            Self::AllkeysLfu => "allkeys-lfu",
            Self::AllkeysRandom => "allkeys-random",
            Self::VolatileLru => "volatile-lru",
            Self::VolatileLfu => "volatile-lfu",
            Self::VolatileRandom => "volatile-random",
            Self::VolatileTtl => "volatile-ttl",
        }
    }

    /// Whether uses are counted rather than dated.
    pub fn is_lfu(self) -> bool {
        matches!(self, Self::AllkeysLfu | Self::VolatileLfu)
    }

    fn only_volatile(self) -> bool {
        matches!(
            self,
            Self::VolatileLru | Self::VolatileLfu | Self::VolatileRandom | Self::VolatileTtl
        )
    }
}

/// The bound of an executor's memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// 0 is without bound.
    pub(crate) max_bytes: u64,
    pub(crate) policy: Policy,
}

/// Lets keys go until there is room; false when there is none.
pub(crate) fn make_room(core: &mut Core) -> bool {
    let Memory { max_bytes, policy } = core.memory;
    if max_bytes == 0 {
        return true;
    }
    for _ in 0..MOST_AT_ONCE {
        if core.memory_bytes() <= max_bytes {
            return true;
        }
        let Some((db, key)) = candidate(core, policy) else {
            return false;
        };
        core.evict(db, &key);
    }
    true
}

fn candidate(core: &Core, policy: Policy) -> Option<(usize, Key)> {
    if policy == Policy::Noeviction {
        return None;
    }
    if policy == Policy::VolatileTtl {
        let soonest = core
            .databases
            .iter()
            .enumerate()
            .filter_map(|(db, database)| {
                database
                    .first_deadline()
                    .map(|(at_ms, key)| (at_ms, db, key))
            });
        return soonest.min().map(|(_, db, key)| (db, Key::clone(key)));
    }
    let mut best: Option<(i64, usize, Key)> = None;
    for (db, database) in core.databases.iter().enumerate() {
        let usable = if policy.only_volatile() {
            database.deadlines()
        } else {
            database.len()
        };
        if usable == 0 {
            continue;
        }
        for _ in 0..SAMPLES {
            let Some((key, entry)) = database.at(core.draw.below(database.len())) else {
                continue;
            };
            if policy.only_volatile() && entry.expires_ms.is_none() {
                continue;
            }
            let worth = worth(entry, policy, core.now_ms);
            if best.as_ref().is_none_or(|(least, ..)| worth < *least) {
                best = Some((worth, db, Key::clone(key)));
            }
        }
        if best.is_none() && policy.only_volatile() {
            // Few keys expire, and none of them was drawn.
            best = database.soonest().map(|key| (i64::MAX, db, key));
        }
    }
    best.map(|(_, db, key)| (db, key))
}

/// How much a key is worth keeping; more is more.
fn worth(entry: &Entry, policy: Policy, now_ms: i64) -> i64 {
    if policy.is_lfu() {
        return i64::from(decayed(entry, now_ms));
    }
    entry.used_ms
}

/// Notes a use of the entry: when, and how often.
pub(crate) fn used(entry: &mut Entry, now_ms: i64, draw: &Draw) {
    let frequency = decayed(entry, now_ms);
    entry.frequency = frequency;
    if grows(frequency, draw) {
        entry.frequency = frequency.saturating_add(1);
    }
    entry.used_ms = now_ms;
}

fn decayed(entry: &Entry, now_ms: i64) -> u8 {
    let idle = (now_ms - entry.used_ms).max(0) / LFU_DECAY_MS;
    entry
        .frequency
        .saturating_sub(u8::try_from(idle).unwrap_or(u8::MAX))
}

/// Whether the counter grows with this use: the larger it is, the more rarely.
fn grows(frequency: u8, draw: &Draw) -> bool {
    let above = usize::from(frequency.saturating_sub(FIRST_FREQUENCY)) * LFU_LOG_FACTOR;
    draw.below(above + 1) == 0
}

/// Draws places at random, where nobody gains by guessing them.
#[derive(Debug)]
pub(crate) struct Draw(Cell<u64>);

impl Draw {
    /// Begins with a seed of the process.
    pub(crate) fn new(random: &Random) -> Self {
        Self(Cell::new(u64::from_ne_bytes(random.bytes()) | 1))
    }

    /// A number below `below`, which is not 0 (xorshift).
    pub(crate) fn below(&self, below: usize) -> usize {
        let mut next = self.0.get();
        next ^= next << 13;
        next ^= next >> 7;
        next ^= next << 17;
        self.0.set(next);
        usize::try_from((next >> 1) % (below.max(1) as u64)).unwrap_or(0)
    }
}
