//! Carries the events of one file's outbox into effects in another (or the same) file, each exactly
//! once: the destination stores (source file id, sequence) together with the effect.

use mito_database::{Database, Event, Tx};
use mito_network::Task;

use crate::Error;

/// A relay from one outbox.
pub struct Relay {}

impl Relay {
    /// `name` identifies the relay's cursor for ever. `apply` turns one event into writes on the
    /// destination; it is called in the transaction that advances the cursor, up to 100 events a
    /// transaction, in order.
    pub fn new<F>(name: &'static str, source: Database, destination: Database, apply: F) -> Self
    where
        F: Fn(&mut Tx<'_>, &Event) -> Result<(), Error> + Send + Sync + 'static,
    {
        let _ = (name, source, destination, apply);
        todo!("queue helper")
    }

    /// The task that runs the relay; it wakes when the source commits an event.
    pub fn task(self) -> Task {
        todo!("queue helper")
    }
}
