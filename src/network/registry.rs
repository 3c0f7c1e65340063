//! The registry of services.

use axum::body::Body;
use http::{Request, Response};
use mito_core::{Health, Supervisor};
use serde::Serialize;
use tokio::sync::watch;
use ts_rs::TS;

use crate::Service;

/// The network: services by name. Cheap to clone.
#[derive(Clone)]
pub struct Network {}

/// A role as `mito ps`, `/health` and the panel show it.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct ServiceStatus {
    /// The service name.
    pub name: String,
    /// `waiting`, `starting`, `healthy`, `unhealthy` or `stopped`.
    pub state: String,
    /// What it waits for or why it is unhealthy.
    pub reason: Option<String>,
    /// The port on the internal network.
    pub port: Option<u16>,
    /// What the port speaks.
    pub protocol: String,
    /// `internal`, `loopback` or `public`.
    pub exposure: String,
    /// The names it depends on.
    pub depends_on: Vec<String>,
    /// The loopback address where the port is published.
    pub published: Option<String>,
    /// When the state last changed, milliseconds since the Unix epoch.
    #[ts(type = "number")]
    pub since_ms: i64,
}

impl Network {
    /// An empty network.
    pub fn new(clock: mito_core::Clock) -> Self {
        let _ = clock;
        todo!("core helper")
    }

    /// Adds a role. Names and aliases must be unique; a dependency must exist when the network
    /// starts.
    pub fn register(&self, service: Service) -> Result<(), crate::start::Error> {
        let _ = service;
        todo!("core helper")
    }

    /// The service of that name or alias.
    pub fn service(&self, name: &str) -> Option<Service> {
        let _ = name;
        todo!("core helper")
    }

    /// Whether requests may be sent to the service now; the reason otherwise.
    pub fn health(&self, name: &str) -> Option<Health> {
        let _ = name;
        todo!("core helper")
    }

    /// Sends a request into the handler of `name`. A role that is not healthy answers 503 with
    /// `Retry-After` and a body that names it (HTML for browsers, problem details otherwise); an
    /// unknown name answers 502.
    pub async fn dispatch(&self, name: &str, request: Request<Body>) -> Response<Body> {
        let _ = (name, request);
        todo!("core helper")
    }

    /// The state of every service, in start order.
    pub fn statuses(&self) -> Vec<ServiceStatus> {
        todo!("core helper")
    }

    /// Sees a new number whenever the state of any service has changed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        todo!("core helper")
    }

    /// Notes where a service's port is published, for [`ServiceStatus::published`].
    pub fn set_published(&self, name: &str, address: std::net::SocketAddr) {
        let _ = (name, address);
        todo!("core helper")
    }

    /// Starts every registered service in dependency order, each when those it depends on are
    /// healthy, and goes on checking health until shutdown. Returns at once; see
    /// [`Network::all_healthy`].
    pub fn start(
        &self,
        supervisor: &Supervisor,
        options: crate::start::Options,
    ) -> Result<(), crate::start::Error> {
        let _ = (supervisor, options);
        todo!("core helper")
    }

    /// Returns when every service (that is not stopped) is healthy.
    pub async fn all_healthy(&self) {
        todo!("core helper")
    }
}
