//! Binding and the accept loop that the gateway's entry points and published ports share: a cap on
//! connections in all and per address, a first-byte and a header time limit, optional TLS, and a
//! graceful drain. hyper leaves all of these open.

mod accept;
mod activity;
mod caps;
mod gate;
mod handshake;
mod head;
mod http;
mod respond;
mod stall;
mod streams;
#[cfg(test)]
mod tests;

use std::{
    future::Future,
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use metrics::Gauge;
use mito_core::Shutdown;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ConnectionInfo, HttpService, service::ConnectionHandler};
use caps::Caps;
use handshake::OneConfig;

pub use caps::room;
pub use handshake::{Chosen, TlsChoice};
pub use http::MAX_STREAMS;

/// Limits of a listener.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections at once, in all; at most half of the file descriptors that the process may have.
    pub max_connections: usize,
    /// Connections at once from one address (IPv6: one /64). Loopback is exempt.
    pub max_connections_per_address: usize,
    /// Time to the first byte, in milliseconds.
    pub first_byte_timeout_ms: u64,
    /// Time for the TLS handshake, in milliseconds.
    pub handshake_timeout_ms: u64,
    /// Time for a whole request head, in milliseconds.
    pub header_timeout_ms: u64,
    /// The largest request head, in bytes. HTTP/2 has a fixed limit of 16 KiB.
    pub max_header_bytes: usize,
    /// How long a request body may stand still, in milliseconds. There is no limit for a whole
    /// body, so that large uploads pass.
    pub body_stall_timeout_ms: u64,
    /// How long a client may leave an answer lying, in milliseconds. Of HTTP/2, that is any one of
    /// the answers on a connection.
    pub write_stall_timeout_ms: u64,
    /// How long a connection without a request is kept, in milliseconds.
    pub idle_timeout_ms: u64,
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
            body_stall_timeout_ms: 30_000,
            write_stall_timeout_ms: 60_000,
            idle_timeout_ms: 180_000,
        }
    }
}

/// [`Limits`] that may change while listeners have them. Cheap to clone: all clones are one.
#[derive(Clone, Debug)]
pub struct SharedLimits(Arc<ArcSwap<Limits>>);

impl SharedLimits {
    /// What holds now.
    pub fn now(&self) -> Arc<Limits> {
        self.0.load_full()
    }

    /// These hold from now on: the caps at once, the rest for new connections.
    pub fn set(&self, limits: Limits) {
        self.0.store(Arc::new(limits));
    }
}

impl From<Limits> for SharedLimits {
    fn from(limits: Limits) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(limits)))
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
pub fn bind(name: &str, address: SocketAddr) -> io::Result<Bound> {
    let failed = |error: io::Error| {
        let reason = match error.kind() {
            io::ErrorKind::AddrInUse => "another process listens there".to_owned(),
            io::ErrorKind::PermissionDenied => "this user may not take that port".to_owned(),
            io::ErrorKind::AddrNotAvailable => "this machine does not have it".to_owned(),
            _ => error.to_string(),
        };
        io::Error::new(
            error.kind(),
            format!("{name} cannot listen on {address}: {reason}"),
        )
    };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Bound {
        name: name.to_owned(),
        address,
        listener,
    })
}

/// Accepts connections until shutdown begins, then stops accepting and waits up to `drain` for
/// requests in flight. Every request gets [`crate::ConnectionInfo`] (peer, scheme, TLS, entry
/// point, a fresh request id, lower-case host) in its extensions and is in origin form with one
/// valid `Host`; a panic in the handler answers 500 and is logged with the request id.
pub async fn serve_http(
    bound: Bound,
    service: HttpService,
    tls: Option<Arc<rustls::ServerConfig>>,
    limits: impl Into<SharedLimits>,
    shutdown: Shutdown,
    drain: Duration,
) -> io::Result<()> {
    let (limits, uncounted) = (limits.into(), Gauge::noop());
    let tls = tls.map(|config| Arc::new(OneConfig(config)) as Arc<dyn TlsChoice>);
    let deadline = drained(shutdown.clone(), drain);
    serve_http_counted(bound, service, tls, limits, shutdown, deadline, uncounted).await
}

/// Like [`serve_http`] until `stop` begins; then requests in flight have until `deadline` ends.
/// `open` shows how many connections there are, upgraded ones included.
pub async fn serve_http_counted(
    bound: Bound,
    service: HttpService,
    tls: Option<Arc<dyn TlsChoice>>,
    limits: SharedLimits,
    stop: Shutdown,
    deadline: impl Future<Output = ()>,
    open: Gauge,
) -> io::Result<()> {
    let caps = Caps::new(limits.clone(), open);
    let http = Arc::new(http::Http {
        entrypoint: bound.name.as_str().into(),
        service,
        tls,
        limits,
        shutdown: stop.clone(),
    });
    accept::run(bound, caps, stop, deadline, |stream, peer, permit| {
        http.clone().serve(stream, peer, permit)
    })
    .await
}

/// Like [`serve_http`] for another protocol: each connection goes to `handler`, which sees
/// shutdown by itself. Of the limits only the caps on connections apply.
pub async fn serve_connections(
    bound: Bound,
    handler: Arc<dyn ConnectionHandler>,
    limits: impl Into<SharedLimits>,
    shutdown: Shutdown,
    drain: Duration,
) -> io::Result<()> {
    let entrypoint: Arc<str> = bound.name.as_str().into();
    let ending = shutdown.clone();
    let caps = Caps::new(limits.into(), Gauge::noop());
    let deadline = drained(shutdown.clone(), drain);
    accept::run(bound, caps, shutdown, deadline, |stream, peer, permit| {
        let info = ConnectionInfo {
            peer,
            client_ip: peer.ip().to_canonical(),
            scheme: "tcp",
            host: Arc::from(""),
            tls: None,
            entrypoint: entrypoint.clone(),
            request_id: respond::new_request_id(),
        };
        let serving = handler.serve(stream, info, ending.clone());
        async move {
            serving.await;
            drop(permit);
        }
    })
    .await
}

async fn drained(shutdown: Shutdown, drain: Duration) {
    shutdown.begun().await;
    tokio::time::sleep(drain).await;
}
