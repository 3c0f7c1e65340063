//! One record for each source: a later version of an object changes the record of the earlier one.

use std::path::Path;

use mito_database::Tx;
use mito_network::Identity;
use mito_queue::kinds::ProcessObject;
use mito_records::{Record, RequestInfo};
use serde_json::json;

use super::{Config, Platform, starter};
use crate::{keep::Keep, pipeline::Binding, store::RunState};

const ONE: &str = "First title\n\nThe first version of the text tells of the sea.";
const TWO: &str = "Second title\n\nThe second version of the text tells of the land.";

impl Platform {
    async fn open_and_run(folder: &Path) -> Self {
        let platform = Self::open(folder, Config::default()).await;
        platform.run();
        platform
    }

    async fn put_text(&self, text: &str) {
        self.put("a.txt", "text/plain", text).await;
    }

    async fn only_content(&self) -> Record {
        let mut contents = self.contents().await;
        assert_eq!(contents.len(), 1, "{contents:?}");
        contents.remove(0)
    }

    /// What happened to contents, in order.
    async fn events(&self) -> Vec<String> {
        let read = |tx: &mut Tx<'_>| mito_database::outbox::read_after(tx, 0, 500);
        let events = self.database.read(read).await.unwrap();
        let contents = events.into_iter().filter(|it| it.collection == "contents");
        contents.map(|it| format!("{:?}", it.action)).collect()
    }
}

fn administrator() -> RequestInfo {
    RequestInfo::of(Some(Identity {
        id: "administrator00".to_owned(),
        collection: mito_records::SUPERUSERS.to_owned(),
        collection_id: mito_records::SUPERUSERS.to_owned(),
        email: "admin@example.com".to_owned(),
        session_id: String::new(),
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_version_changes_the_record_of_the_earlier_one() {
    let folder = tempfile::tempdir().unwrap();
    let platform = Platform::create(folder.path(), Config::default()).await;
    platform.run();
    platform.put_text(ONE).await;
    platform.ended(1).await;
    let first = platform.only_content().await;
    platform.close().await;

    // The second version waits while nothing runs.
    let platform = Platform::open(folder.path(), Config::default()).await;
    platform.put_text(TWO).await;
    platform.close().await;
    let platform = Platform::open_and_run(folder.path()).await;
    let runs = platform.ended(2).await;
    assert_eq!(
        (runs[0].state.as_str(), &runs[0].record),
        ("recorded", &runs[1].record)
    );
    let second = platform.only_content().await;
    for kept in ["id", "slug", "source_key", "created"] {
        assert_eq!(second[kept], first[kept], "{kept}");
    }
    assert_eq!(second["title"], "Second title");
    for changed in ["body", "summary"] {
        assert!(
            second[changed].as_str().unwrap().contains("land"),
            "{changed}"
        );
    }
    assert_eq!(platform.events().await, ["Create", "Update"]);

    // Back to the first version: the record follows, although that version was seen before.
    platform.put_text(ONE).await;
    platform.ended(3).await;
    assert_eq!(platform.only_content().await["title"], "First title");
    // The same again changes nothing.
    platform.put_text(ONE).await;
    let runs = platform.ended(4).await;
    assert_eq!(runs[0].state.as_str(), "skipped", "{}", runs[0].note);
    assert_eq!(platform.events().await, ["Create", "Update", "Update"]);
    platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_outlives_its_object_and_what_people_decided_stays() {
    let folder = tempfile::tempdir().unwrap();
    let platform = Platform::create(folder.path(), Config::default()).await;
    platform.run();
    platform.put_text(ONE).await;
    platform.ended(1).await;
    let first = platform.only_content().await;
    platform.objects.delete("inbox", "a.txt").await.unwrap();
    let id = first["id"].as_str().unwrap().to_owned();
    let archived = json!({"status": "archived"}).as_object().unwrap().clone();
    platform
        .records
        .update("contents", &id, archived, &administrator())
        .await
        .unwrap();
    platform.put_text(TWO).await;
    platform.ended(2).await;
    let second = platform.only_content().await;
    assert_eq!(
        (&second["id"], &second["title"], &second["status"]),
        (&json!(id), &json!("Second title"), &json!("archived"))
    );

    // A record that somebody deleted is made anew by the next version.
    let administrator = administrator();
    let deleted = platform.records.delete("contents", &id, &administrator);
    deleted.await.unwrap();
    platform.put_text(ONE).await;
    platform.ended(3).await;
    let third = platform.only_content().await;
    assert_ne!(third["id"], json!(id));
    assert_eq!(third["status"], "published");
    platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_overtaken_leaves_the_newer_version() {
    let folder = tempfile::tempdir().unwrap();
    let platform = Platform::create(folder.path(), Config::default()).await;
    platform.run();
    platform.put_text(TWO).await;
    let run = platform.ended(1).await.remove(0);
    let before = platform.only_content().await;
    // What a slow worker would bring that had read the object before it was replaced.
    let keep = Keep {
        records: platform.records.clone(),
        job: ProcessObject {
            pipeline: run.pipeline,
            bucket: run.bucket,
            key: run.key,
            etag: "of-an-older-version".to_owned(),
        },
        request_id: None,
        binding: Binding::from_json(&starter()["pipelines"][0]).unwrap(),
        record: json!({"title": "Stale", "slug": "stale", "status": "published"})
            .as_object()
            .unwrap()
            .clone(),
        steps: Vec::new(),
    };
    let progress = platform.database.write(move |tx| keep.keep(tx)).await;
    let progress = progress.unwrap();
    assert_eq!(progress.state, RunState::Skipped, "{}", progress.note);
    assert_eq!(platform.only_content().await, before);
    platform.close().await;
}
