//! Rows into the database: some of a page in one transaction, each with its files and, where the key
//! of an account's tokens has changed, the end of its sessions.

use std::{collections::HashMap, ops::Range, sync::Arc, time::Duration};

use mito_database::{Lane, Row, ToValue, Tx, Value as Stored};

use super::{
    files::Taken,
    rows::{self, Incoming},
};
use crate::{
    Collection, Error, Field, Records, accounts::change, fields::FieldKind, files::reclaim_in,
    names::quote,
};

/// How often a page is tried while the database has too much to do.
const TRIES: u32 = 100;
/// Between two tries.
const TRY_EVERY: Duration = Duration::from_millis(100);

/// What is written in one transaction.
pub(super) struct Batch {
    /// The collection with the fields that they have, too.
    pub(super) collection: Collection,
    pub(super) upsert: String,
    pub(super) rows: Vec<Incoming>,
    /// The files of each record that has some.
    pub(super) files: HashMap<String, Vec<Taken>>,
}

/// What became of a row.
pub(super) struct Written {
    /// It took the place of one with the same id.
    pub(super) replaced: bool,
    /// Sessions of the account that have ended with its old token key.
    pub(super) ended: Vec<String>,
}

impl Records {
    /// Writes some rows of a batch.
    pub(super) async fn write_rows(
        &self,
        batch: &Arc<Batch>,
        range: Range<usize>,
    ) -> Result<Vec<Written>, Error> {
        use mito_database::Error::{Busy, TimedOut};
        let mut tries = 0;
        loop {
            let (records, batch, range) = (self.clone(), Arc::clone(batch), range.clone());
            let write = move |tx: &mut Tx<'_>| {
                let rows = batch.rows[range.clone()].iter();
                rows.map(|row| records.write_row(tx, &batch, row)).collect()
            };
            match self.inner.database.write_in(Lane::Bulk, write).await {
                Err(Error::Database(Busy | TimedOut)) if tries < TRIES => {
                    tries += 1;
                    self.inner.clock.sleep(TRY_EVERY).await;
                }
                other => return other,
            }
        }
    }

    fn write_row(&self, tx: &mut Tx<'_>, batch: &Batch, row: &Incoming) -> Result<Written, Error> {
        let collection = &batch.collection;
        let sql = format!("SELECT * FROM {} WHERE id = $1", quote(&collection.name));
        let before = tx.query_one(&sql, &[&row.id])?;
        let mut ended = Vec::new();
        if let Some(before) = &before {
            self.discard_replaced(tx, collection, before, row)?;
            let key = position(collection, "tokenKey").map(|at| &row.values[at]);
            let key_before: Option<Stored> = before.get("tokenKey").ok();
            if collection.is_auth() && key_before.as_ref() != key {
                ended = change::follow(tx, collection, &row.id, true)?;
            }
        }
        let parameters: Vec<&dyn ToValue> = row
            .values
            .iter()
            .map(|value| value as &dyn ToValue)
            .collect();
        tx.execute(&batch.upsert, &parameters)?;
        for file in batch.files.get(&row.id).into_iter().flatten() {
            if file.was_there {
                let has_it = before.as_ref().is_some_and(|before| {
                    names_in(collection, |field| before.get(&field.name).ok())
                        .contains(&file.key.name)
                });
                reclaim_in(tx, &file.key, has_it)?;
            } else {
                self.files().claim_in(tx, &file.key)?;
            }
        }
        Ok(Written {
            replaced: before.is_some(),
            ended,
        })
    }

    /// Lets go of the files that a record had and has no more.
    fn discard_replaced(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        before: &Row,
        row: &Incoming,
    ) -> Result<(), Error> {
        let mut gone = names_in(collection, |field| before.get(&field.name).ok());
        let names = names_in(collection, |field| {
            position(collection, &field.name).map(|at| row.values[at].clone())
        });
        gone.retain(|name| !names.contains(name));
        let gone = gone.iter().map(String::as_str);
        self.files().discard_in(tx, &collection.id, &row.id, gone)
    }
}

/// The names of all files that a record has.
fn names_in(collection: &Collection, value: impl Fn(&Field) -> Option<Stored>) -> Vec<String> {
    let fields = collection.fields.iter();
    fields
        .filter(|field| field.kind_of() == Some(FieldKind::File))
        .filter_map(|field| Some(rows::file_names(field, &value(field)?)))
        .flatten()
        .collect()
}

pub(super) fn position(collection: &Collection, name: &str) -> Option<usize> {
    let mut fields = collection.fields.iter();
    fields.position(|field| field.name == name)
}

pub(super) fn not_unique(what: &str) -> String {
    format!("another record here has the same value, which must be unique ({what})")
}

/// Why a row is refused; an error that is not about the row ends the import.
pub(super) fn refusal(error: Error) -> Result<String, Error> {
    use mito_database::Error as Cause;
    match error {
        Error::Database(Cause::Unique(what)) => Ok(not_unique(&what)),
        Error::Database(Cause::Constraint(what)) => Ok(what),
        Error::Database(Cause::Statement { message, .. }) => Ok(message),
        Error::Invalid(reason) => Ok(reason),
        other => Err(other),
    }
}

/// Inserts a row, or puts it in the place of the one with its id.
pub(super) fn upsert(collection: &Collection) -> String {
    let names: Vec<String> = collection
        .fields
        .iter()
        .map(|field| quote(&field.name))
        .collect();
    let values: Vec<String> = (1..=names.len())
        .map(|number| format!("${number}"))
        .collect();
    let changes: Vec<String> = names
        .iter()
        .filter(|name| *name != "\"id\"")
        .map(|name| format!("{name} = excluded.{name}"))
        .collect();
    let action = if changes.is_empty() {
        "NOTHING".to_owned()
    } else {
        format!("UPDATE SET {}", changes.join(", "))
    };
    format!(
        "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT (id) DO {action}",
        quote(&collection.name),
        names.join(", "),
        values.join(", ")
    )
}
