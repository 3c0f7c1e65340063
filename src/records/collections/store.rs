//! The definitions of collections in `_mito_records_collections`, one JSON text each, and the
//! parsed copies of them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use mito_database::{Row, Tx};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{Collection, CollectionKind, Error, collections::options, fields::dates};

/// The most collections of a database.
const MAX_COLLECTIONS: i64 = 2_000;

/// Parsed definitions. They are used only while the version in the transaction is the one that they
/// were read at, so a reader never sees another snapshot's definitions.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    known: Mutex<Option<Arc<Known>>>,
}

/// All definitions of one version, by id and by name in lower case.
#[derive(Debug)]
struct Known {
    version: String,
    by_id: HashMap<String, Arc<Collection>>,
    by_name: HashMap<String, Arc<Collection>>,
}

impl Definitions {
    /// The collection with that id or name. Names are the same in upper and lower case.
    pub(crate) fn find(
        &self,
        tx: &mut Tx<'_>,
        name: &str,
    ) -> Result<Option<Arc<Collection>>, Error> {
        let known = self.known(tx)?;
        let found = known
            .by_name
            .get(&name.to_ascii_lowercase())
            .or_else(|| known.by_id.get(name));
        Ok(found.cloned())
    }

    fn known(&self, tx: &mut Tx<'_>) -> Result<Arc<Known>, Error> {
        if let Some(known) = tx.remembered() {
            return Ok(known);
        }
        let known = self.current(tx)?;
        tx.remember(Arc::clone(&known));
        Ok(known)
    }

    fn current(&self, tx: &mut Tx<'_>) -> Result<Arc<Known>, Error> {
        let version = version(tx)?;
        let known = self.lock().clone();
        if let Some(known) = known.filter(|known| known.version == version) {
            return Ok(known);
        }
        let mut by_id = HashMap::new();
        let mut by_name = HashMap::new();
        for collection in all(tx)? {
            let collection = Arc::new(collection);
            by_id.insert(collection.id.clone(), Arc::clone(&collection));
            by_name.insert(collection.name.to_ascii_lowercase(), collection);
        }
        let known = Arc::new(Known {
            version,
            by_id,
            by_name,
        });
        *self.lock() = Some(Arc::clone(&known));
        Ok(known)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Known>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn version(tx: &mut Tx<'_>) -> Result<String, Error> {
    let row = tx.query_one("SELECT version FROM _mito_records_schema", &[])?;
    let row = row.ok_or_else(|| Error::Internal("the schema has no version".to_owned()))?;
    Ok(row.get("version")?)
}

/// The version that follows from the one before and what was changed: a change that is taken back
/// and another one in its place do not end up with the same.
fn advance(tx: &mut Tx<'_>, change: &str) -> Result<(), Error> {
    let mut next = Sha256::new();
    next.update(version(tx)?);
    next.update(change);
    next.update(tx.now_ms().to_le_bytes());
    let next = hex::encode(next.finalize());
    tx.execute("UPDATE _mito_records_schema SET version = $1", &[&next])?;
    tx.forget();
    Ok(())
}

const COLUMNS: &str = "SELECT id, definition, created, updated FROM _mito_records_collections";

/// All collections in the order in which they were made.
pub(crate) fn all(tx: &mut Tx<'_>) -> Result<Vec<Collection>, Error> {
    let sql = format!("{COLUMNS} ORDER BY position, id LIMIT $1");
    let rows = tx.query(&sql, &[&MAX_COLLECTIONS])?;
    rows.iter().map(parse).collect()
}

/// The collection with that id or name.
pub(crate) fn find(tx: &mut Tx<'_>, name: &str) -> Result<Option<Collection>, Error> {
    let sql = format!("{COLUMNS} WHERE folded = $1 OR id = $2");
    tx.query_one(&sql, &[&name.to_ascii_lowercase(), &name])?
        .as_ref()
        .map(parse)
        .transpose()
}

/// The collection with that id.
pub(crate) fn find_by_id(tx: &mut Tx<'_>, id: &str) -> Result<Option<Collection>, Error> {
    let sql = format!("{COLUMNS} WHERE id = $1");
    tx.query_one(&sql, &[&id])?.as_ref().map(parse).transpose()
}

/// Writes a definition over the one of the same id, if there is one.
pub(crate) fn save(tx: &mut Tx<'_>, collection: &Collection) -> Result<(), Error> {
    let mut stored = collection.clone();
    stored.options.remove("created");
    stored.options.remove("updated");
    let definition = serde_json::to_string(&stored)
        .map_err(|error| Error::Internal(format!("cannot write a definition: {error}")))?;
    let now = dates::format_ms(tx.now_ms());
    let folded = collection.name.to_ascii_lowercase();
    let kind = kind_name(collection.kind);
    let changed = tx.execute(
        "UPDATE _mito_records_collections \
         SET name = $1, folded = $2, definition = $3, type = $4, system = $5, updated = $6 \
         WHERE id = $7",
        &[
            &collection.name,
            &folded,
            &definition,
            &kind,
            &collection.system,
            &now,
            &collection.id,
        ],
    )?;
    if changed == 0 {
        let counted = tx.query_one(
            "SELECT COUNT(*) AS total, COALESCE(MAX(position), 0) AS last \
             FROM _mito_records_collections",
            &[],
        )?;
        let (total, last): (i64, i64) = match counted {
            Some(row) => (row.get("total")?, row.get("last")?),
            None => (0, 0),
        };
        if total >= MAX_COLLECTIONS {
            return Err(Error::Invalid(format!(
                "There are {MAX_COLLECTIONS} collections already."
            )));
        }
        tx.execute(
            "INSERT INTO _mito_records_collections \
             (id, name, folded, definition, type, system, position, created, updated) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
            &[
                &collection.id,
                &collection.name,
                &folded,
                &definition,
                &kind,
                &collection.system,
                &(last + 1),
                &now,
            ],
        )?;
    }
    advance(tx, &definition)
}

/// Removes a definition.
pub(crate) fn remove(tx: &mut Tx<'_>, id: &str) -> Result<(), Error> {
    tx.execute(
        "DELETE FROM _mito_records_collections WHERE id = $1",
        &[&id],
    )?;
    advance(tx, id)
}

pub(crate) fn kind_name(kind: CollectionKind) -> &'static str {
    match kind {
        CollectionKind::Base => "base",
        CollectionKind::Auth => "auth",
        CollectionKind::View => "view",
    }
}

/// A row of `_mito_records_collections` as a collection.
pub(crate) fn parse(row: &Row) -> Result<Collection, Error> {
    let definition: String = row.get("definition")?;
    let mut collection: Collection = serde_json::from_str(&definition)
        .map_err(|error| Error::Internal(format!("a stored collection is damaged: {error}")))?;
    for field in &mut collection.fields {
        options::fill(field);
    }
    for column in ["created", "updated"] {
        collection
            .options
            .insert(column.to_owned(), Value::String(row.get(column)?));
    }
    Ok(collection)
}
