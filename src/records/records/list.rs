//! Pages of records.

use crate::{
    Collection, Error, ListQuery, Page, Record, Records, RequestInfo,
    filter::{self, Scope, emit},
    names::quote,
    records::{
        access::{self, Operation},
        read::{self, Viewer},
    },
    sql::Sql,
};
use mito_database::{Tx, Value as Stored};

/// Records in a page that asked for no size.
const DEFAULT_PER_PAGE: u32 = 30;
/// The most records in a page.
const MAX_PER_PAGE: u32 = 1_000;
/// The most records in a scan.
const MAX_SCAN: u32 = 500;
/// The most fields to sort by.
const MAX_SORT_FIELDS: usize = 8;
/// The longest field name in a sort, in characters.
const MAX_SORT_LENGTH: usize = 1_000;

/// A page of the records that the caller may list.
pub(crate) fn page(
    records: &Records,
    tx: &mut Tx<'_>,
    collection: &Collection,
    query: &ListQuery,
    info: &RequestInfo,
) -> Result<Page, Error> {
    let superuser = info.is_superuser();
    let mut condition = Sql::default();
    match access::rule(collection, Operation::List, info)? {
        Some(rule) => {
            condition.push("(");
            access::condition(records, &mut condition, tx, collection, rule, info)?;
            condition.push(")");
        }
        None => {
            condition.push("1=1");
        }
    }
    if !superuser && mentions_request(query) {
        return Err(Error::Forbidden(
            "Only superusers can filter by @request.".to_owned(),
        ));
    }
    let scope = access::scope(tx, collection, info, superuser);
    add_filter(&mut condition, &query.filter, scope)?;
    let order = order(&query.sort, scope)?;

    let page = query.page.max(1);
    let per_page = match query.per_page {
        0 => DEFAULT_PER_PAGE,
        asked => asked.min(MAX_PER_PAGE),
    };
    let (total_items, total_pages) = if query.skip_total {
        (-1, -1)
    } else {
        let total = count(tx, collection, &condition)?;
        (total, pages(total, per_page))
    };
    let mut sql = read::select(collection);
    sql.parameters.clone_from(&condition.parameters);
    sql.push(" WHERE ")
        .push(&condition.text)
        .push(" ORDER BY ")
        .push(&order);
    let skipped = i64::from(page - 1) * i64::from(per_page);
    sql.push(" LIMIT ").bind(Stored::Integer(per_page.into()));
    sql.push(" OFFSET ").bind(Stored::Integer(skipped));
    let rows = sql.query(tx)?;
    let items = read::answer(tx, records, collection, &rows, info)?;
    Ok(Page {
        page,
        per_page,
        total_items,
        total_pages,
        items,
    })
}

fn pages(total: i64, per_page: u32) -> i64 {
    let per_page = i64::from(per_page.max(1));
    (total + per_page - 1) / per_page
}

/// `@request.` in another's filter would tell apart what rules hide.
fn mentions_request(query: &ListQuery) -> bool {
    query.filter.contains("@request.") || query.sort.contains("@request.")
}

fn add_filter(condition: &mut Sql, text: &str, scope: Scope<'_>) -> Result<(), Error> {
    if text.trim().is_empty() {
        return Ok(());
    }
    condition.push(" AND (");
    filter::compile(condition, text, scope)
        .map_err(|reason| Error::Invalid(format!("The filter is invalid: {reason}.")))?;
    condition.push(")");
    Ok(())
}

/// Records come in the order of their creation unless something else is asked for; the id settles
/// ties, so that pages do not overlap.
fn order(sort: &str, scope: Scope<'_>) -> Result<String, Error> {
    let invalid = |reason: String| Error::Invalid(format!("The sort is invalid: {reason}."));
    let by_creation = |direction: &str| {
        if scope.collection.is_ordered_by_creation() {
            format!("\"created\"{direction}, ")
        } else {
            String::new()
        }
    };
    if sort.trim().is_empty() {
        return Ok(format!("{}id", by_creation("")));
    }
    let names: Vec<&str> = sort.split(',').map(str::trim).collect();
    if names.len() > MAX_SORT_FIELDS || sort.len() > MAX_SORT_LENGTH {
        return Err(invalid(format!(
            "it has more than {MAX_SORT_FIELDS} fields"
        )));
    }
    let mut order = String::new();
    for name in names {
        let (name, direction) = match name.strip_prefix('-') {
            Some(name) => (name, " DESC"),
            None => (name.strip_prefix('+').unwrap_or(name), ""),
        };
        match name {
            "@random" => order.push_str("RANDOM(), "),
            "@rowid" => order.push_str(&by_creation(direction)),
            _ => {
                order.push_str(&emit::sortable(name, scope).map_err(invalid)?);
                order.push_str(direction);
                order.push_str(", ");
            }
        }
    }
    Ok(order + "id")
}

fn count(tx: &mut Tx<'_>, collection: &Collection, condition: &Sql) -> Result<i64, Error> {
    let table = quote(&collection.name);
    let mut sql = condition.clone();
    sql.text = format!(
        "SELECT COUNT(*) AS total FROM {table} WHERE {}",
        condition.text
    );
    Ok(sql.query_one(tx)?.map_or(Ok(0), |row| row.get("total"))?)
}

/// The records that match, by id.
pub(crate) fn scan(
    _records: &Records,
    tx: &mut Tx<'_>,
    collection: &Collection,
    filter: &str,
    after: &str,
    limit: u32,
) -> Result<Vec<Record>, Error> {
    let mut sql = read::select(collection);
    sql.push(" WHERE id > ")
        .bind(Stored::Text(after.to_owned()));
    let info = RequestInfo::default();
    let scope = access::scope(tx, collection, &info, true);
    add_filter(&mut sql, filter, scope)?;
    sql.push(" ORDER BY id LIMIT ")
        .bind(Stored::Integer(limit.min(MAX_SCAN).into()));
    let rows = sql.query(tx)?;
    Ok(rows
        .iter()
        .map(|row| read::record(collection, row, &Viewer::Worker))
        .collect())
}
