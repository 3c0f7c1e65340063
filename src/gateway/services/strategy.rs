//! Which of the servers of a service gets a request: whose turn it is (`wrr`), the less busy one of
//! two that are drawn (`p2c`), the one that the client's address falls to (`hrw`), or the one that
//! answers soonest (`leasttime`). As in Traefik.

use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use mito_core::Random;

use super::balancer::Wheel;

/// How many answers the average time is of.
const SAMPLES: usize = 100;

/// How a server is chosen.
pub(super) enum Strategy {
    Turns(Mutex<Wheel>),
    LessBusy(Random),
    ByClient,
    Soonest(Mutex<Wheel>),
}

/// A server that may be chosen.
pub(super) struct Candidate<'a> {
    pub(super) position: usize,
    pub(super) weight: u32,
    /// What stands for it where clients are shared out.
    pub(super) name: &'a str,
    pub(super) load: &'a Load,
}

/// How busy a server is, and how soon it answers. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Load(Arc<Loads>);

#[derive(Default)]
struct Loads {
    open: AtomicUsize,
    /// The latest times to the head of an answer, in milliseconds.
    times: Mutex<VecDeque<u64>>,
}

/// A request that is with a server, until it is dropped.
pub(super) struct Open(Load);

impl Strategy {
    /// The strategy of that name for so many servers.
    pub(super) fn parse(name: &str, servers: usize, random: &Random) -> Result<Self, String> {
        let wheel = || Mutex::new(Wheel::new(servers));
        match name {
            "" | "wrr" => Ok(Self::Turns(wheel())),
            "p2c" => Ok(Self::LessBusy(random.clone())),
            "hrw" => Ok(Self::ByClient),
            "leasttime" => Ok(Self::Soonest(wheel())),
            other => Err(format!(
                "strategy: {other:?} is none of wrr, p2c, hrw and leasttime"
            )),
        }
    }

