//! The domain under the API, used in process by workers too: collections, records, the filter and
//! rule language, accounts and sessions. It speaks no HTTP.

pub mod accounts;
pub mod collections;
pub mod error;
pub mod records;
pub mod starter;

use std::sync::Arc;

use mito_cache::Cache;
use mito_core::{Clock, Random};
use mito_database::{Database, Migrations};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub use accounts::{Session, SignIn};
pub use collections::{Collection, CollectionKind, Field};
pub use error::{Error, FieldError};
pub use records::{ListQuery, Page, Record};
pub use starter::Starter;

/// The tables of accounts, sessions and collections.
pub const MIGRATIONS: Migrations = Migrations { role: "records", steps: &[] };

/// `[records]`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Signs session tokens (`JWT_SECRET`); generated and kept when empty.
    #[schemars(extend("secret" = true))]
    pub jwt_secret: String,
    /// How long a token is valid, in seconds.
    pub token_seconds: u64,
    /// How long a session lives without use, in seconds.
    pub session_idle_seconds: u64,
    /// How long a session lives in all, in seconds.
    pub session_absolute_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            jwt_secret: String::new(),
            token_seconds: 3_600,
            session_idle_seconds: 7 * 24 * 3_600,
            session_absolute_seconds: 30 * 24 * 3_600,
        }
    }
}

/// What records need.
pub struct Dependencies {
    /// `mito.db`.
    pub database: Database,
    /// Hot copies of sessions.
    pub cache: Cache,
    /// Tells the time.
    pub clock: Clock,
    /// Draws ids and tokens.
    pub random: Random,
    /// Signs tokens.
    pub jwt_secret: SecretString,
}

/// Collections, records and accounts. Cheap to clone; implements
/// [`mito_network::Authenticator`].
#[derive(Clone)]
pub struct Records {
    pub(crate) inner: Arc<Dependencies>,
    pub(crate) config: Config,
}

impl Records {
    /// Records over the tables of the database; does no I/O.
    pub fn new(config: Config, dependencies: Dependencies) -> Self {
        Self { inner: Arc::new(dependencies), config }
    }
}
