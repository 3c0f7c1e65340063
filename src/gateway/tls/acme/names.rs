//! Which names a public authority certifies.

use std::net::IpAddr;

/// Endings of names that no public authority vouches for (RFC 6761, RFC 6762, RFC 8375).
const LOCAL_ENDINGS: [&str; 7] = [
    "localhost",
    "local",
    "internal",
    "home.arpa",
    "test",
    "invalid",
    "onion",
];

/// Whether a public authority could vouch for `host` and its order could be proven: a name with a
/// dot, no address, no wildcard, nothing that only exists here.
pub(crate) fn may_be_ordered(host: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let labels_are_names = host
        .split('.')
        .all(|label| !label.is_empty() && label.len() < 64 && label.bytes().all(allowed));
    let local = LOCAL_ENDINGS.iter().any(|ending| {
        host.strip_suffix(ending)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    });
    host.contains('.')
        && host.len() < 254
        && labels_are_names
        && !local
        && host.parse::<IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_names_are_ordered() {
        for host in [
            "a.example",
            "example.com",
            "xn--bcher-kva.example",
            "1.example",
        ] {
            assert!(may_be_ordered(host), "{host}");
        }
        for host in [
            "localhost",
            "a.localhost",
            "intranet",
            "printer.local",
            "db.internal",
            "nas.home.arpa",
            "a.test",
            "10.0.0.1",
            "*.example.com",
            "a..example",
            "../a.example",
            "a_b.example",
            "A.example",
            "",
        ] {
            assert!(!may_be_ordered(host), "{host}");
        }
    }
}
