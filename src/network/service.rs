//! What a role registers with the network.

use std::{convert::Infallible, future::Future, pin::Pin, sync::Arc};

use axum::body::Body;
use http::{Request, Response};
use mito_core::{Shutdown, supervisor::TaskError};
use tower::util::BoxCloneSyncService;

use crate::ConnectionInfo;

/// An HTTP handler: streaming bodies in and out, upgrades through `hyper::upgrade::on`. It is
/// never asked for readiness before a call.
pub type HttpService = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// A future that can be sent between threads.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Answers whether a role works; `Err` carries the reason in words for a person. Checks are called
/// every few seconds and are given 5 s.
pub type HealthCheck = Arc<dyn Fn() -> BoxFuture<Result<(), String>> + Send + Sync>;

/// Serves one connection of a protocol other than HTTP until it ends or shutdown begins.
pub trait ConnectionHandler: Send + Sync {
    /// Serves `stream`.
    fn serve(
        &self,
        stream: tokio::net::TcpStream,
        info: ConnectionInfo,
        shutdown: Shutdown,
    ) -> BoxFuture<()>;
}

/// How a service is reached.
#[derive(Clone)]
pub enum Handler {
    /// By HTTP requests, in process or through a listener.
    Http(HttpService),
    /// By connections of another protocol, through a listener alone.
    Connection(Arc<dyn ConnectionHandler>),
    /// Not at all: a worker.
    None,
}

/// The protocol that a service's port speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// HTTP/1.1 and HTTP/2.
    Http,
    /// RESP, the Redis protocol.
    Redis,
    /// The PostgreSQL wire protocol.
    Postgres,
    /// A worker without a port.
    None,
}

impl Protocol {
    /// The word for it: `http`, `redis`, `postgres` or `none`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Redis => "redis",
            Self::Postgres => "postgres",
            Self::None => "none",
        }
    }
}

/// Who may reach a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Exposure {
    /// Other roles, in process.
    Internal,
    /// Other roles, and this machine when the port is published.
    Loopback,
    /// Everybody, through the gateway.
    Public,
}

impl Exposure {
    /// The word for it: `internal`, `loopback` or `public`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Loopback => "loopback",
            Self::Public => "public",
        }
    }
}

/// A long-lived task of a role, started by the supervisor once the role's dependencies are
/// healthy.
#[derive(Clone)]
pub struct Task {
    /// The name within the role; the supervisor shows `role/name`.
    pub name: &'static str,
    /// Runs until shutdown begins.
    pub run: Arc<dyn Fn(Shutdown) -> BoxFuture<Result<(), TaskError>> + Send + Sync>,
}

impl Task {
    /// A task from an async function of the shutdown signal.
    pub fn new<F, R>(name: &'static str, run: F) -> Self
    where
        F: Fn(Shutdown) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        Self {
            name,
            run: Arc::new(move |shutdown| Box::pin(run(shutdown))),
        }
    }
}

/// A role on the network.
#[derive(Clone)]
pub struct Service {
    /// The name of the old stack: `traefik`, `api`, `admin-web`, `mobile-build`, `notifications`,
    /// `ai-pipeline`, `postgres`, `redis`, `minio`.
    pub name: &'static str,
    /// Other names for the same service (the crate's name among them).
    pub aliases: &'static [&'static str],
    /// The port on the internal network; none for a worker.
    pub port: Option<u16>,
    /// What the port speaks.
    pub protocol: Protocol,
    /// Who may reach it.
    pub exposure: Exposure,
    /// Names of the services that must be healthy before this one starts.
    pub depends_on: &'static [&'static str],
    /// How it is reached.
    pub handler: Handler,
    /// Whether it works.
    pub health: HealthCheck,
    /// Its long-lived tasks.
    pub tasks: Vec<Task>,
}

impl Service {
    /// Whether `name` is its name or one of its aliases.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

/// Wraps an axum router as a handler.
pub fn http_service(router: axum::Router) -> HttpService {
    BoxCloneSyncService::new(router)
}

/// A check that always passes, for a role whose health is that its process runs.
pub fn always_healthy() -> HealthCheck {
    Arc::new(|| Box::pin(async { Ok(()) }))
}
