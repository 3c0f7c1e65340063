//! `[gateway]`, with Traefik's names.

mod tls;

use std::collections::BTreeMap;

use mito_network::listener::Limits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use tls::{Acme, CertificateFiles, Challenge, ExternalAccount, Tls};

/// `[gateway]`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The entry points: `web`, `websecure` and `traefik`.
    pub entrypoints: EntryPoints,
    /// Limits of every entry point.
    pub limits: Limits,
    /// Addresses and networks of proxies before this one, whose forwarding headers are believed.
    pub trusted_proxies: Vec<String>,
    /// Certificates of a public authority.
    pub acme: Acme,
    /// Certificates of the operator's own.
    pub tls: Tls,
    /// Requests per second that one address may send to the API, on average.
    pub rate_limit_average: u32,
    /// Requests that one address may send to the API at once.
    pub rate_limit_burst: u32,
    /// Routers beside those of the platform, by name.
    pub routers: BTreeMap<String, Router>,
    /// How long a server behind a router may take to begin its answer, in milliseconds since it
    /// took the last part of the request.
    pub upstream_header_timeout_ms: u64,
    /// `common` or `json`, written to `logs/access.log` in the data folder; `off` for none.
    pub access_log: AccessLogFormat,
    /// Which requests are written: those that one of these asks for, all if none is set.
    pub access_log_filters: AccessLogFilters,
    /// How long requests in flight may take to end at shutdown, in milliseconds; at most 8,000, so
    /// that all of mito stops within 10 s.
    pub drain_ms: u64,
}

/// The format of the access log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AccessLogFormat {
    /// Common Log Format, as Traefik writes it.
    Common,
    /// One JSON object a line.
    Json,
    /// No access log.
    Off,
}

/// Which requests the access log holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AccessLogFilters {
    /// Statuses and ranges of them, such as `404` and `500-599`.
    pub status_codes: Vec<String>,
    /// Requests that took at least this long, in milliseconds; 0 for no such filter.
    pub min_duration_ms: u64,
}

/// The entry points.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EntryPoints {
    /// Plain HTTP.
    pub web: EntryPoint,
    /// HTTPS.
    pub websecure: EntryPoint,
    /// The dashboard and its API, for this machine.
    pub traefik: EntryPoint,
}

/// An entry point.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EntryPoint {
    /// `address:port`, or `:port` for all addresses. Empty means the default: 80, 443 and
    /// 127.0.0.1:8080, on loopback while the domain is localhost; where these may not be taken,
    /// 8000, 8443 and any free port, with a notice. `off` means none.
    pub address: String,
}

/// A router.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Router {
    /// Which requests: ``Host(`shop.localhost`) && PathPrefix(`/cart`)``.
    pub rule: String,
    /// The name of a service on the network, or an `http://` URL.
    pub service: String,
    /// Higher is tried first; 0 means the length of the rule.
    pub priority: i64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            entrypoints: EntryPoints::default(),
            limits: Limits::default(),
            trusted_proxies: Vec::new(),
            acme: Acme::default(),
            tls: Tls::default(),
            rate_limit_average: 100,
            rate_limit_burst: 50,
            routers: BTreeMap::new(),
            upstream_header_timeout_ms: 120_000,
            access_log: AccessLogFormat::Common,
            access_log_filters: AccessLogFilters::default(),
            drain_ms: 8_000,
        }
    }
}
