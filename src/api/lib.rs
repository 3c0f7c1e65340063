//! The HTTP surface of the platform: PocketBase's wire shapes at `/api/…`, health, and the control
//! panel's endpoints at `/_mito/api/…`, which other roles contribute to.

use axum::Router;
use mito_core::{Clock, Random};
use mito_network::{HttpService, Network};
use mito_records::Records;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[api]`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The largest JSON body, in bytes.
    pub max_body_bytes: usize,
    /// Origins that browsers may call the API from (CORS); `*` allows all.
    pub allowed_origins: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_body_bytes: 1024 * 1024, allowed_origins: vec!["*".to_owned()] }
    }
}

/// What the API needs.
pub struct Dependencies {
    /// Collections, records and accounts.
    pub records: Records,
    /// The states of the roles, for `/health`.
    pub network: Network,
    /// The control panel's endpoints of other roles: `(name, routes)` is served at
    /// `/_mito/api/<name>` to administrators alone (cookie session with CSRF header).
    pub panel: Vec<(&'static str, Router)>,
    /// Whether the panel is served over HTTPS only (`__Host-` cookies).
    pub domain: String,
    /// Tells the time.
    pub clock: Clock,
    /// Draws CSRF tokens.
    pub random: Random,
}

/// The API as an HTTP handler.
pub fn service(config: Config, dependencies: Dependencies) -> HttpService {
    let _ = (config, dependencies);
    todo!("api helper")
}
