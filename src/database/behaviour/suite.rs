//! Behaviour that both engines share. Each case gets a fresh database with the tests' tables.

mod closures;
mod events;
mod statements;

use std::time::Duration;

use mito_core::Random;

use self::{closures::*, events::*, statements::*};
use super::{TABLES, close, ids, insert, options};
use crate::{Database, Error, database::Location};

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
