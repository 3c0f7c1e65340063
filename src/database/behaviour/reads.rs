//! Reads that are answered together, and those that take long.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::task::JoinSet;

use super::{TABLES, insert, options};
use crate::{Database, Error, Tx, database::Config};

/// Some hundred milliseconds of work.
const LONG: &str = "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c \
     WHERE n < 4000000) SELECT COUNT(*) AS total FROM c";

fn count(tx: &mut Tx<'_>) -> Result<i64, Error> {
    let row = tx.query_one("SELECT COUNT(*) AS total FROM _mito_test_items", &[])?;
    row.map_or(Ok(0), |row| row.get("total"))
}

async fn one_reader() -> (tempfile::TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(&folder.path().join("data.db"));
    options.config = Config {
        readers: 1,
        statement_timeout_ms: 60_000,
        ..Config::default()
    };
    let database = Database::open(options, &[TABLES]).await.unwrap();
    (folder, database)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_told_of_a_commit_sees_it() {
    let (_folder, database) = one_reader().await;
    let ends = Arc::new(AtomicBool::new(false));
    let mut others = JoinSet::new();
    for _ in 0..8 {
        let (database, ends) = (database.clone(), Arc::clone(&ends));
        others.spawn(async move {
            while !ends.load(Ordering::Relaxed) {
                database.read(count).await.unwrap();
            }
        });
    }
    for number in 1..=200 {
        insert(&database, &format!("{number}")).await.unwrap();
        assert_eq!(database.read(count).await.unwrap(), number);
    }
    ends.store(true, Ordering::Relaxed);
    while let Some(other) = others.join_next().await {
        other.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_reads_let_short_ones_pass() {
    let (_folder, database) = one_reader().await;
    let mut long = JoinSet::new();
    for _ in 0..4 {
        let database = database.clone();
        long.spawn(async move {
            let total = |tx: &mut Tx<'_>| tx.query_one(LONG, &[]);
            let row = database.read(total).await.unwrap().unwrap();
            row.get::<i64>("total").unwrap()
        });
    }
    // The one reader of short statements has all of them before this one.
    tokio::task::yield_now().await;
    assert_eq!(database.read(count).await.unwrap(), 0);
    let mut done = 0;
    while long.try_join_next().is_some() {
        done += 1;
    }
    assert!(done < 4, "the short one waited for all of the long ones");
    while let Some(total) = long.join_next().await {
        assert_eq!(total.unwrap(), 4_000_000);
    }
}
