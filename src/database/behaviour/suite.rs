//! Behaviour that both engines share. Each case gets a fresh database with the tests' tables.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use mito_core::Random;

use super::{NOW_MS, TABLES, close, ids, insert, options};
use crate::{Action, Database, Error, NewEvent, Value, database::Location, outbox};

/// The variable that names a PostgreSQL to test on.
const POSTGRES_VARIABLE: &str = "MITO_TEST_POSTGRES";

macro_rules! on_both_engines {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let folder = tempfile::tempdir().unwrap();
                let options = super::options(&folder.path().join("test.db"));
                let database = super::Database::open(options, &[super::TABLES]).await.unwrap();
                super::$case(database.clone()).await;
                super::close(database).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let Some(database) = super::open_postgres(stringify!($case)).await else { return };
                super::$case(database.clone()).await;
                super::close(database).await;
            })*
        }
    };
}

on_both_engines![
    values_come_back_as_they_went,
    parameters_are_bound_by_their_number,
    parameters_must_match_the_statement,
    a_failed_closure_rolls_back_alone,
    a_panicking_closure_rolls_back_alone,
    a_closure_may_go_on_after_an_error,
    violations_say_what_they_violate,
    errors_name_the_statement,
    readers_cannot_write,
    closures_cannot_control_the_transaction,
    statements_count_the_rows_they_change,
    the_first_row_of_a_returning_statement_does_the_whole,
    events_rise_and_are_announced_after_the_commit,
    a_follower_of_the_outbox_misses_nothing,
    pruned_numbers_are_not_given_again,
    many_closures_with_random_failures,
    read_modify_write_loses_no_update,
    a_slow_statement_is_ended_and_the_rest_goes_on,
    schema_changes_are_seen_by_prepared_statements,
    a_closed_database_refuses,
    it_answers_a_ping,
];

async fn open_postgres(case: &str) -> Option<Database> {
    let environment = mito_core::config::environment();
    let Some(url) = environment
        .get(POSTGRES_VARIABLE)
        .filter(|url| !url.is_empty())
    else {
        eprintln!("skipped {case} on PostgreSQL: {POSTGRES_VARIABLE} is not set");
        return None;
    };
    let schema = format!("test_{}", Random::system().id(15));
    let separator = if url.contains('?') { '&' } else { '?' };
    let mut options = options(std::path::Path::new("unused"));
    options.location =
        Location::Postgres(format!("{url}{separator}options=-csearch_path%3D{schema}"));
    let admin = url.clone();
    tokio::task::spawn_blocking(move || {
        let mut client = ::postgres::Client::connect(&admin, ::postgres::NoTls).unwrap();
        client
            .batch_execute(&format!("CREATE SCHEMA {schema}"))
            .unwrap();
    })
    .await
    .unwrap();
    Some(Database::open(options, &[TABLES]).await.unwrap())
}

async fn values_come_back_as_they_went(database: Database) {
    let written = database.write(|tx| {
        tx.execute(
            "INSERT INTO _mito_test_values (id, whole, real, words, bytes) \
             VALUES ($1, $2, $3, $4, $5), ($6, $7, $8, $9, $10)",
            &[
                &1_i64,
                &i64::MIN,
                &0.1_f64,
                &"grüße, 世界",
                &vec![0_u8, 255],
                &2_i64,
                &None::<i64>,
                &None::<f64>,
                &None::<String>,
                &None::<Vec<u8>>,
            ],
        )
    });
    assert_eq!(written.await.unwrap(), 2);
    let rows = database
        .read(|tx| tx.query("SELECT * FROM _mito_test_values ORDER BY id", &[]))
        .await
        .unwrap();
    assert_eq!(rows[0].columns(), ["id", "whole", "real", "words", "bytes"]);
    assert_eq!(
        rows[0].values(),
        [
            Value::Integer(1),
            Value::Integer(i64::MIN),
            Value::Real(0.1),
            Value::Text("grüße, 世界".to_owned()),
            Value::Blob(vec![0, 255]),
        ]
    );
    assert_eq!(
        rows[1].values()[1..],
        [Value::Null, Value::Null, Value::Null, Value::Null]
    );
    let totals = database
        .read(|tx| {
            tx.query_one(
                "SELECT COUNT(*) AS count, SUM(id) AS sum, 1 = 1 AS yes FROM _mito_test_values",
                &[],
            )
        })
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        totals.values(),
        [Value::Integer(2), Value::Integer(3), Value::Integer(1)]
    );
}

async fn parameters_are_bound_by_their_number(database: Database) {
    let row = database
        .read(|tx| {
            tx.query_one(
                "SELECT CAST($2 AS TEXT) AS second, CAST($1 AS BIGINT) AS first, \
                 CAST($1 AS BIGINT) + 1 AS again",
                &[&7_i64, &"two"],
            )
        })
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.get::<String>("second").unwrap(), "two");
    assert_eq!(row.get::<i64>("first").unwrap(), 7);
    assert_eq!(row.get::<i64>("again").unwrap(), 8);
    assert!(matches!(
        row.get::<i64>("second"),
        Err(Error::Column { .. })
    ));
    assert!(matches!(
        row.get::<i64>("missing"),
        Err(Error::Column { .. })
    ));
}

