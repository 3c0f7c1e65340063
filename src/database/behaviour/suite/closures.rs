//! Closures: alone in what they do, and together in what they commit.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use mito_core::Random;

use super::super::{ids, insert};
use crate::{Database, Error};

pub(super) async fn a_failed_closure_rolls_back_alone(database: Database) {
    insert(&database, "before").await.unwrap();
    let failed = database
        .write(|tx| {
            tx.execute("INSERT INTO _mito_test_items (id) VALUES ('lost')", &[])?;
            Err::<(), _>(Error::Engine("changed my mind".to_owned()))
        })
        .await;
    assert!(matches!(failed, Err(Error::Engine(message)) if message == "changed my mind"));
    insert(&database, "after").await.unwrap();
    assert_eq!(ids(&database).await, ["after", "before"]);
}

pub(super) async fn a_panicking_closure_rolls_back_alone(database: Database) {
    let failed: Result<(), Error> = database
        .write(|tx| {
            tx.execute("INSERT INTO _mito_test_items (id) VALUES ('lost')", &[])?;
            panic!("a bug")
        })
        .await;
    assert!(matches!(failed, Err(Error::Engine(message)) if message.contains("a bug")));
    let failed: Result<(), Error> = database.read(|_| panic!("a bug")).await;
    assert!(matches!(failed, Err(Error::Engine(message)) if message.contains("a bug")));
    insert(&database, "after").await.unwrap();
    assert_eq!(ids(&database).await, ["after"]);
}

pub(super) async fn a_closure_may_go_on_after_an_error(database: Database) {
    insert(&database, "taken").await.unwrap();
    let written = database
        .write(|tx| {
            tx.execute("INSERT INTO _mito_test_items (id) VALUES ('first')", &[])?;
            match tx.execute("INSERT INTO _mito_test_items (id) VALUES ('taken')", &[]) {
                Err(Error::Unique(_)) => {
                    tx.execute("INSERT INTO _mito_test_items (id) VALUES ('instead')", &[])
                }
                other => panic!("{other:?}"),
            }
        })
        .await;
    assert_eq!(written.unwrap(), 1);
    assert_eq!(ids(&database).await, ["first", "instead", "taken"]);
}

pub(super) async fn readers_cannot_write(database: Database) {
    let result = database
        .read(|tx| tx.execute("INSERT INTO _mito_test_items (id) VALUES ('x')", &[]))
        .await;
    assert!(result.is_err(), "{result:?}");
    assert!(ids(&database).await.is_empty());
}

pub(super) async fn closures_cannot_control_the_transaction(database: Database) {
    // Not even with the words that the writer itself has used before.
    for sql in [
        "COMMIT",
        "ROLLBACK",
        "BEGIN",
        "SAVEPOINT mine",
        " /* well */ end",
        "COMMIT",
        "ROLLBACK",
        "BEGIN IMMEDIATE",
        "SAVEPOINT closure",
        "RELEASE closure",
        "ROLLBACK TO closure",
    ] {
        let result: Result<usize, Error> = database
            .write(move |tx| {
                tx.execute("INSERT INTO _mito_test_items (id) VALUES ('lost')", &[])?;
                tx.execute(sql, &[])
            })
            .await;
        assert!(
            matches!(result, Err(Error::Statement { .. })),
            "{sql}: {result:?}"
        );
        assert!(ids(&database).await.is_empty(), "{sql}");
    }
}

pub(super) async fn many_closures_with_random_failures(database: Database) {
    let random = Random::seeded(11);
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..400_i64 {
        let fate = random.bytes::<1>()[0] % 8;
        let database = database.clone();
        calls.spawn(async move {
            let result = database
                .write(move |tx| {
                    tx.execute(
                        "INSERT INTO _mito_test_values (id, whole) VALUES ($1, $2)",
                        &[&number, &(number * 2)],
                    )?;
                    match fate {
                        0 => Err(Error::Engine("no".to_owned())),
                        1 => panic!("a bug"),
                        2 => tx.execute(
                            "INSERT INTO _mito_test_parts (id, item) VALUES (1, 'x')",
                            &[],
                        ),
                        _ => Ok(1),
                    }
                })
                .await;
            (number, result.is_ok())
        });
    }
    let mut kept: Vec<i64> = Vec::new();
    while let Some(call) = calls.join_next().await {
        let (number, ok) = call.unwrap();
        kept.extend(ok.then_some(number));
    }
    kept.sort_unstable();
    let found = database
        .read(|tx| tx.query("SELECT id FROM _mito_test_values ORDER BY id", &[]))
        .await
        .unwrap();
    let found: Vec<i64> = found.iter().map(|row| row.get("id").unwrap()).collect();
    assert!(kept.len() > 100 && kept.len() < 400, "{} kept", kept.len());
    assert_eq!(found, kept, "exactly the successes are there");
}

pub(super) async fn read_modify_write_loses_no_update(database: Database) {
    insert(&database, "counter").await.unwrap();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..60 {
        let database = database.clone();
        calls.spawn(async move {
            let add = database.write(|tx| {
                let row = tx
                    .query_one(
                        "SELECT size FROM _mito_test_items WHERE id = 'counter'",
                        &[],
                    )?
                    .expect("it was inserted");
                let next = row.get::<i64>("size")? + 1;
                tx.execute(
                    "UPDATE _mito_test_items SET size = $1 WHERE id = 'counter'",
                    &[&next],
                )
            });
            add.await.unwrap();
        });
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap();
    }
    let row = database
        .read(|tx| tx.query_one("SELECT size FROM _mito_test_items", &[]))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.get::<i64>("size").unwrap(), 60);
}

/// Runs for minutes unless it is ended.
const ENDLESS: &str = "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n \
     WHERE i < 100000000000) SELECT COUNT(*) AS count FROM n";

pub(super) async fn a_slow_statement_is_ended_and_the_rest_goes_on(database: Database) {
    // Only the slow calls wait for it, side by side.
    let runs = Arc::new(AtomicUsize::new(0));
    let (slow_read, slow_write, insert_beside) = tokio::join!(
        database.read(|tx| tx.query(ENDLESS, &[])),
        database.write(|tx| tx.query(ENDLESS, &[])),
        database.write({
            let runs = Arc::clone(&runs);
            move |tx| {
                runs.fetch_add(1, Ordering::Relaxed);
                tx.execute("INSERT INTO _mito_test_items (id) VALUES ('beside')", &[])
            }
        }),
    );
    assert!(matches!(slow_read, Err(Error::TimedOut)), "{slow_read:?}");
    assert!(matches!(slow_write, Err(Error::TimedOut)), "{slow_write:?}");
    insert_beside.unwrap();
    assert!(runs.load(Ordering::Relaxed) >= 1);
    assert_eq!(ids(&database).await, ["beside"]);
}
