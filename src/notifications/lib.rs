//! Tells people: an event becomes deliveries, a delivery becomes an e-mail and an inbox entry.
//!
//! A starter installs triggers: which event tells which recipients by which template. The planner
//! relays events of `mito.db` into planning jobs, those into one delivery and one job for each
//! recipient, and the worker renders and sends. Without a mail server, mail goes to a built-in
//! mailbox that the panel shows; nothing is dropped without a word.
//!
//! | module | what it holds |
//! |---|---|
//! | [`trigger`] | who is told of which event |
//! | `planner` | events into deliveries |
//! | `deliver` | works on one delivery |
//! | `mail` | sends what other roles have written |
//! | `template` | templates into words |
//! | `message` | words into a message, every address and name checked |
//! | `smtp` | sends one message |
//! | [`tables`], [`store`] | the tables |
//! | `panel` | what the control panel reads |
//!
//! Delivery by SMTP is at least once: a crash between the server's answer and our commit sends a
//! second copy with the same Message-ID. The mailbox and the inbox have one copy always.

#[cfg(test)]
mod behaviour;
mod deliver;
mod mail;
mod message;
mod panel;
mod planner;
mod smtp;
pub mod store;
pub mod tables;
mod template;
pub mod trigger;

use std::sync::Arc;

use mito_core::{Clock, Random, egress::Egress};
use mito_database::{Database, Tx};
use mito_network::Task;
use mito_queue::{Failure, Job as _, Policy, Queue, Relay, kinds::DeliverNotification};
use mito_records::Records;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use tables::MIGRATIONS;

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
    /// `starttls`, `tls`, `offered` or `none`.
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
    /// Upgrade a plain connection where the server offers it; go on without where it does not.
    Offered,
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
        Self {
            replicas: 2,
            smtp: Smtp::default(),
        }
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

/// The notifications role. Cheap to clone; its jobs fail while no clone and no task of it is left.
#[derive(Clone)]
pub struct Notifications {
    inner: Arc<Inner>,
}

/// What jobs are worked on with. The queue holds the handlers and this holds the queue, so the
/// handlers hold it weakly.
pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) database: Database,
    pub(crate) queue: Queue,
    pub(crate) records: Records,
    pub(crate) egress: Egress,
    pub(crate) domain: String,
    pub(crate) random: Random,
    pub(crate) clock: Clock,
}

impl Notifications {
    /// The role; registers its job handlers and does no I/O.
    pub fn new(config: Config, dependencies: Dependencies) -> Self {
        let Dependencies {
            database,
            queue,
            records,
            egress,
            domain,
            clock,
            random,
        } = dependencies;
        let inner = Inner {
            config,
            database,
            queue,
            records,
            egress,
            domain,
            random,
            clock,
        };
        let inner = Arc::new(inner);
        let planner = Arc::downgrade(&inner);
        inner.queue.handle(Policy::default(), move |running| {
            planner::plan(planner.clone(), running)
        });
        let worker = Arc::downgrade(&inner);
        inner.queue.handle(deliver::policy(), move |running| {
            let worker = worker.upgrade();
            async move {
                let Some(inner) = worker else {
                    return Err(Failure::Retry("the role is shutting down".to_owned()));
                };
                deliver::deliver(inner, running).await
            }
        });
        let sender = Arc::downgrade(&inner);
        inner.queue.handle(mail::policy(), move |running| {
            let sender = sender.upgrade();
            async move {
                let Some(inner) = sender else {
                    return Err(Failure::Retry("the role is shutting down".to_owned()));
                };
                mail::send(inner, running).await
            }
        });
        Self { inner }
    }

    /// The planner (events of `mito.db` into deliveries and jobs) and the workers.
    pub fn tasks(&self) -> Vec<Task> {
        let database = self.inner.database.clone();
        let file_id = database.file_id().to_owned();
        // The relay's task keeps the role alive for its handlers.
        let inner = self.inner.clone();
        let relay = Relay::new("notifications.records", database.clone(), database, {
            move |tx, event| planner::apply(&inner.queue, &file_id, tx, event)
        });
        let replicas = self.inner.config.replicas;
        vec![
            relay.task(),
            self.inner
                .queue
                .worker(DeliverNotification::QUEUE, replicas),
        ]
    }

    /// Whether the role can do its work.
    pub async fn ping(&self) -> Result<(), String> {
        let triggers = self.inner.database.read(|tx| store::triggers_of(tx, ""));
        triggers
            .await
            .map(|_| ())
            .map_err(|error| error.to_string())
    }

    /// Installs a trigger of a starter; one with the same name is replaced.
    pub fn install_trigger(
        &self,
        tx: &mut Tx<'_>,
        trigger: &serde_json::Value,
    ) -> Result<(), Error> {
        store::install(tx, &trigger::Trigger::from_json(trigger)?)
    }

    /// Routes relative to `/_mito/api/notifications`; the caller has checked that an administrator
    /// asks.
    pub fn panel(&self) -> axum::Router {
        panel::routes(self.inner.database.clone())
    }
}