async fn parameters_must_match_the_statement(database: Database) {
    for (sql, given) in [
        ("SELECT id FROM _mito_test_items WHERE id = $1", 0),
        ("SELECT id FROM _mito_test_items WHERE id = $1", 2),
        (
            "SELECT id FROM _mito_test_items WHERE id = $2 AND id = $1",
            1,
        ),
    ] {
        let result = database
            .read(move |tx| {
                let values = vec!["x"; given];
                let parameters: Vec<&dyn crate::ToValue> = values
                    .iter()
                    .map(|value| value as &dyn crate::ToValue)
                    .collect();
                tx.query(sql, &parameters)
            })
            .await;
        assert!(
            matches!(result, Err(Error::Statement { .. })),
            "{sql} with {given}: {result:?}"
        );
    }
}

async fn a_failed_closure_rolls_back_alone(database: Database) {
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

async fn a_panicking_closure_rolls_back_alone(database: Database) {
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

async fn a_closure_may_go_on_after_an_error(database: Database) {
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

async fn violations_say_what_they_violate(database: Database) {
    insert(&database, "one").await.unwrap();
    let unique = insert(&database, "one").await;
    assert!(
        matches!(&unique, Err(Error::Unique(what)) if what == "_mito_test_items.id"),
        "{unique:?}"
    );
    for sql in [
        "INSERT INTO _mito_test_items (id, size) VALUES ('two', -1)",
        "INSERT INTO _mito_test_items (id, size) VALUES ('two', NULL)",
        "INSERT INTO _mito_test_parts (id, item) VALUES (1, 'missing')",
    ] {
        let result = database.write(move |tx| tx.execute(sql, &[])).await;
        assert!(
            matches!(result, Err(Error::Constraint(_))),
            "{sql}: {result:?}"
        );
    }
    assert_eq!(ids(&database).await, ["one"]);
}

async fn errors_name_the_statement(database: Database) {
    let result = database
        .read(|tx| tx.query("SELECT nothing  FROM nowhere", &[]))
        .await;
    let Err(Error::Statement { sql, .. }) = result else {
        panic!("{result:?}")
    };
    assert_eq!(sql, "SELECT nothing FROM nowhere");
    let two = database
        .write(|tx| tx.execute("SELECT 1; SELECT 2", &[]))
        .await;
    assert!(matches!(two, Err(Error::Statement { .. })), "{two:?}");
}

async fn readers_cannot_write(database: Database) {
    let result = database
        .read(|tx| tx.execute("INSERT INTO _mito_test_items (id) VALUES ('x')", &[]))
        .await;
    assert!(result.is_err(), "{result:?}");
    assert!(ids(&database).await.is_empty());
}

async fn closures_cannot_control_the_transaction(database: Database) {
    for sql in [
        "COMMIT",
        "ROLLBACK",
        "BEGIN",
        "SAVEPOINT mine",
        " /* well */ end",
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

async fn statements_count_the_rows_they_change(database: Database) {
    let counts = database
        .write(|tx| {
            Ok::<_, Error>([
                tx.execute("INSERT INTO _mito_test_items (id) VALUES ('a'), ('b')", &[])?,
                tx.execute("UPDATE _mito_test_items SET size = 1 WHERE id = 'a'", &[])?,
                tx.execute("UPDATE _mito_test_items SET size = 1 WHERE id = 'z'", &[])?,
                tx.execute("DELETE FROM _mito_test_items", &[])?,
                tx.execute("CREATE TABLE _mito_test_more (id BIGINT)", &[])?,
            ])
        })
        .await
        .unwrap();
    assert_eq!(counts, [2, 1, 0, 2, 0]);
}

async fn the_first_row_of_a_returning_statement_does_the_whole(database: Database) {
    let row = database
        .write(|tx| {
            tx.query_one(
                "INSERT INTO _mito_test_items (id) VALUES ('a'), ('b'), ('c') RETURNING id",
                &[],
            )
        })
        .await
        .unwrap();
    assert_eq!(row.unwrap().get::<String>("id").unwrap(), "a");
    assert_eq!(ids(&database).await, ["a", "b", "c"]);
}

async fn emit(database: &Database, record: &str, fails: bool) -> Result<i64, Error> {
    let record = record.to_owned();
    database
        .write(move |tx| {
            let event = NewEvent {
                collection: "items",
                record: &record,
                action: Action::Create,
                detail: "{}",
            };
            let sequence = tx.emit(event)?;
            if fails {
                Err(Error::Full)
            } else {
                Ok(sequence)
            }
        })
        .await
}

async fn events_rise_and_are_announced_after_the_commit(database: Database) {
    let mut changes = database.changes();
    assert_eq!(*changes.borrow_and_update(), 0);
    let first = emit(&database, "one", false).await.unwrap();
    emit(&database, "lost", true).await.unwrap_err();
    let last = emit(&database, "two", false).await.unwrap();
    let seen = changes.wait_for(|newest| *newest >= last);
    let seen = *tokio::time::timeout(Duration::from_secs(20), seen)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(seen, last);

    let events = database
        .read(|tx| outbox::read_after(tx, 0, 10))
        .await
        .unwrap();
    let records: Vec<&str> = events.iter().map(|event| event.record.as_str()).collect();
    assert_eq!(records, ["one", "two"]);
    assert_eq!((events[0].sequence, events[1].sequence), (first, last));
    assert!(first < last);
    assert_eq!(events[0].action, Action::Create);
    assert_eq!(events[0].at_ms, NOW_MS);
    let after = database
        .read(move |tx| outbox::read_after(tx, first, 10))
        .await
        .unwrap();
    assert_eq!(after.len(), 1);
}

async fn a_follower_of_the_outbox_misses_nothing(database: Database) {
    const EMITTERS: usize = 8;
    const EVENTS: usize = 20;
    let mut emitters = tokio::task::JoinSet::new();
    for emitter in 0..EMITTERS {
        let database = database.clone();
        emitters.spawn(async move {
            for number in 0..EVENTS {
                emit(&database, &format!("{emitter}-{number}"), false)
                    .await
                    .unwrap();
            }
        });
    }
    // A number that became visible after a higher one would stay behind this cursor for ever.
    let mut changes = database.changes();
    let mut seen = std::collections::BTreeSet::new();
    let mut cursor = 0;
    let following = async {
        while seen.len() < EMITTERS * EVENTS {
            let events = database
                .read(move |tx| outbox::read_after(tx, cursor, 7))
                .await
                .unwrap();
            for event in &events {
                assert!(event.sequence > cursor);
                cursor = event.sequence;
                assert!(
                    seen.insert(event.record.clone()),
                    "{} came twice",
                    event.record
                );
            }
            if events.is_empty() {
                changes.wait_for(|newest| *newest > cursor).await.unwrap();
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), following)
        .await
        .unwrap();
    while let Some(emitter) = emitters.join_next().await {
        emitter.unwrap();
    }
}

async fn pruned_numbers_are_not_given_again(database: Database) {
    let mut last = 0;
    for record in ["one", "two", "three"] {
        last = emit(&database, record, false).await.unwrap();
    }
    let pruned = database
        .write(move |tx| outbox::prune(tx, last))
        .await
        .unwrap();
    assert_eq!(pruned, 3);
    assert!(emit(&database, "four", false).await.unwrap() > last);
}

async fn many_closures_with_random_failures(database: Database) {
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

async fn read_modify_write_loses_no_update(database: Database) {
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

async fn a_slow_statement_is_ended_and_the_rest_goes_on(database: Database) {
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

async fn schema_changes_are_seen_by_prepared_statements(database: Database) {
    insert(&database, "one").await.unwrap();
    let select = "SELECT * FROM _mito_test_items";
    for _ in 0..8 {
        database
            .read(move |tx| tx.query(select, &[]))
            .await
            .unwrap();
        database
            .write(move |tx| tx.query(select, &[]))
            .await
            .unwrap();
    }
    database
        .exclusive(|tx| {
            tx.execute(
                "ALTER TABLE _mito_test_items ADD COLUMN colour TEXT DEFAULT 'red'",
                &[],
            )
        })
        .await
        .unwrap();
    for _ in 0..8 {
        let read = database
            .read(move |tx| tx.query_one(select, &[]))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(read.get::<String>("colour").unwrap(), "red");
        let write = database
            .write(move |tx| tx.query_one(select, &[]))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(write.get::<String>("colour").unwrap(), "red");
    }
}

async fn a_closed_database_refuses(database: Database) {
    insert(&database, "kept").await.unwrap();
    database.close(Duration::from_secs(20)).await;
    assert!(matches!(
        insert(&database, "late").await,
        Err(Error::Closed)
    ));
    let read = database.read(|tx| tx.query("SELECT 1", &[])).await;
    assert!(matches!(read, Err(Error::Closed)));
}

async fn it_answers_a_ping(database: Database) {
    database.ping().await.unwrap();
    database.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_the_server_ended_is_opened_again() {
    let case = "a_connection_that_the_server_ended_is_opened_again";
    let Some(database) = open_postgres(case).await else {
        return;
    };
    for _ in 0..8 {
        let process = database
            .read(|tx| tx.query_one("SELECT pg_backend_pid() AS pid", &[]))
            .await
            .unwrap()
            .unwrap()
            .get::<i64>("pid")
            .unwrap();
        database
            .write(move |tx| {
                tx.query_one(
                    "SELECT pg_terminate_backend($1, 5000) AS ended",
                    &[&process],
                )
            })
            .await
            .unwrap();
        assert!(ids(&database).await.is_empty());
    }
    close(database).await;
}
