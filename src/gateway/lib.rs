//! The way in: entry points, TLS, routers, middlewares and services, with Traefik's names and
//! answers. It knows no role by name: it routes to what is registered on the network, by routers
//! that the composition root and the operator give it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`config`] | `[gateway]` |
//! | [`rules`] | the rule language: text to a typed rule |
//! | [`routers`] | which request goes where: the compiled table, and the platform's defaults |
//! | `exchange` | one request from arrival to answer; the order of middlewares is visible there |
//! | `middlewares` | rate limit, redirect, security headers, compression |
//! | `services` | roles in process, `http://` servers, the gateway's own answers |
//! | `entrypoints` | which addresses are taken, with what fallback |
//! | `tls` | the local certificate authority and which certificate a client is shown |
//! | `api`, `guard` | Traefik's API, and who may look at it |
//! | `record`, `series`, `access_log` | what is counted and written of every request |
//!
//! Certificates of public authorities (ACME) do not exist yet: with a real domain, HTTPS uses the
//! local authority, and the log and the overview say so.

mod access_log;
mod api;
pub mod config;
mod entrypoints;
mod exchange;
mod guard;
mod middlewares;
mod pages;
pub mod paths;
mod record;
pub mod routers;
pub mod rules;
mod series;
mod services;
mod state;
#[cfg(test)]
mod tests;
mod tls;

use std::{
    convert::Infallible,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mito_core::{Clock, Random, Shutdown, Supervisor};
use mito_network::{
    Authenticator, HttpService, Network,
    listener::{self, Bound},
};
use tokio::task::JoinSet;
use tower::{service_fn, util::BoxCloneSyncService};

pub use config::Config;
pub use routers::{Middleware, RouterSpec};

use state::State;

/// What the gateway needs.
pub struct Dependencies {
    /// Where services are.
    pub network: Network,
    /// Waits for upgraded connections at shutdown.
    pub supervisor: Supervisor,
    /// Who may use the dashboard.
    pub authenticator: Arc<dyn Authenticator>,
    /// The domain whose subdomains are routed.
    pub domain: String,
    /// Where the local authority (`ca/`) and the access log (`logs/access.log`) are kept.
    pub data: PathBuf,
    /// Tells the time.
    pub clock: Clock,
    /// Draws serial numbers and ids.
    pub random: Random,
    /// The routers of the platform: [`routers::platform::routers`].
    pub routers: Vec<RouterSpec>,
    /// Renders the metrics of the process for `/metrics`.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

/// The gateway. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    state: Arc<State>,
    bound: Arc<Mutex<Vec<Listening>>>,
}

/// A listener with what it speaks.
struct Listening {
    bound: Bound,
    tls: Option<Arc<rustls::ServerConfig>>,
}

/// What went wrong with the gateway.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A router rule does not parse.
    #[error("router {router:?}: {reason}")]
    Rule {
        /// The router.
        router: String,
        /// What is wrong and where.
        reason: String,
    },
    /// An entry point's address cannot be taken.
    #[error("entry point {entrypoint:?} cannot listen on {address}: {reason}")]
    Bind {
        /// The entry point.
        entrypoint: String,
        /// The address.
        address: String,
        /// What the system said.
        reason: String,
    },
    /// The local CA cannot be read or made.
    #[error("the local certificate authority: {0}")]
    LocalCa(String),
}

/// An entry point that listens.
#[derive(Clone, Debug)]
pub struct EntryPoint {
    /// `web`, `websecure` or `traefik`.
    pub name: String,
    /// The address that was really taken.
    pub address: std::net::SocketAddr,
    /// What a person should know about it: that another port than the usual one was taken.
    pub note: Option<String>,
}

impl Gateway {
    /// Compiles the configuration; binds nothing.
    pub fn build(config: Config, dependencies: Dependencies) -> Result<Self, Error> {
        let state = Arc::new(State::build(config, dependencies)?);
        Ok(Self {
            state,
            bound: Arc::default(),
        })
    }

    /// Binds the entry points. Default ports that may not be taken fall back to 8000, 8443 and any
    /// free one; an address that the user gave must be free.
    pub fn bind(&self) -> Result<Vec<EntryPoint>, Error> {
        let state = &self.state;
        let addresses = entrypoints::Addresses::read(&state.config.entrypoints, &state.domain)?;
        let taken = addresses.bind()?;
        let secure = taken
            .entrypoints
            .iter()
            .any(|entry| entry.name == "websecure");
        let tls = if secure {
            Some(tls::config(state)?)
        } else {
            None
        };
        let listening = taken.bound.into_iter().map(|bound| Listening {
            tls: tls.clone().filter(|_| bound.name == "websecure"),
            bound,
        });
        self.bound
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(listening);
        state.set_listening(taken.entrypoints.clone());
        for warning in state.warnings() {
            tracing::warn!("{warning}");
        }
        Ok(taken.entrypoints)
    }

    /// Accepts on what was bound until shutdown begins, then drains.
    pub async fn serve(&self, shutdown: Shutdown) {
        let listening =
            std::mem::take(&mut *self.bound.lock().unwrap_or_else(PoisonError::into_inner));
        let drain = Duration::from_millis(self.state.config.drain_ms);
        let mut loops = JoinSet::new();
        for Listening { bound, tls } in listening {
            let (name, service) = (bound.name.clone(), self.service(&bound.name));
            let (limits, shutdown) = (self.state.config.limits.clone(), shutdown.clone());
            let labels = [("entrypoint", name.clone()), ("protocol", "TCP".to_owned())];
            let open = metrics::gauge!("traefik_open_connections", &labels);
            loops.spawn(async move {
                let ended = listener::serve_http_counted(
                    bound, service, tls, limits, shutdown, drain, open,
                );
                if let Err(error) = ended.await {
                    tracing::error!(%error, entrypoint = name, "an entry point stopped accepting");
                }
            });
        }
        // The log outlives the requests whose lines it writes.
        let drained = Shutdown::new();
        let requests = async {
            while loops.join_next().await.is_some() {}
            shutdown.begun().await;
            drained.begin();
        };
        tokio::join!(requests, self.state.log.run(&drained));
    }

    /// The whole request path without sockets: admission, routers, middlewares, services.
    /// `entrypoint` as if the request had come by it.
    pub fn service(&self, entrypoint: &str) -> HttpService {
        let state = self.state.clone();
        let entrypoint: Arc<str> = entrypoint.into();
        BoxCloneSyncService::new(service_fn(move |request| {
            let answer = exchange::answer(state.clone(), entrypoint.clone(), request);
            async move { Ok::<_, Infallible>(answer.await) }
        }))
    }

    /// Puts the routers of a changed configuration in place. Requests in flight end as they began;
    /// limits, pools and logs stay; on an error nothing changes.
    pub fn reload(&self, config: &Config) -> Result<(), Error> {
        self.state.replace_routers(config)
    }

    /// What the control panel reads: Traefik's API shapes below `/_mito/api/gateway`.
    pub fn panel(&self) -> axum::Router {
        api::router(self.state.clone())
    }

    /// The root certificate of the local authority, for `mito trust` and for people. It exists
    /// once `websecure` has been bound.
    pub fn root_certificate(&self) -> PathBuf {
        tls::root_path(&self.state)
    }
}
