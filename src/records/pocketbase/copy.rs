//! The records of a collection, page by page: first the files of a page, then its rows in one
//! transaction. A row that cannot be taken does not hold up the others of its page; it is tried once
//! more at the end, when what it collided with may have changed as well.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use futures_util::{StreamExt as _, stream};
use mito_database::{Row, Tx};

use super::{
    files::{Storage, Taken},
    report::Reporter,
    rows::{self, Incoming},
    source::{PAGE_ROWS, POSITION, Source},
    write::{Batch, Written, refusal, upsert},
};
use crate::{
    Collection, Error, Field, Records, SUPERUSERS, fields::FieldKind, files::FileKey, names::quote,
};

/// Files stored at a time.
const FILES_AT_ONCE: usize = 8;
/// Rows of a page whose records may have files: these take longer than their rows.
const PAGE_ROWS_WITH_FILES: usize = 50;
/// The most rows of a collection that are tried once more.
const MAX_AGAIN: usize = 1_000;

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
        let has_files = |field: &Field| field.kind_of() == Some(FieldKind::File);
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

    pub(super) fn count_in(
        &self,
        reporter: &mut Reporter<'_>,
        batch: &Batch,
        row: usize,
        written: &Written,
    ) {
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

pub(super) fn left_out(
    reporter: &mut Reporter<'_>,
    collection: &Collection,
    id: &str,
    reason: &str,
) {
    reporter.collection().refused += 1;
    let reason = format!("the record is left out: {reason}");
    reporter.problem(format!("{}/{id}", collection.name), reason);
}
