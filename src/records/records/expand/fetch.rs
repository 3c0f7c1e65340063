//! The records that a step of a path leads to.

use mito_database::{Dialect, Tx, Value as Stored};

use super::path::Step;
use crate::{
    Collection, Error, Record, Records, RequestInfo,
    names::quote,
    records::{
        access::{self, Operation},
        read,
    },
    sql::{Sql, elements},
};

/// Ids in one statement.
const IDS_AT_ONCE: usize = 500;
/// The most records that point at one, as in PocketBase.
const MAX_POINTING: i64 = 1_000;

/// The records with these ids that the caller may view.
pub(super) fn by_ids(
    tx: &mut Tx<'_>,
    records: &Records,
    collection: &Collection,
    mut ids: Vec<String>,
    info: &RequestInfo,
) -> Result<Vec<Record>, Error> {
    ids.sort_unstable();
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(IDS_AT_ONCE) {
        let mut sql = read::select(collection);
        sql.push(" WHERE ").push(&column(collection, "id"));
        push_list(sql.push(" IN ("), ids).push(")");
        found.extend(viewable(tx, records, collection, sql, info)?);
    }
    Ok(found)
}

/// The records that point at any of these and that the caller may view, the first thousand for
/// each, oldest first.
pub(super) fn pointing_at(
    tx: &mut Tx<'_>,
    records: &Records,
    step: &Step,
    ids: &[String],
    info: &RequestInfo,
) -> Result<Vec<Record>, Error> {
    let collection = &*step.target;
    let mut found = Vec::new();
    for ids in ids.chunks(IDS_AT_ONCE) {
        let mut sql = read::select(collection);
        sql.push(" WHERE ").push(&column(collection, "id"));
        sql.push(" IN (SELECT id FROM (");
        push_ranked(&mut sql, step, tx.dialect(), ids);
        sql.push(") ranked WHERE position <= ");
        sql.bind(Stored::Integer(MAX_POINTING)).push(")");
        found.extend(viewable(tx, records, collection, sql, info)?);
    }
    if ids.len() > IDS_AT_ONCE && step.is_list {
        // One that points at records of two chunks was found twice.
        let mut seen = std::collections::HashSet::new();
        found.retain(|record| seen.insert(super::id_of(record)));
    }
    Ok(found)
}

/// `SELECT` of the ids of records that point at one of `ids`, numbered for each of these.
fn push_ranked(sql: &mut Sql, step: &Step, dialect: Dialect, ids: &[String]) {
    let collection = &*step.target;
    let (table, field) = (quote(&collection.name), quote(&step.field));
    let (target, from) = if step.is_list {
        let each = elements(dialect, &format!("r.{field}"), "target");
        ("target.value".to_owned(), format!("{table} r, {each}"))
    } else {
        (format!("r.{field}"), format!("{table} r"))
    };
    let order = if collection.is_ordered_by_creation() {
        "r.created, r.id"
    } else {
        "r.id"
    };
    sql.push(&format!(
        "SELECT r.id, ROW_NUMBER() OVER (PARTITION BY {target} ORDER BY {order}) AS position \
         FROM {from} WHERE {target} IN ("
    ));
    push_list(sql, ids).push(")");
}

fn push_list<'s>(sql: &'s mut Sql, ids: &[String]) -> &'s mut Sql {
    for (position, id) in ids.iter().enumerate() {
        if position > 0 {
            sql.push(", ");
        }
        sql.bind(Stored::Text(id.clone()));
    }
    sql
}

/// Adds the view rule and the order to a `SELECT`, and runs it.
fn viewable(
    tx: &mut Tx<'_>,
    records: &Records,
    collection: &Collection,
    mut sql: Sql,
    info: &RequestInfo,
) -> Result<Vec<Record>, Error> {
    if let Some(rule) = access::rule(collection, Operation::View, info)? {
        sql.push(" AND (");
        access::condition(records, &mut sql, tx, collection, rule, info)?;
        sql.push(")");
    }
    sql.push(" ORDER BY ");
    if collection.is_ordered_by_creation() {
        sql.push(&column(collection, "created")).push(", ");
    }
    sql.push(&column(collection, "id"));
    let rows = sql.query(tx)?;
    read::shown_to(tx, records, collection, &rows, info)
}

/// A column with its table, since a rule may bring others in.
fn column(collection: &Collection, name: &str) -> String {
    format!("{}.{}", quote(&collection.name), quote(name))
}
