//! The records of a collection, page by page: first the files of a page, then its rows in one
//! transaction. A row that cannot be taken does not hold up the others of its page.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use mito_database::{Lane, ToValue, Tx};

use super::{
    files::{Storage, Taken},
    report::Reporter,
    rows::{self, Incoming},
    source::{POSITION, Source},
};
use crate::{
    Collection, Error, Records,
    fields::FieldKind,
    files::{FileKey, reclaim_in},
    names::quote,
};

/// Files stored at a time.
const FILES_AT_ONCE: usize = 8;
/// How often a page is tried while the database has too much to do.
const TRIES: u32 = 100;
/// Between two tries.
const TRY_EVERY: Duration = Duration::from_millis(100);

/// What is written in one transaction.
struct Batch {
    collection: Collection,
    upsert: String,
    rows: Vec<Incoming>,
    /// The files of each record that has some.
    files: HashMap<String, Vec<Taken>>,
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
            reporter.problem(&collection.name, "its table is missing, so it is empty");
            return Ok(());
        };
        let mut after = i64::MIN;
        loop {
            reporter.tell_progress(total);
            let page = source.rows(collection, after).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = last.get(POSITION)?;
            let mut incoming = Vec::with_capacity(page.len());
            for row in &page {
                match rows::incoming(collection, row) {
                    Ok(row) => incoming.push(row),
                    Err(reason) => refuse(reporter, collection, "", &reason),
                }
            }
            let files = self.take_files(storage, collection, &incoming, reporter);
            let batch = Batch {
                collection: collection.clone(),
                upsert: upsert(collection),
                files: files.await?,
                rows: incoming,
            };
            self.take_batch(batch, reporter).await?;
        }
    }

    async fn take_files(
        &self,
        storage: &Storage,
        collection: &Collection,
        rows: &[Incoming],
        reporter: &mut Reporter<'_>,
    ) -> Result<HashMap<String, Vec<Taken>>, Error> {
        let mut keys = Vec::new();
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
        if !keys.is_empty() && !storage.exists() {
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

    async fn take_batch(&self, batch: Batch, reporter: &mut Reporter<'_>) -> Result<(), Error> {
        let count = batch.rows.len();
        if reporter.is_dry_run() {
            (0..count).for_each(|row| count_in(reporter, &batch, row, false));
            return Ok(());
        }
        let batch = Arc::new(batch);
        match self.write_rows(&batch, 0..count).await {
            Ok(replaced) => {
                for (row, replaced) in replaced.into_iter().enumerate() {
                    count_in(reporter, &batch, row, replaced);
                }
                return Ok(());
            }
            Err(error) => refusal(error)?,
        };
        for row in 0..count {
            match self.write_rows(&batch, row..row + 1).await {
                Ok(replaced) => count_in(reporter, &batch, row, replaced == [true]),
                Err(error) => {
                    let reason = refusal(error)?;
                    let id = &batch.rows[row].id;
                    refuse(reporter, &batch.collection, id, &reason);
                    self.let_go(batch.files.get(id)).await;
                }
            }
        }
        Ok(())
    }

    /// Writes some rows of a batch; says of each whether it took another's place.
    async fn write_rows(
        &self,
        batch: &Arc<Batch>,
        range: std::ops::Range<usize>,
    ) -> Result<Vec<bool>, Error> {
        let mut tries = 0;
        loop {
            let (records, batch, range) = (self.clone(), Arc::clone(batch), range.clone());
            let write = move |tx: &mut Tx<'_>| {
                let rows = batch.rows[range.clone()].iter();
                rows.map(|row| records.write_row(tx, &batch, row)).collect()
            };
            match self.inner.database.write_in(Lane::Bulk, write).await {
                Err(Error::Database(error)) if error.is_transient() && tries < TRIES => {
                    tries += 1;
                    self.inner.clock.sleep(TRY_EVERY).await;
                }
                other => return other,
            }
        }
    }

    fn write_row(&self, tx: &mut Tx<'_>, batch: &Batch, row: &Incoming) -> Result<bool, Error> {
        let collection = &batch.collection;
        let sql = format!("SELECT * FROM {} WHERE id = $1", quote(&collection.name));
        let before = tx.query_one(&sql, &[&row.id])?;
        if let Some(before) = &before {
            self.discard_replaced(tx, collection, before, row)?;
        }
        let parameters: Vec<&dyn ToValue> = row
            .values
            .iter()
            .map(|value| value as &dyn ToValue)
            .collect();
        tx.execute(&batch.upsert, &parameters)?;
        for file in batch.files.get(&row.id).into_iter().flatten() {
            if file.was_there {
                reclaim_in(tx, &file.key)?;
            } else {
                self.files().claim_in(tx, &file.key)?;
            }
        }
        Ok(before.is_some())
    }

    /// Lets go of the files that a record had and has no more.
    fn discard_replaced(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        before: &mito_database::Row,
        row: &Incoming,
    ) -> Result<(), Error> {
        for (field, value) in collection.fields.iter().zip(&row.values) {
            if field.kind_of() != Some(FieldKind::File) {
                continue;
            }
            let names = rows::file_names(field, value);
            let mut gone = rows::file_names(field, &before.get(&field.name)?);
            gone.retain(|name| !names.contains(name));
            let gone = gone.iter().map(String::as_str);
            self.files().discard_in(tx, &collection.id, &row.id, gone)?;
        }
        Ok(())
    }

    async fn let_go(&self, files: Option<&Vec<Taken>>) {
        let files = files.into_iter().flatten();
        for file in files.filter(|file| !file.was_there) {
            self.files().withdraw(&file.key.object_key()).await;
        }
    }
}

fn count_in(reporter: &mut Reporter<'_>, batch: &Batch, row: usize, replaced: bool) {
    let row = &batch.rows[row];
    let files = batch.files.get(&row.id);
    let taken = reporter.collection();
    taken.records += 1;
    taken.replaced += u64::from(replaced);
    for file in files.into_iter().flatten() {
        taken.files += 1;
        taken.file_bytes += file.bytes;
    }
    for changed in &row.changed {
        reporter.problem(format!("{}/{}", batch.collection.name, row.id), changed);
    }
}

fn refuse(reporter: &mut Reporter<'_>, collection: &Collection, id: &str, reason: &str) {
    reporter.collection().refused += 1;
    let reason = format!("the record is left out: {reason}");
    reporter.problem(format!("{}/{id}", collection.name), reason);
}

/// Why a row is refused; an error that is not about the row ends the import.
fn refusal(error: Error) -> Result<String, Error> {
    match error {
        Error::Database(mito_database::Error::Unique(what)) => Ok(format!(
            "another record here has the same value, which must be unique ({what})"
        )),
        Error::Database(mito_database::Error::Constraint(what)) => Ok(what),
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
