//! Pipelines over real databases, a real queue, real object storage: each event makes one record,
//! whatever happens in between.

mod panel;
mod sources;

use std::{path::Path, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use mito_core::{Clock, Random, Shutdown, Supervisor};
use mito_database::{
    Database, Migrations, Options,
    database::{Config as DatabaseConfig, Location},
};
use mito_objects::{Objects, Put};
use mito_queue::Queue;
use mito_records::{Collection, Record, Records};
use serde_json::{Value, json};

use crate::{Ai, Config, Dependencies, store::Run};

/// A platform without doors over a folder; opening the folder again is the restart after a crash.
struct Platform {
    database: Database,
    objects_database: Database,
    objects: Objects,
    records: Records,
    queue: Queue,
    ai: Ai,
    supervisor: Supervisor,
}

async fn open_file(path: &Path, migrations: &[Migrations]) -> Database {
    let options = Options {
        location: Location::File(path.to_owned()),
        config: DatabaseConfig::default(),
        clock: Clock::system(),
    };
    Database::open(options, migrations).await.unwrap()
}

fn starter() -> Value {
    serde_json::from_str(include_str!("../../data/starters/content.json")).unwrap()
}

impl Platform {
    async fn open(folder: &Path, config: Config) -> Self {
        let (clock, random) = (Clock::system(), Random::system());
        let roles = [
            mito_records::MIGRATIONS,
            mito_queue::MIGRATIONS,
            crate::MIGRATIONS,
        ];
        let database = open_file(&folder.join("mito.db"), &roles).await;
        let objects_database =
            open_file(&folder.join("objects.db"), &[mito_objects::MIGRATIONS]).await;
        let objects = Objects::new(
            mito_objects::Config {
                reserve_bytes: 0,
                ..Default::default()
            },
            mito_objects::store::Dependencies {
                database: objects_database.clone(),
                folder: folder.join("objects"),
                root_password: "a-secret-of-tests".into(),
                domain: "localhost".to_owned(),
                clock: clock.clone(),
                random: random.clone(),
                fault: None,
            },
        );
        objects.recover().await.unwrap();
        let cache_config = mito_cache::Config {
            warm_restart: false,
            ..Default::default()
        };
        let cache =
            mito_cache::Cache::open(cache_config, folder.join("cache"), clock.clone()).await;
        let queue_config = mito_queue::queue::Config::default();
        let queue = Queue::new(
            database.clone(),
            clock.clone(),
            random.clone(),
            queue_config,
        );
        let records = Records::new(
            mito_records::Config::default(),
            mito_records::Dependencies {
                database: database.clone(),
                cache,
                clock: clock.clone(),
                random: random.clone(),
                objects: objects.clone(),
                queue: queue.clone(),
                egress: mito_core::egress::Egress::new(&mito_core::egress::Config::default())
                    .unwrap(),
                jwt_secret: "a secret of tests".into(),
            },
        );
        let dependencies = Dependencies {
            database: database.clone(),
            objects_database: objects_database.clone(),
            objects: objects.clone(),
            queue: queue.clone(),
            records: records.clone(),
            clock,
            random,
        };
        let ai = Ai::new(config, dependencies);
        let supervisor = Supervisor::new(Shutdown::new());
        Self {
            database,
            objects_database,
            objects,
            records,
            queue,
            ai,
            supervisor,
        }
    }

    /// [`Platform::open`] for the first time: with the starter's collections and pipeline.
    async fn create(folder: &Path, config: Config) -> Self {
        let platform = Self::open(folder, config).await;
        let starter = starter();
        let collections: Vec<Collection> =
            serde_json::from_value(starter["collections"].clone()).unwrap();
        platform
            .records
            .import_collections(collections)
            .await
            .unwrap();
        platform.objects.create_bucket("inbox").await.unwrap();
        let (ai, pipeline) = (platform.ai.clone(), starter["pipelines"][0].clone());
        let install = platform
            .database
            .write(move |tx| ai.install_pipeline(tx, &pipeline));
        install.await.unwrap();
        platform
    }

    fn run(&self) {
        self.run_tasks(usize::MAX);
    }

    fn run_tasks(&self, count: usize) {
        for task in self.ai.tasks().into_iter().take(count) {
            self.supervisor
                .start(task.name, move |shutdown| (task.run)(shutdown));
        }
    }

    async fn close(self) {
        self.supervisor.shut_down(Duration::from_secs(10)).await;
        self.database.close(Duration::from_secs(5)).await;
        self.objects_database.close(Duration::from_secs(5)).await;
    }

    async fn put(&self, key: &str, content_type: &str, bytes: &str) {
        let bytes = Bytes::copy_from_slice(bytes.as_bytes());
        let put = Put {
            content_type: Some(content_type.to_owned()),
            ..Put::default()
        };
        let body = stream::once(async move { Ok(bytes) }).boxed();
        self.objects.put("inbox", key, put, body).await.unwrap();
    }

    async fn runs(&self) -> Vec<Run> {
        crate::store::runs(&self.database, None, 500).await.unwrap()
    }

    async fn contents(&self) -> Vec<Record> {
        let records = self.records.clone();
        let read = self.database.read(move |tx| {
            Ok::<_, mito_database::Error>(records.scan_in(tx, "contents", "", "", 500).unwrap())
        });
        read.await.unwrap()
    }

    /// Waits until there are `count` runs and all have ended.
    async fn ended(&self, count: usize) -> Vec<Run> {
        self.reached(count, |run| run.finished_ms.is_some()).await
    }

    /// Waits until there are `count` runs.
    async fn planned(&self, count: usize) -> Vec<Run> {
        self.reached(count, |_| true).await
    }

    async fn reached(&self, count: usize, is_there: fn(&Run) -> bool) -> Vec<Run> {
        let wait = async {
            loop {
                let runs = self.runs().await;
                if runs.len() >= count && runs.iter().all(is_there) {
                    return runs;
                }
                // Asking all the time would take from the work that is waited for.
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), wait)
            .await
            .expect("the runs get there")
    }
}

const SAMPLES: [(&str, &str, &str, &str); 3] = [
    (
        "darwin.html",
        include_str!("../../data/samples/darwin-entangled-bank.html"),
        "en",
        "An Entangled Bank",
    ),
    (
        "descartes.html",
        include_str!("../../data/samples/descartes-bon-sens.html"),
        "fr",
        "Le bon sens",
    ),
    (
        "kant.html",
        include_str!("../../data/samples/kant-aufklaerung.html"),
        "de",
        "Was ist Aufklärung?",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_samples_become_described_records() {
    let folder = tempfile::tempdir().unwrap();
    let platform = Platform::create(folder.path(), Config::default()).await;
    platform.run();
    for (key, html, ..) in SAMPLES {
        platform.put(key, "text/html; charset=utf-8", html).await;
    }
    platform.ended(3).await;
    let contents = platform.contents().await;
    assert_eq!(contents.len(), 3);
    for (key, html, language, title) in SAMPLES {
        let record = contents
            .iter()
            .find(|record| record["source_key"] == key)
            .unwrap();
        assert_eq!(record["language"], language, "{key}");
        assert_eq!(record["title"], title, "{key}");
        let body = record["body"].as_str().unwrap();
        assert!(
            body.contains("<p>") && !body.contains('\n'),
            "{key}: {body}"
        );
        for boilerplate in [
            "<nav",
            "/sign-in",
            "Cookies",
            "cookies",
            "Impressum",
            "Accueil",
        ] {
            assert!(
                !record["body"].as_str().unwrap().contains(boilerplate),
                "{key} {boilerplate}"
            );
        }
        let phrases = record["key_phrases"].as_array().unwrap();
        assert!(phrases.len() >= 3, "{key}: {phrases:?}");
        let summary = record["summary"].as_str().unwrap();
        assert!(summary.chars().count() > 80, "{key}: {summary}");
        // Copied from the source, word for word.
        let first = summary.split(['.', ';']).next().unwrap();
        assert!(html.contains(first), "{key}: {first}");
    }
    platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_makes_one_record_across_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let platform = Platform::create(folder.path(), Config::default()).await;
    // The object is committed, nothing has seen its event.
    platform
        .put(
            "a.txt",
            "text/plain",
            "A text\n\nThat waits for the platform to start.",
        )
        .await;
    assert!(platform.runs().await.is_empty());
    platform.close().await;

    let platform = Platform::open(folder.path(), Config::default()).await;
    platform.run();
    let runs = platform.ended(1).await;
    let record = runs[0].record.clone();
    platform.close().await;

    // Everything that ran once runs again.
    let platform = Platform::open(folder.path(), Config::default()).await;
    platform.run();
    platform
        .put(
            "b.txt",
            "text/plain",
            "Another text\n\nThat comes after the restart.",
        )
        .await;
    let runs = platform.ended(2).await;
    assert_eq!(runs.len(), 2);
    let contents = platform.contents().await;
    assert_eq!(contents.len(), 2, "{contents:?}");
    assert!(contents.iter().any(|it| it["id"] == record.as_str()));
    platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_say_why_there_was_nothing_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        max_document_bytes: 1_000,
        ..Config::default()
    };
    let platform = Platform::create(folder.path(), config).await;
    let text = "A text\n\nThat is put twice with the same words.";
    platform.put("twice.txt", "text/plain", text).await;
    platform.put("twice.txt", "text/plain", text).await;
    platform
        .put(
            "replaced.txt",
            "text/plain",
            "The first version of the text.",
        )
        .await;
    platform
        .put(
            "replaced.txt",
            "text/plain",
            "The second version of the text.",
        )
        .await;
    platform
        .put("deleted.txt", "text/plain", "It does not stay.")
        .await;
    platform
        .objects
        .delete("inbox", "deleted.txt")
        .await
        .unwrap();
    platform
        .put("empty.html", "text/html", "<script>only()</script>")
        .await;
    platform
        .put("large.txt", "text/plain", &"word ".repeat(1_000))
        .await;
    platform
        .put("picture.png", "image/png", "not a document")
        .await;
    platform.run();
    let runs = platform.ended(7).await;
    let mut seen: Vec<(String, &str, String)> = runs
        .iter()
        .map(|run| {
            (
                run.key.clone(),
                run.state.as_str(),
                run.note.chars().take(24).collect(),
            )
        })
        .collect();
    seen.sort();
    let expected = [
        ("deleted.txt", "skipped", "the object was deleted b"),
        ("empty.html", "skipped", "the document has no text"),
        ("large.txt", "failed", "the document has 5000 by"),
        ("replaced.txt", "recorded", ""),
        ("replaced.txt", "skipped", "the object was replaced "),
        ("twice.txt", "recorded", ""),
        ("twice.txt", "skipped", "this version of the obje"),
    ];
    let seen: Vec<(&str, &str, &str)> = seen
        .iter()
        .map(|(key, state, note)| (key.as_str(), *state, note.as_str()))
        .collect();
    assert_eq!(seen, expected);
    assert_eq!(platform.contents().await.len(), 2);
    platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_refused_fails_its_run_and_not_the_queue() {
    let folder = tempfile::tempdir().unwrap();
    let platform = Platform::create(folder.path(), Config::default()).await;
    let ai = platform.ai.clone();
    let pipeline = json!({
        "name": "content", "bucket": "inbox", "collection": "contents",
        "pipeline": { "name": "bare", "steps": [
            { "uses": "clean" }, { "uses": "record", "with": { "fields": { "body": "html" } } },
        ] },
    });
    let install = platform
        .database
        .write(move |tx| ai.install_pipeline(tx, &pipeline));
    install.await.unwrap();
    platform.run();
    platform
        .put(
            "a.txt",
            "text/plain",
            "A text without the title that contents require.",
        )
        .await;
    let runs = platform.ended(1).await;
    assert_eq!(runs[0].state.as_str(), "failed");
    assert!(runs[0].note.contains("title"), "{}", runs[0].note);
    assert!(platform.contents().await.is_empty());
    platform.close().await;
}
