//! The registry of services.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{Json, Router, body::Body, response::IntoResponse as _, routing::get};
use http::{Request, Response, StatusCode};
use mito_core::{Clock, Health, Supervisor};
use serde::Serialize;
use tokio::sync::watch;
use tower::Service as _;
use ts_rs::TS;

use crate::{
    Handler, Problem, Service,
    start::{self, Options, Plan},
    unavailable,
};

/// The network: services by name. Cheap to clone.
#[derive(Clone)]
pub struct Network(Arc<Inner>);

struct Inner {
    clock: Clock,
    /// As registered; in start order once started.
    roles: RwLock<Vec<Arc<Role>>>,
    changes: watch::Sender<u64>,
}

/// A registered service with its state.
pub(crate) struct Role {
    pub(crate) service: Service,
    state: Mutex<State>,
    tasks_started: AtomicBool,
}

struct State {
    health: Health,
    since_ms: i64,
    published: Option<SocketAddr>,
}

impl Role {
    pub(crate) fn health(&self) -> Health {
        self.state().health.clone()
    }

    /// Whether the caller is the first and must start the tasks.
    pub(crate) fn begin_tasks(&self) -> bool {
        !self.tasks_started.swap(true, Ordering::SeqCst)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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
    pub fn new(clock: Clock) -> Self {
        let (changes, _) = watch::channel(0);
        Self(Arc::new(Inner {
            clock,
            roles: RwLock::default(),
            changes,
        }))
    }

    /// Adds a role. Names and aliases must be unique; a dependency must exist when the network
    /// starts.
    pub fn register(&self, service: Service) -> Result<(), start::Error> {
        let mut roles = self.0.roles.write().unwrap_or_else(PoisonError::into_inner);
        let names = std::iter::once(service.name).chain(service.aliases.iter().copied());
        for name in names {
            if roles.iter().any(|role| role.service.is_called(name)) {
                return Err(start::Error::Duplicate(name.to_owned()));
            }
        }
        let state = State {
            health: Health::Stopped,
            since_ms: self.0.clock.now_ms(),
            published: None,
        };
        let tasks_started = AtomicBool::new(false);
        roles.push(Arc::new(Role {
            service,
            state: Mutex::new(state),
            tasks_started,
        }));
        Ok(())
    }

    /// The service of that name or alias.
    pub fn service(&self, name: &str) -> Option<Service> {
        self.role(name).map(|role| role.service.clone())
    }

    /// Whether requests may be sent to the service now; the reason otherwise.
    pub fn health(&self, name: &str) -> Option<Health> {
        self.role(name).map(|role| role.health())
    }

    /// Sends a request into the handler of `name`. A role that is not healthy answers 503 with
    /// `Retry-After` and a body that names it (HTML for browsers, problem details otherwise); an
    /// unknown name answers 502.
    pub async fn dispatch(&self, name: &str, request: Request<Body>) -> Response<Body> {
        let Some(role) = self.role(name) else {
            let detail = format!("there is no service called {name} on the network");
            return Problem::new(StatusCode::BAD_GATEWAY, detail).into_response();
        };
        let Handler::Http(handler) = &role.service.handler else {
            let detail = format!("{} takes no HTTP requests", role.service.name);
            return Problem::new(StatusCode::BAD_GATEWAY, detail).into_response();
        };
        let health = role.health();
        if !health.is_healthy() {
            return unavailable::answer(role.service.name, &health, request.headers());
        }
        let mut handler = handler.clone();
        match handler.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// The state of every service, in start order.
    pub fn statuses(&self) -> Vec<ServiceStatus> {
        self.roles().iter().map(|role| self.status(role)).collect()
    }

    /// Sees a new number whenever the state of any service has changed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Notes where a service's port is published, for [`ServiceStatus::published`].
    pub fn set_published(&self, name: &str, address: SocketAddr) {
        if let Some(role) = self.role(name) {
            role.state().published = Some(address);
            self.0.changes.send_modify(|number| *number += 1);
        }
    }

    /// Starts every registered service in dependency order, each when those it depends on are
    /// healthy, and goes on checking health until shutdown. Returns at once; see
    /// [`Network::all_healthy`].
    pub fn start(&self, supervisor: &Supervisor, options: Options) -> Result<(), start::Error> {
        let registered = self.roles();
        let services: Vec<&Service> = registered.iter().map(|role| &role.service).collect();
        let order = start::plan(&services, options.roles.as_ref())?;
        let ordered = order
            .iter()
            .map(|plan| registered[plan.index].clone())
            .collect();
        *self.0.roles.write().unwrap_or_else(PoisonError::into_inner) = ordered;
        for Plan {
            index, waits_for, ..
        } in order.into_iter().filter(|plan| plan.runs)
        {
            let role = registered[index].clone();
            let waits_for: Vec<_> = waits_for.iter().map(|on| registered[*on].clone()).collect();
            // Known before the first task runs, so that `all_healthy` waits for it.
            self.set_health(&role, Health::Starting);
            let (network, options) = (self.clone(), options.clone());
            let (own, name) = (supervisor.clone(), format!("{}/health", role.service.name));
            supervisor.start(name, move |shutdown| {
                start::run(
                    network.clone(),
                    role.clone(),
                    waits_for.clone(),
                    own.clone(),
                    options.clone(),
                    shutdown,
                )
            });
        }
        Ok(())
    }

    /// Returns when every service (that is not stopped) is healthy.
    pub async fn all_healthy(&self) {
        let mut changes = self.changes();
        loop {
            changes.mark_unchanged();
            let ready =
                |role: &Arc<Role>| matches!(role.health(), Health::Healthy | Health::Stopped);
            if self.roles().iter().all(ready) {
                return;
            }
            // The sender lives in `self`, so an error cannot happen.
            let _ = changes.changed().await;
        }
    }

    /// Notes the state of a role and tells whoever follows the changes.
    pub(crate) fn set_health(&self, role: &Role, health: Health) {
        let name = role.service.name;
        {
            let mut state = role.state();
            if state.health == health {
                return;
            }
            state.health = health.clone();
            state.since_ms = self.0.clock.now_ms();
        }
        let gauge = metrics::gauge!("mito_service_healthy", "service" => name);
        gauge.set(if health.is_healthy() { 1.0 } else { 0.0 });
        match &health {
            Health::Healthy => tracing::info!(service.name = name, "the service is healthy"),
            Health::Unhealthy { reason } => {
                tracing::warn!(service.name = name, reason, "the service is not healthy");
            }
            Health::Waiting { on } => {
                tracing::debug!(service.name = name, on, "the service waits");
            }
            Health::Starting | Health::Stopped => {
                tracing::debug!(service.name = name, state = ?health, "the service changed");
            }
        }
        self.0.changes.send_modify(|number| *number += 1);
    }

    fn roles(&self) -> Vec<Arc<Role>> {
        self.0
            .roles
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn role(&self, name: &str) -> Option<Arc<Role>> {
        let roles = self.0.roles.read().unwrap_or_else(PoisonError::into_inner);
        roles
            .iter()
            .find(|role| role.service.is_called(name))
            .cloned()
    }

    fn status(&self, role: &Role) -> ServiceStatus {
        let service = &role.service;
        let canonical = |name: &&str| {
            let dependency = self.role(name);
            dependency.map_or_else(|| (*name).to_owned(), |role| role.service.name.to_owned())
        };
        let depends_on = service.depends_on.iter().map(canonical).collect();
        let state = role.state();
        let (word, reason) = match &state.health {
            Health::Waiting { on } => ("waiting", Some(on.clone())),
            Health::Starting => ("starting", None),
            Health::Healthy => ("healthy", None),
            Health::Unhealthy { reason } => ("unhealthy", Some(reason.clone())),
            Health::Stopped => ("stopped", None),
        };
        ServiceStatus {
            name: service.name.to_owned(),
            state: word.to_owned(),
            reason,
            port: service.port,
            protocol: service.protocol.name().to_owned(),
            exposure: service.exposure.name().to_owned(),
            depends_on,
            published: state.published.map(|address| address.to_string()),
            since_ms: state.since_ms,
        }
    }
}

/// What the control panel reads, below `/_mito/api/network`.
pub fn panel(network: Network) -> Router {
    Router::new().route(
        "/services",
        get(move || async move { Json(network.statuses()) }),
    )
}

#[cfg(test)]
mod tests;
