//! The records of a collection, page by page: first the files of a page, then its rows in one
//! transaction. A row that cannot be taken does not hold up the others of its page; it is tried once
//! more at the end, when what it collided with may have changed as well.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use mito_database::{Lane, Row, ToValue, Tx, Value as Stored};

use super::{
    files::{Storage, Taken},
    report::Reporter,
    rows::{self, Incoming},
    source::{PAGE_ROWS, POSITION, Source},
};
use crate::{
    Collection, Error, Records, SUPERUSERS,
    accounts::change,
    collections::{indexes::Index, store},
    fields::FieldKind,
    files::{FileKey, reclaim_in},
    names::quote,
};

/// Files stored at a time.
const FILES_AT_ONCE: usize = 8;
/// Rows of a page whose records may have files: these take longer than their rows.
const PAGE_ROWS_WITH_FILES: usize = 50;
/// The most rows of a collection that are tried once more.
const MAX_AGAIN: usize = 1_000;
/// How often a page is tried while the database has too much to do.
const TRIES: u32 = 100;
/// Between two tries.
const TRY_EVERY: Duration = Duration::from_millis(100);

/// What is written in one transaction.
struct Batch {
    /// The collection with the fields that they have, too.
    collection: Collection,
    upsert: String,
    rows: Vec<Incoming>,
    /// The files of each record that has some.
    files: HashMap<String, Vec<Taken>>,
}

/// What became of a row.
struct Written {
    /// It took the place of one with the same id.
    replaced: bool,
    /// Sessions of the account that have ended with its old token key.
    ended: Vec<String>,
}

impl Records {
    /// Takes the records of a collection over.
    pub(super) async fn copy_records(
        &self,
        source: &Source,
        storage: &Storage,
        collection: &Collection,
        reporter: &mut Reporter<'_>,
    ) -> Result<(), Error> {
        reporter.begin_collection(collection);
        if collection.is_view() {
            return Ok(());
        }
        let Some(total) = source.count(collection).await? else {
            if !collection.system {
                reporter.problem(&collection.name, "its table is missing, so it is empty");
            }
            return Ok(());
        };
        let has_files = |field: &crate::Field| field.kind_of() == Some(FieldKind::File);
        let limit = if collection.fields.iter().any(has_files) {
            PAGE_ROWS_WITH_FILES
        } else {
            PAGE_ROWS
        };
        let (mut after, mut again) = (i64::MIN, Vec::new());
        loop {
            reporter.tell_progress(total);
            let page = source.rows(collection, after, limit).await?;
            let Some(last) = page.last() else { break };
            after = last.get(POSITION)?;
            let batch = self
                .page_batch(storage, collection, &page, reporter)
                .await?;
            self.take_batch(batch, &mut again, reporter).await?;
        }
        for (batch, row) in again {
            match self.write_rows(&batch, row..row + 1).await {
                Ok(written) => self.count_in(reporter, &batch, row, &written[0]),
                Err(error) => self.refuse(reporter, &batch, row, error).await?,
            }
        }
        self.note_those_that_stay(collection, reporter).await
    }

    /// The rows of a page as ours, with their files stored.
    async fn page_batch(
        &self,
        storage: &Storage,
        collection: &Collection,
        page: &[Row],
        reporter: &mut Reporter<'_>,
    ) -> Result<Batch, Error> {
        // A field that only we have keeps what it holds.
        let mut collection = collection.clone();
        let columns = page.first().map_or(&[][..], Row::columns);
        collection
            .fields
            .retain(|field| columns.contains(&field.name));
        let mut incoming = Vec::with_capacity(page.len());
        for row in page {
            match rows::incoming(&collection, row) {
                Ok(row) => incoming.push(row),
                Err(reason) => left_out(reporter, &collection, "", &reason),
            }
        }
        Ok(Batch {
            upsert: upsert(&collection),
            files: self
                .take_files(storage, &collection, &incoming, reporter)
                .await?,
            rows: incoming,
            collection,
        })
    }

