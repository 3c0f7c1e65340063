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
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(1_000_000);
    let options = Options {
        location: Location::File(folder.path().join("objects.db")),
        config: mito_database::database::Config::default(),
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
