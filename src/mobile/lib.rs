//! Over-the-air updates and builds for mobile applications.

use mito_core::{Clock, Random};
use mito_database::{Database, Migrations};
use mito_network::HttpService;
use mito_objects::Objects;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The tables of updates.
pub const MIGRATIONS: Migrations = Migrations { role: "mobile", steps: &[] };

/// `[mobile]`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The largest update that may be uploaded, in bytes.
    pub max_update_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_update_bytes: 256 * 1024 * 1024 }
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
pub struct Mobile {}

impl Mobile {
    /// The role; does no I/O.
    pub fn new(config: Config, dependencies: Dependencies) -> Self {
        let _ = (config, dependencies);
        todo!("worker helper")
    }

    /// `/status`, `/api/manifest`, `/api/assets`, and publishing.
    pub fn service(&self) -> HttpService {
        todo!("worker helper")
    }

    /// Routes relative to `/_mito/api/mobile`; the caller has checked that an administrator asks.
    pub fn panel(&self) -> axum::Router {
        todo!("worker helper")
    }
}
