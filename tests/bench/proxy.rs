//! Proxies before the same server: mito, and those of Traefik, Caddy and nginx whose programs the
//! environment names. Each gets one core; the load and the server behind share the other one. What a
//! proxy costs is told by its own processor time, since the other core may be the slower one.
//!
//! | module | what it measures |
//! |---|---|
//! | [`requests`] | requests over connections that are kept |
//! | [`handshakes`] | TLS handshakes |
//! | [`idle`] | memory of connections on which nothing is asked |
//! | [`uploads`] | large bodies |
//! | [`programs`] | the proxies, and how each is configured |

mod handshakes;
mod idle;
mod programs;
mod requests;
mod uploads;

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use anyhow::{bail, ensure};
use axum::{
    Router,
    body::Body,
    routing::{get, post},
};
use futures_util::StreamExt as _;
use tempfile::TempDir;

use crate::{
    process::Process,
    records::client::{self, Client},
};
use programs::Identity;

/// The answers, in bytes.
const SIZES: [usize; 2] = [64, 1_024];
/// How long a proxy may take to start.
const START: Duration = Duration::from_secs(20);

/// A running proxy.
struct Proxy {
    name: &'static str,
    /// Plain HTTP.
    web: SocketAddr,
    /// HTTPS.
    websecure: SocketAddr,
    process: Process,
    _folder: TempDir,
}

/// Measures what the command line names, or all, and prints tables.
pub(crate) async fn run() -> anyhow::Result<()> {
    let behind = behind().await?;
    let only = std::env::args().nth(2);
    let is_wanted = |measure: &str| only.as_deref().is_none_or(|only| only == measure);
    if is_wanted("requests") {
        requests::run(behind).await?;
    }
    if is_wanted("handshakes") {
        handshakes::run(behind).await?;
    }
    if is_wanted("idle") {
        idle::run(behind).await?;
    }
    if is_wanted("uploads") {
        uploads::run(behind).await?;
    }
    if let Some(only) = only
        && !["requests", "handshakes", "idle", "uploads"].contains(&only.as_str())
    {
        bail!("proxy [requests | handshakes | idle | uploads]");
    }
    Ok(())
}

/// Starts a proxy after the other; each ends when the next begins.
async fn each<F>(behind: SocketAddr, mut measure: F) -> anyhow::Result<()>
where
    F: AsyncFnMut(&Proxy, &Identity) -> anyhow::Result<()>,
{
    let identity = Identity::new()?;
    for start in programs::ALL {
        if let Some(proxy) = start(behind, &identity)? {
            proxy.wait_until_it_answers().await?;
            measure(&proxy, &identity).await?;
        }
    }
    Ok(())
}

impl Proxy {
    async fn wait_until_it_answers(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + START;
        loop {
            if let Ok(mut client) = Client::connect(self.web).await
                && let Ok((200, _)) = client.send(&client::request("GET", "/64", "", None)).await
            {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "{} does not answer", self.name);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The server behind, on the core of the load: answers of some sizes, and a sink.
async fn behind() -> anyhow::Result<SocketAddr> {
    let mut router = Router::new().route("/sink", post(sink));
    for size in SIZES {
        let body = "x".repeat(size);
        router = router.route(&format!("/{size}"), get(async move || body));
    }
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    #[expect(clippy::disallowed_methods, reason = "it ends with the bench")]
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

/// Says how much has come.
async fn sink(body: Body) -> String {
    let mut pieces = body.into_data_stream();
    let mut total = 0;
    while let Some(Ok(piece)) = pieces.next().await {
        total += piece.len();
    }
    total.to_string()
}
