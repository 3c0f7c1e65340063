//! The domain under the API, used in process by workers too: collections, records, the filter and
//! rule language, accounts and sessions. It speaks no HTTP.
//!
//! | module | what it holds |
//! |---|---|
//! | [`collections`] | what there is: definitions, and the tables behind them |
//! | [`records`] | what is in it: rules, pages, writes with their events |
//! | `fields` | types of fields: how values are accepted, stored and shown |
//! | [`files`] | what records carry: stored before them, removed after |
//! | `filter` | the language of filters and rules, compiled to SQL |
//! | [`realtime`] | who is told of changes |
//! | [`accounts`] | who may: passwords, sessions, codes |
//! | `request` | what rules know of a request |
//! | [`settings`] | what PocketBase lets administrators set while it runs |
//! | [`pocketbase`] | installations of PocketBase, taken over |
//! | [`starter`] | collections and records to begin with |

pub mod accounts;
pub mod backups;
pub mod collections;
pub mod console;
pub mod crons;
pub mod error;
mod fields;
pub mod files;
mod filter;
pub mod logs;
mod names;
mod platform;
pub mod pocketbase;
pub mod realtime;
pub mod records;
mod request;
pub mod settings;
mod sql;
pub mod starter;
#[cfg(test)]
mod testing;

use std::{
    sync::{Arc, OnceLock, RwLock},
    time::Duration,
};

use mito_cache::Cache;
use mito_core::{Clock, Random, egress::Egress};
use mito_database::{Database, Migration, Migrations};
use mito_network::Task;
use mito_objects::Objects;
use mito_queue::Queue;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub use accounts::{
    SUPERUSERS, Session, SignIn,
    auth::{AuthMethod, AuthOutcome},
};
pub use collections::{Collection, CollectionKind, Field, shown::DryRun};
pub use error::{Error, FieldError};
pub use filter::explain::{Explained, Explanation, ExplanationKind, Subject};
pub use logs::LogEntry;
pub use platform::Platform;
pub use realtime::Realtime;
pub use records::{ListQuery, Page, Record, Submitted};
pub use request::{Parameters, RequestInfo, RuleContext};
pub use settings::Settings;
pub use starter::Starter;

use crate::{
    accounts::{
        limits::Limiter,
        passwords::Passwords,
        sessions::used::Used,
        tokens::{Keys, settings_key},
    },
    collections::store::Definitions,
    crons::Crons,
    settings::{Current, Sealer},
};

/// The tables of accounts, sessions and collections.
pub const MIGRATIONS: Migrations = Migrations {
    role: "records",
    steps: STEPS,
};

const STEPS: &[Migration] = &[
    Migration {
        version: 1,
        sql: include_str!("migrations/1.sql"),
        postgres: None,
    },
    Migration {
        version: 2,
        sql: include_str!("migrations/2.sql"),
        postgres: None,
    },
    Migration {
        version: 3,
        sql: include_str!("migrations/5.sql"),
        postgres: None,
    },
    Migration {
        version: 4,
        sql: include_str!("migrations/3.sql"),
        postgres: None,
    },
    Migration {
        version: 5,
        sql: include_str!("migrations/7.sql"),
        postgres: None,
    },
];

/// The length of the name of a process, in characters.
const BOOT_LENGTH: usize = 8;

/// `[records]`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Signs session tokens (`JWT_SECRET`); generated and kept when empty.
    #[schemars(extend("secret" = true))]
    pub jwt_secret: String,
    /// How long a session lives without use, in seconds.
    pub session_idle_seconds: u64,
    /// How long a session lives in all, in seconds.
    pub session_absolute_seconds: u64,
    /// How many clients may be told of changes at once.
    pub realtime_max_clients: usize,
    /// How many of them may be at one address; there is no such limit on this machine.
    pub realtime_max_clients_per_address: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            jwt_secret: String::new(),
            session_idle_seconds: 7 * 24 * 3_600,
            session_absolute_seconds: 30 * 24 * 3_600,
            realtime_max_clients: 20_000,
            realtime_max_clients_per_address: 500,
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
    /// Where the files of records are.
    pub objects: Objects,
    /// Sends mails, later.
    pub queue: Queue,
    /// Asks other sites.
    pub egress: Egress,
    /// Signs tokens.
    pub jwt_secret: SecretString,
}

/// Collections, records and accounts. Cheap to clone; implements
/// [`mito_network::Authenticator`].
#[derive(Clone)]
pub struct Records {
    pub(crate) inner: Arc<Inner>,
    pub(crate) config: Config,
}

/// What all clones share.
pub(crate) struct Inner {
    pub(crate) database: Database,
    pub(crate) cache: Cache,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) objects: Objects,
    pub(crate) files: files::State,
    pub(crate) queue: Queue,
    pub(crate) settings: Current,
    pub(crate) sealer: Sealer,
    pub(crate) crons: Crons,
    pub(crate) platform: OnceLock<Platform>,
    pub(crate) keys: Keys,
    pub(crate) passwords: Passwords,
    pub(crate) limiter: Limiter,
    pub(crate) used: Used,
    pub(crate) platform_url: RwLock<String>,
    pub(crate) definitions: Definitions,
    pub(crate) filters: filter::cache::Parsed,
    pub(crate) realtime: Realtime,
    /// Held by the import that runs.
    pub(crate) importing: tokio::sync::Mutex<()>,
    pub(crate) egress: Egress,
    /// Names this process in the cache.
    pub(crate) boot: String,
}

impl Records {
    /// Records over the tables of the database; does no I/O.
    pub fn new(config: Config, dependencies: Dependencies) -> Self {
        let Dependencies {
            database,
            cache,
            clock,
            random,
            objects,
            queue,
            egress,
            jwt_secret,
        } = dependencies;
        let inner = Inner {
            keys: Keys::new(&jwt_secret),
            sealer: Sealer::new(&settings_key(&jwt_secret), random.clone()),
            passwords: Passwords::new(random.clone()),
            limiter: Limiter::new(clock.clone()),
            used: Used::default(),
            platform_url: RwLock::default(),
            definitions: Definitions::default(),
            filters: filter::cache::Parsed::default(),
            realtime: Realtime::new(
                realtime::Limits::of(&config),
                clock.clone(),
                random.clone(),
                database.changes(),
            ),
            boot: random.id(BOOT_LENGTH),
            database,
            cache,
            clock,
            random,
            objects,
            queue,
            egress,
            settings: Current::default(),
            importing: tokio::sync::Mutex::default(),
            crons: Crons::default(),
            platform: OnceLock::new(),
            files: files::State::default(),
        };
        Self {
            inner: Arc::new(inner),
            config,
        }
    }

    /// The tasks that records need while the platform runs.
    pub fn tasks(&self) -> Vec<Task> {
        let mut tasks = vec![
            self.file_sweeper(),
            self.realtime_feed(),
            self.accounts_task(),
        ];
        tasks.extend(self.platform_tasks());
        tasks
    }

    /// How long a session lives without use.
    pub fn session_idle(&self) -> Duration {
        Duration::from_secs(self.config.session_idle_seconds)
    }
}
