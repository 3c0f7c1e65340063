//! Realtime: clients that are told of changes to records as they are committed.
//!
//! A client connects, which gives it an id and a stream, and submits what it wants to be told of.
//! The feed follows the outbox; for each event it loads the record once, asks for every kind of
//! subscriber whether the rule lets them know, and puts messages, which are shared, into bounded
//! mailboxes. This module knows events and their texts but no HTTP.
//!
//! | module | what it holds |
//! |---|---|
//! | [`topic`] | what a client asks for |
//! | [`mailbox`] | what waits for a client, bounded |
//! | [`registry`] | who is connected, by topic |
//! | [`feed`] | the task that follows the outbox and keeps time |
//! | [`deliver`] | who is told what of one event |
//! | [`judge`] | whether a subscriber may know of a record |

mod deliver;
mod feed;
mod judge;
mod mailbox;
mod registry;
#[cfg(test)]
mod tests;
mod topic;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use mito_core::{Clock, Random};
use mito_network::Identity;
use serde_json::{Value, json};
use tokio::sync::watch;

use self::{
    registry::{Client, Moment, Registry},
    topic::Topic,
};
use crate::{Error, FieldError, Records, error::FieldErrors};

/// Characters of a client's id.
const CLIENT_ID_LENGTH: usize = 40;
/// The longest id that is looked up, in characters.
const MAX_CLIENT_ID: usize = 255;
/// The most subscriptions of a client.
const MAX_SUBSCRIPTIONS: usize = 1_000;
/// The longest subscription, in characters.
const MAX_SUBSCRIPTION: usize = 2_500;
/// How long a new client waits for the feed to begin.
const FEED_WAIT: Duration = Duration::from_secs(5);
/// When a client that was turned away may try again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Picks the fields that an answer is left with: the `fields` parameter.
pub type Pick = fn(Value, &str) -> Value;

/// How many may be connected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) clients: usize,
    pub(crate) clients_per_address: usize,
}

impl Limits {
    pub(crate) fn of(config: &crate::Config) -> Self {
        Self {
            clients: config.realtime_max_clients,
            clients_per_address: config.realtime_max_clients_per_address,
        }
    }
}

/// Why a client is not let in or not listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Full,
    TooManyOfAddress,
    Unknown,
    OtherAddress,
    OtherAccount,
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full => Self::Database(mito_database::Error::Busy),
            Refused::TooManyOfAddress => Self::TooManyRequests {
                retry_after: RETRY_AFTER,
            },
            Refused::Unknown => Self::NotFound,
            Refused::OtherAddress => Self::Invalid("Invalid realtime client.".to_owned()),
            Refused::OtherAccount => Self::Forbidden(
                "The current and the previous request authorization don't match.".to_owned(),
            ),
        }
    }
}

/// What a client wants to be told of from now on.
#[derive(Debug)]
pub struct Submission {
    /// The id that the client was given when it connected.
    pub client_id: String,
    /// All its topics; what it asked for before and does not repeat is forgotten.
    pub subscriptions: Vec<String>,
    /// Who submits.
    pub identity: Option<Identity>,
    /// From where.
    pub client_ip: String,
    /// Picks the fields of messages.
    pub pick: Pick,
}

/// Everything that is connected. Cheap to clone.
#[derive(Clone)]
pub struct Realtime(Arc<Broker>);

struct Broker {
    limits: Limits,
    clock: Clock,
    random: Random,
    registry: Mutex<Registry>,
    /// Sessions that have ended, each with the newest event by then: it is the last that may be
    /// told with the session's rights.
    ended: Mutex<Vec<(String, i64)>>,
    /// The newest committed event.
    newest: watch::Receiver<i64>,
    /// The last event that everybody concerned was told of; none before the feed has begun.
    told: watch::Sender<Option<i64>>,
}

/// A client's end of its stream; dropping it disconnects.
#[derive(Debug)]
pub struct Connection {
    client: Arc<Client>,
    realtime: Realtime,
}

impl Realtime {
    pub(crate) fn new(
        limits: Limits,
        clock: Clock,
        random: Random,
        newest: watch::Receiver<i64>,
    ) -> Self {
        Self(Arc::new(Broker {
            limits,
            clock,
            random,
            registry: Mutex::default(),
            ended: Mutex::default(),
            newest,
            told: watch::Sender::new(None),
        }))
    }

