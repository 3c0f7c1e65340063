//! How the SQLite writer groups what is queued, and what readers see meanwhile.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc,
    },
};

use super::{TABLES, close, ids, insert, open, options};
use crate::{Database, Error, Lane};

/// Holds the writer inside a closure until it is dropped.
struct Held {
    release: Option<mpsc::Sender<()>>,
    call: tokio::task::JoinHandle<Result<(), Error>>,
}

impl Held {
    async fn writer(database: &Database) -> Self {
        let (release, wait) = mpsc::channel::<()>();
        let (entered, inside) = tokio::sync::oneshot::channel();
        let wait = Mutex::new(wait);
        let entered = Mutex::new(Some(entered));
        let held = database.clone();
        let work = async move {
            held.write_in(Lane::Urgent, move |tx| {
                tx.execute("UPDATE _mito_test_items SET size = size", &[])?;
                if let Some(entered) = entered.lock().unwrap().take() {
                    entered.send(()).unwrap();
                }
                // Ends when the other side is dropped.
                let _ = wait.lock().unwrap().recv();
                Ok(())
            })
            .await
        };
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(work);
        let call = tokio::task::spawn_blocking(move || {
            tokio::runtime::Handle::current()
                .block_on(tasks.join_next())
                .unwrap()
                .unwrap()
        });
        inside.await.unwrap();
        Self {
            release: Some(release),
            call,
        }
    }

    async fn release(mut self) {
        drop(self.release.take());
        self.call.await.unwrap().unwrap();
    }
}

/// Waits until `count` closures have been queued.
async fn queued(database: &Database, count: usize) {
    while database.queued_writes() < count {
        tokio::task::yield_now().await;
    }
}

/// Commits in the write-ahead log: frames whose header has a size of the database (file format,
/// section 4.1).
fn commits(path: &Path) -> usize {
    const LOG_HEADER: usize = 32;
    const FRAME_HEADER: usize = 24;
    let log = std::fs::read(format!("{}-wal", path.display())).unwrap();
    let page = u32::from_be_bytes(log[8..12].try_into().unwrap()) as usize;
    log[LOG_HEADER..]
        .chunks_exact(FRAME_HEADER + page)
        .filter(|frame| frame[4..8] != [0; 4])
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_queued_shares_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("groups.db");
    let database = open(&path).await;
    let before = commits(&path);
    let held = Held::writer(&database).await;
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..100 {
        let database = database.clone();
        calls.spawn(async move { insert(&database, &format!("{number:03}")).await });
    }
    queued(&database, 100).await;
    held.release().await;
    while let Some(call) = calls.join_next().await {
        call.unwrap().unwrap();
    }
    assert_eq!(ids(&database).await.len(), 100);
    // The holder commits alone, or with the first of the rest; a slow machine may need a few.
    let commits = commits(&path) - before;
    assert!(commits <= 10, "100 writes took {commits} commits");
    close(database).await;
}

