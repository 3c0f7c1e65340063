//! The settings and their defaults, with PocketBase's names.

use std::fmt;

use serde::{Deserialize, Serialize};

/// All settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// Where administrators may act from; empty means everywhere.
    #[serde(rename = "superuserIPs")]
    pub superuser_ips: Vec<String>,
    /// The mail server.
    pub smtp: Smtp,
    /// Backups that make themselves.
    pub backups: Backups,
    /// An external object storage for files; here the operator decides that (`objects.endpoint`).
    pub s3: S3,
    /// What the application is called, and where it is.
    pub meta: Meta,
    /// How often clients may call.
    pub rate_limits: RateLimits,
    /// Whose word on clients' addresses counts; here the gateway decides that.
    pub trusted_proxy: TrustedProxy,
    /// Requests in one.
    pub batch: Batch,
    /// What is logged, and for how long it is kept.
    pub logs: Logs,
}

/// A secret inside settings: stored, and never shown.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self(secret)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_empty() {
            "(none)"
        } else {
            "(secret)"
        })
    }
}

/// The mail server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Smtp {
    /// Whether mails go there rather than where the configuration says.
    pub enabled: bool,
    /// Its port.
    pub port: u16,
    /// Its name or address.
    pub host: String,
    /// Who signs in; empty for nobody.
    pub username: String,
    /// What they sign in with.
    pub password: Secret,
    /// `PLAIN` (when empty too) or `LOGIN`.
    pub auth_method: String,
    /// TLS from the first byte; otherwise STARTTLS where the server offers it.
    pub tls: bool,
    /// How the platform introduces itself (EHLO).
    pub local_name: String,
}

impl Default for Smtp {
    fn default() -> Self {
        Self {
            enabled: false,
            port: 587,
            host: "smtp.example.com".to_owned(),
            username: String::new(),
            password: Secret::default(),
            auth_method: String::new(),
            tls: false,
            local_name: String::new(),
        }
    }
}

/// Backups that make themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Backups {
    /// When, as a cron expression in UTC; empty for never.
    pub cron: String,
    /// How many of them are kept.
    pub cron_max_keep: u32,
    /// Where to put them instead of the data folder.
    pub s3: S3,
}

impl Default for Backups {
    fn default() -> Self {
        Self {
            cron: String::new(),
            cron_max_keep: 3,
            s3: S3::default(),
        }
    }
}

/// An external object storage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct S3 {
    /// Whether it is used.
    pub enabled: bool,
    /// The bucket.
    pub bucket: String,
    /// Its region.
    pub region: String,
    /// Its address.
    pub endpoint: String,
    /// The access key.
    pub access_key: String,
    /// The secret key.
    pub secret: Secret,
    /// Buckets in the path rather than in the host.
    pub force_path_style: bool,
}

/// What the application is called, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Meta {
    /// The colour of the panel, as `#rrggbb`.
    pub accent_color: String,
    /// Named in mails.
    pub app_name: String,
    /// Where links in mails lead; empty means where the platform is.
    #[serde(rename = "appURL")]
    pub app_url: String,
    /// The name that mails come from.
    pub sender_name: String,
    /// The address that mails come from.
    pub sender_address: String,
    /// Keeps the panel from changing collections.
    pub hide_controls: bool,
}

impl Default for Meta {
    fn default() -> Self {
        Self {
            accent_color: "#1055c9".to_owned(),
            app_name: "mito".to_owned(),
            app_url: String::new(),
            sender_name: "Support".to_owned(),
            sender_address: "support@example.com".to_owned(),
            hide_controls: false,
        }
    }
}

/// Requests in one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Batch {
    /// Whether `POST /api/batch` is there.
    pub enabled: bool,
    /// The most requests of a batch.
    pub max_requests: u32,
    /// The longest that a batch may take, in seconds.
    pub timeout: u32,
    /// The largest body of a batch, in bytes; 0 means 128 MiB.
    pub max_body_size: u64,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            enabled: true,
            max_requests: 50,
            timeout: 3,
            max_body_size: 0,
        }
    }
}

/// How often clients may call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RateLimits {
    /// The rules; the most specific one that matches holds.
    pub rules: Vec<RateLimitRule>,
    /// Addresses and networks that no rule holds for.
    #[serde(rename = "excludedIPs")]
    pub excluded_ips: Vec<String>,
    /// Whether the rules hold.
    pub enabled: bool,
}

impl RateLimits {
    /// Whether no rule holds for an address.
    pub fn excludes(&self, address: std::net::IpAddr) -> bool {
        super::ips::contains(&self.excluded_ips, address)
    }
}

impl Default for RateLimits {
    fn default() -> Self {
        let rule = |label: &str, duration, max_requests| RateLimitRule {
            label: label.to_owned(),
            audience: String::new(),
            duration,
            max_requests,
        };
        Self {
            rules: vec![
                rule("*:auth", 3, 2),
                rule("*:create", 5, 20),
                rule("/api/batch", 1, 3),
                rule("/api/", 10, 300),
            ],
            excluded_ips: Vec::new(),
            enabled: false,
        }
    }
}

/// How often one kind of request may be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RateLimitRule {
    /// `*:create`, `users:auth`, `POST /api/batch`, `/api/`, …
    pub label: String,
    /// Empty for everybody, `@guest` or `@auth`.
    pub audience: String,
    /// The length of a window, in seconds.
    pub duration: i64,
    /// Requests of one client in it.
    pub max_requests: i64,
}

/// Whose word on clients' addresses counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TrustedProxy {
    /// Headers that name the client.
    pub headers: Vec<String>,
    /// Which address of a list counts.
    #[serde(rename = "useLeftmostIP")]
    pub use_leftmost_ip: bool,
}

/// What is logged, and for how long it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Logs {
    /// The largest `data` of a row, in bytes; 0 means 16 KiB.
    pub max_data_size: u32,
    /// How long rows are kept; 0 means that none is written.
    pub max_days: u32,
    /// The lowest level that is kept: −4 debug, 0 info, 4 warn, 8 error.
    pub min_level: i32,
    /// Whether rows hold addresses.
    #[serde(rename = "logIP")]
    pub log_ip: bool,
    /// Whether rows hold the ids of accounts.
    pub log_auth_id: bool,
}

impl Default for Logs {
    fn default() -> Self {
        Self {
            max_data_size: 0,
            max_days: 5,
            min_level: 0,
            log_ip: true,
            log_auth_id: false,
        }
    }
}
