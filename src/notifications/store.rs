//! What the role writes and reads in its tables.
//!
//! Ids of deliveries are UUIDs of version 7, so they sort by time; the inbox entry and the kept
//! message of a delivery have its id, so that a delivery can have only one of each.

use mito_database::{Error, Row, Tx};
use serde::Serialize;
use ts_rs::TS;

use crate::trigger::Trigger;

/// The most messages that the built-in mailbox keeps.
pub(crate) const MAILBOX_MESSAGES: u32 = 10_000;
/// The most entries that the inbox of one recipient keeps.
pub(crate) const INBOX_ENTRIES: u32 = 1_000;
/// How many rows beyond a limit one write removes.
const PRUNE_ROWS: u32 = 50;
/// How long finished deliveries are kept, in milliseconds.
const KEEP_DELIVERIES_MS: i64 = 90 * 24 * 3_600 * 1_000;

/// The state of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export)]
pub enum DeliveryState {
    /// Its job waits.
    Queued,
    /// An attempt failed; another follows.
    Retrying,
    /// The mail server, or the built-in mailbox, has taken it over.
    Sent,
    /// It is no longer wanted: the recipient has left or the record is gone.
    Cancelled,
    /// It failed for good; the note says why.
    Failed,
}

impl DeliveryState {
    /// The name in rows and metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Retrying => "retrying",
            Self::Sent => "sent",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    fn parse(name: &str) -> Self {
        match name {
            "queued" => Self::Queued,
            "retrying" => Self::Retrying,
            "sent" => Self::Sent,
            "cancelled" => Self::Cancelled,
            _ => Self::Failed,
        }
    }

    /// Whether nothing follows.
    pub(crate) fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Retrying)
    }
}

/// A delivery as the panel shows it.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct Delivery {
    /// Its id, also in the Message-ID.
    pub id: String,
    /// The event that caused it: file, sequence.
    pub source_event: String,
    /// The trigger.
    #[serde(rename = "trigger")]
    pub trigger_name: String,
    /// The collection of the record that it speaks of.
    pub collection: String,
    /// The record that it speaks of.
    pub record: String,
    /// The recipient's record.
    pub recipient: String,
    /// The address.
    pub address: String,
    /// `smtp` or `mailbox`; empty until it is known.
    pub channel: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// Why it failed, was cancelled or is tried again.
    pub note: String,
    /// When it was planned, milliseconds since the Unix epoch.
    #[ts(type = "number")]
    pub created_ms: i64,
    /// When it ended.
    #[ts(type = "number | null")]
    pub finished_ms: Option<i64>,
}

/// An inbox entry as the panel shows it.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct InboxEntry {
    /// The delivery's id.
    pub id: String,
    /// The collection of the recipient.
    pub recipient_collection: String,
    /// The recipient's record.
    pub recipient: String,
    /// One line.
    pub title: String,
    /// The words.
    pub body: String,
    /// The collection of the record that it speaks of.
    pub collection: String,
    /// The record that it speaks of.
    pub record: String,
    /// When it arrived, milliseconds since the Unix epoch.
    #[ts(type = "number")]
    pub created_ms: i64,
    /// When it was read.
    #[ts(type = "number | null")]
    pub read_ms: Option<i64>,
}

/// A message in the built-in mailbox, as a list shows it.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct MailboxItem {
    /// The delivery's id.
    pub id: String,
    /// The sender.
    pub from: String,
    /// The recipient.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The size of the whole message, in bytes.
    #[ts(type = "number")]
    pub size_bytes: i64,
    /// When it arrived, milliseconds since the Unix epoch.
    #[ts(type = "number")]
    pub created_ms: i64,
}

/// A message in the built-in mailbox with all its parts.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct MailboxMessage {
    /// What the list shows of it.
    #[serde(flatten)]
    #[ts(flatten)]
    pub item: MailboxItem,
    /// The text part.
    pub text: String,
    /// The HTML part. Show it in a sandboxed frame.
    pub html: String,
    /// The headers as they would go over the wire.
    pub headers: String,
}

/// Installs a trigger; one with the same name is replaced.
pub(crate) fn install(tx: &mut Tx<'_>, trigger: &Trigger) -> Result<(), crate::Error> {
    let definition =
        serde_json::to_string(trigger).map_err(|error| crate::Error::Trigger(error.to_string()))?;
    let now_ms = tx.now_ms();
    tx.execute(
        "INSERT INTO _mito_notifications_triggers (name, collection, definition, installed_ms)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO UPDATE SET collection = excluded.collection,
             definition = excluded.definition, installed_ms = excluded.installed_ms",
        &[
            &trigger.name,
            &trigger.event.collection,
            &definition,
            &now_ms,
        ],
    )?;
    Ok(())
}

