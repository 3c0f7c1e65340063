//! Events that commit with the data they speak of.
//!
//! A write that others may care about calls [`crate::Tx::emit`]. The event gets the next sequence
//! number of its file and is seen by readers of the outbox only after the commit. Relays in
//! `queue` read them with [`read_after`] and remember how far they came.

use crate::{Error, Tx};

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

/// Up to `limit` events after `sequence`, in order.
pub fn read_after(tx: &mut Tx<'_>, sequence: i64, limit: u32) -> Result<Vec<Event>, Error> {
    let _ = (tx, sequence, limit);
    todo!("database helper")
}

/// Deletes events up to and including `sequence`, at most 500 of them; returns how many.
pub fn prune(tx: &mut Tx<'_>, sequence: i64) -> Result<usize, Error> {
    let _ = (tx, sequence);
    todo!("database helper")
}
