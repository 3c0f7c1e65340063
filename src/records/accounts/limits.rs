//! How often a password may be tried and a mail asked for: token buckets per account and address, per address, and (far
//! wider, so that nobody can lock another out with a few tries) per account.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use mito_core::Clock;

use crate::{Error, accounts::tokens::fingerprint};

/// The most buckets that are kept.
const MAX_BUCKETS: usize = 20_000;

/// How many tries at once, and how long until one more.
#[derive(Clone, Copy, Debug)]
struct Limit {
    burst: u32,
    every: Duration,
}

const ACCOUNT_FROM_ADDRESS: Limit = Limit {
    burst: 10,
    every: Duration::from_secs(10),
};
const ADDRESS: Limit = Limit {
    burst: 50,
    every: Duration::from_secs(2),
};
const ACCOUNT: Limit = Limit {
    burst: 200,
    every: Duration::from_secs(2),
};

/// Mails that one address may ask for one account.
const MAIL_FROM_ADDRESS: Limit = Limit {
    burst: 6,
    every: Duration::from_secs(30),
};
/// Mails that one account may be sent.
const MAIL: Limit = Limit {
    burst: 20,
    every: Duration::from_secs(30),
};

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A password or a code.
    Password,
    /// A mail that somebody asks for.
    Mail,
}

/// A try at a password, or a request for a mail.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) kind: Kind,
    pub(crate) collection: &'a str,
    pub(crate) identity: &'a str,
    pub(crate) client_ip: &'a str,
}

impl Attempt<'_> {
    fn buckets(&self) -> [(String, Limit); 3] {
        let network = network(self.client_ip);
        let identity = self.identity.to_lowercase();
        let account = fingerprint(&format!("{}\n{identity}", self.collection));
        let (kind, both, alone) = match self.kind {
            Kind::Password => ("password", ACCOUNT_FROM_ADDRESS, ACCOUNT),
            Kind::Mail => ("mail", MAIL_FROM_ADDRESS, MAIL),
        };
        [
            (format!("{kind} both {account} {network}"), both),
            (format!("{kind} address {network}"), ADDRESS),
            (format!("{kind} account {account}"), alone),
        ]
    }
}

/// An IPv6 subscriber has a /64; an IPv4 client is one however the listener writes its address;
/// anything else counts as it is written.
fn network(client_ip: &str) -> String {
    let address = client_ip
        .parse()
        .map(|address: IpAddr| address.to_canonical());
    match address {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
        Ok(IpAddr::V4(address)) => address.to_string(),
        Err(_) => client_ip.chars().take(64).collect(),
    }
}

/// A bucket as the time at which it would be full again.
#[derive(Debug)]
pub(crate) struct Limiter {
    clock: Clock,
    full_at_ms: Mutex<HashMap<String, i64>>,
}

impl Limiter {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            full_at_ms: Mutex::default(),
        }
    }

    /// Takes a token out of every bucket, or says when there will be one in all of them.
    pub(crate) fn check(&self, attempt: &Attempt<'_>) -> Result<(), Error> {
        let now_ms = self.clock.now_ms();
        let buckets = attempt.buckets();
        let mut known = self
            .full_at_ms
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for (name, limit) in &buckets {
            let full_at_ms = known.get(name).copied().unwrap_or(now_ms).max(now_ms);
            let latest_ms = now_ms + every_ms(*limit) * (i64::from(limit.burst) - 1);
            if full_at_ms > latest_ms {
                let wait_ms = u64::try_from(full_at_ms - latest_ms).unwrap_or(0);
                // Whole seconds, rounded up: `Retry-After` knows no others.
                let retry_after = Duration::from_secs(wait_ms.div_ceil(1_000).max(1));
                return Err(Error::TooManyRequests { retry_after });
            }
        }
        if known.len() + buckets.len() > MAX_BUCKETS {
            make_room(&mut known, now_ms);
        }
        for (name, limit) in buckets {
            let full_at_ms = known.entry(name).or_insert(now_ms);
            *full_at_ms = (*full_at_ms).max(now_ms) + every_ms(limit);
        }
        Ok(())
    }

    /// Whether nobody has asked for the thing of this name for so long; from now on somebody has.
    pub(crate) fn first_within(&self, name: &str, window: Duration) -> bool {
        let now_ms = self.clock.now_ms();
        let name = format!("first {}", fingerprint(name));
        let mut known = self
            .full_at_ms
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if known.get(&name).is_some_and(|until_ms| *until_ms > now_ms) {
            return false;
        }
        if known.len() >= MAX_BUCKETS {
            make_room(&mut known, now_ms);
        }
        let window_ms = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
        known.insert(name, now_ms.saturating_add(window_ms));
        true
    }

    /// A good password does not count as a try.
    pub(crate) fn succeeded(&self, attempt: &Attempt<'_>) {
        let mut known = self
            .full_at_ms
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for (name, limit) in attempt.buckets() {
            if let Some(full_at_ms) = known.get_mut(&name) {
                *full_at_ms -= every_ms(limit);
            }
        }
    }
}

