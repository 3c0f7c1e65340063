//! Delivers to one recipient: by e-mail, and into the inbox.
//!
//! By SMTP the message goes out before the transaction that completes the job, so a crash between
//! the two sends a second copy with the same Message-ID. The built-in mailbox and the inbox are
//! written in that transaction and have one copy always.

use std::{sync::Arc, time::Duration};

use mito_database::Tx;
use mito_queue::{Backoff, Completed, Failure, Policy, Running, kinds::DeliverNotification};
use mito_records::{Error as RecordsError, Record};

use crate::{
    Inner, message,
    planner::text,
    smtp::{self, SendError},
    store::{self, Delivery, DeliveryState, InboxEntry, MailboxItem, MailboxMessage},
    template::{self, Rendered},
    trigger::Trigger,
};

/// How often a delivery is tried in all: with the back-off, for about a day.
const ATTEMPTS: u32 = 24;

/// How deliveries are tried.
pub(crate) fn policy() -> Policy {
    Policy {
        attempts: ATTEMPTS,
        backoff: Backoff::exponential(Duration::from_secs(2), Duration::from_hours(2)),
        timeout: Duration::from_mins(2),
        ..Policy::default()
    }
}

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    /// The configured mail server.
    Smtp,
    /// The built-in mailbox.
    Mailbox,
}

impl Channel {
    fn as_str(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Mailbox => "mailbox",
        }
    }
}

/// What is to be done with a delivery.
enum Found {
    /// Send it.
    Wanted(Box<Wanted>),
    /// It ended before.
    Ended,
    /// Nobody wants it any more.
    Unwanted(String),
}

struct Wanted {
    delivery: Delivery,
    trigger: Trigger,
    record: Record,
    recipient: Record,
}

/// Delivers; a failure is noted in the delivery.
pub(crate) async fn deliver(
    inner: Arc<Inner>,
    running: Running<DeliverNotification>,
) -> Result<Completed, Failure> {
    let channel = if inner.config.smtp.host.is_empty() {
        Channel::Mailbox
    } else {
        Channel::Smtp
    };
    let (id, attempt) = (running.payload.delivery.clone(), running.attempt);
    let outcome = try_deliver(&inner, running, channel).await;
    if let Err(failure) = &outcome {
        let is_final = attempt >= ATTEMPTS || matches!(failure, Failure::Discard(_));
        let state = if is_final {
            DeliveryState::Failed
        } else {
            DeliveryState::Retrying
        };
        count(channel, state);
        tracing::warn!(delivery.id = %id, error = %failure, "a notification was not delivered");
        let note = failure.to_string();
        let noted = inner.database.write(move |tx| {
            // A lease that was lost after the completion leaves the delivery as it is.
            match store::find(tx, &id)? {
                Some(delivery) if !delivery.state.is_final() => {
                    store::set_state(tx, &id, channel.as_str(), state, &note)
                }
                Some(_) | None => Ok(()),
            }
        });
        if let Err(error) = noted.await as Result<(), mito_database::Error> {
            tracing::warn!(%error, "could not note why a notification was not delivered");
        }
    }
    outcome
}

async fn try_deliver(
    inner: &Arc<Inner>,
    running: Running<DeliverNotification>,
    channel: Channel,
) -> Result<Completed, Failure> {
    let id = running.payload.delivery.clone();
    let reader = inner.clone();
    let found = inner
        .database
        .read(move |tx| find(&reader, tx, &id).map_err(ReadError::Failed))
        .await
        .map_err(|ReadError::Failed(error)| records_failure(error))?;
    let wanted = match found {
        Found::Wanted(wanted) => wanted,
        Found::Ended => return complete_alone(running).await,
        Found::Unwanted(note) => return cancel(running, channel, note).await,
    };
    let (rendered, message) = compose(inner, &wanted).await?;
    if channel == Channel::Smtp {
        let smtp = &inner.config.smtp;
        smtp::send(smtp, &inner.egress, &inner.domain, &message)
            .await
            .map_err(|error| match error {
                SendError::Refused(_) => Failure::Discard(error.to_string()),
                SendError::Later(_) => Failure::Retry(error.to_string()),
            })?;
    }
    let Wanted {
        delivery, trigger, ..
    } = *wanted;
    let to_mailbox = (channel == Channel::Mailbox)
        .then(|| mailbox_message(&delivery, &inner.config.smtp.from, &rendered, &message));
    tracing::info!(
        delivery.id = %delivery.id, channel = channel.as_str(), "a notification goes out"
    );
    let completed = running
        .complete(move |tx| {
            let now_ms = tx.now_ms();
            if let Some(message) = &to_mailbox {
                store::add_to_mailbox(tx, message, store::MAILBOX_MESSAGES)?;
            }
            let entry = inbox_entry(&delivery, &trigger, &rendered, now_ms);
            store::add_to_inbox(tx, &entry)?;
            let state = DeliveryState::Sent;
            store::set_state(tx, &delivery.id, channel.as_str(), state, "")?;
            Ok::<_, CompleteError>(())
        })
        .await?;
    count(channel, DeliveryState::Sent);
    Ok(completed)
}

