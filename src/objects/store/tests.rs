//! The facade: events, uploads nobody finished, and blobs that are still read.

use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use mito_core::{Clock, Random};
use mito_database::{Action, Database, Options, database::Location, outbox};

use super::*;
use crate::{Config, MIGRATIONS};

struct Fixture {
    objects: Objects,
    clock: Clock,
    _folder: tempfile::TempDir,
}

async fn fixture() -> Fixture {
    fixture_with(Clock::manual(1_000_000), 0, 16 * 1024).await
}

async fn fixture_with(clock: Clock, max_bytes: u64, inline_bytes: u64) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        location: Location::File(folder.path().join("objects.db")),
        config: mito_database::database::Config {
            max_bytes,
            ..mito_database::database::Config::default()
        },
        clock: clock.clone(),
    };
    let dependencies = Dependencies {
        database: Database::open(options, &[MIGRATIONS]).await.unwrap(),
        folder: folder.path().join("objects"),
        root_password: "x".to_owned().into(),
        domain: "localhost".to_owned(),
        clock: clock.clone(),
        random: Random::seeded(1),
        fault: None,
    };
    let config = Config {
        bucket: "inbox".to_owned(),
        inline_bytes,
        reserve_bytes: 0,
        ..Config::default()
    };
    let objects = Objects::new(config, dependencies);
    objects.recover().await.unwrap();
    objects.recover().await.unwrap();
    Fixture {
        objects,
        clock,
        _folder: folder,
    }
}

fn body(bytes: Vec<u8>) -> Body {
    Box::pin(futures_util::stream::iter([Ok(Bytes::from(bytes))]))
}

#[tokio::test]
async fn every_change_commits_with_its_event() {
    let Fixture {
        objects, _folder, ..
    } = fixture().await;
    let put = |text: &str| {
        let options = Put {
            content_type: Some("text/html".to_owned()),
            request_id: Some("r1".to_owned()),
            ..Put::default()
        };
        let body = body(text.as_bytes().to_vec());
        let objects = objects.clone();
        async move { objects.put("inbox", "a.html", options, body).await }
    };
    put("<p>one").await.unwrap();
    put("<p>two").await.unwrap();
    let refused = Put {
        if_absent: true,
        ..Put::default()
    };
    objects
        .put("inbox", "a.html", refused, body(vec![1]))
        .await
        .unwrap_err();
    objects.delete("inbox", "a.html").await.unwrap();
    objects.delete("inbox", "a.html").await.unwrap();
    let read = |tx: &mut Tx<'_>| Ok::<_, Error>(outbox::read_after(tx, 0, 10)?);
    let events = objects.inner.database.read(read).await.unwrap();
    let actions: Vec<Action> = events.iter().map(|event| event.action).collect();
    assert_eq!(actions, [Action::Create, Action::Update, Action::Delete]);
    assert_eq!(events[0].collection, "objects/inbox");
    assert_eq!(events[0].record, "a.html");
    let detail: serde_json::Value = serde_json::from_str(&events[0].detail).unwrap();
    let expected = serde_json::json!({
        "etag": hex::encode(<md5::Md5 as md5::Digest>::digest(b"<p>one")),
        "size": 6,
        "content_type": "text/html",
        "request_id": "r1",
    });
    assert_eq!(detail, expected);
}

#[tokio::test]
async fn blobs_go_when_their_grace_is_over_and_nobody_reads_them() {
    let Fixture {
        objects,
        clock,
        _folder,
    } = fixture().await;
    objects
        .put("inbox", "a", Put::default(), body(vec![1; 600_000]))
        .await
        .unwrap();
    let (_, reading) = objects.get("inbox", "a", None).await.unwrap();
    objects
        .put("inbox", "a", Put::default(), body(vec![2; 600_000]))
        .await
        .unwrap();
    assert_eq!(objects.sweep_garbage().await.unwrap(), 0, "in its grace");
    clock.advance(Duration::from_mins(2));
    assert_eq!(objects.sweep_garbage().await.unwrap(), 0, "still read");
    let pieces: Vec<Bytes> = reading.try_collect().await.unwrap();
    assert_eq!(pieces.concat(), vec![1; 600_000]);
    assert_eq!(objects.sweep_garbage().await.unwrap(), 1);
    assert_eq!(objects.sweep_garbage().await.unwrap(), 0);
    let (_, present) = objects
        .get("inbox", "a", Some((599_999, 599_999)))
        .await
        .unwrap();
    let pieces: Vec<Bytes> = present.try_collect().await.unwrap();
    assert_eq!(pieces.concat(), [2]);
}

