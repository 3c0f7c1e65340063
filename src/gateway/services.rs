//! Services: where a router sends a request. A role is called in process through the network, servers
//! through pooled clients, and a few answers are the gateway's own.
//!
//! | module | what it holds |
//! |---|---|
//! | [`balancer`] | servers that share the requests of a service |
//! | [`weighted`] | services that share them |
//! | [`sticky`] | cookies that keep clients where they are |
//! | [`strategy`] | which of them gets a request |
//! | [`health`], [`checks`] | whether servers work, and how they are asked |
//! | [`upstream`] | one server: requests sent and answers received |
//! | [`transport`], [`connections`], [`http2`], [`unverified`] | the connections to servers |
//! | [`headers`], [`upload`], [`room`] | what ends at a proxy, bodies on their way, and how many at once |

pub(crate) mod balancer;
mod checks;
mod connections;
pub(crate) mod headers;
pub(crate) mod health;
mod http2;
pub(crate) mod room;
pub(crate) mod sticky;
mod strategy;
mod transport;
pub(crate) mod unverified;
mod upload;
pub(crate) mod upstream;
pub(crate) mod weighted;

use std::{fmt, sync::Arc};

pub(crate) use balancer::Balancer;
pub(crate) use upstream::Upstream;
pub(crate) use weighted::Weighted;

/// Where requests go.
#[derive(Clone)]
pub(crate) enum Target {
    /// A service on the network.
    Role(String),
    /// A server that the operator named.
    Upstream(Upstream),
    /// Servers that share the requests.
    Balanced(Arc<Balancer>),
    /// Services that do.
    Weighted(Arc<Weighted>),
    /// The gateway itself.
    Internal(Internal),
}

/// What the gateway answers itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Internal {
    /// The API of the dashboard.
    Api,
    /// `OK`.
    Ping,
    /// The metrics of the whole process.
    Prometheus,
    /// Challenges of certificate authorities, of which none is open.
    AcmeHttp,
    /// Nothing: the router's middleware answers.
    Noop,
}

const INTERNAL: [(&str, Internal); 5] = [
    ("api@internal", Internal::Api),
    ("ping@internal", Internal::Ping),
    ("prometheus@internal", Internal::Prometheus),
    ("acme-http@internal", Internal::AcmeHttp),
    ("noop@internal", Internal::Noop),
];

impl Target {
    /// Reads the `service` of a router.
    pub(crate) fn parse(service: &str) -> Result<Self, String> {
        if let Some((_, internal)) = INTERNAL.iter().find(|(name, _)| *name == service) {
            return Ok(Self::Internal(*internal));
        }
        if service.contains("://") {
            return Upstream::parse(service).map(Self::Upstream);
        }
        let name = service.strip_suffix("@mito").unwrap_or(service);
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if name.is_empty() || !name.bytes().all(allowed) {
            return Err(format!(
                "the service {service:?} is neither a name on the network (such as api) nor an \
                 address (such as http://127.0.0.1:4000)"
            ));
        }
        Ok(Self::Role(name.to_owned()))
    }

    /// The service's full name, as Traefik would give it to the router of that name.
    pub(crate) fn full_name(&self, router: &str) -> String {
        match self {
            Self::Role(name) => format!("{name}@mito"),
            Self::Upstream(_) | Self::Balanced(_) | Self::Weighted(_) => router.to_owned(),
            Self::Internal(internal) => internal.name().to_owned(),
        }
    }

    /// Whether it can be expected to answer.
    pub(crate) fn is_available(&self) -> bool {
        match self {
            Self::Balanced(balancer) => balancer.is_available(),
            Self::Weighted(weighted) => weighted.is_available(),
            Self::Role(_) | Self::Upstream(_) | Self::Internal(_) => true,
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(name) => write!(out, "Role({name:?})"),
            Self::Upstream(upstream) => write!(out, "Upstream({})", upstream.url()),
            Self::Balanced(balancer) => write!(out, "Balanced({})", balancer.name()),
            Self::Weighted(_) => out.write_str("Weighted"),
            Self::Internal(internal) => write!(out, "{internal:?}"),
        }
    }
}

impl Internal {
    /// `api@internal` and so on.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Api => "api@internal",
            Self::Ping => "ping@internal",
            Self::Prometheus => "prometheus@internal",
            Self::AcmeHttp => "acme-http@internal",
            Self::Noop => "noop@internal",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{INTERNAL, Target};

    #[test]
    fn services_are_names_addresses_or_the_gateways_own() {
        let read = |service: &str| format!("{:?}", Target::parse(service).unwrap());
        assert_eq!(read("api"), "Role(\"api\")");
        assert_eq!(read("mobile-build@mito"), "Role(\"mobile-build\")");
        assert_eq!(read("ping@internal"), "Ping");
        for server in ["http://127.0.0.1:4000", "https://x", "h2c://x:50051"] {
            assert_eq!(read(server), format!("Upstream({server})"));
        }
        for wrong in ["", "api@docker", "a b", "http://", "http://a/b", "ftp://x"] {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
        for (name, internal) in INTERNAL {
            assert_eq!(internal.name(), name);
        }
    }
}