/// Reads the delivery and what it speaks of, and asks again whether it is wanted.
fn find(inner: &Inner, tx: &mut Tx<'_>, id: &str) -> Result<Found, RecordsError> {
    let Some(delivery) = store::find(tx, id)? else {
        return Ok(Found::Ended);
    };
    if delivery.state.is_final() {
        return Ok(Found::Ended);
    }
    let Some(trigger) = store::find_trigger(tx, &delivery.trigger_name)? else {
        return Ok(Found::Unwanted("the trigger was removed".to_owned()));
    };
    let record = match inner
        .records
        .find_in(tx, &delivery.collection, &delivery.record)
    {
        Ok(record) => record,
        Err(RecordsError::NotFound) => {
            return Ok(Found::Unwanted("what it speaks of was deleted".to_owned()));
        }
        Err(error) => return Err(error),
    };
    let recipients = &trigger.recipients;
    let filter = recipients.filter_for(&delivery.recipient);
    let recipient = inner
        .records
        .scan_in(tx, &recipients.collection, &filter, "", 1)?
        .pop();
    let Some(recipient) = recipient else {
        return Ok(Found::Unwanted("the recipient has left".to_owned()));
    };
    Ok(Found::Wanted(Box::new(Wanted {
        delivery,
        trigger,
        record,
        recipient,
    })))
}

/// Renders and builds the message, off the async threads: a template may take its whole fuel.
async fn compose(
    inner: &Arc<Inner>,
    wanted: &Wanted,
) -> Result<(Rendered, lettre::Message), Failure> {
    let recipients = &wanted.trigger.recipients;
    let address = text(&wanted.recipient, &recipients.email_field).unwrap_or_default();
    let name = text(&wanted.recipient, &recipients.name_field).unwrap_or_default();
    // A name that cannot stand in a header is left out; the address cannot be.
    let to = message::mailbox(name, address)
        .or_else(|_| message::mailbox("", address))
        .map_err(Failure::Discard)?;
    let from = message::sender(&inner.config.smtp.from)
        .map_err(|reason| Failure::Retry(format!("notifications.smtp.from: {reason}")))?;
    let context = template::Context {
        record: wanted.record.clone(),
        recipient: template::Recipient {
            name: template::one_line(name),
            address: to.email.to_string(),
        },
        domain: inner.domain.clone(),
    };
    let template = wanted.trigger.template.clone();
    let message_id = message::message_id(&wanted.delivery.id, &inner.domain);
    let date_ms = wanted.delivery.created_ms;
    let composed = tokio::task::spawn_blocking(move || {
        let rendered = template::render(&template, &context)?;
        let parts = message::Parts {
            from,
            to,
            message_id,
            date_ms,
            rendered: rendered.clone(),
        };
        Ok::<_, String>((rendered, message::build(parts)?))
    });
    composed
        .await
        .map_err(|_| Failure::Discard("rendering panicked; the log shows where".to_owned()))?
        .map_err(Failure::Discard)
}

fn mailbox_message(
    delivery: &Delivery,
    from: &str,
    rendered: &Rendered,
    message: &lettre::Message,
) -> MailboxMessage {
    MailboxMessage {
        item: MailboxItem {
            id: delivery.id.clone(),
            from: from.to_owned(),
            to: delivery.address.clone(),
            subject: rendered.subject.clone(),
            size_bytes: i64::try_from(message.formatted().len()).unwrap_or(i64::MAX),
            created_ms: delivery.created_ms,
        },
        text: rendered.text.clone(),
        html: rendered.html.clone(),
        headers: message::headers(message),
    }
}

fn inbox_entry(
    delivery: &Delivery,
    trigger: &Trigger,
    rendered: &Rendered,
    now_ms: i64,
) -> InboxEntry {
    InboxEntry {
        id: delivery.id.clone(),
        recipient_collection: trigger.recipients.collection.clone(),
        recipient: delivery.recipient.clone(),
        title: rendered.subject.clone(),
        body: rendered.text.clone(),
        collection: delivery.collection.clone(),
        record: delivery.record.clone(),
        created_ms: now_ms,
        read_ms: None,
    }
}

/// Completes a job whose delivery ended before.
async fn complete_alone(running: Running<DeliverNotification>) -> Result<Completed, Failure> {
    Ok(running.complete(|_| Ok::<_, CompleteError>(())).await?)
}

async fn cancel(
    running: Running<DeliverNotification>,
    channel: Channel,
    note: String,
) -> Result<Completed, Failure> {
    let id = running.payload.delivery.clone();
    tracing::info!(delivery.id = %id, reason = %note, "a notification is no longer wanted");
    let completed = running
        .complete(move |tx| {
            store::set_state(tx, &id, "", DeliveryState::Cancelled, &note)?;
            Ok::<_, CompleteError>(())
        })
        .await?;
    count(channel, DeliveryState::Cancelled);
    Ok(completed)
}

/// Why a completing transaction failed.
#[derive(Debug, thiserror::Error)]
enum CompleteError {
    #[error(transparent)]
    Queue(#[from] mito_queue::Error),
    #[error(transparent)]
    Database(#[from] mito_database::Error),
}

impl From<CompleteError> for Failure {
    fn from(error: CompleteError) -> Self {
        match error {
            CompleteError::Queue(error) => error.into(),
            CompleteError::Database(error) => error.into(),
        }
    }
}

/// Carries the records' errors through a read.
enum ReadError {
    Failed(RecordsError),
}

impl From<mito_database::Error> for ReadError {
    fn from(error: mito_database::Error) -> Self {
        Self::Failed(RecordsError::Database(error))
    }
}

fn records_failure(error: RecordsError) -> Failure {
    match error {
        RecordsError::Database(error) => error.into(),
        error => Failure::Discard(format!(
            "cannot read what the notification speaks of: {error}"
        )),
    }
}

fn count(channel: Channel, outcome: DeliveryState) {
    let labels = [("channel", channel.as_str()), ("outcome", outcome.as_str())];
    metrics::counter!("mito_notifications_deliveries_total", &labels).increment(1);
}
