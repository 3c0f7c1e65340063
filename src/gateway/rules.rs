//! The rule language of Traefik v3 with its eleven matchers: text in, a typed [`Rule`] out, no I/O.

mod parse;
mod pattern;
mod print;
mod shadow;
#[cfg(test)]
pub(crate) mod tests;
mod token;

use std::net::IpAddr;

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use url::form_urlencoded;

use pattern::Pattern;

/// The longest rule, in bytes.
pub const MAX_RULE_BYTES: usize = 8 * 1024;
/// How deep parentheses and `!` may nest.
pub const MAX_RULE_DEPTH: usize = 32;
/// How many matchers one rule may hold.
pub const MAX_RULE_MATCHERS: usize = 256;

/// A parsed rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule(pub(crate) Expression);

/// Matchers combined by `&&`, `||` and `!`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expression {
    Match(Matcher),
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
}

/// One condition on a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Matcher {
    /// The host, without port.
    Host(HostPattern),
    /// The host, without port, by a regular expression.
    HostRegexp(Pattern),
    /// The whole path.
    Path(String),
    /// The beginning of the path, as plain text: `/products` also matches `/products-for-sale`.
    PathPrefix(String),
    /// The path by a regular expression.
    PathRegexp(Pattern),
    /// The method, upper case.
    Method(String),
    /// Any value of the header.
    Header { name: HeaderName, value: String },
    /// Any value of the header by a regular expression.
    HeaderRegexp { name: HeaderName, value: Pattern },
    /// Any value of the query parameter.
    Query { name: String, value: String },
    /// Any value of the query parameter by a regular expression.
    QueryRegexp { name: String, value: Pattern },
    /// The address at the other end of the socket, whatever forwarding headers say.
    ClientIp(IpNet),
}

/// What `Host` accepts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum HostPattern {
    /// `*`: every request, even one without a host.
    Any,
    /// One name, lower case, without trailing dot.
    Exact(String),
    /// `*.example.com`: exactly one label before `.example.com`, which is kept with its dot.
    OneLabel(String),
}

impl HostPattern {
    /// As it stands in a rule.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Any => "*".to_owned(),
            Self::Exact(host) => host.clone(),
            Self::OneLabel(suffix) => format!("*{suffix}"),
        }
    }
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The host: lower case, without port.
    pub host: &'a str,
    /// The path as rules see it ([`mito_network::paths::routed`]).
    pub path: &'a str,
    /// The query, without `?`.
    pub query: &'a str,
    /// The method.
    pub method: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The address at the other end of the socket.
    pub peer: IpAddr,
}

/// Why a rule does not parse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}")]
pub struct RuleError {
    /// Where, in bytes counted from 1.
    pub column: usize,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl Rule {
    /// Parses a rule.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        parse::parse(text).map(Self)
    }

    /// Whether the rule holds for a request.
    pub fn matches(&self, target: &Target<'_>) -> bool {
        self.0.matches(target)
    }

    /// The exact hosts without one of which the rule cannot hold; `None` when it does not depend
    /// on a finite set of hosts.
    pub(crate) fn required_hosts(&self) -> Option<Vec<&str>> {
        self.0.required_hosts()
    }

    /// Every host pattern that the rule asks for (not those it excludes).
    pub(crate) fn host_patterns(&self) -> Vec<&HostPattern> {
        let mut found = Vec::new();
        self.0.collect_host_patterns(&mut found);
        found
    }
}

impl Expression {
    fn matches(&self, target: &Target<'_>) -> bool {
        match self {
            Self::Match(matcher) => matcher.matches(target),
            Self::Not(inner) => !inner.matches(target),
            Self::And(left, right) => left.matches(target) && right.matches(target),
            Self::Or(left, right) => left.matches(target) || right.matches(target),
        }
    }

    fn required_hosts(&self) -> Option<Vec<&str>> {
        match self {
            Self::Match(Matcher::Host(HostPattern::Exact(host))) => Some(vec![host]),
            Self::Match(_) | Self::Not(_) => None,
            Self::And(left, right) => match (left.required_hosts(), right.required_hosts()) {
                (Some(left), Some(right)) if right.len() < left.len() => Some(right),
                (Some(left), _) => Some(left),
                (None, right) => right,
            },
            Self::Or(left, right) => {
                let mut hosts = left.required_hosts()?;
                hosts.extend(right.required_hosts()?);
                Some(hosts)
            }
        }
    }

    fn collect_host_patterns<'a>(&'a self, found: &mut Vec<&'a HostPattern>) {
        match self {
            Self::Match(Matcher::Host(pattern)) => found.push(pattern),
            Self::Match(_) | Self::Not(_) => {}
            Self::And(left, right) | Self::Or(left, right) => {
                left.collect_host_patterns(found);
                right.collect_host_patterns(found);
            }
        }
    }
}

impl Matcher {
    fn matches(&self, target: &Target<'_>) -> bool {
        match self {
            Self::Host(pattern) => pattern.matches(target.host),
            Self::HostRegexp(pattern) => pattern.is_match(target.host),
            Self::Path(path) => target.path == path,
            Self::PathPrefix(prefix) => target.path.starts_with(prefix.as_str()),
            Self::PathRegexp(pattern) => pattern.is_match(target.path),
            Self::Method(method) => target.method == method,
            Self::Header { name, value } => target
                .headers
                .get_all(name)
                .iter()
                .any(|found| found.as_bytes() == value.as_bytes()),
            Self::HeaderRegexp { name, value } => target
                .headers
                .get_all(name)
                .iter()
                .any(|found| found.to_str().is_ok_and(|found| value.is_match(found))),
            Self::Query { name, value } => target.parameters(name).any(|found| found == *value),
            Self::QueryRegexp { name, value } => {
                target.parameters(name).any(|found| value.is_match(&found))
            }
            Self::ClientIp(network) => network.contains(&target.peer.to_canonical()),
        }
    }
}

impl<'a> Target<'a> {
    /// The values of a query parameter.
    fn parameters(&self, name: &str) -> impl Iterator<Item = std::borrow::Cow<'a, str>> {
        form_urlencoded::parse(self.query.as_bytes())
            .filter(move |(found, _)| found == name)
            .map(|(_, value)| value)
    }
}

impl HostPattern {
    /// Whether `host` (lower case, without port) is meant. A trailing dot is tolerated.
    pub(crate) fn matches(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        match self {
            Self::Any => true,
            Self::Exact(name) => host == name,
            Self::OneLabel(suffix) => host
                .strip_suffix(suffix.as_str())
                .is_some_and(|label| !label.is_empty() && !label.contains('.')),
        }
    }
}
