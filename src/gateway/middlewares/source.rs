//! Who sent a request, and where to: the addresses, hosts and headers that limits count by and
//! lists let in.

use std::{hash::BuildHasher as _, net::IpAddr};

use axum::body::Body;
use http::{HeaderMap, HeaderName, Request, header, uri::Authority};
use mito_network::ConnectionInfo;

use super::ranges::{Range, network};
use crate::dynamic::middlewares::{IpStrategy, SourceCriterion};

/// How many leading bits of an IPv6 address make one source: one client owns all of a /64.
const IPV6_SUBNET_BITS: u8 = 64;

/// Which address is the client's.
pub(super) struct Strategy {
    depth: usize,
    excluded: Vec<Range>,
    ipv6_bits: u8,
}

/// Whose requests count together.
pub(super) struct Criterion {
    by: By,
    /// Texts are counted by a keyed hash, so that long ones take no room and nobody can choose
    /// whose count to share.
    hasher: std::hash::RandomState,
}

enum By {
    Address(Strategy),
    Header(HeaderName),
    Host,
}

/// One whose requests count together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Source {
    /// An IPv4 address or an IPv6 network.
    Address(IpAddr),
    /// A host, or the value of a header.
    Text(u64),
    /// All of whom nothing is known.
    Nobody,
}

impl Strategy {
    /// `option` stands before the names of wrong options.
    pub(super) fn build(option: &str, options: &IpStrategy) -> Result<Self, String> {
        let ipv6_bits = options.ipv6_subnet.unwrap_or(IPV6_SUBNET_BITS);
        if !(1..=128).contains(&ipv6_bits) {
            return Err(format!(
                "{option}.ipv6Subnet: {ipv6_bits} is not between 1 and 128"
            ));
        }
        Ok(Self {
            depth: options.depth,
            excluded: Range::read_all(&format!("{option}.excludedIPs"), &options.excluded_ips)?,
            ipv6_bits,
        })
    }

    /// The client's address, unless `X-Forwarded-For` should say it and does not. That header is
    /// there only if the peer may say so: the gateway takes it away from everybody else.
    pub(super) fn client(
        &self,
        connection: &ConnectionInfo,
        headers: &HeaderMap,
    ) -> Option<IpAddr> {
        if self.depth > 0 {
            let hops = forwarded_for(headers);
            let at = hops.len().checked_sub(self.depth)?;
            return address_of(hops[at]);
        }
        if self.excluded.is_empty() {
            return Some(connection.client_ip.to_canonical());
        }
        let hops = forwarded_for(headers);
        let mut from_right = hops.iter().rev();
        from_right.find_map(|hop| {
            // Behind what is no address, nothing can be believed either.
            let Some(address) = address_of(hop) else {
                return Some(None);
            };
            let excluded = self.excluded.iter().any(|range| range.holds(address));
            (!excluded).then_some(Some(address))
        })?
    }
}

impl Criterion {
    /// What `sourceCriterion` says, or an address if it says nothing.
    pub(super) fn by_address(options: Option<&SourceCriterion>) -> Result<Self, String> {
        let by_default = || Strategy::build("", &IpStrategy::default()).map(By::Address);
        Self::build(options, by_default)
    }

    /// What `sourceCriterion` says, or a host if it says nothing.
    pub(super) fn by_host(options: Option<&SourceCriterion>) -> Result<Self, String> {
        Self::build(options, || Ok(By::Host))
    }

    fn build(
        options: Option<&SourceCriterion>,
        by_default: impl FnOnce() -> Result<By, String>,
    ) -> Result<Self, String> {
        let empty = SourceCriterion::default();
        let options = options.unwrap_or(&empty);
        let header = &options.request_header_name;
        let by = match (&options.ip_strategy, header.as_str(), options.request_host) {
            (None, "", false) => by_default()?,
            (Some(strategy), "", false) => {
                By::Address(Strategy::build("sourceCriterion.ipStrategy", strategy)?)
            }
            (None, header, false) => By::Header(header.parse().map_err(|_| {
                format!("sourceCriterion.requestHeaderName: {header:?} is not the name of a header")
            })?),
            (None, "", true) => By::Host,
            _ => {
                return Err(
                    "sourceCriterion: ipStrategy, requestHeaderName and requestHost are mutually \
                     exclusive; keep one"
                        .to_owned(),
                );
            }
        };
        Ok(Self {
            by,
            hasher: std::hash::RandomState::new(),
        })
    }

    /// Who sent a request.
    pub(super) fn source(&self, connection: &ConnectionInfo, headers: &HeaderMap) -> Source {
        let text = |text: &[u8]| Source::Text(self.hasher.hash_one(text));
        match &self.by {
            By::Address(strategy) => strategy
                .client(connection, headers)
                .map_or(Source::Nobody, |address| {
                    Source::Address(network(address, strategy.ipv6_bits))
                }),
            By::Header(name) => headers
                .get(name)
                .map_or(Source::Nobody, |value| text(value.as_bytes())),
            By::Host => text(connection.host.as_bytes()),
        }
    }
}

/// All hops of `X-Forwarded-For`, the client's first.
fn forwarded_for(headers: &HeaderMap) -> Vec<&str> {
    headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect()
}

/// An address, with or without a port.
fn address_of(hop: &str) -> Option<IpAddr> {
    let address = hop.parse::<IpAddr>();
    let address = address.or_else(|_| hop.parse::<std::net::SocketAddr>().map(|it| it.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// The host of a request as the client wrote it, and its port or nothing.
pub(super) fn host_and_port<'a>(
    connection: &'a ConnectionInfo,
    headers: &'a HeaderMap,
) -> (&'a str, &'a str) {
    let written = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or(&connection.host);
    let host = written
        .parse::<Authority>()
        .map_or(written.len(), |authority| authority.host().len());
    let (host, port) = written.split_at_checked(host).unwrap_or((written, ""));
    (host, port.strip_prefix(':').unwrap_or_default())
}

/// The whole address of a request, as if by `scheme`.
pub(super) fn address(
    scheme: &str,
    connection: &ConnectionInfo,
    request: &Request<Body>,
) -> String {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or(&connection.host);
    let target = request.uri().path_and_query();
    let target = target.map_or("/", |target| target.as_str());
    format!("{scheme}://{host}{target}")
}

#[cfg(test)]
mod tests;
