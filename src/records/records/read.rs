//! Rows as records, with what the viewer may not see left out.

use std::collections::HashSet;

use mito_database::{Row, Tx, Value as Stored};
use mito_network::Identity;
use serde_json::Value;

use crate::{
    Collection, Error, Record, Records, RequestInfo,
    fields::show::show,
    names::quote,
    records::{access, expand},
    sql::Sql,
};

/// Ids in one statement.
const IDS_AT_ONCE: usize = 500;

/// Who looks at a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Viewer {
    /// Code of the platform: all but secrets.
    Worker,
    /// An administrator: all but secrets.
    Superuser,
    /// Somebody signed in, or nobody: no hidden fields, and addresses only where their owner shows
    /// them.
    Person {
        /// The viewer's own account: collection and id.
        account: Option<(String, String)>,
    },
}

impl Viewer {
    pub(crate) fn of(identity: Option<&Identity>) -> Self {
        match identity {
            Some(identity) if identity.is_superuser() => Self::Superuser,
            Some(identity) => Self::Person {
                account: Some((identity.collection.clone(), identity.id.clone())),
            },
            None => Self::Person { account: None },
        }
    }

    fn sees_hidden(&self) -> bool {
        matches!(self, Self::Worker | Self::Superuser)
    }

    fn owns(&self, collection: &Collection, id: &str) -> bool {
        match self {
            Self::Person {
                account: Some((name, own)),
            } => *name == collection.name && own == id,
            _ => false,
        }
    }
}

/// `SELECT` of all columns of the collection, in the order of its fields.
pub(crate) fn select(collection: &Collection) -> Sql {
    let columns: Vec<String> = collection
        .fields
        .iter()
        .map(|field| quote(&field.name))
        .collect();
    Sql::new(format!(
        "SELECT {} FROM {}",
        columns.join(", "),
        quote(&collection.name)
    ))
}

/// The row with that id.
pub(crate) fn row(
    tx: &mut Tx<'_>,
    collection: &Collection,
    id: &str,
) -> Result<Option<Row>, Error> {
    let mut sql = select(collection);
    sql.push(" WHERE id = ").bind(Stored::Text(id.to_owned()));
    Ok(sql.query_one(tx)?)
}

/// The record with that id.
pub(crate) fn by_id(
    tx: &mut Tx<'_>,
    collection: &Collection,
    id: &str,
    viewer: &Viewer,
) -> Result<Record, Error> {
    let row = row(tx, collection, id)?.ok_or(Error::NotFound)?;
    Ok(record(collection, &row, viewer))
}

/// Rows of [`select`] as the caller sees them, with what the request's `expand` names.
pub(crate) fn answer(
    tx: &mut Tx<'_>,
    records: &Records,
    collection: &Collection,
    rows: &[Row],
    info: &RequestInfo,
) -> Result<Vec<Record>, Error> {
    let mut shown = shown_to(tx, records, collection, rows, info)?;
    let expand = info.query.get("expand").and_then(Value::as_str);
    if let Some(expand) = expand {
        expand::apply(tx, records, collection, &mut shown, expand, info)?;
    }
    Ok(shown)
}

/// [`answer`] for the record with that id.
pub(crate) fn answer_by_id(
    tx: &mut Tx<'_>,
    records: &Records,
    collection: &Collection,
    id: &str,
    info: &RequestInfo,
) -> Result<Record, Error> {
    let row = row(tx, collection, id)?.ok_or(Error::NotFound)?;
    let answer = answer(tx, records, collection, std::slice::from_ref(&row), info)?;
    answer.into_iter().next().ok_or(Error::NotFound)
}

/// Rows of [`select`] as the caller sees them.
pub(crate) fn shown_to(
    tx: &mut Tx<'_>,
    records: &Records,
    collection: &Collection,
    rows: &[Row],
    info: &RequestInfo,
) -> Result<Vec<Record>, Error> {
    let viewer = Viewer::of(info.identity.as_ref());
    let mut shown: Vec<Record> = rows
        .iter()
        .map(|row| record(collection, row, &viewer))
        .collect();
    if collection.is_auth() && !viewer.sees_hidden() {
        show_managed(tx, records, collection, rows, &mut shown, info)?;
    }
    Ok(shown)
}

/// Whoever may manage an account sees its address.
fn show_managed(
    tx: &mut Tx<'_>,
    records: &Records,
    collection: &Collection,
    rows: &[Row],
    shown: &mut [Record],
    info: &RequestInfo,
) -> Result<(), Error> {
    let rule = collection.options.get("manageRule").and_then(Value::as_str);
    let Some(rule) = rule.filter(|rule| !rule.trim().is_empty()) else {
        return Ok(());
    };
    let mut managed = HashSet::new();
    for rows in rows.chunks(IDS_AT_ONCE) {
        let table = quote(&collection.name);
        let mut sql = Sql::new(format!(
            "SELECT {table}.id AS id FROM {table} WHERE {table}.id IN ("
        ));
        for (position, row) in rows.iter().enumerate() {
            if position > 0 {
                sql.push(", ");
            }
            sql.bind(Stored::Text(row.get("id")?));
        }
        sql.push(") AND (");
        access::condition(records, &mut sql, tx, collection, rule, info)?;
        sql.push(")");
        for row in sql.query(tx)? {
            managed.insert(row.get::<String>("id")?);
        }
    }
    for (row, record) in rows.iter().zip(shown) {
        if managed.contains(&row.get::<String>("id")?) {
            record.insert("email".to_owned(), Value::String(row.get("email")?));
        }
    }
    Ok(())
}

/// A row of [`select`] as a record.
pub(crate) fn record(collection: &Collection, row: &Row, viewer: &Viewer) -> Record {
    shown(collection, row.values(), viewer)
}

/// Columns, in the order of the collection's fields, as a record.
pub(crate) fn shown(collection: &Collection, columns: &[Stored], viewer: &Viewer) -> Record {
    let mut record = Record::new();
    record.insert(
        "collectionId".to_owned(),
        Value::String(collection.id.clone()),
    );
    record.insert(
        "collectionName".to_owned(),
        Value::String(collection.name.clone()),
    );
    for (field, stored) in collection.fields.iter().zip(columns) {
        if field.is_secret() || (field.is_hidden() && !viewer.sees_hidden()) {
            continue;
        }
        record.insert(field.name.clone(), show(field, stored));
    }
    let id = record.get("id").and_then(Value::as_str).unwrap_or_default();
    let shows_email = !collection.is_auth()
        || viewer.sees_hidden()
        || record.get("emailVisibility") == Some(&Value::Bool(true))
        || viewer.owns(collection, id);
    if !shows_email {
        record.shift_remove("email");
    }
    record
}
