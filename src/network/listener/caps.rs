//! How many connections are open at once: in all, and from one address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use metrics::Gauge;

use super::SharedLimits;

/// One listener may take one of so many parts of the file descriptors that there may be: the
/// databases need some, and so do the servers behind.
const SHARES: u64 = 2;
/// Bits of an IPv6 address that count as one address: what a provider gives to one customer.
const IPV6_PREFIX_BITS: u32 = 64;

/// Counts the connections of one listener.
#[derive(Debug)]
pub(super) struct Caps {
    limits: SharedLimits,
    /// Connections that the process has room for.
    room: usize,
    open: Mutex<Open>,
    shown: Gauge,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A counted connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    caps: Arc<Caps>,
    address: IpAddr,
}

impl Caps {
    /// `shown` follows the number of connections.
    pub(super) fn new(limits: SharedLimits, shown: Gauge) -> Arc<Self> {
        Arc::new(Self {
            limits,
            room: room(),
            open: Mutex::default(),
            shown,
        })
    }

    /// Counts a connection from `address`; the error says which cap it would exceed.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Permit, &'static str> {
        let address = group(address);
        let limits = self.limits.now();
        let mut open = self.open();
        if open.total >= limits.max_connections.min(self.room) {
            return Err("total");
        }
        let count = open.by_address.get(&address).copied().unwrap_or(0);
        if count >= limits.max_connections_per_address && !address.is_loopback() {
            return Err("address");
        }
        open.by_address.insert(address, count + 1);
        open.total += 1;
        self.shown.increment(1);
        Ok(Permit {
            caps: self.clone(),
            address,
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.caps.open();
        open.total -= 1;
        self.caps.shown.decrement(1);
        if let Some(count) = open.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

/// How many connections a listener takes at most, whatever its limits say: half of the file
/// descriptors that the process may have.
pub fn room() -> usize {
    let room = mito_core::descriptors::most().map(|most| most / SHARES);
    room.and_then(|room| usize::try_from(room).ok())
        .unwrap_or(usize::MAX)
}

fn group(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let kept = u128::MAX << (u128::BITS - IPV6_PREFIX_BITS);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & kept))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listener::Limits;

    fn caps(max_connections: usize, max_connections_per_address: usize) -> Arc<Caps> {
        let limits = Limits {
            max_connections,
            max_connections_per_address,
            ..Limits::default()
        };
        Caps::new(limits.into(), Gauge::noop())
    }

    fn enter(caps: &Arc<Caps>, address: &str) -> Result<Permit, &'static str> {
        caps.enter(address.parse().expect("an address"))
    }

    #[test]
    fn an_address_has_its_cap_and_gets_it_back() {
        let caps = caps(100, 2);
        let first = enter(&caps, "192.0.2.1").expect("the first");
        let _second = enter(&caps, "::ffff:192.0.2.1").expect("the second");
        assert_eq!(enter(&caps, "192.0.2.1").err(), Some("address"));
        let _other = enter(&caps, "192.0.2.2").expect("another address");
        drop(first);
        let _third = enter(&caps, "192.0.2.1").expect("there is room again");
        assert_eq!(caps.open().by_address.len(), 2);
    }

    #[test]
    fn nothing_is_kept_of_an_address_that_is_refused() {
        let caps = caps(100, 0);
        assert_eq!(enter(&caps, "192.0.2.1").err(), Some("address"));
        assert!(caps.open().by_address.is_empty());
    }

    #[test]
    fn one_ipv6_network_is_one_address() {
        let caps = caps(100, 1);
        let _first = enter(&caps, "2001:db8:0:1::1").expect("the first");
        assert_eq!(enter(&caps, "2001:db8:0:1:ffff::2").err(), Some("address"));
        let _other = enter(&caps, "2001:db8:0:2::1").expect("another network");
    }

    #[test]
    fn loopback_is_exempt_from_the_cap_per_address_only() {
        let caps = caps(3, 1);
        let permits: Vec<_> = ["127.0.0.1", "127.0.0.1", "::1"]
            .map(|address| enter(&caps, address))
            .into();
        assert!(permits.iter().all(Result::is_ok));
        assert_eq!(enter(&caps, "127.0.0.1").err(), Some("total"));
        drop(permits);
        assert!(
            caps.open().by_address.is_empty(),
            "nothing is kept of closed connections"
        );
    }
}
