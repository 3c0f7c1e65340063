//! Headers that end at a proxy: those of one hop (RFC 9110 §7.6.1), and what clients claim about
//! the way their request came.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use mito_network::ConnectionInfo;

/// Who a request was forwarded for, one proxy after the other.
pub(crate) const X_FORWARDED_FOR: &str = "x-forwarded-for";
/// How the client spoke to the first proxy.
pub(crate) const X_FORWARDED_PROTO: &str = "x-forwarded-proto";
/// How most forwarding headers begin.
const FORWARDED_BEGINNING: &str = "x-forwarded-";
/// Headers that concern one connection.
static HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("http2-settings"),
];
/// What an upstream is told of the way of a request.
const FOR: HeaderName = HeaderName::from_static(X_FORWARDED_FOR);
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const PROTO: HeaderName = HeaderName::from_static(X_FORWARDED_PROTO);
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Removes the headers of one hop and those that `Connection` nominates; never the host, in whose
/// place the upstream would see its own address.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    // Most messages have none of them, and looking is cheaper than removing.
    if !headers.keys().any(|name| HOP_BY_HOP.contains(name)) {
        return;
    }
    let nominated: Vec<HeaderName> = tokens(headers, &header::CONNECTION)
        .filter_map(|token| HeaderName::from_bytes(token.as_bytes()).ok())
        .filter(|name| *name != header::HOST)
        .collect();
    for name in nominated {
        headers.remove(name);
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Removes what a client may not say of itself: forwarding headers, in both spellings (`_` becomes
/// `-` in CGI-like applications).
pub(crate) fn strip_forwarding(headers: &mut HeaderMap) {
    let forged: Vec<HeaderName> = headers
        .keys()
        .filter(|name| {
            let name = name.as_str();
            let beginning = name.get(..FORWARDED_BEGINNING.len());
            beginning.is_some_and(|it| is_spelled(it, FORWARDED_BEGINNING))
                || is_spelled(name, "forwarded")
                || is_spelled(name, "x-real-ip")
                || is_spelled(name, "x-scheme")
        })
        .cloned()
        .collect();
    for name in forged {
        headers.remove(name);
    }
}

/// Whether a name is the wanted one in either spelling.
fn is_spelled(name: &str, wanted: &str) -> bool {
    let same = |(byte, wanted): (u8, u8)| byte == wanted || (byte == b'_' && wanted == b'-');
    name.len() == wanted.len() && name.bytes().zip(wanted.bytes()).all(same)
}

/// Removes forwarding headers in their other spelling, which no proxy uses.
pub(crate) fn strip_underscored(headers: &mut HeaderMap) {
    let forged: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().starts_with("x_forwarded_") || name.as_str() == "x_real_ip")
        .cloned()
        .collect();
    for name in forged {
        headers.remove(name);
    }
}

/// The text of a header, if it is one.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Tells an upstream whom it serves, as Traefik does. Headers of the kind that are there already are
/// of a proxy that is believed.
pub(crate) fn set_forwarding(headers: &mut HeaderMap, info: &ConnectionInfo, websocket: bool) {
    let scheme = match (info.scheme, websocket) {
        ("https", true) => "wss",
        (_, true) => "ws",
        (scheme, false) => scheme,
    };
    let usual = if info.scheme == "https" { 443 } else { 80 };
    if let Some(host) = headers.get(header::HOST).cloned() {
        // What stands behind the last colon of an address of IPv6 is no number.
        let port = host.to_str().ok().and_then(|host| host.rsplit_once(':'));
        let port = port.and_then(|(_, port)| port.parse::<u16>().ok());
        headers
            .entry(PORT)
            .or_insert_with(|| HeaderValue::from(port.unwrap_or(usual)));
        headers.entry(HOST).or_insert(host);
    } else {
        headers
            .entry(PORT)
            .or_insert_with(|| HeaderValue::from(usual));
    }
    let client = info.client_ip.to_canonical().to_string();
    let before: Vec<&str> = headers
        .get_all(FOR)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let way = if before.is_empty() {
        client.clone()
    } else {
        format!("{}, {}", before.join(", "), info.peer.ip().to_canonical())
    };
    let values = [
        (FOR, HeaderValue::try_from(way)),
        (REAL_IP, HeaderValue::try_from(client)),
        (REQUEST_ID, HeaderValue::try_from(&*info.request_id)),
    ];
    for (name, value) in values {
        if let Ok(value) = value {
            headers.insert(name, value);
        }
    }
    headers.insert(PROTO, HeaderValue::from_static(scheme));
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
