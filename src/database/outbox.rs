//! Events that commit with the data they speak of.
//!
//! A write that others may care about calls [`crate::Tx::emit`]. The event gets the next sequence
//! number of its file and is seen by readers of the outbox only after the commit. Relays in
//! `queue` read them with [`read_after`] and remember how far they came.

use crate::{Error, Migration, Migrations, Tx};

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It did not exist before.
    Create,
    /// It has changed.
    Update,
    /// It is gone.
    Delete,
}

/// An event to append.
#[derive(Clone, Debug)]
pub struct NewEvent<'a> {
    /// What kind of thing changed: a collection's name, or `objects/<bucket>`.
    pub collection: &'a str,
    /// Which one: a record id, or an object key.
    pub record: &'a str,
    /// What happened.
    pub action: Action,
    /// JSON with what a reader needs and could not look up later.
    pub detail: &'a str,
}

/// A committed event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number in the file, rising in commit order, with gaps.
    pub sequence: i64,
    /// What kind of thing changed.
    pub collection: String,
    /// Which one.
    pub record: String,
    /// What happened.
    pub action: Action,
    /// JSON with what a reader needs.
    pub detail: String,
    /// When, milliseconds since the Unix epoch.
    pub at_ms: i64,
}

impl Action {
    /// How the action is stored.
    pub(crate) fn code(self) -> i64 {
        match self {
            Self::Create => 1,
            Self::Update => 2,
            Self::Delete => 3,
        }
    }

    fn from_code(code: i64) -> Result<Self, Error> {
        match code {
            1 => Ok(Self::Create),
            2 => Ok(Self::Update),
            3 => Ok(Self::Delete),
            other => Err(Error::Column {
                column: "action".to_owned(),
                reason: format!("{other} is no action of an event"),
            }),
        }
    }
}

/// The tables of this crate, in every file.
pub(crate) const MIGRATIONS: Migrations = Migrations {
    role: "database",
    steps: &[Migration {
        version: 1,
        // AUTOINCREMENT: a number is never given twice, also when the newest event was pruned.
        sql: "CREATE TABLE _mito_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
              CREATE TABLE _mito_outbox (
                  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                  collection TEXT NOT NULL,
                  record TEXT NOT NULL,
                  action BIGINT NOT NULL,
                  detail TEXT NOT NULL,
                  at_ms BIGINT NOT NULL
              );",
        postgres: Some(
            "CREATE TABLE _mito_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
             CREATE TABLE _mito_outbox (
                 sequence BIGSERIAL PRIMARY KEY,
                 collection TEXT NOT NULL,
                 record TEXT NOT NULL,
                 action BIGINT NOT NULL,
                 detail TEXT NOT NULL,
                 at_ms BIGINT NOT NULL
             );",
        ),
    }],
};

/// The most events that one [`prune`] deletes.
const PRUNED_AT_ONCE: i64 = 500;

/// Up to `limit` events after `sequence`, in order.
pub fn read_after(tx: &mut Tx<'_>, sequence: i64, limit: u32) -> Result<Vec<Event>, Error> {
    let rows = tx.query(
        "SELECT sequence, collection, record, action, detail, at_ms FROM _mito_outbox \
         WHERE sequence > $1 ORDER BY sequence LIMIT $2",
        &[&sequence, &limit],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Event {
                sequence: row.get("sequence")?,
                collection: row.get("collection")?,
                record: row.get("record")?,
                action: Action::from_code(row.get("action")?)?,
                detail: row.get("detail")?,
                at_ms: row.get("at_ms")?,
            })
        })
        .collect()
}

/// Deletes events up to and including `sequence`, at most 500 of them, the oldest first; returns
/// how many.
pub fn prune(tx: &mut Tx<'_>, sequence: i64) -> Result<usize, Error> {
    tx.frees_space();
    tx.execute(
        "DELETE FROM _mito_outbox WHERE sequence IN ( \
             SELECT sequence FROM _mito_outbox WHERE sequence <= $1 ORDER BY sequence LIMIT $2)",
        &[&sequence, &PRUNED_AT_ONCE],
    )
}
