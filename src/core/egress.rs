//! The one way out. All outbound HTTP and SMTP passes here: names are resolved here, private and
//! own addresses are refused at connect time unless the operator allowed them, and time, size and
//! redirects are bounded.

use std::{net::SocketAddr, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[egress]`: what outbound connections may reach.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Networks (CIDR) and host names that may be reached although they are private or loopback.
    pub allow: Vec<String>,
    /// How long connecting may take, in milliseconds.
    pub connect_timeout_ms: u64,
    /// How long a whole HTTP exchange may take, in milliseconds.
    pub request_timeout_ms: u64,
    /// The largest HTTP response body that is read, in bytes.
    pub max_response_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            connect_timeout_ms: 5_000,
            request_timeout_ms: 30_000,
            max_response_bytes: 16 * 1024 * 1024,
        }
    }
}

/// Opens outbound connections within the operator's limits. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Egress {}

/// Why an outbound connection or exchange was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name resolves to an address that may not be reached.
    #[error("{host} resolves to {address}, which is private; allow it with egress.allow")]
    Forbidden {
        /// The host that was asked for.
        host: String,
        /// The refused address.
        address: String,
    },
    /// The name does not resolve.
    #[error("could not resolve {host}: {source}")]
    Resolve {
        /// The host that was asked for.
        host: String,
        /// What the resolver said.
        source: std::io::Error,
    },
    /// Nothing answered in time.
    #[error("{host} did not answer within {limit:?}")]
    Timeout {
        /// The host that was asked for.
        host: String,
        /// The limit that ran out.
        limit: Duration,
    },
    /// The connection or the exchange failed.
    #[error("the exchange with {host} failed: {reason}")]
    Exchange {
        /// The host that was asked for.
        host: String,
        /// What went wrong.
        reason: String,
    },
    /// The configuration names something that is neither a network nor a host name.
    #[error("egress.allow: {0:?} is neither a CIDR network nor a host name")]
    Allow(String),
}

impl Egress {
    /// Checks the configuration.
    pub fn new(config: &Config) -> Result<Self, Error> {
        let _ = config;
        todo!("core helper")
    }

    /// The addresses of `host` that may be reached, for protocols that connect by themselves
    /// (SMTP): connect to one of these, never to the name again.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
        let _ = (host, port);
        todo!("core helper")
    }

    /// Sends one HTTP or HTTPS request. Redirects are returned, not followed; the body is read
    /// whole, up to `max_response_bytes`.
    pub async fn send(
        &self,
        request: http::Request<bytes::Bytes>,
    ) -> Result<http::Response<bytes::Bytes>, Error> {
        let _ = request;
        todo!("core helper")
    }
}
