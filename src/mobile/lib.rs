//! Over-the-air updates for mobile applications.
//!
//! An administrator publishes an update (`POST /api/updates`, multipart: a part `update` in JSON,
//! then one part for the bundle and each asset, named by its key); clients built with
//! `expo-updates` ask `/api/manifest` and fetch what it names. `/status` answers as Metro does.
//!
//! | module | what it holds |
//! |---|---|
//! | `update` | what a publisher says, checked, and the manifest |
//! | `protocol` | the Expo Updates protocol: requests read, answers written |
//! | `publish` | takes an update |
//! | `routes` | the routes |
//! | [`tables`], [`store`] | the tables |
//!
//! It does not build bundles, sign manifests or make patches yet.

mod protocol;
mod publish;
mod routes;
pub mod store;
pub mod tables;
pub mod update;

use std::sync::Arc;

use http::StatusCode;
use mito_core::{Clock, Random};
use mito_database::Database;
use mito_network::{HttpService, Problem};
use mito_objects::Objects;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use tables::MIGRATIONS;

/// `[mobile]`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The largest update that may be uploaded, in bytes.
    pub max_update_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_update_bytes: 256 * 1024 * 1024,
        }
    }
}

/// What the role needs.
pub struct Dependencies {
    /// `mito.db`.
    pub database: Database,
    /// Where bundles and assets are kept (bucket `mobile-updates`).
    pub objects: Objects,
    /// Who may publish.
    pub authenticator: std::sync::Arc<dyn mito_network::Authenticator>,
    /// Tells the time.
    pub clock: Clock,
    /// Draws ids.
    pub random: Random,
}

/// The mobile role. Cheap to clone.
#[derive(Clone)]
pub struct Mobile {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) database: Database,
    pub(crate) objects: Objects,
    pub(crate) authenticator: Arc<dyn mito_network::Authenticator>,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
}

impl Mobile {
    /// The role; does no I/O.
    pub fn new(config: Config, dependencies: Dependencies) -> Self {
        let Dependencies {
            database,
            objects,
            authenticator,
            clock,
            random,
        } = dependencies;
        Self {
            inner: Arc::new(Inner {
                config,
                database,
                objects,
                authenticator,
                clock,
                random,
            }),
        }
    }

    /// `/status`, `/api/manifest`, `/api/assets`, and publishing.
    pub fn service(&self) -> HttpService {
        mito_network::service::http_service(routes::service(self.clone()))
    }

    /// Routes relative to `/_mito/api/mobile`; the caller has checked that an administrator asks.
    pub fn panel(&self) -> axum::Router {
        routes::panel(self.clone())
    }
}

/// What a request is answered with when the database fails.
pub(crate) fn database_problem(error: &mito_database::Error) -> Problem {
    if error.is_transient() {
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()).retry_after(1);
    }
    tracing::error!(%error, "the database failed under a request for an update");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "the database failed; the log has the cause",
    )
}
