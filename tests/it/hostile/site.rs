//! The platform with a server of ours behind it, which shows what arrives.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, body::Bytes, routing::any};
use http::{HeaderMap, Method, Uri};
use mito::config::Config;
use tokio::net::TcpListener;

use super::wire;
use crate::harness::TestApp;

/// The host of the server.
pub(super) const HOST: &str = "echo.localhost";
/// How large the server's answer to `/large` is, in bytes.
pub(super) const LARGE_BYTES: usize = 32 * 1024 * 1024;

pub(super) struct Site {
    pub(super) app: TestApp,
    /// How many whole requests have reached the server.
    seen: Arc<AtomicUsize>,
}

impl Site {
    pub(super) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(super) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let seen = Arc::new(AtomicUsize::new(0));
        let address = echo(seen.clone()).await;
        let app = TestApp::start_with(|config, _| {
            config.gateway.rate_limit_average = 1_000_000;
            config.gateway.rate_limit_burst = 1_000_000;
            route(config, HOST, address);
            change(config);
        })
        .await;
        Self { app, seen }
    }

    pub(super) fn web(&self) -> SocketAddr {
        self.app.client.entrypoints["web"]
    }

    pub(super) fn secure(&self) -> SocketAddr {
        self.app.client.entrypoints["websecure"]
    }

    pub(super) fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }

    /// An ordinary request by a connection of its own is answered.
    pub(super) async fn is_healthy(&self) {
        let request = "GET /health HTTP/1.1\r\nHost: api.localhost\r\nConnection: close\r\n\r\n";
        let reply = wire::exchange(self.web(), request.as_bytes()).await;
        assert_eq!(reply.status(), 200, "{:?}", reply.text());
    }

    pub(super) async fn stop(self) {
        self.app.stop().await;
    }
}

/// Sends requests for `host` to the server at `address`.
pub(super) fn route(config: &mut Config, host: &str, address: SocketAddr) {
    let router = mito_gateway::config::Router {
        rule: format!("Host(`{host}`)"),
        service: format!("http://{address}"),
        priority: 0,
    };
    let name = host.replace('.', "-");
    config.gateway.routers.insert(name, router);
}

/// A server that answers with the head that it saw, in lower case, and the body.
pub(super) async fn echo(seen: Arc<AtomicUsize>) -> SocketAddr {
    let show = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| async move {
        seen.fetch_add(1, Ordering::SeqCst);
        if uri.path() == "/large" {
            return "x".repeat(LARGE_BYTES);
        }
        let fields: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap_or("?")))
            .collect();
        let body = String::from_utf8_lossy(&body);
        format!("{method} {uri}\n{}\n{body}", fields.concat())
    };
    let router = Router::new().fallback(any(show));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}
