//! The SQL console of administrators, with the result in PocketBase's shape: every value as text.

use std::time::{Duration, Instant};

use mito_database::{
    Tx, Value as Stored,
    console::{Limits, Outcome},
};
use serde::Serialize;

use crate::{Error, Records};

/// What a statement may not exceed.
const LIMITS: Limits = Limits {
    time: Duration::from_secs(10),
    rows: 10_000,
    bytes: 16 * 1024 * 1024,
};
/// The longest text of statements, in bytes.
const MAX_SQL: usize = 1024 * 1024;

/// What a text came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsoleResult {
    /// How long it took, in milliseconds.
    pub exec_time: u64,
    /// How many rows were changed.
    pub affected_rows: u64,
    /// The columns.
    pub columns: Vec<ConsoleColumn>,
    /// The rows.
    pub rows: Vec<Vec<Option<String>>>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConsoleColumn {
    /// Its name.
    pub name: String,
    /// Its declared type, if it has one.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it may hold nothing: of a result nobody knows.
    pub nullable: bool,
}

impl Records {
    /// Runs what an administrator typed. A text that only reads runs on a reader; any other runs
    /// alone on the writer, in one transaction.
    pub async fn run_sql(&self, sql: &str) -> Result<ConsoleResult, Error> {
        if sql.len() > MAX_SQL {
            let message = format!("Failed to execute query. It has more than {MAX_SQL} bytes.");
            return Err(Error::Invalid(message));
        }
        let started = Instant::now();
        let reads = only_reads(sql);
        let text = sql.to_owned();
        let run = move |tx: &mut Tx<'_>| tx.console(&text, LIMITS);
        let ran = if reads {
            self.inner.database.read(run).await
        } else {
            self.inner.database.exclusive(run).await
        };
        let mut outcome: Outcome = ran.map_err(shown_error)?;
        if !reads {
            // As in PocketBase, a text that changes something answers with how much.
            outcome.columns.clear();
            outcome.rows.clear();
        }
        let columns = outcome.columns.into_iter().map(|column| ConsoleColumn {
            name: column.name,
            kind: column.kind,
            nullable: true,
        });
        let rows = outcome.rows.into_iter();
        Ok(ConsoleResult {
            exec_time: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            affected_rows: outcome.affected,
            columns: columns.collect(),
            rows: rows
                .map(|row| row.into_iter().map(shown).collect())
                .collect(),
        })
    }
}

/// Errors of the engine are for the administrator to read; that the platform is busy is not theirs.
fn shown_error(error: mito_database::Error) -> Error {
    use mito_database::Error as Database;
    let reason = match error {
        Database::TimedOut => format!(
            "the statement ran longer than {} s and was stopped",
            LIMITS.time.as_secs()
        ),
        Database::Busy | Database::Closed | Database::Full => return Error::Database(error),
        Database::Unique(what) => format!("constraint failed: {what} is not unique"),
        Database::Statement { message, .. } => message,
        other => other.to_string(),
    };
    Error::Invalid(format!("Failed to execute query. Raw error:\n{reason}"))
}

/// Whether the text begins with a statement that only reads. What is wrong about that is refused by
/// the reader, which cannot write.
fn only_reads(sql: &str) -> bool {
    let mut rest = sql.trim_start();
    loop {
        let after = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, after)| after)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map_or("", |(_, after)| after)
        } else {
            break;
        };
        rest = after.trim_start();
    }
    let word: String = rest
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .collect::<String>()
        .to_ascii_uppercase();
    match word.as_str() {
        "" | "SELECT" | "EXPLAIN" | "PRAGMA" | "VALUES" | "SHOW" => true,
        // A common table may lead a change too.
        "WITH" => {
            let upper = rest.to_ascii_uppercase();
            let mut words = upper.split(|character: char| !character.is_ascii_alphanumeric());
            !words.any(|word| matches!(word, "INSERT" | "UPDATE" | "DELETE" | "REPLACE"))
        }
        _ => false,
    }
}

