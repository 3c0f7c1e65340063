//! Statements: parameters, values, counts, errors, limits.

use super::super::{ids, insert};
use crate::{Database, Error, Value};

pub(super) async fn values_come_back_as_they_went(database: Database) {
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

pub(super) async fn parameters_are_bound_by_their_number(database: Database) {
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

pub(super) async fn parameters_must_match_the_statement(database: Database) {
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

pub(super) async fn violations_say_what_they_violate(database: Database) {
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

pub(super) async fn errors_name_the_statement(database: Database) {
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

pub(super) async fn statements_count_the_rows_they_change(database: Database) {
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

pub(super) async fn the_first_row_of_a_returning_statement_does_the_whole(database: Database) {
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

pub(super) async fn schema_changes_are_seen_by_prepared_statements(database: Database) {
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
