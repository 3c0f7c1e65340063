//! The HTTP surface of the platform: PocketBase's wire shapes at `/api/…`, health, and the control
//! panel's endpoints at `/_mito/api/…`, which other roles contribute to.
//!
//! | module | what it holds |
//! |---|---|
//! | `routes` | every path in one table, and the order of the layers |
//! | `caller` | who sent a request: a bearer token at `/api`, a cookie at `/_mito/api`, never both |
//! | `envelope` | errors as PocketBase words them |
//! | `body` | bodies, bounded and checked; files in them stream into the storage |
//! | `extract` | parts of the address, checked |
//! | `collections`, `records`, `accounts` | the handlers of `/api` |
//! | `oauth2` | accounts of other sites |
//! | `realtime` | streams of events |
//! | `files` | the files of records, and tokens for protected ones |
//! | `limits` | how often a client may call |
//! | `fields` | the `fields` parameter |
//! | `health` | `/health`, `/live`, `/ready` |
//! | `panel` | sessions by cookie, CSRF, and the administrator check |

mod accounts;
mod backups;
mod batch;
mod body;
mod caller;
mod collections;
mod crons;
mod envelope;
mod extract;
mod fields;
mod files;
mod health;
mod limits;
mod logs;
mod oauth2;
pub mod panel;
mod realtime;
mod records;
mod routes;
mod rules;
mod settings;
mod sql;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{Router, body::Body};
use http::Request;
use mito_core::{Clock, Random};
use mito_network::{HttpService, Network, paths};
use mito_records::Records;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tower::util::{BoxCloneSyncService, MapRequest};

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
        Self {
            max_body_bytes: 1024 * 1024,
            allowed_origins: vec!["*".to_owned()],
        }
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
    /// The platform's domain. Unless it is `localhost`, sessions of the panel need HTTPS.
    pub domain: String,
    /// Tells the time.
    pub clock: Clock,
    /// Draws request ids where a request comes without one.
    pub random: Random,
}

/// What handlers share.
pub(crate) struct Api {
    pub(crate) config: Config,
    pub(crate) records: Records,
    pub(crate) network: Network,
    pub(crate) domain: String,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) rate_limits: limits::Counts,
}

/// The API as an HTTP handler.
pub fn service(config: Config, dependencies: Dependencies) -> HttpService {
    let router = router(config, dependencies);
    BoxCloneSyncService::new(MapRequest::new(router, give_one_spelling))
}

/// Requests by the gateway have it already, those by the API's own port do not. What cannot be read
/// is left to the routes, which have nothing for it.
fn give_one_spelling(mut request: Request<Body>) -> Request<Body> {
    if let Ok(Some(spelled)) = paths::respelled(request.uri()) {
        *request.uri_mut() = spelled;
    }
    request
}

fn router(config: Config, dependencies: Dependencies) -> Router {
    let Dependencies {
        records,
        network,
        panel,
        domain,
        clock,
        random,
    } = dependencies;
    let api = Arc::new(Api {
        config,
        records,
        network,
        domain,
        clock,
        random,
        rate_limits: limits::Counts::default(),
    });
    routes::router(&api, panel)
}
