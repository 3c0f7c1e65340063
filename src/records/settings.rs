//! Settings: what administrators change while the platform runs, in the shape of PocketBase's
//! `/api/settings`. What an operator decides before (addresses, folders, limits) is configuration.

use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use crate::Records;

/// All settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// What the application is called, and where it is.
    pub meta: Meta,
    /// Requests in one.
    pub batch: Batch,
    /// How often clients may call.
    pub rate_limits: RateLimits,
}

/// What the application is called, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Meta {
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RateLimits {
    /// Whether the rules hold.
    pub enabled: bool,
    /// The rules; the most specific one that matches holds.
    pub rules: Vec<RateLimitRule>,
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

/// The settings in force.
#[derive(Debug, Default)]
pub(crate) struct Current(RwLock<Arc<Settings>>);

impl Records {
    /// The settings in force. Does no I/O.
    pub fn settings(&self) -> Arc<Settings> {
        let current = self.inner.settings.0.read();
        Arc::clone(&current.unwrap_or_else(PoisonError::into_inner))
    }
}
