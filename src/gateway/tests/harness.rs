//! A gateway with small services behind it.

use std::{collections::HashSet, net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{Router, body::Body, routing::any};
use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::BodyExt as _;
use mito_core::{Clock, Random, Shutdown, Supervisor};
use mito_network::{
    Authenticator, ConnectionInfo, Exposure, Handler, Identity, Network, Protocol, Service,
    service::{always_healthy, http_service},
    start::Options,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::watch,
};
use tower::ServiceExt as _;

use crate::{Config, Dependencies, Gateway, config, routers::platform};

/// A gateway on `domain`, with `api`, `admin-web`, `minio-console`, `mobile-build` and `minio`
/// behind it.
pub(super) struct TestGateway {
    pub(super) gateway: Gateway,
    pub(super) supervisor: Supervisor,
    pub(super) held: Arc<watch::Sender<HashSet<String>>>,
    pub(super) data: TempDir,
    network: Network,
}

struct Tokens;

#[async_trait]
impl Authenticator for Tokens {
    async fn authenticate(&self, token: &str) -> Option<Identity> {
        let collection = match token {
            "administrator" => "_superusers",
            "user" => "users",
            _ => return None,
        };
        Some(Identity {
            id: "1".to_owned(),
            collection: collection.to_owned(),
            collection_id: collection.to_owned(),
            email: "a@b.c".to_owned(),
            session_id: "s".to_owned(),
        })
    }
}

/// Any free port on loopback for every entry point.
pub(super) fn config() -> Config {
    let free = config::EntryPoint {
        address: "127.0.0.1:0".to_owned(),
    };
    Config {
        entrypoints: config::EntryPoints {
            web: free.clone(),
            websecure: free.clone(),
            traefik: free,
        },
        drain_ms: 2_000,
        ..Config::default()
    }
}

impl TestGateway {
    pub(super) async fn start(domain: &str, config: Config) -> Self {
        let shutdown = Shutdown::new();
        let supervisor = Supervisor::new(shutdown);
        let network = Network::new(Clock::system());
        for name in ["api", "admin-web", "minio-console", "mobile-build", "minio"] {
            network
                .register(echo(name))
                .unwrap_or_else(|error| panic!("{error}"));
        }
        let held = Arc::new(watch::Sender::new(HashSet::new()));
        let options = Options {
            check_every: Duration::from_millis(10),
            held: Some(held.clone()),
            ..Options::default()
        };
        network
            .start(&supervisor, options)
            .unwrap_or_else(|error| panic!("{error}"));
        network.all_healthy().await;
        let data = tempfile::tempdir().expect("a folder");
        let dependencies = Dependencies {
            network: network.clone(),
            supervisor: supervisor.clone(),
            authenticator: Arc::new(Tokens),
            domain: domain.to_owned(),
            data: data.path().to_owned(),
            clock: Clock::system(),
            random: Random::system(),
            routers: platform::routers(domain),
            metrics: Arc::new(|| "mito_up 1\n".to_owned()),
        };
        let gateway =
            Gateway::build(config, dependencies).unwrap_or_else(|error| panic!("{error}"));
        Self {
            gateway,
            supervisor,
            held,
            data,
            network,
        }
    }

    /// Binds and serves; the addresses of `web`, `websecure` and `traefik`.
    pub(super) fn listen(&self) -> [SocketAddr; 3] {
        let entrypoints = self
            .gateway
            .bind()
            .unwrap_or_else(|error| panic!("{error}"));
        let gateway = self.gateway.clone();
        self.supervisor.start("gateway/serve", move |shutdown| {
            let gateway = gateway.clone();
            async move {
                gateway.serve(shutdown).await;
                Ok(())
            }
        });
        let address = |name: &str| {
            let found = entrypoints.iter().find(|entry| entry.name == name);
            found.expect("the entry point listens").address
        };
        ["web", "websecure", "traefik"].map(address)
    }

    /// Ends everything and waits for it.
    pub(super) async fn stop(&self) {
        let abandoned = self.supervisor.shut_down(Duration::from_secs(10)).await;
        assert!(abandoned.is_empty(), "{abandoned:?}");
    }

    /// Sends a request without a socket.
    pub(super) async fn send(&self, entrypoint: &str, request: Request<Body>) -> Answer {
        let service = self.gateway.service(entrypoint);
        match service.oneshot(request).await {
            Ok(response) => Answer::read(response).await,
            Err(never) => match never {},
        }
    }

    /// GET `url` (with host) by `entrypoint`.
    pub(super) async fn get(&self, entrypoint: &str, url: &str) -> Answer {
        self.send(entrypoint, request("GET", url, &[])).await
    }

    /// Holds `name` back, or lets it go, and waits until the network has noticed.
    pub(super) async fn hold(&self, name: &str, hold: bool) {
        self.held.send_modify(|held| {
            if hold {
                held.insert(name.to_owned());
            } else {
                held.remove(name);
            }
        });
        let mut changes = self.network.changes();
        while self
            .network
            .health(name)
            .is_some_and(|health| health.is_healthy())
            == hold
        {
            changes.changed().await.expect("the network lives");
        }
    }
}

/// An answer with its whole body.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: http::HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

/// A request to `host/path`.
pub(super) fn request(method: &str, url: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let (host, path) = url.split_once('/').expect("a path");
    let mut builder = Request::builder().method(method).uri(format!("/{path}"));
    builder = builder.header(header::HOST, host);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Body::empty()).expect("a request")
}

/// A service that answers with its name and what it saw of the request.
fn echo(name: &'static str) -> Service {
    let router = Router::new().fallback(any(move |request: Request<Body>| async move {
        let info = request
            .extensions()
            .get::<ConnectionInfo>()
            .expect("connection information");
        let seen = serde_json::json!({
            "service": name,
            "path": request.uri().path(),
            "query": request.uri().query(),
            "host": &*info.host,
            "client": info.client_ip.to_string(),
            "scheme": info.scheme,
            "request_id": &*info.request_id,
            "forwarded_for": request.headers().get("x-forwarded-for").is_some(),
        });
        let padding = if request.uri().path() == "/large" {
            " ".repeat(10_000)
        } else {
            String::new()
        };
        let headers = [
            (header::CONTENT_TYPE, "application/json"),
            (header::SERVER, "secret/1.0"),
        ];
        (headers, format!("{seen}{padding}"))
    }));
    Service {
        name,
        aliases: &[],
        port: Some(3_000),
        protocol: Protocol::Http,
        exposure: Exposure::Public,
        depends_on: &[],
        handler: Handler::Http(http_service(router)),
        health: always_healthy(),
        tasks: Vec::new(),
    }
}

/// Sends `bytes` and reads until the other side closes.
pub(super) async fn exchange(address: SocketAddr, bytes: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream
        .write_all(bytes.as_bytes())
        .await
        .expect("the request is taken");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}