    async fn take_files(
        &self,
        storage: &Storage,
        collection: &Collection,
        rows: &[Incoming],
        reporter: &mut Reporter<'_>,
    ) -> Result<HashMap<String, Vec<Taken>>, Error> {
        let mut keys = HashSet::new();
        for row in rows {
            for (field, value) in collection.fields.iter().zip(&row.values) {
                let names = rows::file_names(field, value);
                keys.extend(names.into_iter().map(|name| FileKey {
                    collection_id: collection.id.clone(),
                    record_id: row.id.clone(),
                    name,
                }));
            }
        }
        if !keys.is_empty() && !storage.exists().await {
            reporter.problem_once(
                "storage",
                "there is no such folder, so no files are taken; if they are in an external \
                 storage, copy them there and import again",
            );
            keys.clear();
        }
        let dry_run = reporter.is_dry_run();
        let mut taking = stream::iter(keys)
            .map(|key| self.take_file(storage, key, dry_run))
            .buffer_unordered(FILES_AT_ONCE);
        let mut files: HashMap<String, Vec<Taken>> = HashMap::new();
        while let Some(taken) = taking.next().await {
            match taken? {
                Ok(taken) => {
                    let of_record = files.entry(taken.key.record_id.clone());
                    of_record.or_default().push(taken);
                }
                Err((key, reason)) => {
                    let place = format!("{}/{}/{}", collection.name, key.record_id, key.name);
                    reporter.problem(place, reason);
                }
            }
        }
        Ok(files)
    }

    async fn take_batch(
        &self,
        batch: Batch,
        again: &mut Vec<(Arc<Batch>, usize)>,
        reporter: &mut Reporter<'_>,
    ) -> Result<(), Error> {
        let count = batch.rows.len();
        let batch = Arc::new(batch);
        if reporter.is_dry_run() {
            return self.rehearse(&batch, reporter).await;
        }
        match self.write_rows(&batch, 0..count).await {
            Ok(written) => {
                for (row, written) in written.iter().enumerate() {
                    self.count_in(reporter, &batch, row, written);
                }
                return Ok(());
            }
            Err(error) => refusal(error)?,
        };
        for row in 0..count {
            match self.write_rows(&batch, row..row + 1).await {
                Ok(written) => self.count_in(reporter, &batch, row, &written[0]),
                Err(error) if again.len() < MAX_AGAIN => {
                    refusal(error)?;
                    again.push((Arc::clone(&batch), row));
                }
                Err(error) => self.refuse(reporter, &batch, row, error).await?,
            }
        }
        Ok(())
    }

