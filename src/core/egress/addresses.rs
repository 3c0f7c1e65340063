//! Which addresses may be reached. Everything that is not the public internet is refused unless
//! the operator allowed it: an address that a user types must not reach the neighbours.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use super::Error;

/// IPv4 networks outside the public internet (the IANA special-purpose registry): this network,
/// private, carrier-grade NAT, loopback, link-local, protocol assignments, documentation, 6to4
/// relays, benchmarking, multicast, reserved.
const REFUSED_V4: [(Ipv4Addr, u8); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The part of IPv6 that is the public internet.
const PUBLIC_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What is special inside it: protocol assignments (Teredo among them), documentation, 6to4.
const REFUSED_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// NAT64 (RFC 6052): the last 32 bits are the IPv4 address that is really reached.
const NAT64: (Ipv6Addr, u8) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// What the operator allowed.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowed {
    networks: Vec<(IpAddr, u8)>,
    hosts: Vec<String>,
}

impl Allowed {
    /// Reads CIDR networks, addresses and host names.
    pub(super) fn parse(entries: &[String]) -> Result<Self, Error> {
        let mut allowed = Self::default();
        for entry in entries {
            let text = entry.trim();
            if let Some(network) = network(text) {
                allowed.networks.push(network);
            } else if is_host_name(text) {
                allowed.hosts.push(text.to_ascii_lowercase());
            } else {
                return Err(Error::Allow(entry.clone()));
            }
        }
        Ok(allowed)
    }

    /// Whether the host may be reached wherever it is.
    pub(super) fn host(&self, host: &str) -> bool {
        self.hosts
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(host))
    }

    /// Whether the address may be reached.
    pub(super) fn address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let named = |(network, bits): &(IpAddr, u8)| contains(*network, *bits, address);
        self.networks.iter().any(named) || (is_public(address) && !is_own(address))
    }
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (
            address.parse::<IpAddr>().ok()?,
            Some(bits.parse::<u8>().ok()?),
        ),
        None => (text.parse::<IpAddr>().ok()?, None),
    };
    let address = address.to_canonical();
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(longest);
    (bits <= longest).then_some((address, bits))
}

fn is_host_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    // What consists of digits and dots alone was meant as an address.
    let numeric = text.chars().all(|c| c.is_ascii_digit() || c == '.');
    !text.is_empty() && !numeric && text.chars().all(plain)
}

fn contains(network: IpAddr, bits: u8, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let shift = 32 - u32::from(bits);
            u64::from(network.to_bits()) >> shift == u64::from(address.to_bits()) >> shift
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let shift = 128 - u32::from(bits);
            let prefix = |address: Ipv6Addr| address.to_bits().checked_shr(shift).unwrap_or(0);
            prefix(network) == prefix(address)
        }
        _ => false,
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => {
            let refused =
                |(network, bits): &(Ipv4Addr, u8)| contains((*network).into(), *bits, address);
            !REFUSED_V4.iter().any(refused)
        }
        IpAddr::V6(v6) if contains(NAT64.0.into(), NAT64.1, address) => {
            let [.., a, b, c, d] = v6.octets();
            is_public(Ipv4Addr::new(a, b, c, d).into())
        }
        IpAddr::V6(_) => {
            let refused =
                |(network, bits): &(Ipv6Addr, u8)| contains((*network).into(), *bits, address);
            contains(PUBLIC_V6.0.into(), PUBLIC_V6.1, address) && !REFUSED_V6.iter().any(refused)
        }
    }
}

/// Whether the address belongs to this machine: the kernel then chooses it as source too.
/// Connecting a UDP socket sends nothing.
fn is_own(address: IpAddr) -> bool {
    let any: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let source = UdpSocket::bind(SocketAddr::new(any, 0)).and_then(|socket| {
        socket.connect(SocketAddr::new(address, 9))?;
        socket.local_addr()
    });
    source.is_ok_and(|source| source.ip() == address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(entries: &[&str]) -> Allowed {
        let entries: Vec<_> = entries.iter().map(ToString::to_string).collect();
        Allowed::parse(&entries).expect("networks and names")
    }

    #[track_caller]
    fn check(entries: &[&str], address: &str, expected: bool) {
        let parsed = address.parse().expect("an address");
        assert_eq!(
            allowed(entries).address(parsed),
            expected,
            "{address} with {entries:?}"
        );
    }

    #[test]
    fn only_the_public_internet_is_reached() {
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.9",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::7f00:1",
            "fe80::1",
            "fc00::1",
            "fd12:3456::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "5f00::1",
        ] {
            check(&[], private, false);
        }
        for public in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.0.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.0.1",
            "198.17.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00::1",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
        ] {
            check(&[], public, true);
        }
    }

    #[test]
    fn the_operator_may_allow_more() {
        check(&["10.0.0.0/8"], "10.255.0.1", true);
        check(&["10.0.0.0/8"], "11.0.0.1", true);
        check(&["10.0.0.0/8"], "192.168.0.1", false);
        check(&["10.0.0.0/8"], "::ffff:10.0.0.1", true);
        check(&["127.0.0.1"], "127.0.0.1", true);
        check(&["127.0.0.1"], "127.0.0.2", false);
        check(&["fd00::/8"], "fdff::1", true);
        check(&["fd00::/8"], "fc00::1", false);
        check(&["::1"], "::1", true);
        check(&["0.0.0.0/0"], "10.0.0.1", true);
        check(&["::/0"], "fe80::1", true);
        check(&["::/0"], "10.0.0.1", false);
        assert!(allowed(&["smtp.Internal"]).host("SMTP.internal"));
        assert!(!allowed(&["smtp.internal"]).host("x.smtp.internal"));
    }

    #[test]
    fn what_is_neither_network_nor_name_is_refused() {
        for entry in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/x",
            "1.2.3",
            "a b",
            "http://a",
            "a/8",
        ] {
            let error = Allowed::parse(&[entry.to_owned()]).expect_err(entry);
            let expected =
                format!("egress.allow: {entry:?} is neither a CIDR network nor a host name");
            assert_eq!(error.to_string(), expected);
        }
    }
}
