//! What the gateway adds to a request: its whole path in process against the bare router.

pub(crate) mod serve;
mod sockets;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::ensure;
use async_trait::async_trait;
use axum::{Router, body::Body, routing::get};
use http::Request;
use mito_core::{Clock, Random, Shutdown, Supervisor};
use mito_gateway::{Config, Dependencies, Gateway, config};
use mito_network::{
    Authenticator, ConnectionInfo, HttpService, Identity, Network,
    service::{self, Exposure, Handler, Protocol, Service},
    start::Options,
};
use tower::Service as _;

use crate::stats::{Sorted, line, micros};

/// Requests before the measure, and in it.
const WARM_UP: usize = 5_000;
const REQUESTS: usize = 50_000;
const HOST: &str = "bench.localhost";

/// Measures and prints a table.
pub(crate) async fn run() -> anyhow::Result<()> {
    let router = Router::new().route("/ping", get(|| async { "pong" }));
    let folder = tempfile::tempdir()?;
    let shutdown = Shutdown::new();
    let supervisor = Supervisor::new(shutdown);
    let network = Network::new(Clock::system());
    network.register(role(router.clone()))?;
    network.start(&supervisor, Options::default())?;
    network.all_healthy().await;
    let gateway = gateway(network, supervisor.clone(), folder.path())?;

    line("| path | p50 µs | p99 µs |")?;
    line("|---|---:|---:|")?;
    let bare = measure(service::http_service(router)).await?;
    print("bare router", &bare)?;
    let whole = measure(gateway.service("web")).await?;
    print("through the gateway", &whole)?;
    let added = whole.percentile(50).saturating_sub(bare.percentile(50));
    line(&format!(
        "\nthe gateway adds {} µs at the median",
        micros(added)
    ))?;
    supervisor.shut_down(Duration::from_secs(5)).await;
    sockets::run().await
}

fn role(router: Router) -> Service {
    Service {
        name: "bench",
        aliases: &[],
        port: None,
        protocol: Protocol::Http,
        exposure: Exposure::Internal,
        depends_on: &[],
        handler: Handler::Http(service::http_service(router)),
        health: service::always_healthy(),
        tasks: Vec::new(),
    }
}

fn gateway(
    network: Network,
    supervisor: Supervisor,
    data: &std::path::Path,
) -> anyhow::Result<Gateway> {
    let at = |address: &str| config::EntryPoint {
        address: address.to_owned(),
    };
    let mut config = Config {
        entrypoints: config::EntryPoints {
            web: at("127.0.0.1:0"),
            websecure: at("off"),
            traefik: at("off"),
        },
        access_log: config::AccessLogFormat::Off,
        ..Config::default()
    };
    let router = config::Router {
        rule: format!("Host(`{HOST}`)"),
        service: "bench".to_owned(),
        priority: 0,
    };
    config.routers.insert("bench".to_owned(), router);
    let dependencies = Dependencies {
        network,
        supervisor,
        authenticator: Arc::new(Nobody),
        domain: "localhost".to_owned(),
        data: data.to_owned(),
        clock: Clock::system(),
        random: Random::system(),
        routers: mito_gateway::routers::platform::routers("localhost"),
        metrics: Arc::new(String::new),
    };
    Ok(Gateway::build(config, dependencies)?)
}

struct Nobody;

#[async_trait]
impl Authenticator for Nobody {
    async fn authenticate(&self, _token: &str) -> Option<Identity> {
        None
    }
}

async fn measure(mut service: HttpService) -> anyhow::Result<Sorted> {
    let mut durations = Vec::with_capacity(REQUESTS);
    for number in 0..WARM_UP + REQUESTS {
        let request = request()?;
        let started = Instant::now();
        let Ok(response) = service.call(request).await;
        let body = axum::body::to_bytes(response.into_body(), 1_024).await?;
        let took = started.elapsed();
        ensure!(&body[..] == b"pong", "the answer is {body:?}");
        if number >= WARM_UP {
            durations.push(took);
        }
    }
    Ok(Sorted::new(durations))
}

fn print(path: &str, durations: &Sorted) -> std::io::Result<()> {
    let (half, most) = (durations.percentile(50), durations.percentile(99));
    line(&format!("| {path} | {} | {} |", micros(half), micros(most)))
}

fn request() -> anyhow::Result<Request<Body>> {
    let mut request = Request::get(format!("http://{HOST}/ping")).header("host", HOST);
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000));
    request = request.extension(ConnectionInfo {
        peer,
        client_ip: peer.ip(),
        scheme: "http",
        host: HOST.into(),
        tls: None,
        entrypoint: "web".into(),
        request_id: "bench".into(),
    });
    Ok(request.body(Body::empty())?)
}
