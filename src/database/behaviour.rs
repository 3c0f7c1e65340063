//! How a database behaves, tested through the handle. `suite` runs on both engines.

mod durability;
mod files;
mod foreign;
mod groups;
mod reads;
mod suite;

use std::{path::Path, time::Duration};

use mito_core::Clock;

use crate::{
    Database, Error, Migration, Migrations, Options,
    database::{Config, Location},
};

/// What the tests' clock shows.
pub(crate) const NOW_MS: i64 = 1_700_000_000_000;

/// The tables that the tests write to.
pub(crate) const TABLES: Migrations = Migrations {
    role: "test",
    steps: &[Migration {
        version: 1,
        sql: "CREATE TABLE _mito_test_items (id TEXT PRIMARY KEY, size BIGINT NOT NULL DEFAULT 0,
                  CHECK (size >= 0));
              CREATE TABLE _mito_test_parts (id BIGINT PRIMARY KEY,
                  item TEXT NOT NULL REFERENCES _mito_test_items (id));
              CREATE TABLE _mito_test_values (id BIGINT PRIMARY KEY, whole BIGINT, real DOUBLE PRECISION,
                  words TEXT, bytes BLOB);",
        postgres: Some(
            "CREATE TABLE _mito_test_items (id TEXT PRIMARY KEY, size BIGINT NOT NULL DEFAULT 0,
                 CHECK (size >= 0));
             CREATE TABLE _mito_test_parts (id BIGINT PRIMARY KEY,
                 item TEXT NOT NULL REFERENCES _mito_test_items (id));
             CREATE TABLE _mito_test_values (id BIGINT PRIMARY KEY, whole BIGINT,
                 real DOUBLE PRECISION, words TEXT, bytes BYTEA);",
        ),
    }],
};

pub(crate) fn options(path: &Path) -> Options {
    Options {
        location: Location::File(path.to_owned()),
        config: Config {
            statement_timeout_ms: 2_000,
            ..Config::default()
        },
        clock: Clock::manual(NOW_MS),
    }
}

pub(crate) async fn open(path: &Path) -> Database {
    Database::open(options(path), &[TABLES]).await.unwrap()
}

pub(crate) async fn close(database: Database) {
    database.close(Duration::from_secs(20)).await;
}

pub(crate) async fn insert(database: &Database, id: &str) -> Result<usize, Error> {
    let id = id.to_owned();
    database
        .write(move |tx| tx.execute("INSERT INTO _mito_test_items (id) VALUES ($1)", &[&id]))
        .await
}

pub(crate) async fn ids(database: &Database) -> Vec<String> {
    let read = database.read(|tx| {
        let rows = tx.query("SELECT id FROM _mito_test_items ORDER BY id", &[])?;
        rows.iter()
            .map(|row| row.get("id"))
            .collect::<Result<Vec<String>, Error>>()
    });
    read.await.unwrap()
}
