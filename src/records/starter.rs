//! Starters: files in `data/starters` that define collections, and what the other roles set up for
//! them (buckets, pipelines, notification triggers, sample texts).

use mito_database::{Lane, Tx};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Collection, Error, Record, Records, names::quote, records::text};

/// Records written in one transaction.
const BATCH: usize = 200;
/// The most records of a starter.
const MAX_RECORDS: usize = 10_000;

/// A starter file. The root package imports it: each part by the role that owns it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Starter {
    /// Its name.
    pub name: String,
    /// What it is for, one sentence.
    pub description: String,
    /// Collections to create.
    pub collections: Vec<Collection>,
    /// Records to create, by collection; those with an `id` that exists are left alone.
    #[serde(default)]
    pub records: serde_json::Map<String, Value>,
    /// Buckets to create.
    #[serde(default)]
    pub buckets: Vec<String>,
    /// Which pipeline runs over new objects of which bucket, as `ai` reads it.
    #[serde(default)]
    pub pipelines: Vec<Value>,
    /// Who is told of which event, as `notifications` reads it.
    #[serde(default)]
    pub triggers: Vec<Value>,
    /// Sample objects: bucket, key, content type and the file in `data/`.
    #[serde(default)]
    pub objects: Vec<SampleObject>,
}

/// A sample object of a starter.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleObject {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The content type.
    pub content_type: String,
    /// The file below `data/`.
    pub file: String,
}

impl Records {
    /// Creates the records of a starter whose collections exist. Those with an `id` that exists are
    /// left alone, so that importing twice changes nothing; each creation emits its event. Returns
    /// how many were created.
    pub async fn import_starter_records(&self, starter: &Starter) -> Result<usize, Error> {
        let mut created = 0;
        for (collection, records) in &starter.records {
            let records: Vec<Record> =
                serde_json::from_value(records.clone()).map_err(|error| {
                    Error::Invalid(format!(
                        "The records of {collection:?} are no list: {error}."
                    ))
                })?;
            if records.len() > MAX_RECORDS {
                return Err(Error::Invalid(format!(
                    "The starter has more than {MAX_RECORDS} records of {collection:?}."
                )));
            }
            for batch in records.chunks(BATCH) {
                let (this, collection) = (self.clone(), collection.clone());
                let batch = batch.to_vec();
                let import = move |tx: &mut Tx<'_>| this.create_missing(tx, &collection, &batch);
                created += self.inner.database.write_in(Lane::Bulk, import).await?;
            }
        }
        Ok(created)
    }

    fn create_missing(
        &self,
        tx: &mut Tx<'_>,
        collection: &str,
        records: &[Record],
    ) -> Result<usize, Error> {
        let mut created = 0;
        for record in records {
            if let Some(id) = text(record, "id") {
                let name = &self.shared_collection_in(tx, collection)?.name;
                let sql = format!("SELECT id FROM {} WHERE id = $1", quote(name));
                if tx.query_one(&sql, &[&id])?.is_some() {
                    continue;
                }
            }
            self.create_in(tx, collection, record)?;
            created += 1;
        }
        Ok(created)
    }
}