fn every_ms(limit: Limit) -> i64 {
    i64::try_from(limit.every.as_millis()).unwrap_or(i64::MAX)
}

/// Full buckets say nothing and go; if that is not enough, those go that will be full soonest.
fn make_room(known: &mut HashMap<String, i64>, now_ms: i64) {
    known.retain(|_, full_at_ms| *full_at_ms > now_ms);
    if known.len() > MAX_BUCKETS / 2 {
        let mut ends: Vec<i64> = known.values().copied().collect();
        let middle = ends.len() / 2;
        let (_, middle, _) = ends.select_nth_unstable(middle);
        let middle = *middle;
        known.retain(|_, full_at_ms| *full_at_ms > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt<'a>(identity: &'a str, client_ip: &'a str) -> Attempt<'a> {
        Attempt {
            kind: Kind::Password,
            collection: "users",
            identity,
            client_ip,
        }
    }

    #[test]
    fn tries_of_one_account_from_one_address_run_out_and_come_back() {
        let clock = Clock::manual(1_000_000);
        let limiter = Limiter::new(clock.clone());
        for _ in 0..10 {
            limiter.check(&attempt("a@b.co", "10.0.0.1")).unwrap();
        }
        let refused = limiter.check(&attempt("A@B.co", "10.0.0.1")).unwrap_err();
        assert!(matches!(refused,
            Error::TooManyRequests { retry_after } if retry_after == Duration::from_secs(10)));
        limiter
            .check(&attempt("a@b.co", "10.0.0.2"))
            .expect("another address");
        limiter
            .check(&attempt("b@b.co", "10.0.0.1"))
            .expect("another account");
        clock.advance(Duration::from_secs(10));
        limiter
            .check(&attempt("a@b.co", "10.0.0.1"))
            .expect("time has passed");
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_together() {
        let limiter = Limiter::new(Clock::manual(0));
        for host in 0..10 {
            limiter
                .check(&attempt("a", &format!("2001:db8::{host}")))
                .unwrap();
        }
        assert!(limiter.check(&attempt("a", "2001:db8::ffff")).is_err());
        limiter
            .check(&attempt("a", "2001:db8:0:1::1"))
            .expect("another network");
    }

    #[test]
    fn ipv4_clients_of_an_ipv6_listener_do_not_count_together() {
        let limiter = Limiter::new(Clock::manual(0));
        for host in 0..60 {
            limiter
                .check(&attempt("a", &format!("::ffff:10.0.0.{host}")))
                .unwrap();
        }
        for _ in 0..9 {
            limiter.check(&attempt("a", "10.0.0.1")).unwrap();
        }
        assert!(limiter.check(&attempt("a", "::ffff:10.0.0.1")).is_err());
    }

    #[test]
    fn good_passwords_do_not_use_tries_up() {
        let limiter = Limiter::new(Clock::manual(0));
        for _ in 0..1_000 {
            limiter.check(&attempt("a", "10.0.0.1")).unwrap();
            limiter.succeeded(&attempt("a", "10.0.0.1"));
        }
    }

    #[test]
    fn the_number_of_buckets_is_bounded() {
        let limiter = Limiter::new(Clock::manual(0));
        for number in 0..MAX_BUCKETS {
            let address = format!(
                "10.{}.{}.{}",
                number >> 16,
                (number >> 8) & 255,
                number & 255
            );
            limiter
                .check(&attempt(&number.to_string(), &address))
                .unwrap();
        }
        assert!(limiter.full_at_ms.lock().unwrap().len() <= MAX_BUCKETS);
    }
}
