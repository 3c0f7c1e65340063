//! Filters and sorts over the log's columns and the members of `data`.

use std::sync::LazyLock;

use jiff::Timestamp;
use mito_database::Dialect;

use crate::{
    filter::fixed::{Column, FixedTable},
    sql::Sql,
};

/// The most fields to sort by.
const MAX_SORT_FIELDS: usize = 8;

/// What may be named. The log is SQLite wherever the rest of the data is.
static LOGS: LazyLock<FixedTable> = LazyLock::new(|| {
    let columns = [
        ("id", Column::Text),
        ("created", Column::Text),
        ("level", Column::Number),
        ("message", Column::Text),
        ("data", Column::Json),
    ];
    FixedTable::new("_mito_telemetry_logs", &columns)
});

/// Appends the condition of a filter; an empty one always holds.
pub(super) fn compile(sql: &mut Sql, text: &str, now_ms: i64) -> Result<(), String> {
    if text.trim().is_empty() {
        sql.push("1=1");
        return Ok(());
    }
    let now = Timestamp::from_millisecond(now_ms).unwrap_or_default();
    LOGS.compile(sql, text, now, Dialect::Sqlite)
}

/// What to order by, newest last where nothing is said.
pub(super) fn order(sql: &mut Sql, sort: &str) -> Result<String, String> {
    let mut terms = Vec::new();
    let fields = sort.split(',').map(str::trim);
    for field in fields.filter(|field| !field.is_empty()) {
        if terms.len() == MAX_SORT_FIELDS {
            return Err(format!(
                "no more than {MAX_SORT_FIELDS} fields can be sorted by"
            ));
        }
        let (name, direction) = match field.strip_prefix('-') {
            Some(name) => (name, "DESC"),
            None => (field.strip_prefix('+').unwrap_or(field), "ASC"),
        };
        match name {
            "@random" => terms.push("RANDOM()".to_owned()),
            "@rowid" => terms.push(format!("sequence {direction}")),
            name => {
                let values = LOGS.sortable(sql, name, direction == "DESC", Dialect::Sqlite)?;
                terms.extend(values.iter().map(|value| format!("{value} {direction}")));
            }
        }
    }
    terms.push("sequence ASC".to_owned());
    Ok(terms.join(", "))
}