fn shown(value: Stored) -> Option<String> {
    Some(match value {
        Stored::Null => return None,
        Stored::Integer(integer) => integer.to_string(),
        Stored::Real(real) => number(real),
        Stored::Text(text) => text,
        Stored::Blob(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
    })
}

/// A number in the shortest form that reads back as the same, with an exponent where that is far
/// from the point.
fn number(real: f64) -> String {
    let size = real.abs();
    if real.is_finite() && (size == 0.0 || (1e-4..1e21).contains(&size)) {
        return real.to_string();
    }
    let text = format!("{real:e}");
    match text.split_once('e') {
        Some((digits, exponent)) => match exponent.strip_prefix('-') {
            Some(exponent) => format!("{digits}e-{exponent:0>2}"),
            None => format!("{digits}e+{exponent:0>2}"),
        },
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[test]
    fn numbers_are_short() {
        for (real, expected) in [
            (0.0, "0"),
            (3.0, "3"),
            (1.5, "1.5"),
            (1e300, "1e+300"),
            (-2.5e-7, "-2.5e-07"),
            (1e20, "100000000000000000000"),
        ] {
            assert_eq!(number(real), expected);
        }
    }

    #[test]
    fn what_only_reads_is_known_by_its_first_word() {
        for (sql, expected) in [
            ("select 1", true),
            ("-- insert\n/* update */ SELECT 1", true),
            ("with x as (select 1) select * from x", true),
            ("with x as (select 1) insert into t select * from x", false),
            ("delete from t", false),
            ("-- nothing", true),
            ("/* open", true),
        ] {
            assert_eq!(only_reads(sql), expected, "{sql}");
        }
    }

    /// Runs a text: `columns | rows | affected`, or the error.
    async fn run(fixture: &Fixture, sql: &str) -> String {
        match fixture.records.run_sql(sql).await {
            Ok(result) => {
                let columns: Vec<String> = result
                    .columns
                    .iter()
                    .map(|column| format!("{}:{}", column.name, column.kind))
                    .collect();
                let rows: Vec<String> = result
                    .rows
                    .iter()
                    .map(|row| {
                        let values: Vec<&str> = row
                            .iter()
                            .map(|value| value.as_deref().unwrap_or("-"))
                            .collect();
                        values.join(",")
                    })
                    .collect();
                format!(
                    "{} | {} | {}",
                    columns.join(","),
                    rows.join(";"),
                    result.affected_rows
                )
            }
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn statements_run_as_in_the_peer() {
        let fixture = Fixture::new().await;
        if !fixture.database.is_file() {
            return;
        }
        let check = async |sql: &str, expected: &str| {
            assert_eq!(run(&fixture, sql).await, expected, "{sql}");
        };
        check(
            "select 1 as a, null b, 1.5 c, x'0102' d",
            "a:,b:,c:,d: | 1,-,1.5,\u{1}\u{2} | 0",
        )
        .await;
        check("select 1; select 2", "2: | 2 | 0").await;
        check("-- nothing", " |  | 0").await;
        check(
            "create table zz (a int not null primary key, b text, c real)",
            " |  | 0",
        )
        .await;
        check("insert into zz values (1,2,3),(2,3,4)", " |  | 2").await;
        check("insert into zz values (3,2,3); select * from zz", " |  | 1").await;
        check("update zz set b = 9 where a = 1 returning *", " |  | 1").await;
        check(
            "select * from zz",
            "a:INT,b:TEXT,c:REAL | 1,9,3;2,3,4;3,2,3 | 0",
        )
        .await;
        let failed = "Failed to execute query. Raw error:\n";
        check(
            "update zz set b = 8; insert into zz values (1,1,1)",
            &format!("{failed}constraint failed: zz.a is not unique"),
        )
        .await;
        check("select b from zz where a = 1", "b:TEXT | 9 | 0").await;
        check("selec", &format!("{failed}near \"selec\": syntax error")).await;
        check("with x as (select 1 a) select * from x", "a: | 1 | 0").await;
        check(
            "pragma table_info(zz)",
            "cid:,name:,type:,notnull:,dflt_value:,pk: | \
            0,a,INT,1,-,1;1,b,TEXT,0,-,0;2,c,REAL,0,-,0 | 0",
        )
        .await;
        check("drop table zz", " |  | 0").await;
    }

    #[tokio::test]
    async fn what_would_harm_the_platform_is_refused() {
        let fixture = Fixture::new().await;
        if !fixture.database.is_file() {
            return;
        }
        fixture
            .records
            .change_settings(serde_json::json!({}), None)
            .await
            .unwrap();
        let denied = "not authorized";
        for (sql, expected) in [
            ("delete from _mito_records_settings", denied),
            ("update _MITO_records_settings set value = ''", denied),
            (
                "with x as (select 1) delete from _mito_records_settings",
                denied,
            ),
            ("drop table _mito_records_settings", denied),
            ("alter table _mito_records_settings rename to gone", denied),
            ("create index later on _mito_records_settings (id)", denied),
            (
                "create trigger later after insert on users begin delete from _mito_meta; end",
                denied,
            ),
            ("create temp table users (id text)", denied),
            ("create temp view users as select 1", denied),
            ("create virtual table v using fts5(a)", denied),
            ("attach database '/tmp/x.db' as x", denied),
            ("begin", denied),
            ("select 1; commit", denied),
            ("pragma writable_schema = 1", denied),
            ("vacuum", "VACUUM"),
            ("select load_extension('x')", denied),
            ("select ?1", "parameters have no values"),
            ("select 1; delete from users", "readonly"),
            (
                "with recursive c(x) as (select 1 union all select x + 1 from c) select x from c",
                "more than 10000 rows",
            ),
            (
                "select zeroblob(20000000)",
                "more than 10000 rows or 16777216 bytes",
            ),
        ] {
            let found = run(&fixture, sql).await;
            assert!(found.contains(expected), "{sql}: {found}");
        }
        let rows = run(&fixture, "select id from _mito_records_settings").await;
        assert_eq!(rows, "id:TEXT | settings | 0");
        // The writer is as it was: ordinary closures may do what the console may not.
        fixture
            .records
            .change_settings(serde_json::json!({}), None)
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn postgresql_answers_and_guards_the_same() {
        let fixture = Fixture::new().await;
        if fixture.database.is_file() {
            return;
        }
        let settings = serde_json::json!({});
        let change = async || {
            fixture
                .records
                .change_settings(settings.clone(), None)
                .await
        };
        change().await.unwrap();
        let check = async |sql: &str, expected: &str| {
            let found = run(&fixture, sql).await;
            assert!(found.contains(expected), "{sql}: {found}");
        };
        check("select 1 as a, null b, 1.5 c", "a:,b:,c: | 1,-,1.5 | 0").await;
        check("select 1; select 2 as x", "x: | 2 | 0").await;
        check("create table zz (a int primary key, b text)", " |  | 0").await;
        check("insert into zz values (1, 'x'), (2, 'y')", " |  | 2").await;
        check(
            "update zz set b = 'z'; insert into zz values (1, 'x')",
            "zz.a is not unique",
        )
        .await;
        check("select b from zz order by a", "b: | x;y | 0").await;
        check("select * from nothing", "does not exist").await;
        check(
            "select count(*) n from _mito_records_settings",
            "n: | 1 | 0",
        )
        .await;
        for sql in [
            "delete from _mito_records_settings",
            "do $$ begin delete from zz; end $$",
            "create function f() returns int language sql as 'select 1'",
            "commit",
            "select 1; commit",
            "set search_path = public",
        ] {
            check(sql, "not authorized").await;
        }
        check("select 1; delete from zz", "read-only transaction").await;
        check("select generate_series(1, 20000)", "more than 10000 rows").await;
        check("drop table zz", " |  | 0").await;
        change().await.unwrap();
    }
}
