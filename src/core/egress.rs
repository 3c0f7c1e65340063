//! The one way out. All outbound HTTP and SMTP passes here: names are resolved here, private and
//! own addresses are refused at connect time unless the operator allowed them, and time, size and
//! redirects are bounded.

mod addresses;
mod breaker;
mod connect;
#[cfg(test)]
mod tests;

use std::{
    error::Error as _,
    fmt, io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Body as _;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use addresses::Allowed;
use breaker::Breakers;
use connect::Connector;

/// How long a connection is kept for the next exchange. Shorter than most servers keep it.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// Connections that are kept for one host.
const MAX_IDLE_PER_HOST: usize = 8;

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

/// Opens outbound connections within the operator's limits. Cheap to clone; clones share one pool.
#[derive(Clone)]
pub struct Egress(Arc<Inner>);

struct Inner {
    connector: Connector,
    client: Client<Connector, Full<Bytes>>,
    breakers: Breakers,
    request_timeout: Duration,
    max_response_bytes: usize,
}

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
    /// The host failed several times in a row and is left alone for a while.
    #[error("{host} failed repeatedly; it is tried again in {retry_after:?}")]
    Unavailable {
        /// The host that was asked for.
        host: String,
        /// How long it is left alone.
        retry_after: Duration,
    },
    /// The configuration names something that is neither a network nor a host name.
    #[error("egress.allow: {0:?} is neither a CIDR network nor a host name")]
    Allow(String),
}

impl Egress {
    /// Checks the configuration. Servers are verified against Mozilla's root certificates.
    pub fn new(config: &Config) -> Result<Self, Error> {
        let roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        Self::with_roots(config, roots)
    }

    fn with_roots(config: &Config, roots: RootCertStore) -> Result<Self, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring supports the default versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = Connector {
            allowed: Arc::new(Allowed::parse(&config.allow)?),
            timeout: Duration::from_millis(config.connect_timeout_ms),
            tls: Arc::new(tls),
        };
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
            .build(connector.clone());
        Ok(Self(Arc::new(Inner {
            connector,
            client,
            breakers: Breakers::default(),
            request_timeout: Duration::from_millis(config.request_timeout_ms),
            max_response_bytes: usize::try_from(config.max_response_bytes).unwrap_or(usize::MAX),
        })))
    }

    /// The addresses of `host` that may be reached, for protocols that connect by themselves
    /// (SMTP): connect to one of these, never to the name again.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
        self.0.connector.resolve(host, port).await
    }

    /// Sends one HTTP or HTTPS request. Redirects are returned, not followed; the body is read
    /// whole, up to `max_response_bytes`. After repeated failures a host is left alone for a
    /// while, which answers [`Error::Unavailable`] at once.
    pub async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, Error> {
        let (host, authority) = checked_target(request.uri())?;
        let inner = &self.0;
        inner
            .breakers
            .check(&authority, Instant::now())
            .map_err(|retry_after| Error::Unavailable {
                host: host.clone(),
                retry_after,
            })?;
        let exchange = inner.exchange(&host, request.map(Full::new));
        let limit = inner.request_timeout;
        let outcome = tokio::time::timeout(limit, exchange)
            .await
            .unwrap_or_else(|_| {
                Err(Error::Timeout {
                    host: host.clone(),
                    limit,
                })
            });
        match &outcome {
            // A refusal of our own says nothing of the host.
            Err(Error::Forbidden { .. }) => {}
            Err(_) => inner.breakers.failed(&authority, Instant::now()),
            Ok(_) => inner.breakers.succeeded(&authority),
        }
        outcome
    }
}

impl Inner {
    async fn exchange(
        &self,
        host: &str,
        request: http::Request<Full<Bytes>>,
    ) -> Result<http::Response<Bytes>, Error> {
        let failed = |reason: String| Error::Exchange {
            host: host.to_owned(),
            reason,
        };
        let response = self.client.request(request).await.map_err(|error| {
            let cause = error
                .source()
                .and_then(|cause| cause.downcast_ref::<Error>());
            cause.map_or_else(|| failed(causes(&error)), Error::again)
        })?;
        let (parts, body) = response.into_parts();
        let max = self.max_response_bytes;
        let too_large = || failed(format!("the answer is larger than {max} bytes"));
        if body.size_hint().lower() > max as u64 {
            return Err(too_large());
        }
        let body = Limited::new(body, max).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                too_large()
            } else {
                failed(error.to_string())
            }
        })?;
        Ok(http::Response::from_parts(parts, body.to_bytes()))
    }
}

impl Error {
    /// The same error once more: the client only lends the connector's.
    fn again(&self) -> Self {
        match self {
            Self::Forbidden { host, address } => Self::Forbidden {
                host: host.clone(),
                address: address.clone(),
            },
            Self::Resolve { host, source } => Self::Resolve {
                host: host.clone(),
                source: io::Error::new(source.kind(), source.to_string()),
            },
            Self::Timeout { host, limit } => Self::Timeout {
                host: host.clone(),
                limit: *limit,
            },
            Self::Exchange { host, reason } => Self::Exchange {
                host: host.clone(),
                reason: reason.clone(),
            },
            Self::Unavailable { host, retry_after } => Self::Unavailable {
                host: host.clone(),
                retry_after: *retry_after,
            },
            Self::Allow(entry) => Self::Allow(entry.clone()),
        }
    }
}

impl fmt::Debug for Egress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Egress")
            .field("allowed", &self.0.connector.allowed)
            .finish()
    }
}

/// The host and the authority of a URL that may be sent to.
fn checked_target(uri: &http::Uri) -> Result<(String, String), Error> {
    let refused = |reason: &str| Error::Exchange {
        host: uri.host().unwrap_or("nowhere").to_owned(),
        reason: reason.to_owned(),
    };
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(refused("only http:// and https:// URLs can be sent to"));
    }
    let (Some(host), Some(authority)) = (uri.host(), uri.authority()) else {
        return Err(refused("the URL names no host"));
    };
    if authority.as_str().contains('@') {
        return Err(refused("a URL must not carry a user name; use a header"));
    }
    Ok((host.to_owned(), authority.as_str().to_ascii_lowercase()))
}

/// An error with what caused it; hyper's own says little.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
