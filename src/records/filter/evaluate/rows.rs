//! Rows that paths lead to, each read once.

use std::{collections::HashMap, sync::Arc};

use mito_database::{Tx, Value};
use serde_json::Value as Json;

use crate::{Collection, Error, fields::Storage, names::quote, records::read};

/// The most rows that point at one record and are looked at in process.
const MAX_BACK: usize = 500;
/// The most rows that are kept for one record.
const MAX_ROWS: usize = 20_000;
/// The most accounts that are read by one statement.
const MAX_IDS: usize = 500;

/// A row: its columns in the order of the collection's fields.
pub(super) type Row = Arc<[Value]>;

/// The rows that point at a record, or nothing where there are too many.
type Pointing = Option<Arc<Vec<Row>>>;

/// Rows by what leads to them.
#[derive(Default)]
pub(super) struct Rows {
    by_id: HashMap<(String, String), Option<Row>>,
    /// By collection, field and the id that the field holds.
    back: HashMap<(String, usize, String), Pointing>,
}

impl Rows {
    /// The row with that id.
    pub(super) fn by_id(
        &mut self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        id: &str,
    ) -> Result<Option<Row>, Error> {
        let key = (collection.id.clone(), id.to_owned());
        if let Some(known) = self.by_id.get(&key) {
            return Ok(known.clone());
        }
        let row = read::row(tx, collection, id)?.map(|row| Row::from(row.values()));
        self.make_room();
        self.by_id.insert(key, row.clone());
        Ok(row)
    }

    /// Reads the rows with these ids at once.
    pub(super) fn preload(
        &mut self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        ids: &[String],
    ) -> Result<(), Error> {
        let position = collection
            .fields
            .iter()
            .position(|field| field.name == "id");
        for ids in ids.chunks(MAX_IDS) {
            self.make_room();
            for id in ids {
                let key = (collection.id.clone(), id.clone());
                self.by_id.entry(key).or_insert(None);
            }
            let mut sql = read::select(collection);
            sql.push(" WHERE id IN (");
            for (count, id) in ids.iter().enumerate() {
                if count > 0 {
                    sql.push(", ");
                }
                sql.bind(Value::Text(id.clone()));
            }
            sql.push(")");
            for row in sql.query(tx)? {
                let row = Row::from(row.values());
                if let Some(Value::Text(id)) = position.and_then(|position| row.get(position)) {
                    let key = (collection.id.clone(), id.clone());
                    self.by_id.insert(key, Some(row));
                }
            }
        }
        Ok(())
    }

    /// The rows whose field holds that id; nothing when there are too many to look at here.
    pub(super) fn back(
        &mut self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        field: usize,
        id: &str,
    ) -> Result<Pointing, Error> {
        let key = (collection.id.clone(), field, id.to_owned());
        if let Some(known) = self.back.get(&key) {
            return Ok(known.clone());
        }
        let definition = &collection.fields[field];
        let list = definition.storage() == Storage::List;
        let mut sql = read::select(collection);
        sql.push(" WHERE ").push(&quote(&definition.name));
        if list {
            // A `_` in the id finds more than is meant; the rest is told apart below.
            let text = Json::from(id).to_string();
            let text = text.replace('\\', "\\\\").replace('%', "\\%");
            sql.push(" LIKE ").bind(Value::Text(format!("%{text}%")));
            sql.push(" ESCAPE '\\'");
        } else {
            sql.push(" = ").bind(Value::Text(id.to_owned()));
        }
        let most = i64::try_from(MAX_BACK + 1).unwrap_or(i64::MAX);
        sql.push(" LIMIT ").bind(Value::Integer(most));
        let found = sql.query(tx)?;
        let found = (found.len() <= MAX_BACK).then(|| {
            let rows = found.iter().map(|row| Row::from(row.values()));
            let points = |row: &Row| !list || holds(&row[field], id);
            Arc::new(rows.filter(points).collect::<Vec<Row>>())
        });
        self.make_room();
        self.back.insert(key, found.clone());
        Ok(found)
    }

    fn make_room(&mut self) {
        if self.by_id.len() + self.back.len() >= MAX_ROWS {
            self.by_id.clear();
            self.back.clear();
        }
    }
}

fn holds(list: &Value, id: &str) -> bool {
    let Value::Text(text) = list else {
        return false;
    };
    let values: Vec<Json> = serde_json::from_str(text).unwrap_or_default();
    values.iter().any(|value| value.as_str() == Some(id))
}
