//! Proxies before this one. What they say of a request's way is believed; what anybody else says is
//! removed (`forwardedHeaders.trustedIPs` in Traefik).

use std::net::IpAddr;

use http::HeaderMap;
use ipnet::IpNet;
use mito_network::ConnectionInfo;

use crate::services::headers::{self, X_FORWARDED_FOR, X_FORWARDED_PROTO};

/// The addresses of proxies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trusted(Vec<IpNet>);

impl Trusted {
    /// Reads addresses and networks; the error says which is wrong.
    pub(crate) fn new(list: &[String]) -> Result<Self, String> {
        let read = |text: &String| {
            let address = text.parse::<IpAddr>().map(IpNet::from);
            address.or_else(|_| text.parse()).map_err(|_| {
                format!(
                    "gateway.trusted_proxies: {text:?} is neither an address nor a network such as \
                     10.0.0.0/8"
                )
            })
        };
        list.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Whether it is such a proxy.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Finds out who the client is, and leaves of the forwarding headers what may be believed.
    pub(crate) fn apply(&self, info: &mut ConnectionInfo, request: &mut HeaderMap) {
        if !self.contains(info.peer.ip()) {
            headers::strip_forwarding(request);
            return;
        }
        headers::strip_underscored(request);
        if let Some(client) = self.client(request) {
            info.client_ip = client;
        }
        match headers::text(request, X_FORWARDED_PROTO) {
            Some("https" | "wss") => info.scheme = "https",
            Some("http" | "ws") => info.scheme = "http",
            _ => {}
        }
    }

    /// The last address on the way that is no proxy of ours: what stands before it, anybody may have
    /// written.
    fn client(&self, request: &HeaderMap) -> Option<IpAddr> {
        let way: Vec<&str> = request
            .get_all(X_FORWARDED_FOR)
            .into_iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .collect();
        let mut first = None;
        for hop in way.into_iter().rev() {
            let address: IpAddr = hop.parse().ok()?;
            first = Some(address);
            if !self.contains(address) {
                break;
            }
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn info(peer: [u8; 4]) -> ConnectionInfo {
        let peer = SocketAddr::from((peer, 5_000));
        ConnectionInfo {
            peer,
            client_ip: peer.ip(),
            scheme: "http",
            host: "a.localhost".into(),
            tls: None,
            entrypoint: "web".into(),
            request_id: "1".into(),
        }
    }

    #[track_caller]
    fn check(peer: [u8; 4], way: &str, client: [u8; 4], scheme: &str) {
        let trusted = Trusted::new(&["10.0.0.0/8".to_owned()]).unwrap();
        let mut request = HeaderMap::new();
        request.insert(X_FORWARDED_FOR, way.parse().unwrap());
        request.insert(X_FORWARDED_PROTO, "https".parse().unwrap());
        request.insert("x_forwarded_for", "1.2.3.4".parse().unwrap());
        let mut info = info(peer);
        trusted.apply(&mut info, &mut request);
        assert_eq!(info.client_ip, IpAddr::from(client));
        assert_eq!(info.scheme, scheme);
        assert!(!request.contains_key("x_forwarded_for"));
        assert_eq!(request.contains_key(X_FORWARDED_FOR), peer[0] == 10);
    }

    #[test]
    fn proxies_are_believed_and_nobody_else() {
        check([192, 0, 2, 1], "203.0.113.9", [192, 0, 2, 1], "http");
        check([10, 0, 0, 1], "203.0.113.9", [203, 0, 113, 9], "https");
        check(
            [10, 0, 0, 1],
            "1.1.1.1, 203.0.113.9, 10.0.0.2",
            [203, 0, 113, 9],
            "https",
        );
        check([10, 0, 0, 1], "10.0.0.3, 10.0.0.2", [10, 0, 0, 3], "https");
        check([10, 0, 0, 1], "nonsense", [10, 0, 0, 1], "https");
        assert!(Trusted::new(&["x".to_owned()]).is_err());
    }
}
