//! Pages of records.

use mito_database::{Dialect, Tx, Value as Stored};

use crate::{
    Collection, CollectionKind, Error, ListQuery, Page, Record, Records, RequestInfo,
    filter::{
        self, Known, Problem, emit,
        plan::{Definition, Node, Operand, Plan},
        resolve::{self, Author, Scope},
    },
    names::quote,
    records::{
        access::{self, Operation},
        read::{self, Viewer},
    },
    sql::Sql,
};

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
    let rule = access::rule(collection, Operation::List, info)?;
    let author = if info.is_superuser() {
        Author::Superuser
    } else {
        require_own_fields(query)?;
        Author::Anybody
    };
    let mut texts = Vec::with_capacity(2);
    if let Some(rule) = rule {
        texts.push((rule, Author::Trusted));
    }
    if !query.filter.is_empty() {
        texts.push((&query.filter, author));
    }
    let mut condition = Sql::default();
    filter::compile(records, &mut condition, tx, collection, &texts, info).map_err(refused)?;
    let sort = Sort::of(records, tx, collection, &query.sort, info, author)?;
    sort.restrict(&mut condition, collection, tx.dialect());

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
    sql.parameters = condition.parameters;
    sql.push(" WHERE ").push(&condition.text);
    let order = sort.order(&mut sql, collection, tx.dialect());
    sql.push(" ORDER BY ").push(&order);
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

/// `@request.` and `@collection.` in another's filter would tell apart what rules hide.
fn require_own_fields(query: &ListQuery) -> Result<(), Error> {
    for name in ["@request.", "@collection."] {
        if query.filter.contains(name) || query.sort.contains(name) {
            return Err(Error::Forbidden(format!(
                "Only superusers can filter by {name}"
            )));
        }
    }
    Ok(())
}

/// PocketBase does not say what is wrong with a filter; the reason is for the log.
fn refused(problem: Problem) -> Error {
    match problem {
        Problem::Failed(error) => error,
        Problem::Invalid(reason) => {
            tracing::debug!(reason, "refused a filter");
            Error::Invalid("Something went wrong while processing your request.".to_owned())
        }
    }
}

/// One part of a sort.
enum By<'a> {
    Random,
    Creation,
    Name(&'a str),
}

/// What a list is sorted by. Records come in the order of their creation unless something else is
/// asked for, and so do those that are equal, so that pages do not overlap.
struct Sort<'a> {
    parts: Vec<(By<'a>, bool)>,
    plan: Plan<'a>,
    /// Of the parts that are names.
    operands: Vec<Operand>,
}

impl<'a> Sort<'a> {
    fn of(
        records: &Records,
        tx: &mut Tx<'_>,
        collection: &'a Collection,
        sort: &'a str,
        info: &RequestInfo,
        author: Author,
    ) -> Result<Self, Error> {
        let parts = sort_parts(sort)?;
        let names: Vec<&str> = parts
            .iter()
            .filter_map(|(by, _)| match by {
                By::Name(name) => Some(*name),
                By::Random | By::Creation => None,
            })
            .collect();
        let scope = Scope {
            info,
            now: filter::now(tx),
        };
        let definition = Definition::Borrowed(collection);
        let parsed = &records.inner.filters;
        let mut schema = Known { records, tx };
        let (plan, operands) =
            resolve::resolve_names(&names, author, definition, &scope, parsed, &mut schema)
                .map_err(refused)?;
        Ok(Self {
            parts,
            plan,
            operands,
        })
    }

    /// Adds what the rows that are sorted by must fulfil.
    fn restrict(&self, condition: &mut Sql, collection: &Collection, dialect: Dialect) {
        if !matches!(&self.plan.condition, Node::All(guards) if guards.is_empty()) {
            condition.push(" AND ");
            emit::condition(condition, &self.plan, &collection.name, dialect);
        }
    }

    /// What stands behind `ORDER BY`.
    fn order(&self, sql: &mut Sql, collection: &Collection, dialect: Dialect) -> String {
        let table = &collection.name;
        let mut operands = self.operands.iter();
        let mut order = Vec::new();
        for (by, descending) in &self.parts {
            match by {
                By::Random => order.push("RANDOM()".to_owned()),
                By::Creation => order.extend(by_creation(collection, dialect, *descending)),
                By::Name(_) => {
                    let Some(operand) = operands.next() else {
                        break;
                    };
                    let values =
                        emit::sortable(sql, &self.plan, operand, table, dialect, *descending);
                    let direction = direction(dialect, *descending);
                    order.extend(values.into_iter().map(|value| value + direction));
                }
            }
        }
        order.extend(by_creation(collection, dialect, false));
        order.join(", ")
    }
}

/// The fields to sort by, and whether downwards.
fn sort_parts(sort: &str) -> Result<Vec<(By<'_>, bool)>, Error> {
    if sort.trim().is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = sort.split(',').map(str::trim).collect();
    if names.len() > MAX_SORT_FIELDS || sort.len() > MAX_SORT_LENGTH {
        let reason = format!("max sort expressions limit of {MAX_SORT_FIELDS} reached");
        return Err(refused(Problem::Invalid(reason)));
    }
    Ok(names
        .into_iter()
        .map(|name| {
            let (name, descending) = match name.strip_prefix('-') {
                Some(name) => (name, true),
                None => (name.strip_prefix('+').unwrap_or(name), false),
            };
            let by = match name {
                "@random" => By::Random,
                "@rowid" => By::Creation,
                name => By::Name(name),
            };
            (by, descending)
        })
        .collect())
}

/// Missing values come first, as SQLite has it.
fn direction(dialect: Dialect, descending: bool) -> &'static str {
    match (dialect, descending) {
        (Dialect::Sqlite, false) => "",
        (Dialect::Sqlite, true) => " DESC",
        (Dialect::Postgres, false) => " ASC NULLS FIRST",
        (Dialect::Postgres, true) => " DESC NULLS LAST",
    }
}

fn by_creation(collection: &Collection, dialect: Dialect, descending: bool) -> Vec<String> {
    let direction = if descending { " DESC" } else { "" };
    let column = |name: &str| format!("{}.{name}{direction}", quote(&collection.name));
    match dialect {
        Dialect::Sqlite if collection.kind != CollectionKind::View => vec![column("_rowid_")],
        Dialect::Postgres if collection.is_ordered_by_creation() => {
            vec![column("created"), column("id")]
        }
        _ => vec![column("id")],
    }
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
    records: &Records,
    tx: &mut Tx<'_>,
    collection: &Collection,
    filter: &str,
    after: &str,
    limit: u32,
) -> Result<Vec<Record>, Error> {
    let mut sql = read::select(collection);
    sql.push(" WHERE id > ")
        .bind(Stored::Text(after.to_owned()));
    if !filter.trim().is_empty() {
        sql.push(" AND ");
        let texts = [(filter, Author::Trusted)];
        let info = RequestInfo::default();
        filter::compile(records, &mut sql, tx, collection, &texts, &info).map_err(|problem| {
            match problem {
                Problem::Failed(error) => error,
                Problem::Invalid(reason) => {
                    Error::Invalid(format!("The filter is invalid: {reason}."))
                }
            }
        })?;
    }
    sql.push(" ORDER BY id LIMIT ")
        .bind(Stored::Integer(limit.min(MAX_SCAN).into()));
    let rows = sql.query(tx)?;
    Ok(rows
        .iter()
        .map(|row| read::record(collection, row, &Viewer::Worker))
        .collect())
}
