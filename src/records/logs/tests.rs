//! Rows in and out: what is kept, filtered, counted, cut and dropped.

use std::time::Duration;

use mito_core::Random;
use mito_database::{Options, database::Location};
use serde_json::json;
use tempfile::TempDir;

use super::*;

const START_MS: i64 = 1_778_051_289_000;

struct Log {
    logs: Logs,
    clock: Clock,
    _folder: TempDir,
}

impl Log {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(START_MS);
        let options = Options {
            location: Location::File(folder.path().join("telemetry.db")),
            config: mito_database::database::Config::default(),
            clock: clock.clone(),
        };
        let database = Database::open(options, &[LOG_MIGRATIONS]).await.unwrap();
        Self {
            logs: Logs::new(database, clock.clone(), Random::seeded(3)),
            clock,
            _folder: folder,
        }
    }

    /// Writes what waits.
    async fn flush(&self) {
        let shutdown = Shutdown::new();
        shutdown.begin();
        self.logs.write_until(&shutdown).await.unwrap();
    }

    fn push(&self, level: i32, message: &str, data: Value) {
        let Value::Object(data) = data else {
            panic!("no object")
        };
        let entry = LogEntry {
            level,
            message: message.to_owned(),
            data,
        };
        self.logs.push(entry, &settings::Logs::default());
    }

    /// The messages of the rows that match, or the error.
    async fn found(&self, filter: &str, sort: &str) -> Result<Vec<String>, String> {
        let query = ListQuery {
            filter: filter.to_owned(),
            sort: sort.to_owned(),
            ..ListQuery::default()
        };
        let database = &self.logs.0.database;
        let page = database.read(move |tx: &mut Tx<'_>| store::page(tx, &query));
        let page = page.await.map_err(|error| error.to_string())?;
        let message = |row: &Record| row["message"].as_str().unwrap_or_default().to_owned();
        Ok(page.items.iter().map(message).collect())
    }
}

#[tokio::test]
async fn rows_are_filtered_and_sorted_by_columns_and_members_of_their_data() {
    let log = Log::new().await;
    log.push(
        0,
        "GET /a",
        json!({"status": 200, "auth": "users", "deep": {"x": [5]}}),
    );
    log.push(
        8,
        "GET /b_1",
        json!({"status": 404, "auth": "", "ok": false}),
    );
    log.push(4, "slow", json!({"type": "log"}));
    log.flush().await;
    let check = async |filter: &str, sort: &str, expected: &[&str]| {
        let found = log.found(filter, sort).await.unwrap();
        assert_eq!(found, expected, "{filter} {sort}");
    };
    check("", "", &["GET /a", "GET /b_1", "slow"]).await;
    check("", "-@rowid", &["slow", "GET /b_1", "GET /a"]).await;
    check("", "-level,message", &["GET /b_1", "slow", "GET /a"]).await;
    check("", "-data.status", &["GET /b_1", "GET /a", "slow"]).await;
    check("data.status >= 400", "", &["GET /b_1"]).await;
    check("data.status = 200", "", &["GET /a"]).await;
    check("data.status != 200", "", &["GET /b_1", "slow"]).await;
    check("data.auth = ''", "", &["GET /b_1"]).await;
    check("data.auth != null", "", &["GET /a", "GET /b_1"]).await;
    check("data.ok = false", "", &["GET /b_1"]).await;
    check("data.deep.x.0 = 5", "", &["GET /a"]).await;
    check("message ~ 'GET'", "", &["GET /a", "GET /b_1"]).await;
    check("message ~ 'b_1' || level = 4", "", &["GET /b_1", "slow"]).await;
    check("message ~ '_a'", "", &[]).await;
    check(
        "level > 0 && created > '2026-01-01'",
        "",
        &["GET /b_1", "slow"],
    )
    .await;
    for (filter, sort) in [
        ("nope = 1", ""),
        ("(", ""),
        ("data.a'b = 1", ""),
        ("rowid > 0", ""),
        ("@request.auth.id != ''", ""),
        ("", "nope"),
        ("", "rowid"),
        ("", "data.\"x"),
        ("", "id,id,id,id,id,id,id,id,id"),
    ] {
        assert!(log.found(filter, sort).await.is_err(), "{filter} {sort}");
    }
}

#[tokio::test]
async fn rows_are_counted_by_the_hour() {
    let log = Log::new().await;
    log.push(0, "one", json!({}));
    log.clock.advance(Duration::from_hours(1));
    log.push(0, "two", json!({}));
    log.push(8, "three", json!({}));
    log.flush().await;
    let count = |tx: &mut Tx<'_>| store::counts(tx, "level >= 0");
    let counts = log.logs.0.database.read(count).await.unwrap();
    let shown: Vec<_> = counts
        .iter()
        .map(|count| (count.total, &*count.date))
        .collect();
    let expected = [
        (1, "2026-05-06 07:00:00.000Z"),
        (2, "2026-05-06 08:00:00.000Z"),
    ];
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn settings_say_what_is_kept() {
    let log = Log::new().await;
    let entry = |level| LogEntry {
        level,
        message: format!("level {level}"),
        data: Map::new(),
    };
    let wanted = settings::Logs {
        min_level: 4,
        ..settings::Logs::default()
    };
    for level in [-4, 0, 4, 8] {
        log.logs.push(entry(level), &wanted);
    }
    let nothing = settings::Logs {
        max_days: 0,
        ..settings::Logs::default()
    };
    log.logs.push(entry(16), &nothing);
    log.flush().await;
    assert_eq!(log.found("", "").await.unwrap(), ["level 4", "level 8"]);
}

#[tokio::test]
async fn old_rows_go_by_age_and_by_size() {
    let log = Log::new().await;
    for day in 0..4 {
        log.push(
            0,
            &format!("day {day}"),
            json!({"padding": "x".repeat(100)}),
        );
        log.clock.advance(Duration::from_hours(24));
    }
    log.flush().await;
    let database = &log.logs.0.database;
    let before_ms = START_MS + 2 * DAY_MS;
    let prune = move |tx: &mut Tx<'_>| store::prune_age(tx, before_ms);
    assert_eq!(database.write(prune).await.unwrap(), 2);
    assert_eq!(log.found("", "").await.unwrap(), ["day 2", "day 3"]);
    let bytes = log.logs.bound_size(1_000).await.unwrap();
    assert!(
        bytes > 200,
        "two rows of more than a hundred bytes: {bytes}"
    );
    assert_eq!(
        log.logs.bound_size(bytes - 1).await.unwrap(),
        0,
        "the oldest go at once"
    );
}

#[tokio::test]
async fn a_full_queue_drops_rows_and_makes_nobody_wait() {
    let log = Log::new().await;
    for number in 0..QUEUE_ROWS + 10 {
        log.push(0, &number.to_string(), json!({}));
    }
    log.flush().await;
    let count = |tx: &mut Tx<'_>| store::counts(tx, "");
    let counts = log.logs.0.database.read(count).await.unwrap();
    assert_eq!(counts[0].total, i64::try_from(QUEUE_ROWS).unwrap());
}

#[test]
fn data_that_is_too_large_loses_its_largest_members() {
    let data = json!({"url": "u".repeat(500), "status": 404, "error": "no"});
    let Value::Object(data) = data else { return };
    let cut = shrink::data(data.clone(), 100);
    let expected = json!({"__pb_truncated__": true, "status": 404, "error": "no"});
    assert_eq!(Value::Object(cut), expected);
    assert_eq!(shrink::data(data.clone(), 0), data);
    assert_eq!(shrink::text("äöü".to_owned(), 3), "ä");
}