    /// Lets a client in; the first message of its stream tells it its id. Every change that is
    /// committed after it has subscribed is told.
    pub async fn connect(&self, client_ip: &str) -> Result<Connection, Error> {
        let mut told = self.0.told.subscribe();
        let begun = told.wait_for(Option::is_some);
        if tokio::time::timeout(FEED_WAIT, begun).await.is_err() {
            return Err(Refused::Full.into());
        }
        let (id, now_ms) = (self.0.random.id(CLIENT_ID_LENGTH), self.0.clock.now_ms());
        let entered = self.registry().enter(id, client_ip, self.0.limits, now_ms);
        let client = entered.inspect_err(|_| {
            metrics::counter!("mito_realtime_refused_total").increment(1);
        })?;
        client.post(
            message("PB_CONNECT", &json!({"clientId": client.id})),
            now_ms,
        );
        Ok(Connection {
            client,
            realtime: self.clone(),
        })
    }

    /// Replaces a client's subscriptions.
    pub fn subscribe(&self, submission: Submission) -> Result<(), Error> {
        check(&submission)?;
        let topics = submission
            .subscriptions
            .iter()
            .map(|text| Topic::parse(text, submission.pick))
            .collect();
        self.registry().subscribe(
            &submission.client_id,
            topics,
            submission.identity,
            &submission.client_ip,
            Moment {
                at_ms: self.0.clock.now_ms(),
                sequence: *self.0.newest.borrow(),
            },
        )?;
        Ok(())
    }

    /// Tells one client something that it waits for, once: its subscription to the topic ends.
    /// False if there is no such client or it does not wait for that.
    pub fn send(&self, client_id: &str, topic: &str, data: &Value) -> bool {
        let client = self.registry().take_subscription(client_id, topic);
        client.is_some_and(|client| client.post(message(topic, data), self.0.clock.now_ms()))
    }

    /// How many clients are connected.
    pub fn count(&self) -> usize {
        self.registry().count()
    }

    /// Takes the rights of a session from its clients, as soon as what was committed before has been
    /// told.
    pub(crate) fn end_session(&self, session: &str) {
        let newest = *self.0.newest.borrow();
        let mut ended = self.ended();
        ended.push((session.to_owned(), newest));
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        let registry = self.0.registry.lock();
        registry.unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self) -> MutexGuard<'_, Vec<(String, i64)>> {
        self.0.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Realtime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Realtime")
            .field("clients", &self.count())
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// The id that the client was given.
    pub fn client_id(&self) -> &str {
        &self.client.id
    }

    /// The next bytes of the stream; `None` at its end.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.client.mailbox.poll_take(context)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.client.mailbox.close();
        self.realtime.registry().leave(&self.client);
    }
}

impl Records {
    /// Clients that are told of changes.
    pub fn realtime(&self) -> &Realtime {
        &self.inner.realtime
    }
}

/// An event of the stream without the line of the client's id, which stands first.
fn message(topic: &str, data: &Value) -> Bytes {
    Bytes::from(format!("event:{topic}\ndata:{data}\n\n"))
}

fn check(submission: &Submission) -> Result<(), Error> {
    let mut errors = FieldErrors::new();
    let too_long = |max: usize| {
        let message = format!("The length must be no more than {max}.");
        let mut error = FieldError::new("validation_length_too_long", message);
        error.params = Some(json!({"max": max, "min": 0}));
        error
    };
    let id = &submission.client_id;
    if id.is_empty() {
        errors.insert("clientId".to_owned(), FieldError::required());
    } else if id.chars().count() > MAX_CLIENT_ID {
        let message = format!("The length must be between 1 and {MAX_CLIENT_ID}.");
        let mut error = FieldError::new("validation_length_out_of_range", message);
        error.params = Some(json!({"max": MAX_CLIENT_ID, "min": 1}));
        errors.insert("clientId".to_owned(), error);
    }
    if submission.subscriptions.len() > MAX_SUBSCRIPTIONS {
        errors.insert("subscriptions".to_owned(), too_long(MAX_SUBSCRIPTIONS));
    } else {
        for (at, text) in submission.subscriptions.iter().enumerate() {
            if text.chars().count() > MAX_SUBSCRIPTION {
                errors.insert(format!("subscriptions.{at}"), too_long(MAX_SUBSCRIPTION));
            }
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Error::Fields(errors))
    }
}
