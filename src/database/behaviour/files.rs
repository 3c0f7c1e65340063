//! What happens to files: refused ones stay as they are, full ones recover, copies are whole.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use rusqlite::Connection;

use super::{TABLES, close, ids, insert, open, options};
use crate::{Action, Database, Error, Migration, Migrations, NewEvent, Tx, outbox};

async fn refusal(path: &Path, roles: &[Migrations]) -> Error {
    Database::open(options(path), roles)
        .await
        .map(|_| ())
        .unwrap_err()
}

/// Opening `path` is refused with `words`, and the file stays as it is.
async fn check_untouched(path: &Path, words: &str) {
    let before = fs::read(path).unwrap();
    let error = refusal(path, &[TABLES]).await.to_string();
    assert!(error.contains(words), "{error}");
    assert!(error.contains(path.to_str().unwrap()), "{error}");
    assert_eq!(fs::read(path).unwrap(), before, "the file was touched");
}

async fn filled(folder: &Path) -> PathBuf {
    let path = folder.join("data.db");
    let database = open(&path).await;
    for number in 0..50 {
        insert(&database, &format!("{number:0200}")).await.unwrap();
    }
    close(database).await;
    path
}

#[tokio::test]
async fn a_file_that_is_not_ours_is_refused_and_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.db");
    fs::write(&path, "notes, and more notes. ".repeat(100)).unwrap();
    check_untouched(&path, "not a database").await;

    fs::write(&path, "short").unwrap();
    check_untouched(&path, "not a database").await;

    fs::remove_file(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("CREATE TABLE theirs (id INTEGER); INSERT INTO theirs VALUES (1)")
        .unwrap();
    other.close().unwrap();
    check_untouched(&path, "another program").await;
}

#[tokio::test]
async fn a_damaged_file_is_refused_and_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(folder.path()).await;
    let whole = fs::read(&path).unwrap();

    fs::write(&path, &whole[..whole.len() - 4_096]).unwrap();
    check_untouched(&path, "damaged").await;

    let mut scribbled = whole.clone();
    for page in scribbled.chunks_exact_mut(4_096).skip(1) {
        page[..64].fill(0xAB);
    }
    fs::write(&path, &scribbled).unwrap();
    check_untouched(&path, "damaged").await;

    fs::write(&path, &whole).unwrap();
    let database = open(&path).await;
    assert_eq!(ids(&database).await.len(), 50);
    close(database).await;
}

#[tokio::test]
async fn a_log_without_its_file_is_not_replayed_into_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.db");
    let log = folder.path().join("data.db-wal");
    fs::write(&log, [1; 64]).unwrap();
    let error = refusal(&path, &[TABLES]).await.to_string();
    assert!(error.contains("data.db-wal"), "{error}");
    assert!(!path.exists());
    assert_eq!(fs::read(&log).unwrap(), [1; 64]);
}

#[tokio::test]
async fn a_file_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.db");
    let first = open(&path).await;
    let error = refusal(&path, &[TABLES]).await.to_string();
    assert!(
        error.contains(&format!("process {}", std::process::id())),
        "{error}"
    );
    insert(&first, "still here").await.unwrap();
    close(first).await;
    let second = open(&path).await;
    assert_eq!(ids(&second).await, ["still here"]);
    close(second).await;
}

#[tokio::test]
async fn the_last_clone_closes_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.db");
    let database = open(&path).await;
    let mut ended = database.ended();
    drop(database);
    ended.wait_for(|ended| *ended).await.unwrap();
    close(open(&path).await).await;
}

#[tokio::test]
async fn a_closed_file_stands_alone_and_keeps_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep").join("data.db");
    let database = open(&path).await;
    insert(&database, "kept").await.unwrap();
    let id = database.file_id().to_owned();
    close(database).await;
    let mut names: Vec<String> = fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["data.db", "data.db.lock", "data.db.reserve"]);
    let database = open(&path).await;
    assert_eq!(database.file_id(), id);
    assert_eq!(ids(&database).await, ["kept"]);
    close(database).await;
}

#[tokio::test]
async fn files_are_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.db");
    let database = open(&path).await;
    insert(&database, "secret").await.unwrap();
    let copy = folder.path().join("copy.db");
    database.backup(copy).await.unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
    close(database).await;
}

const NEXT: Migrations = Migrations {
    role: "test",
    steps: &[
        TABLES.steps[0],
        Migration {
            version: 2,
            sql: "ALTER TABLE _mito_test_items ADD a TEXT",
            postgres: None,
        },
    ],
};

#[tokio::test]
async fn migrations_are_preceded_by_a_copy_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(folder.path()).await;
    let database = Database::open(options(&path), &[NEXT]).await.unwrap();
    database
        .read(|tx| tx.query("SELECT a FROM _mito_test_items", &[]))
        .await
        .unwrap();
    close(database).await;

    let copy = folder.path().join("data.db.before-test-2");
    let old = open(&copy).await;
    assert_eq!(ids(&old).await.len(), 50);
    assert!(
        old.read(|tx| tx.query("SELECT a FROM _mito_test_items", &[]))
            .await
            .is_err()
    );
    close(old).await;

    let again = Database::open(options(&path), &[NEXT]).await.unwrap();
    assert_eq!(ids(&again).await.len(), 50);
    close(again).await;
}

