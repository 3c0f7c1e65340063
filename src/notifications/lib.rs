//! Tells people: an event becomes deliveries, a delivery becomes an e-mail and an inbox entry.

use mito_core::{Clock, Random, egress::Egress};
use mito_database::{Database, Migrations, Tx};
use mito_network::Task;
use mito_queue::Queue;
use mito_records::Records;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The tables of triggers, deliveries, mailbox and inbox.
pub const MIGRATIONS: Migrations = Migrations { role: "notifications", steps: &[] };

/// `[notifications]`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How many deliveries run at once.
    pub replicas: usize,
    /// The mail server.
    pub smtp: Smtp,
}

/// `[notifications.smtp]` (`SMTP_HOST`, `SMTP_PORT`, `SMTP_USER`, `SMTP_PASSWORD`, `SMTP_FROM`).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Smtp {
    /// The host; empty sends mail to the built-in mailbox.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The user, where the server wants one.
    pub user: String,
    /// The password.
    #[schemars(extend("secret" = true))]
    pub password: String,
    /// The sender, `Name <address>`.
    pub from: String,
    /// `starttls`, `tls` or `none`.
    pub encryption: Encryption,
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    /// Upgrade a plain connection; refuse to go on without.
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// None: for a server on this machine.
    None,
}

impl Default for Smtp {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 587,
            user: String::new(),
            password: String::new(),
            from: "mito <mito@localhost>".to_owned(),
            encryption: Encryption::Starttls,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self { replicas: 2, smtp: Smtp::default() }
    }
}

/// What the role needs.
pub struct Dependencies {
    /// `mito.db`.
    pub database: Database,
    /// Jobs.
    pub queue: Queue,
    /// Recipients and what events speak of.
    pub records: Records,
    /// The way out to the mail server.
    pub egress: Egress,
    /// The domain, for links and message ids.
    pub domain: String,
    /// Tells the time.
    pub clock: Clock,
    /// Draws ids.
    pub random: Random,
}

/// What went wrong with a notification.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The trigger is not understood.
    #[error("trigger: {0}")]
    Trigger(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] mito_database::Error),
    /// The queue failed.
    #[error(transparent)]
    Queue(#[from] mito_queue::Error),
}

/// The notifications role. Cheap to clone.
#[derive(Clone)]
pub struct Notifications {}

impl Notifications {
    /// The role; registers its job handlers and does no I/O.
    pub fn new(config: Config, dependencies: Dependencies) -> Self {
        let _ = (config, dependencies);
        todo!("worker helper")
    }

    /// The planner (events of `mito.db` into deliveries and jobs) and the workers.
    pub fn tasks(&self) -> Vec<Task> {
        todo!("worker helper")
    }

    /// Whether the role can do its work.
    pub async fn ping(&self) -> Result<(), String> {
        todo!("worker helper")
    }

    /// Installs a trigger of a starter; one with the same name is replaced.
    pub fn install_trigger(
        &self,
        tx: &mut Tx<'_>,
        trigger: &serde_json::Value,
    ) -> Result<(), Error> {
        let _ = (tx, trigger);
        todo!("worker helper")
    }

    /// Routes relative to `/_mito/api/notifications`; the caller has checked that an administrator
    /// asks.
    pub fn panel(&self) -> axum::Router {
        todo!("worker helper")
    }
}
