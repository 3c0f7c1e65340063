//! Lists of IP addresses and networks, as settings hold them.

use std::net::IpAddr;

/// Whether `text` is an address or a network such as `10.0.0.0/8`.
pub(crate) fn is_address_or_network(text: &str) -> bool {
    network(text).is_some()
}

/// Whether one of `list` is `address` or holds it. An IPv4 address that came as IPv6 counts as IPv4.
pub(crate) fn contains(list: &[String], address: IpAddr) -> bool {
    let address = bits(address.to_canonical());
    list.iter()
        .filter_map(|entry| network(entry))
        .any(|(of, length)| of.1 == address.1 && prefix(of, length) == prefix(address, length))
}

/// The bits of an address, aligned to the left, and how many there are.
type Bits = (u128, u32);

fn network(text: &str) -> Option<(Bits, u32)> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
        None => (text, None),
    };
    let bits = bits(address.parse::<IpAddr>().ok()?.to_canonical());
    let length = length.unwrap_or(bits.1);
    (length <= bits.1).then_some((bits, length))
}

fn bits(address: IpAddr) -> Bits {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

fn prefix((bits, _): Bits, length: u32) -> u128 {
    bits.checked_shr(128 - length).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_networks() {
        let check = |entry: &str, address: &str, expected: bool| {
            let list = [entry.to_owned()];
            let found = contains(&list, address.parse().unwrap());
            assert_eq!(found, expected, "{address} in {entry}");
        };
        check("10.0.0.0/8", "10.200.3.4", true);
        check("10.0.0.0/8", "11.0.0.1", false);
        check("10.0.0.0/8", "::ffff:10.1.1.1", true);
        check("0.0.0.0/0", "8.8.8.8", true);
        check("0.0.0.0/0", "::1", false);
        check("::/0", "::1", true);
        check("2001:db8::/33", "2001:db8:8000::1", false);
        check("127.0.0.1", "127.0.0.1", true);
        check("127.0.0.1", "127.0.0.2", false);
        check("nonsense", "127.0.0.2", false);
    }

    #[test]
    fn what_is_no_network_is_told() {
        for good in ["1.2.3.4", "1.2.3.4/32", "::1/128", "::/0"] {
            assert!(is_address_or_network(good), "{good}");
        }
        for bad in [
            "",
            "x",
            "1.2.3.4/33",
            "1.2.3/8",
            "1.1.1.1/-1",
            "::/129",
            "1.1.1.1/",
        ] {
            assert!(!is_address_or_network(bad), "{bad}");
        }
    }
}
