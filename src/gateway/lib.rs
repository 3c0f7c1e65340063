//! The way in: entry points, TLS, routers, middlewares and services, with Traefik's names and
//! answers. It knows no role by name: it routes to what is registered on the network.

pub mod config;

use std::{path::PathBuf, sync::Arc};

use mito_core::{Clock, Random, Shutdown, Supervisor};
use mito_network::{Authenticator, Network};

pub use config::Config;

/// What the gateway needs.
pub struct Dependencies {
    /// Where services are.
    pub network: Network,
    /// Starts the accept loops.
    pub supervisor: Supervisor,
    /// Who may use the dashboard.
    pub authenticator: Arc<dyn Authenticator>,
    /// The domain whose subdomains are routed.
    pub domain: String,
    /// Where the local CA is kept.
    pub data: PathBuf,
    /// Tells the time.
    pub clock: Clock,
    /// Draws serial numbers and ids.
    pub random: Random,
}

/// The gateway. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {}

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
}

impl Gateway {
    /// Compiles the configuration; binds nothing.
    pub fn build(config: Config, dependencies: Dependencies) -> Result<Self, Error> {
        let _ = (config, dependencies);
        todo!("gateway helper")
    }

    /// Binds the entry points. Privileged default ports that may not be taken fall back to 8000
    /// and 8443; an address that the user gave must be free.
    pub fn bind(&self) -> Result<Vec<EntryPoint>, Error> {
        todo!("gateway helper")
    }

    /// Accepts on what was bound until shutdown begins, then drains.
    pub async fn serve(&self, shutdown: Shutdown) {
        let _ = shutdown;
        todo!("gateway helper")
    }

    /// The whole request path without sockets: admission, routers, middlewares, services.
    /// `entrypoint` as if the request had come by it.
    pub fn service(&self, entrypoint: &str) -> mito_network::HttpService {
        let _ = entrypoint;
        todo!("gateway helper")
    }

    /// What the control panel reads: Traefik's API shapes below `/_mito/api/gateway`.
    pub fn panel(&self) -> axum::Router {
        todo!("gateway helper")
    }
}
