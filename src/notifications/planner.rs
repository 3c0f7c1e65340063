//! Events into deliveries.
//!
//! The relay turns an event that a trigger waits for into one planning job, in the transaction
//! that advances its cursor. The job plans one page of recipients at a time and enqueues itself
//! for the next page in the transaction that completes it, so that a million subscribers are a
//! few thousand small transactions, each of them done exactly once.

use std::sync::Weak;

use mito_database::{Action, Event, Tx};
use mito_queue::{
    Completed, Enqueue, Error as QueueError, Failure, Job, Queue, Running,
    kinds::DeliverNotification,
};
use mito_records::{Error as RecordsError, Record};
use serde::{Deserialize, Serialize};

use crate::{
    Inner,
    store::{self, Delivery, DeliveryState},
    trigger::Trigger,
};

/// How many recipients one transaction plans; each makes two rows (delivery and job), so this
/// keeps within the 500 rows of a polite transaction.
pub(crate) const PAGE_RECIPIENTS: u32 = 200;

/// Plan the deliveries of one event to one page of a trigger's recipients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlanRecipients {
    /// The trigger.
    pub(crate) trigger: String,
    /// The event: file and sequence.
    pub(crate) source_event: String,
    /// The collection of the record that the event speaks of.
    pub(crate) collection: String,
    /// That record.
    pub(crate) record: String,
    /// Recipients after this record id; empty for the first page.
    #[serde(default)]
    pub(crate) after: String,
}

impl Job for PlanRecipients {
    const KIND: &'static str = "notifications.plan";
    const QUEUE: &'static str = "notifications";
}

/// What an event may say of the request that caused it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Detail {
    request_id: Option<String>,
}

/// Enqueues the planning of what `event` (of the file `file_id`) starts.
pub(crate) fn apply(
    queue: &Queue,
    file_id: &str,
    tx: &mut Tx<'_>,
    event: &Event,
) -> Result<(), QueueError> {
    if event.action == Action::Delete {
        return Ok(());
    }
    for trigger in store::triggers_of(tx, &event.collection)? {
        if !trigger.waits_for(event.action) {
            continue;
        }
        let detail: Detail = serde_json::from_str(&event.detail).unwrap_or_default();
        let source_event = format!("{file_id}:{}", event.sequence);
        let options = Enqueue {
            unique_key: Some(format!("{source_event}:{}:", trigger.name)),
            request_id: detail.request_id,
            ..Enqueue::default()
        };
        let job = PlanRecipients {
            trigger: trigger.name,
            source_event,
            collection: event.collection.clone(),
            record: event.record.clone(),
            after: String::new(),
        };
        queue.enqueue(tx, &job, &options)?;
    }
    Ok(())
}

/// Why a page could not be planned.
#[derive(Debug, thiserror::Error)]
enum PlanError {
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error(transparent)]
    Database(#[from] mito_database::Error),
    #[error("cannot read the recipients: {0}")]
    Records(RecordsError),
    #[error("the role is shutting down")]
    ShuttingDown,
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Queue(error) => error.into(),
            PlanError::Database(error) | PlanError::Records(RecordsError::Database(error)) => {
                error.into()
            }
            PlanError::Records(_) => Self::Discard(error.to_string()),
            PlanError::ShuttingDown => Self::Retry(error.to_string()),
        }
    }
}

/// Plans one page and what follows it, in the transaction that completes the job.
pub(crate) async fn plan(
    inner: Weak<Inner>,
    running: Running<PlanRecipients>,
) -> Result<Completed, Failure> {
    let (job, request_id) = (running.payload.clone(), running.request_id.clone());
    let completed = running
        .complete(move |tx| {
            let inner = inner.upgrade().ok_or(PlanError::ShuttingDown)?;
            plan_page(&inner, tx, &job, request_id.as_deref())
        })
        .await?;
    Ok(completed)
}

fn plan_page(
    inner: &Inner,
    tx: &mut Tx<'_>,
    job: &PlanRecipients,
    request_id: Option<&str>,
) -> Result<(), PlanError> {
    let Some(trigger) = store::find_trigger(tx, &job.trigger)? else {
        tracing::info!(trigger = %job.trigger, "a trigger was removed before its event was planned");
        return Ok(());
    };
    let recipients = &trigger.recipients;
    let page = inner
        .records
        .scan_in(
            tx,
            &recipients.collection,
            &recipients.filter,
            &job.after,
            PAGE_RECIPIENTS,
        )
        .map_err(PlanError::Records)?;
    let mut last = None;
    for recipient in &page {
        let Some(id) = text(recipient, "id") else {
            continue;
        };
        plan_one(inner, tx, job, &trigger, recipient, id, request_id)?;
        last = Some(id.to_owned());
    }
    store::prune_deliveries(tx)?;
    if page.len() >= PAGE_RECIPIENTS as usize
        && let Some(after) = last
    {
        let options = Enqueue {
            unique_key: Some(format!("{}:{}:{after}", job.source_event, job.trigger)),
            request_id: request_id.map(str::to_owned),
            ..Enqueue::default()
        };
        inner.queue.enqueue(
            tx,
            &PlanRecipients {
                after,
                ..job.clone()
            },
            &options,
        )?;
    }
    Ok(())
}

fn plan_one(
    inner: &Inner,
    tx: &mut Tx<'_>,
    job: &PlanRecipients,
    trigger: &Trigger,
    recipient: &Record,
    recipient_id: &str,
    request_id: Option<&str>,
) -> Result<(), PlanError> {
    let created_ms = tx.now_ms();
    let delivery = Delivery {
        id: inner.random.uuid(created_ms).to_string(),
        source_event: job.source_event.clone(),
        trigger_name: job.trigger.clone(),
        collection: job.collection.clone(),
        record: job.record.clone(),
        recipient: recipient_id.to_owned(),
        address: text(recipient, &trigger.recipients.email_field)
            .unwrap_or_default()
            .to_owned(),
        channel: String::new(),
        state: DeliveryState::Queued,
        note: String::new(),
        created_ms,
        finished_ms: None,
    };
    if store::plan(tx, &delivery)? {
        let options = Enqueue {
            unique_key: Some(delivery.id.clone()),
            request_id: request_id.map(str::to_owned),
            ..Enqueue::default()
        };
        inner.queue.enqueue(
            tx,
            &DeliverNotification {
                delivery: delivery.id,
            },
            &options,
        )?;
    }
    Ok(())
}

/// A text field of a record; `None` where it is missing or something else.
pub(crate) fn text<'a>(record: &'a Record, field: &str) -> Option<&'a str> {
    record.get(field).and_then(|value| value.as_str())
}
