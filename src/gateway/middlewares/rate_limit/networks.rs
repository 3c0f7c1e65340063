//! Whose requests count together, and in how many buckets. tower_governor's store of buckets has
//! no bound and cannot evict, so the bound stands here, before it: a network has a bucket of its
//! own while it is among those seen recently. Idle ones, whose bucket is full again, make room; as
//! long as there is none, only networks that are not known share buckets.

use std::{
    collections::HashMap,
    hash::BuildHasher as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use http::Request;
use mito_network::ConnectionInfo;
use tower_governor::{GovernorError, key_extractor::KeyExtractor};

/// Networks with a bucket of their own.
pub(super) const MAX_NETWORKS: usize = 65_536;
/// Buckets that further networks share.
pub(super) const SHARED_BUCKETS: u64 = 1_024;
/// The least time between two looks for networks that are idle.
const FORGET_EVERY: Duration = Duration::from_secs(1);

/// What requests are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Bucket {
    /// An IPv4 address, or an IPv6 /64: one client owns all of it.
    Own(IpAddr),
    /// One of the buckets for networks that found no room.
    Shared(u64),
}

/// The networks seen recently. Clones share them.
#[derive(Clone)]
pub(super) struct Networks(Arc<Inner>);

struct Inner {
    known: Mutex<Known>,
    hasher: std::hash::RandomState,
    /// How long until the bucket of a silent network is full.
    refill: Duration,
}

struct Known {
    last_seen: HashMap<IpAddr, Instant>,
    max: usize,
    forgot: Instant,
}

impl Networks {
    /// No networks; a bucket is full again after `refill`.
    pub(super) fn new(refill: Duration) -> Self {
        let known = Known {
            last_seen: HashMap::new(),
            max: MAX_NETWORKS,
            forgot: Instant::now(),
        };
        Self(Arc::new(Inner {
            known: Mutex::new(known),
            hasher: std::hash::RandomState::new(),
            refill,
        }))
    }

    /// The bucket of a client, who is seen by this at `now`.
    pub(super) fn bucket(&self, client: IpAddr, now: Instant) -> Bucket {
        let network = network(client);
        let mut known = self.known();
        if let Some(last_seen) = known.last_seen.get_mut(&network) {
            *last_seen = now;
            return Bucket::Own(network);
        }
        if known.last_seen.len() < known.max {
            known.last_seen.insert(network, now);
            return Bucket::Own(network);
        }
        // The hash is keyed, so nobody can choose whose bucket to share, and it is that of a
        // whole provider's network, so that whoever fills the room shares with themselves.
        Bucket::Shared(self.0.hasher.hash_one(provider(network)) % SHARED_BUCKETS)
    }

    /// Forgets networks whose bucket must be full at `now`; false if that was done just before.
    pub(super) fn forget_idle(&self, now: Instant) -> bool {
        let mut known = self.known();
        if now.duration_since(known.forgot) < FORGET_EVERY {
            return false;
        }
        known.forgot = now;
        known
            .last_seen
            .retain(|_, last_seen| now.duration_since(*last_seen) <= self.0.refill);
        true
    }

    #[cfg(test)]
    pub(super) fn set_max(&self, max: usize) {
        self.known().max = max;
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyExtractor for Networks {
    type Key = Bucket;

    fn extract<T>(&self, request: &Request<T>) -> Result<Bucket, GovernorError> {
        let info = request.extensions().get::<ConnectionInfo>();
        let info = info.ok_or(GovernorError::UnableToExtractKey)?;
        Ok(self.bucket(info.client_ip, Instant::now()))
    }
}

/// The addresses whose requests count together.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The larger network that is given to one customer who has many: /24 and /48.
fn provider(network: IpAddr) -> IpAddr {
    match network {
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, 0))
        }
    }
}
