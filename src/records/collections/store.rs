//! The definitions of collections in `_mito_records_collections`, one JSON text each, and the
//! parsed copies of them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use mito_database::{Row, Tx};
use serde_json::Value;

use crate::{Collection, Error, fields::dates};

/// The most collections of a database.
const MAX_COLLECTIONS: i64 = 2_000;

/// Parsed definitions. A copy is used only while the text in the transaction is the text that it
/// was parsed from, so a reader never sees another snapshot's definition.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    parsed: Mutex<HashMap<String, (String, Arc<Collection>)>>,
}

impl Definitions {
    /// The collection with that id or name.
    pub(crate) fn find(
        &self,
        tx: &mut Tx<'_>,
        name: &str,
    ) -> Result<Option<Arc<Collection>>, Error> {
        let Some(row) = tx.query_one(BY_NAME_OR_ID, &[&name])? else {
            return Ok(None);
        };
        let (id, definition): (String, String) = (row.get("id")?, row.get("definition")?);
        if let Some((text, parsed)) = self.lock().get(&id)
            && *text == definition
        {
            return Ok(Some(Arc::clone(parsed)));
        }
        let parsed = Arc::new(parse(&row)?);
        let mut known = self.lock();
        if known.len() >= usize::try_from(MAX_COLLECTIONS).unwrap_or(usize::MAX) {
            known.clear();
        }
        known.insert(id, (definition, Arc::clone(&parsed)));
        Ok(Some(parsed))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, (String, Arc<Collection>)>> {
        self.parsed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const BY_NAME_OR_ID: &str = "SELECT id, definition, created, updated \
     FROM _mito_records_collections WHERE name = $1 OR id = $1";

/// All collections by name.
pub(crate) fn all(tx: &mut Tx<'_>) -> Result<Vec<Collection>, Error> {
    let rows = tx.query(
        "SELECT id, definition, created, updated FROM _mito_records_collections \
         ORDER BY name LIMIT $1",
        &[&MAX_COLLECTIONS],
    )?;
    rows.iter().map(parse).collect()
}

/// The collection with that id or name.
pub(crate) fn find(tx: &mut Tx<'_>, name: &str) -> Result<Option<Collection>, Error> {
    tx.query_one(BY_NAME_OR_ID, &[&name])?
        .as_ref()
        .map(parse)
        .transpose()
}

/// Whether a name is taken, in any mix of upper and lower case.
pub(crate) fn exists(tx: &mut Tx<'_>, name: &str) -> Result<bool, Error> {
    let sql = "SELECT id FROM _mito_records_collections WHERE folded = $1";
    Ok(tx.query_one(sql, &[&name.to_ascii_lowercase()])?.is_some())
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
    let changed = tx.execute(
        "UPDATE _mito_records_collections SET definition = $1, updated = $2 WHERE id = $3",
        &[&definition, &now, &collection.id],
    )?;
    if changed == 0 {
        let counted = tx.query_one(
            "SELECT COUNT(*) AS total FROM _mito_records_collections",
            &[],
        )?;
        if counted.map_or(Ok(0), |row| row.get::<i64>("total"))? >= MAX_COLLECTIONS {
            return Err(Error::Invalid(format!(
                "There are {MAX_COLLECTIONS} collections already."
            )));
        }
        tx.execute(
            "INSERT INTO _mito_records_collections \
             (id, name, folded, definition, created, updated) VALUES ($1, $2, $3, $4, $5, $5)",
            &[&collection.id, &collection.name, &folded, &definition, &now],
        )?;
    }
    Ok(())
}

fn parse(row: &Row) -> Result<Collection, Error> {
    let definition: String = row.get("definition")?;
    let mut collection: Collection = serde_json::from_str(&definition)
        .map_err(|error| Error::Internal(format!("a stored collection is damaged: {error}")))?;
    for column in ["created", "updated"] {
        collection
            .options
            .insert(column.to_owned(), Value::String(row.get(column)?));
    }
    Ok(collection)
}
