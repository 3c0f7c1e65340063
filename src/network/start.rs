//! The start in the old stack's phases: storage in parallel, then api and workers, then admin-web
//! and mobile-build, each gated by the health of what it depends on.

mod plan;
mod watch;

use std::{collections::HashSet, sync::Arc, time::Duration};

use tokio::sync::watch as channel;

pub(crate) use plan::{Plan, plan};
pub(crate) use watch::run;

/// How a network starts.
#[derive(Clone, Debug)]
pub struct Options {
    /// Names of the services to run; `None` means all. Others are `Stopped`, and whoever depends
    /// on them takes them for running elsewhere.
    pub roles: Option<HashSet<String>>,
    /// How often a healthy service is checked.
    pub check_every: Duration,
    /// Services held back until they leave the set, for tests and maintenance: their check
    /// fails with `held back`.
    pub held: Option<Arc<channel::Sender<HashSet<String>>>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            roles: None,
            check_every: Duration::from_secs(5),
            held: None,
        }
    }
}

/// What is wrong with the set of registered services.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Two services share a name.
    #[error("two services are called {0:?}")]
    Duplicate(String),
    /// A dependency does not exist.
    #[error("{service} depends on {dependency:?}, which is not registered")]
    UnknownDependency {
        /// The depending service.
        service: String,
        /// The missing name.
        dependency: String,
    },
    /// Services depend on each other in a circle.
    #[error("{0} depends on itself")]
    Cycle(String),
    /// `--roles` names something that does not exist.
    #[error("there is no role {name:?}; did you mean {nearest:?}?")]
    UnknownRole {
        /// What the user wrote.
        name: String,
        /// The nearest name.
        nearest: String,
    },
}
