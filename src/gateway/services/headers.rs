//! Headers that end at a proxy: those of one hop (RFC 9110 §7.6.1), and what clients claim about
//! the way their request came.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use mito_network::ConnectionInfo;

/// Headers that concern one connection.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

/// Removes the headers of one hop and those that `Connection` nominates; never the host, in whose
/// place the upstream would see its own address.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let nominated: Vec<HeaderName> = tokens(headers, &header::CONNECTION)
        .filter_map(|token| HeaderName::from_bytes(token.as_bytes()).ok())
        .filter(|name| *name != header::HOST)
        .collect();
    for name in nominated {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Removes what a client may not say of itself: forwarding headers, in both spellings (`_` becomes
/// `-` in CGI-like applications).
pub(crate) fn strip_forwarding(headers: &mut HeaderMap) {
    let forged: Vec<HeaderName> = headers
        .keys()
        .filter(|name| {
            let name = name.as_str().replace('_', "-");
            name.starts_with("x-forwarded-")
                || matches!(name.as_str(), "forwarded" | "x-real-ip" | "x-scheme")
        })
        .cloned()
        .collect();
    for name in forged {
        headers.remove(name);
    }
}

/// Tells an upstream whom it serves, as Traefik does.
pub(crate) fn set_forwarding(headers: &mut HeaderMap, info: &ConnectionInfo, websocket: bool) {
    let scheme = match (info.scheme, websocket) {
        ("https", true) => "wss",
        (_, true) => "ws",
        (scheme, false) => scheme,
    };
    let authority = headers.get(header::HOST).cloned();
    let port = authority
        .as_ref()
        .and_then(|host| host.to_str().ok())
        .and_then(|host| host.parse::<http::uri::Authority>().ok())
        .and_then(|authority| authority.port_u16())
        .unwrap_or(if info.scheme == "https" { 443 } else { 80 });
    let client = info.client_ip.to_canonical().to_string();
    let client = HeaderValue::try_from(client).ok();
    let values = [
        ("x-forwarded-for", client.clone()),
        ("x-real-ip", client),
        ("x-forwarded-proto", Some(HeaderValue::from_static(scheme))),
        ("x-forwarded-host", authority),
        ("x-forwarded-port", Some(HeaderValue::from(port))),
        ("x-request-id", HeaderValue::try_from(&info.request_id).ok()),
    ];
    for (name, value) in values {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
}

/// The protocol that the request asks to switch to, but never `h2c`: a switch to HTTP/2 behind the
/// gateway would smuggle requests past it.
pub(crate) fn wanted_upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let asks =
        tokens(headers, &header::CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade"));
    let protocol = headers.get(header::UPGRADE)?;
    let h2c = protocol
        .to_str()
        .is_ok_and(|name| name.to_ascii_lowercase().contains("h2c"));
    (asks && !h2c).then(|| protocol.clone())
}

fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn headers_of_one_hop_and_nominated_ones_are_removed() {
        let mut all = headers(&[
            ("connection", "close, X-Secret"),
            ("x-secret", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("accept", "*/*"),
        ]);
        strip_hop_by_hop(&mut all);
        assert_eq!(all, headers(&[("accept", "*/*")]));
    }

    #[test]
    fn the_host_is_nobodys_to_strike_out() {
        let mut all = headers(&[("connection", "Host, close"), ("host", "a.example")]);
        strip_hop_by_hop(&mut all);
        assert_eq!(all, headers(&[("host", "a.example")]));
    }

    #[test]
    fn claims_about_the_way_are_removed_in_every_spelling() {
        let mut all = headers(&[
            ("x-forwarded-for", "1.2.3.4"),
            ("x_forwarded_for", "1.2.3.4"),
            ("x-forwarded-anything", "1"),
            ("forwarded", "for=1.2.3.4"),
            ("x-real-ip", "1.2.3.4"),
            ("x_real_ip", "1.2.3.4"),
            ("x-request-kind", "kept"),
        ]);
        strip_forwarding(&mut all);
        assert_eq!(all, headers(&[("x-request-kind", "kept")]));
    }

    #[test]
    fn only_a_real_upgrade_is_one() {
        let asks = |pairs| wanted_upgrade(&headers(pairs)).is_some();
        assert!(asks(&[
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket")
        ]));
        assert!(!asks(&[("upgrade", "websocket")]));
        assert!(!asks(&[("connection", "upgrade")]));
        assert!(!asks(&[
            ("connection", "upgrade, http2-settings"),
            ("upgrade", "h2c")
        ]));
    }
}