/// The triggers that wait for events of a collection.
pub(crate) fn triggers_of(tx: &mut Tx<'_>, collection: &str) -> Result<Vec<Trigger>, Error> {
    let rows = tx.query(
        "SELECT definition FROM _mito_notifications_triggers WHERE collection = $1 ORDER BY name",
        &[&collection],
    )?;
    rows.iter().map(trigger).collect()
}

/// The trigger of that name.
pub(crate) fn find_trigger(tx: &mut Tx<'_>, name: &str) -> Result<Option<Trigger>, Error> {
    let row = tx.query_one(
        "SELECT definition FROM _mito_notifications_triggers WHERE name = $1",
        &[&name],
    )?;
    row.as_ref().map(trigger).transpose()
}

fn trigger(row: &Row) -> Result<Trigger, Error> {
    serde_json::from_str(&row.get::<String>("definition")?).map_err(|error| Error::Column {
        column: "definition".to_owned(),
        reason: error.to_string(),
    })
}

/// Plans a delivery; false when the recipient has one for the event already. Removes a few old
/// ones.
pub(crate) fn plan(tx: &mut Tx<'_>, delivery: &Delivery) -> Result<bool, Error> {
    let inserted = tx.execute(
        "INSERT INTO _mito_notifications_deliveries (id, source_event, trigger_name, collection,
             record, recipient, address, channel, state, note, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT DO NOTHING",
        &[
            &delivery.id,
            &delivery.source_event,
            &delivery.trigger_name,
            &delivery.collection,
            &delivery.record,
            &delivery.recipient,
            &delivery.address,
            &delivery.channel,
            &delivery.state.as_str(),
            &delivery.note,
            &delivery.created_ms,
        ],
    )?;
    Ok(inserted == 1)
}

/// Removes a few deliveries that ended long ago.
pub(crate) fn prune_deliveries(tx: &mut Tx<'_>) -> Result<(), Error> {
    let before_ms = tx.now_ms() - KEEP_DELIVERIES_MS;
    tx.execute(
        "DELETE FROM _mito_notifications_deliveries WHERE id IN (
             SELECT id FROM _mito_notifications_deliveries
             WHERE created_ms < $1 AND finished_ms IS NOT NULL ORDER BY created_ms LIMIT $2)",
        &[&before_ms, &PRUNE_ROWS],
    )?;
    Ok(())
}

/// Writes where a delivery stands.
pub(crate) fn set_state(
    tx: &mut Tx<'_>,
    id: &str,
    channel: &str,
    state: DeliveryState,
    note: &str,
) -> Result<(), Error> {
    let finished_ms = state.is_final().then(|| tx.now_ms());
    tx.execute(
        "UPDATE _mito_notifications_deliveries
         SET channel = $2, state = $3, note = $4, finished_ms = $5 WHERE id = $1",
        &[&id, &channel, &state.as_str(), &note, &finished_ms],
    )?;
    Ok(())
}

/// The delivery with that id.
pub(crate) fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<Delivery>, Error> {
    let row = tx.query_one(
        "SELECT * FROM _mito_notifications_deliveries WHERE id = $1",
        &[&id],
    )?;
    row.as_ref().map(delivery).transpose()
}

/// Deliveries, the newest first, before the given id.
pub(crate) fn deliveries(
    tx: &mut Tx<'_>,
    before: Option<&str>,
    limit: u32,
) -> Result<Vec<Delivery>, Error> {
    let rows = newest(tx, "_mito_notifications_deliveries", before, limit)?;
    rows.iter().map(delivery).collect()
}

fn delivery(row: &Row) -> Result<Delivery, Error> {
    Ok(Delivery {
        id: row.get("id")?,
        source_event: row.get("source_event")?,
        trigger_name: row.get("trigger_name")?,
        collection: row.get("collection")?,
        record: row.get("record")?,
        recipient: row.get("recipient")?,
        address: row.get("address")?,
        channel: row.get("channel")?,
        state: DeliveryState::parse(&row.get::<String>("state")?),
        note: row.get("note")?,
        created_ms: row.get("created_ms")?,
        finished_ms: row.get("finished_ms")?,
    })
}

