//! Addresses and networks, as operators list them.

use std::net::{IpAddr, Ipv6Addr};

/// An address, or all of a network (CIDR).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    network: u128,
    mask: u128,
}

/// IPv4 within IPv6, so that one comparison does for both.
const IPV4_BITS_BEFORE: u8 = 96;

impl Range {
    /// Reads `10.0.0.1`, `10.0.0.0/8`, `2001:db8::/32`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let before = match address {
            IpAddr::V4(_) => IPV4_BITS_BEFORE,
            IpAddr::V6(_) => 0,
        };
        let bits = match bits {
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => {
                bits.parse::<u8>().ok()?.checked_add(before)?
            }
            Some(_) => return None,
            None => 128,
        };
        let mask = mask(bits)?;
        Some(Self {
            network: number(address) & mask,
            mask,
        })
    }

    /// Reads a list; `option` is its name in the error.
    pub(super) fn read_all(option: &str, texts: &[String]) -> Result<Vec<Self>, String> {
        let read = |(at, text): (usize, &String)| {
            Self::parse(text).ok_or_else(|| {
                format!(
                    "{option}[{at}]: {text:?} is neither an address such as 192.0.2.1 nor a \
                     network such as 10.0.0.0/8"
                )
            })
        };
        texts.iter().enumerate().map(read).collect()
    }

    /// Whether `address` is one of it.
    pub(super) fn holds(self, address: IpAddr) -> bool {
        number(address) & self.mask == self.network
    }
}

/// The network of an IPv6 address by its leading bits; an IPv4 address is its own.
pub(super) fn network(address: IpAddr, ipv6_bits: u8) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let mask = mask(ipv6_bits).unwrap_or(u128::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// A mask of that many ones at the front, out of 128.
fn mask(bits: u8) -> Option<u128> {
    let after = 128_u32.checked_sub(u32::from(bits))?;
    Some(u128::MAX.checked_shl(after).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(range: &str, address: &str, held: bool) {
        let range = Range::parse(range).unwrap_or_else(|| panic!("{range}"));
        let address = address.parse().expect("an address");
        assert_eq!(range.holds(address), held, "{address}");
    }

    #[test]
    fn ranges_hold_their_addresses() {
        check("10.0.0.1", "10.0.0.1", true);
        check("10.0.0.1", "10.0.0.2", false);
        check("10.1.2.3/8", "10.255.0.1", true);
        check("10.0.0.0/8", "11.0.0.1", false);
        check("10.0.0.0/8", "::ffff:10.0.0.1", true);
        check("10.0.0.0/31", "10.0.0.1", true);
        check("10.0.0.0/31", "10.0.0.2", false);
        check("0.0.0.0/0", "255.0.0.1", true);
        check("0.0.0.0/0", "2001:db8::1", false);
        check("::/0", "2001:db8::1", true);
        check("2001:db8::/32", "2001:db8:1::1", true);
        check("2001:db8::/32", "2001:db9::1", false);
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for wrong in [
            "",
            "a",
            "10.0.0",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "/8",
        ] {
            assert_eq!(Range::parse(wrong), None, "{wrong}");
        }
    }
}