    /// Says of the rows of a batch what writing them would come to.
    async fn rehearse(&self, batch: &Arc<Batch>, reporter: &mut Reporter<'_>) -> Result<(), Error> {
        let theirs = Arc::clone(batch);
        let look = move |tx: &mut Tx<'_>| {
            // What is not here yet stands in nobody's way.
            let Some(ours) = store::find_by_id(tx, &theirs.collection.id)? else {
                return Ok(Vec::new());
            };
            let rows = theirs.rows.iter();
            rows.map(|row| foresee(tx, &ours, &theirs.collection, row))
                .collect::<Result<Vec<_>, Error>>()
        };
        let foreseen = self.inner.database.read(look).await?;
        for row in 0..batch.rows.len() {
            match foreseen.get(row) {
                Some(Err(reason)) => {
                    left_out(reporter, &batch.collection, &batch.rows[row].id, reason);
                }
                other => {
                    let written = Written {
                        replaced: matches!(other, Some(Ok(true))),
                        ended: Vec::new(),
                    };
                    self.count_in(reporter, batch, row, &written);
                }
            }
        }
        Ok(())
    }

    /// Writes some rows of a batch.
    async fn write_rows(
        &self,
        batch: &Arc<Batch>,
        range: std::ops::Range<usize>,
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

    fn count_in(&self, reporter: &mut Reporter<'_>, batch: &Batch, row: usize, written: &Written) {
        self.mark_all_ended(&written.ended);
        let row = &batch.rows[row];
        let files = batch.files.get(&row.id);
        let taken = reporter.collection();
        taken.records += 1;
        taken.replaced += u64::from(written.replaced);
        for file in files.into_iter().flatten() {
            taken.files += 1;
            taken.file_bytes += file.bytes;
        }
        for changed in &row.changed {
            reporter.problem(format!("{}/{}", batch.collection.name, row.id), changed);
        }
    }

    async fn refuse(
        &self,
        reporter: &mut Reporter<'_>,
        batch: &Batch,
        row: usize,
        error: Error,
    ) -> Result<(), Error> {
        let reason = refusal(error)?;
        let id = &batch.rows[row].id;
        left_out(reporter, &batch.collection, id, &reason);
        let files = batch.files.get(id).into_iter().flatten();
        for file in files.filter(|file| !file.was_there) {
            self.files().withdraw(&file.key.object_key()).await;
        }
        Ok(())
    }

    /// Says how many records of an earlier import they have no more.
    async fn note_those_that_stay(
        &self,
        collection: &Collection,
        reporter: &mut Reporter<'_>,
    ) -> Result<(), Error> {
        let taken = reporter.collection();
        let (records, replaced) = (taken.records, taken.replaced);
        if replaced == 0 || reporter.is_dry_run() || collection.name == SUPERUSERS {
            return Ok(());
        }
        let sql = format!("SELECT COUNT(*) AS total FROM {}", quote(&collection.name));
        let count = move |tx: &mut Tx<'_>| {
            let row = tx.query_one(&sql, &[])?;
            Ok::<i64, Error>(row.map_or(Ok(0), |row| row.get("total"))?)
        };
        let total = self.inner.database.read(count).await?;
        let more = u64::try_from(total)
            .unwrap_or_default()
            .saturating_sub(records);
        if more > 0 {
            let reason = format!("{more} records are here and not (or no more) there; they stay");
            reporter.problem(&collection.name, reason);
        }
        Ok(())
    }
}

/// Whether a row would take the place of another, or why it would be refused.
fn foresee(
    tx: &mut Tx<'_>,
    ours: &Collection,
    theirs: &Collection,
    row: &Incoming,
) -> Result<Result<bool, String>, Error> {
    let table = quote(&ours.name);
    for statement in &ours.indexes {
        let Ok(index) = Index::parse(statement) else {
            continue;
        };
        let [column] = index.columns.as_slice() else {
            continue;
        };
        let value = position(theirs, &column.name).map(|at| &row.values[at]);
        let Some(value @ Stored::Text(text)) = value else {
            continue;
        };
        if !index.unique || text.is_empty() || ours.field(&column.name).is_none() {
            continue;
        }
        let column = quote(&column.name);
        let sql = format!("SELECT id FROM {table} WHERE {column} = $1 AND id <> $2");
        if tx.query_one(&sql, &[value, &row.id])?.is_some() {
            return Ok(Err(not_unique(&format!("{}.{column}", ours.name))));
        }
    }
    let sql = format!("SELECT id FROM {table} WHERE id = $1");
    Ok(Ok(tx.query_one(&sql, &[&row.id])?.is_some()))
}

/// The names of all files that a record has.
fn names_in(
    collection: &Collection,
    value: impl Fn(&crate::Field) -> Option<Stored>,
) -> Vec<String> {
    let fields = collection.fields.iter();
    fields
        .filter(|field| field.kind_of() == Some(FieldKind::File))
        .filter_map(|field| Some(rows::file_names(field, &value(field)?)))
        .flatten()
        .collect()
}

fn position(collection: &Collection, name: &str) -> Option<usize> {
    let mut fields = collection.fields.iter();
    fields.position(|field| field.name == name)
}

fn left_out(reporter: &mut Reporter<'_>, collection: &Collection, id: &str, reason: &str) {
    reporter.collection().refused += 1;
    let reason = format!("the record is left out: {reason}");
    reporter.problem(format!("{}/{id}", collection.name), reason);
}

fn not_unique(what: &str) -> String {
    format!("another record here has the same value, which must be unique ({what})")
}

/// Why a row is refused; an error that is not about the row ends the import.
fn refusal(error: Error) -> Result<String, Error> {
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
fn upsert(collection: &Collection) -> String {
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