/// Puts an entry into its recipient's inbox, once.
pub(crate) fn add_to_inbox(tx: &mut Tx<'_>, entry: &InboxEntry) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO _mito_notifications_inbox (id, recipient_collection, recipient, title, body,
             collection, record, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT DO NOTHING",
        &[
            &entry.id,
            &entry.recipient_collection,
            &entry.recipient,
            &entry.title,
            &entry.body,
            &entry.collection,
            &entry.record,
            &entry.created_ms,
        ],
    )?;
    tx.execute(
        "DELETE FROM _mito_notifications_inbox WHERE id IN (
             SELECT id FROM _mito_notifications_inbox
             WHERE recipient_collection = $1 AND recipient = $2
             ORDER BY id DESC LIMIT $3 OFFSET $4)",
        &[
            &entry.recipient_collection,
            &entry.recipient,
            &PRUNE_ROWS,
            &INBOX_ENTRIES,
        ],
    )?;
    Ok(())
}

/// Inbox entries, the newest first, before the given id.
pub(crate) fn inbox(
    tx: &mut Tx<'_>,
    before: Option<&str>,
    limit: u32,
) -> Result<Vec<InboxEntry>, Error> {
    let rows = newest(tx, "_mito_notifications_inbox", before, limit)?;
    let entry = |row: &Row| {
        Ok(InboxEntry {
            id: row.get("id")?,
            recipient_collection: row.get("recipient_collection")?,
            recipient: row.get("recipient")?,
            title: row.get("title")?,
            body: row.get("body")?,
            collection: row.get("collection")?,
            record: row.get("record")?,
            created_ms: row.get("created_ms")?,
            read_ms: row.get("read_ms")?,
        })
    };
    rows.iter().map(entry).collect()
}

/// Keeps a message in the built-in mailbox, once; beyond the limit the oldest go.
pub(crate) fn add_to_mailbox(
    tx: &mut Tx<'_>,
    message: &MailboxMessage,
    keep: u32,
) -> Result<(), Error> {
    let MailboxMessage {
        item,
        text,
        html,
        headers,
    } = message;
    tx.execute(
        "INSERT INTO _mito_notifications_mailbox (id, sender, recipient, subject, text_part,
             html_part, headers, size_bytes, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT DO NOTHING",
        &[
            &item.id,
            &item.from,
            &item.to,
            &item.subject,
            text,
            html,
            headers,
            &item.size_bytes,
            &item.created_ms,
        ],
    )?;
    tx.execute(
        "DELETE FROM _mito_notifications_mailbox WHERE id IN (
             SELECT id FROM _mito_notifications_mailbox ORDER BY id DESC LIMIT $1 OFFSET $2)",
        &[&PRUNE_ROWS, &keep],
    )?;
    Ok(())
}

/// Messages of the built-in mailbox, the newest first, before the given id.
pub(crate) fn mailbox(
    tx: &mut Tx<'_>,
    before: Option<&str>,
    limit: u32,
) -> Result<Vec<MailboxItem>, Error> {
    let rows = newest(tx, "_mito_notifications_mailbox", before, limit)?;
    rows.iter().map(mailbox_item).collect()
}

/// One message of the built-in mailbox.
pub(crate) fn mailbox_message(tx: &mut Tx<'_>, id: &str) -> Result<Option<MailboxMessage>, Error> {
    let row = tx.query_one(
        "SELECT * FROM _mito_notifications_mailbox WHERE id = $1",
        &[&id],
    )?;
    let message = |row: Row| {
        Ok(MailboxMessage {
            item: mailbox_item(&row)?,
            text: row.get("text_part")?,
            html: row.get("html_part")?,
            headers: row.get("headers")?,
        })
    };
    row.map(message).transpose()
}

fn mailbox_item(row: &Row) -> Result<MailboxItem, Error> {
    Ok(MailboxItem {
        id: row.get("id")?,
        from: row.get("sender")?,
        to: row.get("recipient")?,
        subject: row.get("subject")?,
        size_bytes: row.get("size_bytes")?,
        created_ms: row.get("created_ms")?,
    })
}

/// The newest rows of a table whose ids sort by time.
fn newest(
    tx: &mut Tx<'_>,
    table: &'static str,
    before: Option<&str>,
    limit: u32,
) -> Result<Vec<Row>, Error> {
    // `~` sorts after every id.
    let before = before.unwrap_or("~");
    tx.query(
        &format!("SELECT * FROM {table} WHERE id < $1 ORDER BY id DESC LIMIT $2"),
        &[&before, &limit],
    )
}