#[tokio::test]
async fn uploads_that_nobody_finishes_are_aborted_after_a_day() {
    let Fixture {
        objects,
        clock,
        _folder,
    } = fixture().await;
    let id = objects
        .create_upload("inbox", "m", NewUpload::default())
        .await
        .unwrap();
    let expected = (None, None, Verify::default());
    objects
        .put_part(("inbox", "m", &id), 1, expected, body(vec![1; 20_000]))
        .await
        .unwrap();
    assert_eq!(objects.abort_stale_uploads().await.unwrap(), 0);
    clock.advance(Duration::from_hours(25));
    assert_eq!(objects.abort_stale_uploads().await.unwrap(), 1);
    assert!(matches!(
        objects.upload("inbox", "m", &id).await,
        Err(Error::NoSuchUpload(_))
    ));
    clock.advance(Duration::from_mins(2));
    assert_eq!(objects.sweep_garbage().await.unwrap(), 1);
    objects.delete_bucket("inbox").await.unwrap();
}

#[tokio::test]
async fn the_probe_leaves_nothing() {
    let Fixture {
        objects, _folder, ..
    } = fixture().await;
    objects.ping().await.unwrap();
    let shutdown = mito_core::Shutdown::new();
    assert_eq!(objects.sweep_leftovers(&shutdown).await.unwrap(), 0);
}

async fn put(objects: &Objects, key: &str, bytes: Vec<u8>) -> Result<Object, Error> {
    let options = Put::default();
    objects.put("inbox", key, options, body(bytes)).await
}

#[tokio::test]
async fn a_full_metadata_file_has_room_as_soon_as_something_goes() {
    const BYTES: usize = 100_000;
    let Fixture {
        objects, _folder, ..
    } = fixture_with(Clock::system(), 2 * 1024 * 1024, 512 * 1024).await;
    let mut stored = 0;
    let refused = loop {
        match put(&objects, &stored.to_string(), vec![1; BYTES]).await {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, Error::StorageFull), "{refused:?}");
    assert!(stored > 5);
    put(&objects, "0", vec![2; BYTES]).await.unwrap();
    for key in 0..stored {
        objects.delete("inbox", &key.to_string()).await.unwrap();
        put(&objects, &format!("again-{key}"), vec![3; BYTES])
            .await
            .unwrap();
    }
}

fn blob_files(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            if entry.file_type().unwrap().is_dir() {
                blob_files(&entry.path())
            } else {
                1
            }
        })
        .sum()
}

