//! The table of the log. It is SQLite wherever the rest of the data is.

use mito_database::{Row, Tx, Value as Stored};
use serde_json::Value;

use super::{LogCount, LogPage, filter};
use crate::{Error, ListQuery, Record, fields::dates, sql::Sql};

/// Rows deleted in one transaction.
const PRUNED_AT_ONCE: u32 = 500;
/// Rows in a page that asked for no size.
const DEFAULT_PER_PAGE: u32 = 30;
/// The most rows in a page.
const MAX_PER_PAGE: u32 = 1_000;
/// The most hours that are counted: more than a year of them.
const MAX_HOURS: u32 = 10_000;

/// A row on its way in.
#[derive(Clone, Debug)]
pub(super) struct NewRow {
    pub(super) id: String,
    pub(super) level: i32,
    pub(super) message: String,
    /// JSON.
    pub(super) data: String,
    pub(super) created_ms: i64,
}

impl NewRow {
    pub(super) fn size(&self) -> i64 {
        i64::try_from(self.message.len() + self.data.len()).unwrap_or(i64::MAX)
    }
}

pub(super) fn insert(tx: &mut Tx<'_>, rows: &[NewRow]) -> Result<(), Error> {
    for row in rows {
        let (data, size) = (row.data.as_str(), row.size());
        tx.execute(
            "INSERT INTO _mito_telemetry_logs (id, created, level, size, message, data) \
             VALUES ($1, $2, $3, $4, $5, $6)",
            &[
                &row.id,
                &dates::format_ms(row.created_ms),
                &row.level,
                &size,
                &row.message,
                &data,
            ],
        )?;
    }
    Ok(())
}

pub(super) fn page(tx: &mut Tx<'_>, query: &ListQuery) -> Result<LogPage, Error> {
    let refused = |_| Error::Invalid("Something went wrong while processing your request.".into());
    let mut condition = Sql::default();
    filter::compile(&mut condition, &query.filter, tx.now_ms()).map_err(refused)?;
    let page = query.page.max(1);
    let per_page = match query.per_page {
        0 => DEFAULT_PER_PAGE,
        asked => asked.min(MAX_PER_PAGE),
    };
    let (total_items, total_pages) = if query.skip_total {
        (-1, -1)
    } else {
        let mut count = Sql::new("SELECT COUNT(*) AS total FROM _mito_telemetry_logs WHERE ");
        count.push(&condition.text);
        count.parameters.clone_from(&condition.parameters);
        let row = count.query_one(tx)?.ok_or(Error::NotFound)?;
        let total: i64 = row.get("total")?;
        (
            total,
            total.saturating_add(i64::from(per_page) - 1) / i64::from(per_page),
        )
    };
    let mut select =
        Sql::new("SELECT id, created, level, message, data FROM _mito_telemetry_logs WHERE ");
    select.push(&condition.text);
    select.parameters = condition.parameters;
    let order = filter::order(&mut select, &query.sort).map_err(refused)?;
    select.push(" ORDER BY ").push(&order).push(" LIMIT ");
    select.bind(Stored::Integer(i64::from(per_page)));
    select.push(" OFFSET ");
    select.bind(Stored::Integer(i64::from(page - 1) * i64::from(per_page)));
    let rows = select.query(tx)?;
    Ok(LogPage {
        page,
        per_page,
        total_items,
        total_pages,
        items: rows.iter().map(shown).collect::<Result<_, _>>()?,
    })
}

pub(super) fn one(tx: &mut Tx<'_>, id: &str) -> Result<Record, Error> {
    let row = tx.query_one(
        "SELECT id, created, level, message, data FROM _mito_telemetry_logs WHERE id = $1",
        &[&id],
    )?;
    shown(&row.ok_or(Error::NotFound)?)
}

fn shown(row: &Row) -> Result<Record, Error> {
    let data: String = row.get("data")?;
    let data = serde_json::from_str(&data).unwrap_or(Value::Null);
    let mut record = Record::new();
    record.insert("id".to_owned(), row.get::<String>("id")?.into());
    record.insert("created".to_owned(), row.get::<String>("created")?.into());
    record.insert("data".to_owned(), data);
    record.insert("message".to_owned(), row.get::<String>("message")?.into());
    record.insert("level".to_owned(), row.get::<i64>("level")?.into());
    Ok(record)
}

pub(super) fn counts(tx: &mut Tx<'_>, text: &str) -> Result<Vec<LogCount>, Error> {
    let mut select = Sql::new(
        "SELECT COUNT(*) AS total, substr(created, 1, 13) AS hour FROM _mito_telemetry_logs WHERE ",
    );
    filter::compile(&mut select, text, tx.now_ms())
        .map_err(|_| Error::Invalid("Invalid filter format.".to_owned()))?;
    select.push(&format!(" GROUP BY hour ORDER BY hour LIMIT {MAX_HOURS}"));
    let rows = select.query(tx)?;
    rows.iter()
        .map(|row| {
            Ok(LogCount {
                total: row.get("total")?,
                date: format!("{}:00:00.000Z", row.get::<String>("hour")?),
            })
        })
        .collect()
}

pub(super) fn clear(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.frees_space();
    tx.execute("DELETE FROM _mito_telemetry_logs", &[])?;
    Ok(())
}

/// Deletes the oldest rows from before a time; returns how many.
pub(super) fn prune_age(tx: &mut Tx<'_>, before_ms: i64) -> Result<usize, Error> {
    tx.frees_space();
    Ok(tx.execute(
        "DELETE FROM _mito_telemetry_logs WHERE sequence IN ( \
             SELECT sequence FROM _mito_telemetry_logs ORDER BY sequence LIMIT $2) \
         AND created < $1",
        &[&dates::format_ms(before_ms), &PRUNED_AT_ONCE],
    )?)
}

/// How large the log is, in bytes of messages and data.
pub(super) fn bytes(tx: &mut Tx<'_>) -> Result<i64, Error> {
    let row = tx.query_one(
        "SELECT COALESCE(SUM(size), 0) AS bytes FROM _mito_telemetry_logs",
        &[],
    )?;
    Ok(row.ok_or(Error::NotFound)?.get("bytes")?)
}

/// Deletes the oldest rows; returns how many.
pub(super) fn prune_oldest(tx: &mut Tx<'_>) -> Result<usize, Error> {
    tx.frees_space();
    Ok(tx.execute(
        "DELETE FROM _mito_telemetry_logs WHERE sequence IN ( \
             SELECT sequence FROM _mito_telemetry_logs ORDER BY sequence LIMIT $1)",
        &[&PRUNED_AT_ONCE],
    )?)
}
