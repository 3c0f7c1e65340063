//! Services: where a router sends a request. A role is called in process through the network, an
//! `http://` server through a pooled client, and a few answers are the gateway's own.

pub(crate) mod headers;
pub(crate) mod room;
mod upload;
pub(crate) mod upstream;

pub(crate) use upstream::Upstream;

/// Where requests go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A service on the network.
    Role(String),
    /// A server that the operator named.
    Upstream(Upstream),
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
            Self::Upstream(_) => router.to_owned(),
            Self::Internal(internal) => internal.name().to_owned(),
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
    use super::{INTERNAL, Internal, Target};

    #[test]
    fn services_are_names_addresses_or_the_gateways_own() {
        let role = |name: &str| Ok(Target::Role(name.to_owned()));
        assert_eq!(Target::parse("api"), role("api"));
        assert_eq!(Target::parse("mobile-build@mito"), role("mobile-build"));
        assert_eq!(
            Target::parse("ping@internal"),
            Ok(Target::Internal(Internal::Ping))
        );
        assert!(matches!(
            Target::parse("http://127.0.0.1:4000"),
            Ok(Target::Upstream(_))
        ));
        for wrong in [
            "",
            "api@docker",
            "a b",
            "https://x",
            "http://",
            "http://a/b",
            "ftp://x",
        ] {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
        for (name, internal) in INTERNAL {
            assert_eq!(internal.name(), name);
        }
    }
}