#[tokio::test]
async fn files_go_soon_after_the_last_row_or_reader() {
    let Fixture {
        objects,
        _folder: folder,
        ..
    } = fixture_with(Clock::system(), 0, 1024).await;
    let blobs = folder.path().join("objects");
    let shutdown = mito_core::Shutdown::new();
    let mut sweeping = tokio::task::JoinSet::new();
    let (sweeper, until) = (objects.clone(), shutdown.clone());
    sweeping.spawn(async move { sweeper.sweep_until(until).await });
    let files = |wanted: usize| {
        let blobs = blobs.clone();
        async move {
            let gone = async {
                while blob_files(&blobs) > wanted {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(10), gone)
                .await
                .expect("within seconds, not at the next look");
        }
    };
    put(&objects, "read", vec![1; 300_000]).await.unwrap();
    put(&objects, "other", vec![1; 300_000]).await.unwrap();
    let (_, reading) = objects.get("inbox", "read", None).await.unwrap();
    objects.delete("inbox", "read").await.unwrap();
    put(&objects, "other", vec![2; 300_000]).await.unwrap();
    files(2).await;
    objects.delete("inbox", "other").await.unwrap();
    files(1).await;
    let pieces: Vec<Bytes> = reading.try_collect().await.unwrap();
    assert_eq!(pieces.concat(), vec![1; 300_000]);
    files(0).await;
    shutdown.begin();
    sweeping.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_reader_that_comes_after_the_sweep_looks_again() {
    let Fixture {
        objects,
        clock,
        _folder,
    } = fixture().await;
    put(&objects, "a", vec![1; 300_000]).await.unwrap();
    let found = objects.find("inbox", "a").await.unwrap();
    let files = || {
        found
            .pieces
            .iter()
            .map(|piece| piece.blob.clone())
            .collect()
    };
    put(&objects, "a", vec![2; 300_000]).await.unwrap();
    let reading = objects.begin_reading(&found.version, files()).await;
    assert!(reading.unwrap().is_some(), "in its grace");
    clock.advance(Duration::from_secs(1));
    let reading = objects.begin_reading(&found.version, files()).await;
    assert!(reading.unwrap().is_none(), "the sweep may be at it");
    assert_eq!(objects.sweep_garbage().await.unwrap(), 1);
    let reading = objects.begin_reading(&found.version, files()).await;
    assert!(reading.unwrap().is_none(), "the sweep was there");
}

#[tokio::test]
async fn a_read_of_parts_outlives_the_row_of_its_small_part() {
    let Fixture {
        objects,
        clock,
        _folder,
    } = fixture().await;
    let id = objects
        .create_upload("inbox", "m", NewUpload::default())
        .await
        .unwrap();
    let mut named = Vec::new();
    for (number, length) in [(1, 5 * 1024 * 1024), (2, 100)] {
        let expected = (None, None, Verify::default());
        objects
            .put_part(("inbox", "m", &id), number, expected, body(vec![7; length]))
            .await
            .unwrap();
        named.push(Completed { number, etag: None });
    }
    objects
        .complete_upload(("inbox", "m", &id), named, Preconditions::default(), None)
        .await
        .unwrap();
    let (object, reading) = objects.get("inbox", "m", None).await.unwrap();
    objects.delete("inbox", "m").await.unwrap();
    clock.advance(Duration::from_secs(1));
    assert_eq!(objects.sweep_garbage().await.unwrap(), 0, "it is read");
    let pieces: Vec<Bytes> = reading.try_collect().await.unwrap();
    assert_eq!(pieces.concat().len() as u64, object.size);
    assert_eq!(objects.sweep_garbage().await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_put_that_gets_no_turn_leaves_no_file() {
    let Fixture {
        objects,
        _folder: folder,
        ..
    } = fixture().await;
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let mut waiting = tokio::task::JoinSet::new();
    let database = objects.inner.database.clone();
    waiting.spawn(async move {
        let hold = move |_: &mut Tx<'_>| {
            // Ends when the other side is dropped.
            let _ = wait.lock().unwrap().recv();
            Ok::<_, Error>(())
        };
        database.write_in(mito_database::Lane::Bulk, hold).await
    });
    let capacity = mito_database::database::Config::default().write_queue;
    for _ in 0..=capacity {
        let database = objects.inner.database.clone();
        waiting.spawn(async move { database.write(|_| Ok::<_, Error>(())).await });
    }
    // A write that waits is in the queue, and given up it still has its place there.
    loop {
        let write = objects.inner.database.write(|_| Ok::<_, Error>(()));
        let ended = tokio::time::timeout(Duration::from_millis(20), write).await;
        if matches!(ended, Ok(Err(Error::Database(mito_database::Error::Busy)))) {
            break;
        }
    }
    let refused = put(&objects, "a", vec![1; 300_000]).await;
    assert!(
        matches!(refused, Err(Error::Database(mito_database::Error::Busy))),
        "{refused:?}"
    );
    assert_eq!(blob_files(&folder.path().join("objects")), 0);
    drop(release);
    waiting.join_all().await;
}

#[tokio::test]
async fn a_body_may_be_asked_again_after_its_end() {
    let Fixture {
        objects, _folder, ..
    } = fixture().await;
    for (key, size) in [("empty", 0), ("inline", 10), ("file", 100_000)] {
        let put = objects.put("inbox", key, Put::default(), body(vec![7; size]));
        put.await.unwrap();
        let (_, mut stored) = objects.get("inbox", key, None).await.unwrap();
        while stored.try_next().await.unwrap().is_some() {}
        assert!(stored.try_next().await.unwrap().is_none(), "{key}");
    }
}