    /// The position of the server that gets the request of a client.
    pub(super) fn choose(&self, candidates: &[Candidate<'_>], client: IpAddr) -> Option<usize> {
        match self {
            Self::Turns(wheel) => turn(wheel, candidates),
            Self::LessBusy(random) => less_busy(random, candidates),
            Self::ByClient => {
                let each = candidates
                    .iter()
                    .map(|it| (it.position, it.weight, it.name));
                by_client(each, client)
            }
            Self::Soonest(wheel) => soonest(wheel, candidates),
        }
    }
}

fn turn(wheel: &Mutex<Wheel>, candidates: &[Candidate<'_>]) -> Option<usize> {
    let weight = |position| {
        let found = candidates.iter().find(|it| it.position == position);
        found.map_or(0, |candidate| candidate.weight)
    };
    let mut wheel = wheel.lock().unwrap_or_else(PoisonError::into_inner);
    wheel.turn(weight)
}

/// Of two that are drawn, the one with fewer requests. Weights have no effect.
fn less_busy(random: &Random, candidates: &[Candidate<'_>]) -> Option<usize> {
    let draw = |below: usize| {
        let drawn = u64::from_le_bytes(random.bytes());
        usize::try_from(drawn % u64::try_from(below).unwrap_or(1)).unwrap_or(0)
    };
    if candidates.len() < 2 {
        return candidates.first().map(|candidate| candidate.position);
    }
    let first = draw(candidates.len());
    let second = draw(candidates.len() - 1);
    let second = second + usize::from(second >= first);
    let (first, second) = (&candidates[first], &candidates[second]);
    let fewer = second.load.open() < first.load.open();
    Some(if fewer { second } else { first }.position)
}

/// The lowest product of time and requests, in proportion to weights; those that are equal in turn.
fn soonest(wheel: &Mutex<Wheel>, candidates: &[Candidate<'_>]) -> Option<usize> {
    if let [only] = candidates {
        return Some(only.position);
    }
    let scores: Vec<f64> = candidates.iter().map(Candidate::score).collect();
    let least = scores.iter().copied().min_by(f64::total_cmp)?;
    let best = candidates.iter().zip(scores);
    let best = best.filter(|(_, score)| score.total_cmp(&least).is_eq());
    let best: Vec<Candidate<'_>> = best
        .map(|(candidate, _)| Candidate {
            position: candidate.position,
            weight: candidate.weight,
            name: candidate.name,
            load: candidate.load,
        })
        .collect();
    turn(wheel, &best)
}

/// The one that the client's address falls to: the same as long as it is there, in proportion to
/// weights (rendezvous hashing).
pub(super) fn by_client<'a>(
    candidates: impl Iterator<Item = (usize, u32, &'a str)>,
    client: IpAddr,
) -> Option<usize> {
    let client = client.to_canonical().to_string();
    let mut best: Option<(f64, usize)> = None;
    for (position, weight, name) in candidates.filter(|(_, weight, _)| *weight > 0) {
        #[expect(clippy::cast_precision_loss, reason = "a score needs no more digits")]
        let part = fnv1a(&[&client, name]) as f64 / 2f64.powi(64);
        let score = f64::from(weight) / -part.ln();
        if best.is_none_or(|(most, _)| score > most) {
            best = Some((score, position));
        }
    }
    best.map(|(_, position)| position)
}

/// FNV-1a of 64 bits, as Traefik takes it. It is weak in the last letters: names have to differ before.
pub(super) fn fnv1a(texts: &[&str]) -> u64 {
    let bytes = texts.iter().flat_map(|text| text.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

impl Candidate<'_> {
    fn score(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "there are not so many requests")]
        let open = self.load.open() as f64;
        self.load.average_ms() * (1.0 + open) / f64::from(self.weight.max(1))
    }
}

impl Load {
    /// Counts a request until what is returned is dropped.
    pub(super) fn enter(&self) -> Open {
        self.0.open.fetch_add(1, Ordering::Relaxed);
        Open(self.clone())
    }

    /// Notes how long the head of an answer took.
    pub(super) fn note(&self, took: Duration) {
        let mut times = self.0.times.lock().unwrap_or_else(PoisonError::into_inner);
        if times.len() == SAMPLES {
            times.pop_front();
        }
        times.push_back(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    }

    fn open(&self) -> usize {
        self.0.open.load(Ordering::Relaxed)
    }

    /// 0 before the first answer, so that every server is tried.
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds are far below 2^52"
    )]
    fn average_ms(&self) -> f64 {
        let times = self.0.times.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = times
            .iter()
            .fold(0_u64, |sum, time| sum.saturating_add(*time));
        sum as f64 / times.len().max(1) as f64
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn candidates<'a>(loads: &'a [Load], weights: &[u32]) -> Vec<Candidate<'a>> {
        let names = ["a3f0c9d1b2e47586", "08b1d4f7c2a59e63", "5e17f2a9c4d80b36"];
        let each = loads.iter().zip(weights).enumerate();
        each.map(|(position, (load, weight))| Candidate {
            position,
            weight: *weight,
            name: names[position],
            load,
        })
        .collect()
    }

    fn strategy(name: &str) -> Strategy {
        Strategy::parse(name, 3, &Random::seeded(1)).expect("a strategy")
    }

    #[test]
    fn of_two_the_less_busy_one_is_chosen() {
        let loads = [Load::default(), Load::default(), Load::default()];
        let _busy = [loads[0].enter(), loads[0].enter(), loads[2].enter()];
        let choices: Vec<usize> = (0..300)
            .filter_map(|_| strategy("p2c").choose(&candidates(&loads, &[1, 0, 1]), CLIENT))
            .collect();
        assert!(
            !choices.contains(&0),
            "the busiest of three is never the less busy of two"
        );
        let p2c = strategy("p2c");
        let chosen = |position| {
            let each = (0..300).filter_map(|_| p2c.choose(&candidates(&loads, &[1, 0, 1]), CLIENT));
            each.filter(|it| *it == position).count()
        };
        assert!(chosen(1) > 150 && chosen(2) > 50);
        assert_eq!(p2c.choose(&[], CLIENT), None);
    }

    #[test]
    fn clients_stay_where_they_are() {
        let loads = [Load::default(), Load::default(), Load::default()];
        let hrw = strategy("hrw");
        let all = candidates(&loads, &[1, 1, 2]);
        let clients = || (0..=255).map(|last| IpAddr::from([192, 0, 2, last]));
        let before: Vec<_> = clients().map(|it| hrw.choose(&all, it)).collect();
        let share = before.iter().filter(|it| **it == Some(2)).count();
        assert!((90..170).contains(&share), "{share}");
        // Only those of the one that is gone go elsewhere.
        for (client, before) in clients().zip(before) {
            let after = hrw.choose(&all[1..], client);
            assert!(after == before || before == Some(0), "{client}");
        }
        assert_eq!(hrw.choose(&candidates(&loads, &[0, 0, 0]), CLIENT), None);
        assert_eq!(fnv1a(&["foo", "bar"]), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn the_soonest_one_is_chosen_and_equal_ones_in_turn() {
        let loads = [Load::default(), Load::default(), Load::default()];
        let soonest = strategy("leasttime");
        let choose = || soonest.choose(&candidates(&loads, &[2, 1, 1]), CLIENT);
        let turns: Vec<_> = (0..4).filter_map(|_| choose()).collect();
        assert_eq!(turns, [0, 1, 2, 0]);
        loads[0].note(Duration::from_millis(30));
        loads[1].note(Duration::from_millis(10));
        loads[2].note(Duration::from_millis(20));
        assert_eq!(choose(), Some(1));
        let open = loads[1].enter();
        let another = loads[1].enter();
        assert_eq!(choose(), Some(0), "its weight is twice that of the others");
        drop((open, another));
        assert_eq!(choose(), Some(1));
    }
}
