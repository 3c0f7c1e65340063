//! What a health check answers, and the states a role goes through.

use serde::{Deserialize, Serialize};

/// The state of a role as `mito ps`, `/health` and the panel show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Health {
    /// Waits for the roles it depends on; names the first of them that is not healthy.
    Waiting {
        /// The service name that is waited for.
        on: String,
    },
    /// Its dependencies are healthy and its own first check has not passed yet.
    Starting,
    /// The last check passed.
    Healthy,
    /// The last check failed.
    Unhealthy {
        /// What the check said.
        reason: String,
    },
    /// Left out by `--roles`, or shut down.
    Stopped,
}

impl Health {
    /// Whether requests may be sent to the role.
    pub fn is_healthy(&self) -> bool {
        *self == Self::Healthy
    }
}
