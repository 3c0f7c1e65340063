//! Requests per second of one address: governor's GCRA with a bounded number of addresses and
//! Traefik's answer. The address is that of the connection, never what a header claims, and IPv6
//! counts by /64, because one client owns all of it. Loopback is limited like everybody.

use std::{
    hash::BuildHasher as _,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use axum::{body::Body, response::IntoResponse as _};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};
use http::{HeaderValue, Response, StatusCode};
use mito_network::Problem;

/// Addresses with a bucket of their own.
const MAX_ADDRESSES: usize = 65_536;
/// Buckets that further addresses share.
const SHARED_BUCKETS: u64 = 1_024;
/// Requests between two clean-ups of buckets that are full again.
const SWEEP_EVERY: u32 = 4_096;

/// A limiter. Its buckets outlive a change of the routers.
pub(crate) struct RateLimit {
    limiter: Option<DefaultKeyedRateLimiter<Key>>,
    hasher: std::hash::RandomState,
    seen: AtomicU32,
    max_addresses: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    Shared(u64),
}

impl RateLimit {
    /// `average` requests per second (0 means without limit), `burst` at once.
    pub(crate) fn new(average: u32, burst: u32) -> Self {
        let quota = NonZeroU32::new(average).map(|average| {
            let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
            Quota::per_second(average).allow_burst(burst)
        });
        Self {
            limiter: quota.map(RateLimiter::keyed),
            hasher: std::hash::RandomState::new(),
            seen: AtomicU32::new(0),
            max_addresses: MAX_ADDRESSES,
        }
    }

    /// Takes one request of `client`; `Err` is how long to wait for the next.
    pub(crate) fn take(&self, client: IpAddr) -> Result<(), Duration> {
        let Some(limiter) = &self.limiter else {
            return Ok(());
        };
        if self.seen.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            limiter.retain_recent();
        }
        let mut key = Key::Address(group(client));
        if limiter.len() >= self.max_addresses {
            // The hash is keyed, so nobody can choose whose bucket to share.
            key = Key::Shared(self.hasher.hash_one(group(client)) % SHARED_BUCKETS);
        }
        limiter
            .check_key(&key)
            .map_err(|until| until.wait_time_from(DefaultClock::default().now()))
    }
}

/// The address whose requests count together.
fn group(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// 429 with Traefik's two headers; `Retry-After` is rounded up, so that it is never 0.
pub(crate) fn refusal(wait: Duration) -> Response<Body> {
    let seconds = u32::try_from(wait.as_millis().div_ceil(1_000))
        .unwrap_or(u32::MAX)
        .max(1);
    let detail = format!("Too many requests from this address. Try again in {seconds} s.");
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(seconds);
    let mut response = problem.into_response();
    if let Ok(value) = HeaderValue::try_from(format!("{wait:?}")) {
        response.headers_mut().insert("x-retry-in", value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(limit: &RateLimit, clients: impl Iterator<Item = IpAddr>) -> usize {
        clients.filter(|client| limit.take(*client).is_ok()).count()
    }

    fn v6(segments: [u16; 8]) -> IpAddr {
        IpAddr::V6(Ipv6Addr::from(segments))
    }

    #[test]
    fn a_burst_passes_and_the_next_waits() {
        let limit = RateLimit::new(1, 50);
        let client = IpAddr::from([127, 0, 0, 1]);
        assert_eq!(passed(&limit, std::iter::repeat_n(client, 200)), 50);
        assert!(limit.take(client).is_err());
        assert!(limit.take(IpAddr::from([127, 0, 0, 2])).is_ok());
    }

    #[test]
    fn one_ipv6_network_is_one_client() {
        let limit = RateLimit::new(1, 50);
        let one_network = (0..200).map(|host| v6([0x2001, 0xdb8, 0, 1, 0, 0, 0, host]));
        assert_eq!(passed(&limit, one_network), 50);
        assert!(limit.take(v6([0x2001, 0xdb8, 0, 2, 0, 0, 0, 1])).is_ok());
        let mapped = "::ffff:10.0.0.1".parse().expect("an address");
        assert_eq!(group(mapped), IpAddr::from([10, 0, 0, 1]));
    }

    #[test]
    fn the_number_of_buckets_is_bounded() {
        let limit = RateLimit {
            max_addresses: 100,
            ..RateLimit::new(1, 1)
        };
        for network in 0..10_000 {
            let _ = limit.take(v6([0x2001, 0xdb8, 0, network, 0, 0, 0, 1]));
        }
        let buckets = limit.limiter.as_ref().map_or(0, RateLimiter::len);
        assert!(buckets <= 100 + 1_024, "{buckets}");
    }

    #[test]
    fn zero_means_without_limit() {
        let limit = RateLimit::new(0, 0);
        let client = IpAddr::from([127, 0, 0, 1]);
        assert_eq!(passed(&limit, std::iter::repeat_n(client, 1_000)), 1_000);
    }

    #[test]
    fn the_refusal_never_says_to_retry_after_zero_seconds() {
        let check = |milliseconds, seconds: &str| {
            let response = refusal(Duration::from_millis(milliseconds));
            assert_eq!(response.status(), 429);
            assert_eq!(response.headers()["retry-after"], seconds);
            assert!(response.headers().contains_key("x-retry-in"));
        };
        check(0, "1");
        check(10, "1");
        check(1_001, "2");
    }
}
