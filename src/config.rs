//! The whole configuration: one section per role, plus what belongs to none.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Everything that can be configured. Every option has one path (`gateway.limits.max_connections`)
/// that works in `mito.toml`, in the environment and with `--set`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The domain whose subdomains are served; `localhost` means development on this machine.
    pub domain: String,
    /// The folder of everything that mito keeps.
    pub data: PathBuf,
    /// The roles to run, by service name; empty means all.
    pub roles: Vec<String>,
    /// The internal network.
    pub network: NetworkConfig,
    /// Outbound connections.
    pub egress: mito_core::egress::Config,
    /// The embedded database.
    pub database: mito_database::database::Config,
    /// The cache.
    pub cache: mito_cache::Config,
    /// Durable jobs.
    pub queue: mito_queue::queue::Config,
    /// Object storage.
    pub objects: mito_objects::Config,
    /// Collections, accounts and sessions.
    pub records: mito_records::Config,
    /// Entry points and routers.
    pub gateway: mito_gateway::Config,
    /// The HTTP API.
    pub api: mito_api::Config,
    /// Over-the-air updates.
    pub mobile: mito_mobile::Config,
    /// E-mail and inbox.
    pub notifications: mito_notifications::Config,
    /// Content pipelines.
    pub ai: mito_ai::Config,
}

/// `[network]`: which internal ports this machine can reach, and how the start is gated.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkConfig {
    /// Service name → `address:port` on loopback, empty for the service's own port, `off` for none.
    /// While the domain is localhost, `api`, `redis` and `minio` are published unless they are
    /// `off`.
    pub publish: BTreeMap<String, String>,
    /// Allows publishing on other addresses than loopback.
    pub allow_public: bool,
    /// How long the gateway waits for every role before it opens regardless, in milliseconds. What
    /// is not healthy by then answers 503.
    pub start_timeout_ms: u64,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self {
            publish: BTreeMap::new(),
            allow_public: false,
            start_timeout_ms: 10_000,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            domain: "localhost".to_owned(),
            data: PathBuf::from("mito-data"),
            roles: Vec::new(),
            network: NetworkConfig::default(),
            egress: mito_core::egress::Config::default(),
            database: mito_database::database::Config::default(),
            cache: mito_cache::Config::default(),
            queue: mito_queue::queue::Config::default(),
            objects: mito_objects::Config::default(),
            records: mito_records::Config::default(),
            gateway: mito_gateway::Config::default(),
            api: mito_api::Config::default(),
            mobile: mito_mobile::Config::default(),
            notifications: mito_notifications::Config::default(),
            ai: mito_ai::Config::default(),
        }
    }
}

impl Config {
    /// Whether mito serves this machine alone.
    pub fn is_development(&self) -> bool {
        self.domain == "localhost" || self.domain.ends_with(".localhost")
    }
}

/// Variables of the old stack and the options that they set. A `?` sets the variable aside and points
/// at the option: it meant another container there, and mito must not dial itself. An empty path means
/// that mito has no use for the variable.
pub const ALIASES: &[(&str, &str)] = &[
    ("DOMAIN", "domain"),
    ("JWT_SECRET", "records.jwt_secret"),
    ("MINIO_ROOT_USER", "objects.root_user"),
    ("MINIO_ROOT_PASSWORD", "objects.root_password"),
    ("MINIO_BUCKET", "objects.bucket"),
    ("SMTP_HOST", "notifications.smtp.host"),
    ("SMTP_PORT", "notifications.smtp.port"),
    ("SMTP_USER", "notifications.smtp.user"),
    ("SMTP_PASSWORD", "notifications.smtp.password"),
    ("SMTP_PASS", "notifications.smtp.password"),
    ("SMTP_FROM", "notifications.smtp.from"),
    ("DATABASE_URL", "?database.url"),
    ("REDIS_URL", ""),
    ("REDIS_PASSWORD", "cache.password"),
    ("S3_ENDPOINT", ""),
    ("PG_HOST", ""),
    ("PG_PORT", ""),
    ("PG_USER", ""),
    ("PG_PASSWORD", ""),
    ("PG_DATABASE", ""),
    ("JWT_REFRESH_SECRET", ""),
    ("ACME_EMAIL", "gateway.acme.email"),
    ("FIREBASE_PROJECT_ID", ""),
    ("FIREBASE_PRIVATE_KEY", ""),
    ("FIREBASE_CLIENT_EMAIL", ""),
    ("OPENAI_API_KEY", ""),
    ("GEMINI_API_KEY", ""),
];