/// Queues `count` inserts and then `failing` behind a held writer, and lets it go; how often the
/// inserts ran all together.
async fn beside_a_failure(
    database: &Database,
    failing: fn(&mut crate::Tx<'_>) -> Result<(), Error>,
) -> usize {
    const COUNT: usize = 20;
    let held = Held::writer(database).await;
    let runs = Arc::new(AtomicUsize::new(0));
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..COUNT {
        let (database, runs) = (database.clone(), Arc::clone(&runs));
        let insert = "INSERT INTO _mito_test_items (id) VALUES ($1)";
        calls.spawn(async move {
            let write = move |tx: &mut crate::Tx<'_>| {
                runs.fetch_add(1, Ordering::Relaxed);
                tx.execute(insert, &[&format!("{number:02}")])
            };
            database.write(write).await
        });
    }
    queued(database, COUNT).await;
    let (failed, ()) = tokio::join!(database.write(failing), held.release());
    assert!(failed.is_err());
    while let Some(call) = calls.join_next().await {
        call.unwrap().unwrap();
    }
    assert_eq!(
        ids(database).await.len(),
        COUNT,
        "and nothing of the failure"
    );
    runs.load(Ordering::Relaxed) / COUNT
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_has_others_run_again_only_when_it_has_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);

    let database = open(&path("early.db")).await;
    let early = |_: &mut crate::Tx<'_>| Err(Error::Busy);
    assert_eq!(beside_a_failure(&database, early).await, 1);
    close(database).await;

    let database = open(&path("violation.db")).await;
    let violation = |tx: &mut crate::Tx<'_>| {
        let twice = "INSERT INTO _mito_test_items (id) VALUES ('new'), ('new')";
        tx.execute(twice, &[]).map(drop)
    };
    assert_eq!(beside_a_failure(&database, violation).await, 1);
    close(database).await;

    // The failures may find themselves in a transaction that has only just begun, without all the
    // others; what they have left must be gone anyhow.
    let database = open(&path("late.db")).await;
    let late = |tx: &mut crate::Tx<'_>| {
        tx.execute("INSERT INTO _mito_test_items (id) VALUES ('new')", &[])?;
        Err(Error::Busy)
    };
    beside_a_failure(&database, late).await;
    close(database).await;

    let database = open(&path("partly.db")).await;
    let partly = |tx: &mut crate::Tx<'_>| {
        let twice = "INSERT OR FAIL INTO _mito_test_items (id) VALUES ('new'), ('new')";
        tx.execute(twice, &[]).map(drop)
    };
    beside_a_failure(&database, partly).await;
    close(database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_refuses_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(&folder.path().join("full.db"));
    options.config.write_queue = 3;
    let database = Database::open(options, &[TABLES]).await.unwrap();
    let held = Held::writer(&database).await;
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..3 {
        let database = database.clone();
        calls.spawn(async move { insert(&database, &number.to_string()).await });
    }
    queued(&database, 3).await;
    assert!(matches!(insert(&database, "late").await, Err(Error::Busy)));
    held.release().await;
    while let Some(call) = calls.join_next().await {
        call.unwrap().unwrap();
    }
    insert(&database, "later").await.unwrap();
    assert_eq!(ids(&database).await, ["0", "1", "2", "later"]);
    close(database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closure_that_hides_the_end_of_the_transaction_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(&folder.path().join("lost.db"));
    options.config.statement_timeout_ms = 100;
    let database = Database::open(options, &[TABLES]).await.unwrap();
    let held = Held::writer(&database).await;
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..20 {
        let database = database.clone();
        calls.spawn(async move { insert(&database, &format!("{number:02}")).await });
    }
    queued(&database, 20).await;
    let hiding = database.write(|tx| {
        tx.execute("INSERT INTO _mito_test_items (id) VALUES ('hidden')", &[])?;
        // A write that is interrupted ends the whole transaction in SQLite.
        let endless = "INSERT INTO _mito_test_items (id) WITH RECURSIVE n (i) AS \
             (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 'x' || i FROM n";
        assert!(matches!(tx.execute(endless, &[]), Err(Error::TimedOut)));
        let after = tx.execute("INSERT INTO _mito_test_items (id) VALUES ('after')", &[]);
        assert!(
            after.is_err(),
            "a statement outside the transaction would commit by itself"
        );
        Ok::<(), Error>(())
    });
    let (hidden, ()) = tokio::join!(hiding, held.release());
    assert!(matches!(hidden, Err(Error::Engine(_))), "{hidden:?}");
    while let Some(call) = calls.join_next().await {
        call.unwrap().unwrap();
    }
    let expected: Vec<String> = (0..20).map(|number| format!("{number:02}")).collect();
    assert_eq!(ids(&database).await, expected);
    close(database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_violation_found_at_the_commit_fails_its_closure_alone() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&folder.path().join("deferred.db")).await;
    let held = Held::writer(&database).await;
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..5 {
        let database = database.clone();
        calls.spawn(async move { insert(&database, &number.to_string()).await });
    }
    queued(&database, 5).await;
    let dangling = database.write(|tx| {
        tx.query("PRAGMA defer_foreign_keys = ON", &[])?;
        tx.execute(
            "INSERT INTO _mito_test_parts (id, item) VALUES (1, 'missing')",
            &[],
        )
    });
    let (dangling, ()) = tokio::join!(dangling, held.release());
    assert!(
        matches!(dangling, Err(Error::Constraint(_))),
        "{dangling:?}"
    );
    while let Some(call) = calls.join_next().await {
        call.unwrap().unwrap();
    }
    assert_eq!(ids(&database).await.len(), 5);
    close(database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_waits_for_is_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&folder.path().join("abandoned.db")).await;
    let held = Held::writer(&database).await;
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let abandoned = database.write(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok::<(), Error>(())
    });
    {
        let mut abandoned = std::pin::pin!(abandoned);
        tokio::select! {
            biased;
            _ = &mut abandoned => panic!("the writer is held"),
            () = queued(&database, 1) => {}
        }
    }
    held.release().await;
    insert(&database, "after").await.unwrap();
    assert_eq!(runs.load(Ordering::Relaxed), 0);
    close(database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_stays_short_under_load_and_is_carried_over_at_rest() {
    const WRITERS: i64 = 8;
    const BLOB_BYTES: usize = 512 * 1024;
    const BLOBS: i64 = 24;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let database = open(&path).await;
    let log = format!("{}-wal", path.display());
    let log_bytes = move || std::fs::metadata(&log).unwrap().len();
    let longest = Arc::new(AtomicU64::new(0));
    let mut calls = tokio::task::JoinSet::new();
    for first in 0..WRITERS {
        let (database, longest, log_bytes) =
            (database.clone(), Arc::clone(&longest), log_bytes.clone());
        calls.spawn(async move {
            for id in (first..WRITERS * BLOBS).step_by(usize::try_from(WRITERS).unwrap()) {
                let sql = "INSERT INTO _mito_test_values (id, bytes) VALUES ($1, $2)";
                let write =
                    move |tx: &mut crate::Tx<'_>| tx.execute(sql, &[&id, &vec![7; BLOB_BYTES]]);
                database.write(write).await.unwrap();
                longest.fetch_max(log_bytes(), Ordering::Relaxed);
            }
        });
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap();
    }
    let longest = longest.load(Ordering::Relaxed);
    assert!(
        longest < 80 * 1024 * 1024,
        "the log grew to {longest} bytes for 96 MiB"
    );

    // At rest the file holds everything without its log, and the log has been cut.
    let copy = folder.path().join("copy.db");
    let carried_over = || {
        std::fs::copy(&path, &copy).unwrap();
        let copied = rusqlite::Connection::open(&copy).unwrap();
        let count = "SELECT COUNT(*) FROM _mito_test_values";
        copied.query_row(count, (), |row| row.get::<_, i64>(0)).ok() == Some(WRITERS * BLOBS)
    };
    let mut look = tokio::time::interval(std::time::Duration::from_millis(200));
    let resting = async {
        while log_bytes() > 16 * 1024 * 1024 || !carried_over() {
            look.tick().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), resting)
        .await
        .unwrap();
    close(database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_keeps_its_snapshot_and_the_writer_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&folder.path().join("snapshot.db")).await;
    insert(&database, "before").await.unwrap();
    let (release, wait) = mpsc::channel::<()>();
    let (entered, inside) = tokio::sync::oneshot::channel();
    let (wait, entered) = (Mutex::new(wait), Mutex::new(Some(entered)));
    let reading = database.read(move |tx| {
        let count = "SELECT COUNT(*) AS count FROM _mito_test_items";
        let first = tx
            .query_one(count, &[])?
            .expect("a count")
            .get::<i64>("count")?;
        entered.lock().unwrap().take().unwrap().send(()).unwrap();
        wait.lock().unwrap().recv().unwrap();
        let second = tx
            .query_one(count, &[])?
            .expect("a count")
            .get::<i64>("count")?;
        Ok::<_, Error>((first, second))
    });
    let writing = async {
        inside.await.unwrap();
        insert(&database, "beside").await.unwrap();
        assert_eq!(
            ids(&database).await.len(),
            2,
            "another reader sees the commit"
        );
        release.send(()).unwrap();
    };
    let (counts, ()) = tokio::join!(reading, writing);
    assert_eq!(counts.unwrap(), (1, 1));
    close(database).await;
}
