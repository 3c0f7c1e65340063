//! Files of other programs: read as they were when they were opened, and left without a trace.

use std::{fs, path::Path};

use rusqlite::Connection;

use crate::{ForeignFile, Value};

const ALL: &str = "SELECT _rowid_ AS position, words FROM theirs WHERE _rowid_ > $1 ORDER BY 1";

fn filled(path: &Path, rows: usize, bytes: usize) -> Connection {
    let other = Connection::open(path).unwrap();
    other
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE theirs (words TEXT)")
        .unwrap();
    for _ in 0..rows {
        other
            .execute("INSERT INTO theirs VALUES (?1)", ["w".repeat(bytes)])
            .unwrap();
    }
    other
}

async fn count(file: &ForeignFile, after: i64) -> usize {
    let rows = file
        .page(ALL.to_owned(), vec![Value::Integer(after)], 500)
        .await;
    rows.unwrap().len()
}

#[tokio::test]
async fn what_is_written_after_the_file_was_opened_is_not_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("their data?.db");
    let other = filled(&path, 3, 10);
    let file = ForeignFile::open(&path).await.unwrap();
    other
        .execute("INSERT INTO theirs VALUES ('later')", ())
        .unwrap();
    assert_eq!(count(&file, 0).await, 3);
    assert_eq!(count(&file, 2).await, 1);
    let write = "INSERT INTO theirs VALUES ('ours')".to_owned();
    assert!(file.page(write, Vec::new(), 1).await.is_err());
    drop(file);
    other.close().unwrap();
    // Nobody has it now: it is read without a log, and none is left.
    let file = ForeignFile::open(&path).await.unwrap();
    assert_eq!(count(&file, 0).await, 4);
    drop(file);
    let names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["their data?.db"]);
}

#[tokio::test]
async fn a_page_of_large_values_ends_early() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.db");
    let _other = filled(&path, 12, 1024 * 1024);
    let file = ForeignFile::open(&path).await.unwrap();
    assert_eq!(count(&file, 0).await, 8);
    assert_eq!(count(&file, 8).await, 4);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let check = async |name: &str, words: &str| {
        let path = folder.path().join(name);
        let error = ForeignFile::open(&path).await.unwrap_err().to_string();
        assert!(error.contains(words) && error.contains(name), "{error}");
    };
    check("missing.db", "cannot be read").await;
    fs::write(folder.path().join("empty.db"), "").unwrap();
    check("empty.db", "empty").await;
    fs::create_dir(folder.path().join("folder.db")).unwrap();
    check("folder.db", "not a file").await;
    fs::write(folder.path().join("text.db"), "words ".repeat(1_000)).unwrap();
    check("text.db", "not a database").await;
}
