//! Binding and the accept loop that the gateway's entry points and published ports share: a cap on
//! connections in all and per address, a first-byte and a header time limit, optional TLS, and a
//! graceful drain. hyper leaves all of these open.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use mito_core::Shutdown;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::HttpService;

/// Limits of a listener.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections at once, in all.
    pub max_connections: usize,
    /// Connections at once from one address (IPv6: one /64). Loopback is exempt.
    pub max_connections_per_address: usize,
    /// Time to the first byte, in milliseconds.
    pub first_byte_timeout_ms: u64,
    /// Time for the TLS handshake, in milliseconds.
    pub handshake_timeout_ms: u64,
    /// Time for a whole request head, in milliseconds.
    pub header_timeout_ms: u64,
    /// The largest request head, in bytes.
    pub max_header_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_connections_per_address: 256,
            first_byte_timeout_ms: 10_000,
            handshake_timeout_ms: 10_000,
            header_timeout_ms: 15_000,
            max_header_bytes: 32 * 1024,
        }
    }
}

/// A bound TCP listener that does not accept yet.
#[derive(Debug)]
pub struct Bound {
    /// What the listener is called in logs and [`crate::ConnectionInfo::entrypoint`].
    pub name: String,
    /// The address that was really taken.
    pub address: SocketAddr,
    /// The socket.
    pub listener: std::net::TcpListener,
}

/// Binds `address` for the listener called `name`. The error names the address and, where it is
/// in use, says so.
pub fn bind(name: &str, address: SocketAddr) -> std::io::Result<Bound> {
    let _ = (name, address);
    todo!("core helper")
}

/// Accepts connections until shutdown begins, then stops accepting and waits up to `drain` for
/// requests in flight. Every request gets [`crate::ConnectionInfo`] (peer, scheme, TLS, entry
/// point, a fresh request id, lower-case host) in its extensions; a panic in the handler answers
/// 500 and is logged with the request id.
pub async fn serve_http(
    bound: Bound,
    service: HttpService,
    tls: Option<Arc<rustls::ServerConfig>>,
    limits: Limits,
    shutdown: Shutdown,
    drain: Duration,
) -> std::io::Result<()> {
    let _ = (bound, service, tls, limits, shutdown, drain);
    todo!("core helper")
}
