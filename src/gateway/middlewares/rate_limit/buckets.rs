//! Whose requests count together, and in how many buckets. governor's store of buckets has no
//! bound and cannot evict, so the bound stands here, before it: a source has a bucket of its own
//! while it is among those seen recently. Idle ones, whose bucket is full again, make room; as
//! long as there is none, only sources that are not known share buckets.

use std::{
    collections::HashMap,
    hash::BuildHasher as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use governor::{clock::Reference as _, nanos::Nanos};
use http::Request;
use mito_network::ConnectionInfo;
use tower_governor::{GovernorError, key_extractor::KeyExtractor};

use super::{
    super::source::{Criterion, Source},
    time::Time,
};

/// Sources with a bucket of their own, as many as in Traefik.
pub(super) const MAX_SOURCES: usize = 65_536;
/// Buckets that further sources share.
pub(super) const SHARED_BUCKETS: u64 = 1_024;
/// The least time between two looks for sources that are idle.
const FORGET_EVERY: Duration = Duration::from_secs(1);

/// What requests are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Bucket {
    /// That of one source.
    Own(Source),
    /// One of the buckets for sources that found no room.
    Shared(u64),
}

/// The sources seen recently. Clones share them.
#[derive(Clone)]
pub(super) struct Buckets(Arc<Inner>);

struct Inner {
    criterion: Criterion,
    known: Mutex<Known>,
    hasher: std::hash::RandomState,
    time: Time,
    /// How long until the bucket of a silent source is full.
    refill: Duration,
}

struct Known {
    last_seen: HashMap<Source, Nanos>,
    max: usize,
    forgot: Nanos,
}

impl Buckets {
    /// No sources; a bucket is full again after `refill`.
    pub(super) fn new(criterion: Criterion, refill: Duration, time: Time) -> Self {
        let known = Known {
            last_seen: HashMap::new(),
            max: MAX_SOURCES,
            forgot: time.now(),
        };
        Self(Arc::new(Inner {
            criterion,
            known: Mutex::new(known),
            hasher: std::hash::RandomState::new(),
            time,
            refill,
        }))
    }

    /// The bucket of a source, which is seen by this.
    pub(super) fn of(&self, source: Source) -> Bucket {
        let now = self.0.time.now();
        let mut known = self.known();
        if let Some(last_seen) = known.last_seen.get_mut(&source) {
            *last_seen = now;
            return Bucket::Own(source);
        }
        if known.last_seen.len() < known.max {
            known.last_seen.insert(source, now);
            return Bucket::Own(source);
        }
        // The hash is keyed, so nobody can choose whose bucket to share, and it is that of a
        // whole provider's network, so that whoever fills the room shares with themselves.
        Bucket::Shared(self.0.hasher.hash_one(provider(source)) % SHARED_BUCKETS)
    }

    /// Forgets sources whose bucket must be full; false if that was done just before.
    pub(super) fn forget_idle(&self) -> bool {
        let now = self.0.time.now();
        let since = |earlier: Nanos| Duration::from(now.duration_since(earlier));
        let mut known = self.known();
        if since(known.forgot) < FORGET_EVERY {
            return false;
        }
        known.forgot = now;
        known
            .last_seen
            .retain(|_, last_seen| since(*last_seen) <= self.0.refill);
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

impl KeyExtractor for Buckets {
    type Key = Bucket;

    fn extract<T>(&self, request: &Request<T>) -> Result<Bucket, GovernorError> {
        let info = request.extensions().get::<ConnectionInfo>();
        let info = info.ok_or(GovernorError::UnableToExtractKey)?;
        Ok(self.of(self.0.criterion.source(info, request.headers())))
    }
}

/// The larger network that is given to one customer who has many: /24 and /48.
fn provider(source: Source) -> Source {
    match source {
        Source::Address(IpAddr::V6(address)) => {
            let [a, b, c, ..] = address.segments();
            Source::Address(IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)))
        }
        Source::Address(IpAddr::V4(address)) => {
            let [a, b, c, _] = address.octets();
            Source::Address(IpAddr::V4(Ipv4Addr::new(a, b, c, 0)))
        }
        other @ (Source::Text(_) | Source::Nobody) => other,
    }
}
