//! The way in: entry points, TLS, routers, middlewares and services, with Traefik's names and
//! answers. It knows no role by name: it routes to what is registered on the network, by routers
//! that the composition root and the operator give it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`config`] | `[gateway]` |
//! | [`compose`] | routes of Docker Compose files |
//! | `dynamic` | files in Traefik's format, which may be changed at any time |
//! | [`rules`] | the rule language: text to a typed rule |
//! | [`routers`] | which request goes where: the compiled table, and the platform's defaults |
//! | `exchange` | one request from arrival to answer; the order of middlewares is visible there |
//! | `forwarded` | what proxies before this one say of a request |
//! | `middlewares` | Traefik's middlewares, and the platform's own |
//! | `services` | roles in process, servers that share requests, the gateway's own answers |
//! | `entrypoints`, `listeners` | which addresses are taken, with what fallback; the accept loops |
//! | `settings` | the options that hold now, and how others take their place |
//! | `tls` | which certificate a client is shown; the local authority, ACME, the operator's files |
//! | `api`, `guard` | Traefik's API, and who may look at it |
//! | `record`, `series`, `access_log` | what is counted and written of every request |
//!
//! Until a public authority has issued a host's certificate, HTTPS uses the local authority, and the
//! log and the overview say so.

mod access_log;
mod api;
pub mod compose;
pub mod config;
mod dynamic;
mod entrypoints;
mod exchange;
mod forwarded;
mod guard;
mod listeners;
mod middlewares;
mod pages;
mod record;
pub mod routers;
pub mod rules;
mod series;
mod services;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod tls;

use std::{
    convert::Infallible,
    path::{Path, PathBuf},
    sync::Arc,
};

use mito_core::{Clock, Random, Shutdown, Supervisor};
use mito_network::{Authenticator, HttpService, Network, listener::SharedLimits};
use tower::{service_fn, util::BoxCloneSyncService};

pub use config::Config;
pub use routers::{Middleware, RouterSpec};

use listeners::Listeners;
use settings::Change;
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
    /// Where the local authority (`ca/`), the certificates of a public one (`acme/`) and the access log
    /// (`logs/access.log`) are kept.
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
    listeners: Arc<Listeners>,
    /// One change of the configuration at a time.
    changing: Arc<tokio::sync::Mutex<()>>,
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
    /// `[gateway.acme]` is wrong.
    #[error("gateway.acme.{0}")]
    Acme(String),
    /// An option cannot be what it is.
    #[error("{0}")]
    Option(String),
    /// TLS to servers cannot be set up.
    #[error("TLS to servers: {0}")]
    Tls(String),
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
        Ok(Self {
            state: Arc::new(State::build(config, dependencies)?),
            listeners: Arc::default(),
            changing: Arc::default(),
        })
    }

    /// Binds the entry points. Default ports that may not be taken fall back to 8000, 8443 and any
    /// free one; an address that the user gave must be free.
    pub fn bind(&self) -> Result<Vec<EntryPoint>, Error> {
        let state = &self.state;
        let entrypoints = &state.settings.load_full().config.entrypoints;
        let addresses = entrypoints::Addresses::read(entrypoints, &state.domain)?;
        let bound = self.listeners.bind(state, &addresses)?;
        let entrypoints = bound.entrypoints();
        state.set_listening(entrypoints.clone());
        self.listeners.commit(bound);
        for warning in state.warnings() {
            tracing::warn!("{warning}");
        }
        Ok(entrypoints)
    }

    /// Accepts on what was bound until shutdown begins, then drains.
    pub async fn serve(&self, shutdown: Shutdown) {
        // The log outlives the requests whose lines it writes.
        let drained = Shutdown::new();
        let requests = async {
            self.listeners.run(self, &shutdown).await;
            drained.begin();
        };
        tokio::join!(
            requests,
            self.state.log.run(&drained),
            dynamic::watch::run(self.state.clone(), &shutdown),
            services::health::run(self.state.clone(), &shutdown),
        );
    }

    /// Puts a changed `[gateway]` in place and returns what is listened on then: it is checked, new
    /// addresses are taken, it is swapped, and what listened on addresses that are no longer wanted
    /// drains. Requests in flight end as they began; limits that are the same, pools and logs stay.
    /// On an error nothing changes.
    pub async fn reconfigure(&self, config: Config) -> Result<Vec<EntryPoint>, Error> {
        let _only_one = self.changing.lock().await;
        let changed = self.change(config).await;
        self.state.count_reload(changed.is_ok());
        changed
    }

    async fn change(&self, config: Config) -> Result<Vec<EntryPoint>, Error> {
        let state = self.state.clone();
        let change = blocking(move || Change::check(&state, config)).await?;
        let prepared = self
            .listeners
            .prepare(&self.state, &change.addresses)
            .await?;
        let entrypoints = prepared.entrypoints();
        // A redirect to HTTPS knows the port.
        self.state.set_listening(entrypoints.clone());
        let state = self.state.clone();
        let in_place = blocking(move || change.put_in_place(&state)).await;
        self.listeners.commit(prepared);
        in_place.map(|()| entrypoints)
    }

    /// Replaces what the operator is to be told of the program's configuration, beside the gateway's
    /// own warnings.
    pub fn set_notices(&self, notices: Vec<String>) {
        self.state.set_notices(notices);
    }

    /// What is listened on.
    pub fn entrypoints(&self) -> Vec<EntryPoint> {
        self.state.listening()
    }

    /// The limits of the entry points, which change with the configuration.
    pub fn limits(&self) -> SharedLimits {
        self.state.limits.clone()
    }

    fn state(&self) -> &Arc<State> {
        &self.state
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

    /// Puts what the files of the dynamic configuration say by now in place, without waiting for the
    /// next look at them.
    pub fn look_at_files(&self) {
        if self.state.files.refresh() {
            self.state.rebuild();
        }
    }

    /// What the control panel reads: Traefik's API shapes below `/_mito/api/gateway`.
    pub fn panel(&self) -> axum::Router {
        api::panel(self.state.clone())
    }

    /// The root certificate of the local authority, for `mito trust` and for people. It exists
    /// once `websecure` has been bound.
    pub fn root_certificate(&self) -> PathBuf {
        tls::root_path(&self.state)
    }
}

/// Runs what reads files beside the requests.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Error::Option(error.to_string())))
}

/// Where the root certificate of the local authority is in a data folder, without a gateway.
pub fn root_certificate(data: &Path, domain: &str) -> PathBuf {
    tls::root_in(data, domain)
}
