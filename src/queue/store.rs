//! The SQL of the queue, as functions of a transaction. Every change of a running job is fenced by
//! its lease: it names the token that the claim drew, and does nothing when the job has another.

use mito_database::{Dialect, Row, Tx};

pub(crate) mod claim;
pub(crate) mod cleanup;
pub(crate) mod cursors;
pub(crate) mod enqueue;
pub(crate) mod finish;
pub(crate) mod flow;
pub(crate) mod follow;
pub(crate) mod limits;
pub(crate) mod log;
pub(crate) mod replay;
pub(crate) mod replicas;
pub(crate) mod rescue;
pub(crate) mod schedules;
pub(crate) mod steps;
pub(crate) mod unique;
pub(crate) mod view;

/// The database's errors; the queue's own cases are told by return values.
pub(crate) type Result<T> = std::result::Result<T, mito_database::Error>;

/// A claimed job, and the proof of the claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) id: String,
    pub(crate) token: String,
}

/// Where a claim must not wait for another process's claim.
fn skip_locked(tx: &Tx<'_>) -> &'static str {
    match tx.dialect() {
        Dialect::Sqlite => "",
        Dialect::Postgres => " FOR UPDATE SKIP LOCKED",
    }
}

/// Where a row must not change until the transaction ends.
fn locked(tx: &Tx<'_>) -> &'static str {
    match tx.dialect() {
        Dialect::Sqlite => "",
        Dialect::Postgres => " FOR UPDATE",
    }
}

/// JSON as it is stored; null where there is none, and as the text it is where it cannot be read.
fn json(text: Option<&str>) -> serde_json::Value {
    text.map_or(serde_json::Value::Null, |text| {
        serde_json::from_str(text).unwrap_or_else(|_| text.into())
    })
}

fn strings(rows: &[Row], column: &str) -> Result<Vec<String>> {
    rows.iter().map(|row| row.get(column)).collect()
}
