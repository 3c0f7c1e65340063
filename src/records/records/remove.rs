//! Deleting: the record, what depends on it, and the references that point at it. All in one
//! transaction and all or nothing, so its size has a bound.

use std::collections::HashSet;

use mito_database::{Dialect, Tx, Value as Stored};

use crate::{
    Collection, CollectionKind, Error, Records,
    accounts::change,
    collections::store,
    fields::{FieldKind, Storage, convert},
    names::quote,
    records::{draft::Draft, read, write},
};

/// The most records that one deletion takes with it or changes.
const MAX_RECORDS: usize = 10_000;

/// What a deletion leaves to do after the commit.
#[derive(Debug, Default)]
pub(crate) struct Removed {
    /// The sessions of accounts that are gone.
    pub(crate) sessions: Vec<String>,
}

/// A deletion under way.
struct Removal<'a> {
    records: &'a Records,
    request_id: Option<&'a str>,
    /// All collections, by need: none is read for a record that nothing can point at.
    collections: Vec<Collection>,
    waiting: Vec<(String, String)>,
    seen: HashSet<(String, String)>,
    touched: usize,
    removed: Removed,
}

impl Records {
    /// Deletes a record without rules, with what its relations say.
    pub(crate) fn remove(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        id: &str,
        request_id: Option<&str>,
    ) -> Result<Removed, Error> {
        let mut removal = Removal {
            records: self,
            request_id,
            collections: store::all(tx)?,
            waiting: vec![(collection.id.clone(), id.to_owned())],
            seen: HashSet::new(),
            touched: 0,
            removed: Removed::default(),
        };
        removal.seen.extend(removal.waiting.first().cloned());
        let mut first = true;
        while let Some((collection, id)) = removal.waiting.pop() {
            let found = removal.remove_one(tx, &collection, &id)?;
            if first && !found {
                return Err(Error::NotFound);
            }
            first = false;
        }
        Ok(removal.removed)
    }
}

impl Removal<'_> {
    fn remove_one(
        &mut self,
        tx: &mut Tx<'_>,
        collection_id: &str,
        id: &str,
    ) -> Result<bool, Error> {
        self.count()?;
        let is_it = |known: &&Collection| known.id == collection_id;
        let Some(collection) = self.collections.iter().find(is_it).cloned() else {
            return Ok(false);
        };
        let Some(row) = read::row(tx, &collection, id)? else {
            return Ok(false);
        };
        let draft = Draft::of(&collection, row.values());
        let sql = format!("DELETE FROM {} WHERE id = $1", quote(&collection.name));
        tx.execute(&sql, &[&id])?;
        self.records.discard_files(tx, &draft)?;
        write::emit_deleted(tx, &draft, self.request_id)?;
        let ended = change::follow(tx, &collection, id, true)?;
        self.records.forget_account(tx, &collection, id)?;
        self.removed.sessions.extend(ended);
        for (referrer, position) in self.referrers(collection_id) {
            self.release(tx, &referrer, position, id)?;
        }
        Ok(true)
    }

    fn count(&mut self) -> Result<(), Error> {
        self.touched += 1;
        if self.touched > MAX_RECORDS {
            return Err(Error::Invalid(format!(
                "Failed to delete record. More than {MAX_RECORDS} records depend on it."
            )));
        }
        Ok(())
    }

    /// The fields that point at a collection.
    fn referrers(&self, collection_id: &str) -> Vec<(Collection, usize)> {
        let mut found = Vec::new();
        for collection in &self.collections {
            if collection.kind == CollectionKind::View {
                continue;
            }
            for (position, field) in collection.fields.iter().enumerate() {
                if field.kind_of() == Some(FieldKind::Relation)
                    && field.text_option("collectionId") == collection_id
                {
                    found.push((collection.clone(), position));
                }
            }
        }
        found
    }

    /// Takes the id out of all records that point at it with one field.
    fn release(
        &mut self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        position: usize,
        id: &str,
    ) -> Result<(), Error> {
        let field = &collection.fields[position];
        let left = MAX_RECORDS.saturating_sub(self.touched) + 1;
        for row in pointing_at(tx, collection, position, id, left)? {
            let mut draft = Draft::of(collection, row.values());
            let mut ids = convert::values(field, &draft.columns[position]);
            ids.retain(|known| known != id);
            if ids.is_empty() && field.flag("cascadeDelete") {
                let next = (collection.id.clone(), draft.id().to_owned());
                if self.seen.insert(next.clone()) {
                    self.waiting.push(next);
                }
                continue;
            }
            let is_going = (collection.id.clone(), draft.id().to_owned());
            if self.seen.contains(&is_going) {
                continue;
            }
            if ids.is_empty() && field.required {
                return Err(Error::Invalid(
                    "Failed to delete record. Make sure that the record is not part of a \
                     required relation reference."
                        .to_owned(),
                ));
            }
            self.count()?;
            draft.columns[position] = convert::list(field, ids);
            draft.fill(tx.now_ms(), &self.records.inner.random);
            write::store_changes(tx, &draft)?;
            write::emit_updated(tx, &draft, self.request_id)?;
        }
        Ok(())
    }
}

/// The rows whose field has the id, at most `limit`.
fn pointing_at(
    tx: &mut Tx<'_>,
    collection: &Collection,
    position: usize,
    id: &str,
    limit: usize,
) -> Result<Vec<mito_database::Row>, Error> {
    let field = &collection.fields[position];
    let column = quote(&field.name);
    let mut sql = read::select(collection);
    if field.storage() == Storage::List {
        // Ids have no quotes in them, so the text of a list has the quoted id only where the list
        // has the id.
        let quoted = serde_json::Value::from(id).to_string();
        let find = match tx.dialect() {
            Dialect::Sqlite => "instr",
            Dialect::Postgres => "strpos",
        };
        sql.push(&format!(" WHERE {find}({column}, "))
            .bind(Stored::Text(quoted))
            .push(") > 0");
    } else {
        sql.push(&format!(" WHERE {column} = "))
            .bind(Stored::Text(id.to_owned()));
    }
    sql.push(" ORDER BY id LIMIT ")
        .bind(Stored::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
    Ok(sql.query(tx)?)
}