#[tokio::test]
async fn the_last_three_copies_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(folder.path()).await;
    for number in 0..4 {
        fs::write(
            folder.path().join(format!("data.db.before-old-{number}")),
            "old",
        )
        .unwrap();
    }
    close(Database::open(options(&path), &[NEXT]).await.unwrap()).await;
    let copies = fs::read_dir(folder.path())
        .unwrap()
        .filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_str().unwrap().starts_with("data.db.before-")
        })
        .count();
    assert_eq!(copies, 3);
    assert!(folder.path().join("data.db.before-test-2").exists());
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_and_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.db");
    close(Database::open(options(&path), &[NEXT]).await.unwrap()).await;
    let before = fs::read(&path).unwrap();
    let error = refusal(&path, &[TABLES]).await;
    assert!(
        matches!(&error, Error::Newer { role, found: 2, known: 1, .. } if role == "test"),
        "{error}"
    );
    let error = refusal(&path, &[]).await;
    assert!(
        matches!(error, Error::Newer { known: 0, .. }),
        "an unknown role is newer: {error}"
    );
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_failing_migration_changes_nothing() {
    const FAILING: Migrations = Migrations {
        role: "test",
        steps: &[
            NEXT.steps[0],
            NEXT.steps[1],
            Migration {
                version: 3,
                sql: "CREATE TABLE a (b); SELECT nonsense",
                postgres: None,
            },
        ],
    };
    const GAP: Migrations = Migrations {
        role: "test",
        steps: &[
            NEXT.steps[0],
            Migration {
                version: 3,
                sql: "CREATE TABLE a (b)",
                postgres: None,
            },
        ],
    };
    const DANGLING: Migrations = Migrations {
        role: "test",
        steps: &[
            NEXT.steps[0],
            Migration {
                version: 2,
                sql: "INSERT INTO _mito_test_parts (id, item) VALUES (1, 'missing')",
                postgres: None,
            },
        ],
    };
    let folder = tempfile::tempdir().unwrap();
    let path = filled(folder.path()).await;
    for (migrations, words) in [
        (FAILING, "migration 3 of test failed"),
        (GAP, "not numbered"),
        (DANGLING, "refer to missing"),
    ] {
        let error = refusal(&path, &[migrations]).await.to_string();
        assert!(error.contains(words), "{error}");
        let database = open(&path).await;
        assert_eq!(ids(&database).await.len(), 50);
        close(database).await;
    }
}

#[tokio::test]
async fn a_full_file_refuses_writes_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(&folder.path().join("full.db"));
    options.config.max_bytes = 256 * 1024;
    let database = Database::open(options, &[TABLES]).await.unwrap();
    let mut written = 0;
    let error = loop {
        match insert(&database, &format!("{written:04000}")).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 1_000, "the bound does not hold");
    };
    assert!(matches!(error, Error::Full), "{error}");
    assert_eq!(ids(&database).await.len(), written, "reading goes on");
    assert!(matches!(
        insert(&database, &"x".repeat(9_000)).await,
        Err(Error::Full)
    ));

    database
        .write(|tx| tx.execute("DELETE FROM _mito_test_items", &[]))
        .await
        .unwrap();
    insert(&database, &"y".repeat(4_000)).await.unwrap();
    assert_eq!(ids(&database).await.len(), 1);
    close(database).await;
}

#[tokio::test]
async fn a_full_file_keeps_room_for_what_frees_space() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(&folder.path().join("full.db"));
    options.config.max_bytes = 1024 * 1024;
    let database = Database::open(options, &[TABLES]).await.unwrap();
    let detail = "x".repeat(3_000);
    let emit = |frees_space: bool| {
        let (database, detail) = (database.clone(), detail.clone());
        let work = move |tx: &mut Tx<'_>| {
            if frees_space {
                tx.frees_space();
            }
            tx.emit(NewEvent {
                collection: "items",
                record: "x",
                action: Action::Delete,
                detail: &detail,
            })
        };
        async move { database.write(work).await }
    };
    let refused = loop {
        if let Err(error) = emit(false).await {
            break error;
        }
    };
    assert!(matches!(refused, Error::Full), "{refused}");
    for _ in 0..10 {
        emit(true).await.unwrap();
    }
    assert!(
        matches!(emit(false).await, Err(Error::Full)),
        "the room that is left is not for growth"
    );
    let prune = database.write(|tx| outbox::prune(tx, i64::MAX));
    assert!(prune.await.unwrap() > 100);
    emit(false).await.unwrap();
    close(database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_whole_while_writers_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&folder.path().join("data.db")).await;
    let writing = database.clone();
    let mut writers = tokio::task::JoinSet::new();
    writers.spawn(async move {
        for number in 0_i64.. {
            // Two rows that belong together: a copy has both or none.
            let pair = writing.write(move |tx| {
                let id = format!("{number:08}");
                tx.execute("INSERT INTO _mito_test_items (id) VALUES ($1)", &[&id])?;
                tx.execute(
                    "INSERT INTO _mito_test_parts (id, item) VALUES ($1, $2)",
                    &[&number, &id],
                )
            });
            pair.await.unwrap();
        }
    });
    let mut last = 0;
    for number in 0..3 {
        while ids(&database).await.len() < last + 20 {
            tokio::task::yield_now().await;
        }
        let path = folder.path().join(format!("copy-{number}.db"));
        database.backup(path.clone()).await.unwrap();
        let copy = Connection::open(&path).unwrap();
        let one = |sql: &str| {
            copy.query_row(sql, (), |row| row.get::<_, String>(0))
                .unwrap()
        };
        assert_eq!(one("PRAGMA integrity_check"), "ok");
        let items = one("SELECT CAST(COUNT(*) AS TEXT) FROM _mito_test_items");
        assert_eq!(
            items,
            one("SELECT CAST(COUNT(*) AS TEXT) FROM _mito_test_parts")
        );
        let items: usize = items.parse().unwrap();
        assert!(items >= last + 20, "the copy is older than its call");
        last = items;
    }
    writers.shutdown().await;
    let taken = database.backup(folder.path().join("copy-0.db")).await;
    assert!(
        matches!(taken, Err(Error::Open { .. })),
        "an existing file is not overwritten"
    );
    close(database).await;
}
