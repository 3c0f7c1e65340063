//! Notifications over a real database, a real queue and real records: each recipient hears of an
//! event once, whatever happens in between.

use std::{path::Path, time::Duration};

use mito_core::{Clock, Random, Shutdown, Supervisor, egress::Egress};
use mito_database::{
    Database, Options,
    database::{Config as DatabaseConfig, Location},
};
use mito_objects::Objects;
use mito_queue::{Queue, kinds::SendMail};
use mito_records::{Collection, Record, Records, RequestInfo};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::{Config, Dependencies, Encryption, Notifications, Smtp, store::Delivery};

struct Platform {
    database: Database,
    objects_database: Database,
    queue: Queue,
    records: Records,
    notifications: Notifications,
    supervisor: Supervisor,
}

async fn object_storage(folder: &Path) -> (Database, Objects) {
    let objects_options = Options {
        location: Location::File(folder.join("objects.db")),
        config: DatabaseConfig::default(),
        clock: Clock::system(),
    };
    let objects_database = Database::open(objects_options, &[mito_objects::MIGRATIONS])
        .await
        .unwrap();
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
            clock: Clock::system(),
            random: Random::system(),
            fault: None,
        },
    );
    objects.recover().await.unwrap();
    (objects_database, objects)
}

impl Platform {
    async fn open(folder: &Path, smtp: Smtp) -> Self {
        let (clock, random) = (Clock::system(), Random::system());
        let options = Options {
            location: Location::File(folder.join("mito.db")),
            config: DatabaseConfig::default(),
            clock: clock.clone(),
        };
        let roles = [
            mito_records::MIGRATIONS,
            mito_queue::MIGRATIONS,
            crate::MIGRATIONS,
        ];
        let database = Database::open(options, &roles).await.unwrap();
        let (objects_database, objects) = object_storage(folder).await;
        let queue_config = mito_queue::queue::Config::default();
        let queue = Queue::new(
            database.clone(),
            clock.clone(),
            random.clone(),
            queue_config,
        );
        let cache_config = mito_cache::Config {
            warm_restart: false,
            ..Default::default()
        };
        let cache =
            mito_cache::Cache::open(cache_config, folder.join("cache"), clock.clone()).await;
        let records = Records::new(
            mito_records::Config::default(),
            mito_records::Dependencies {
                database: database.clone(),
                cache,
                clock: clock.clone(),
                random: random.clone(),
                objects,
                queue: queue.clone(),
                egress: Egress::new(&mito_core::egress::Config::default()).unwrap(),
                jwt_secret: "a secret of tests".into(),
            },
        );
        let egress = mito_core::egress::Config {
            allow: vec!["127.0.0.0/8".to_owned()],
            ..Default::default()
        };
        let dependencies = Dependencies {
            database: database.clone(),
            queue: queue.clone(),
            records: records.clone(),
            egress: Egress::new(&egress).unwrap(),
            domain: "example.com".to_owned(),
            clock,
            random,
        };
        let notifications = Notifications::new(Config { replicas: 4, smtp }, dependencies);
        let supervisor = Supervisor::new(Shutdown::new());
        Self {
            database,
            objects_database,
            queue,
            records,
            notifications,
            supervisor,
        }
    }

    /// [`Platform::open`] for the first time: with the starter's collections and trigger.
    async fn create(folder: &Path, smtp: Smtp) -> Self {
        let platform = Self::open(folder, smtp).await;
        let starter: Value =
            serde_json::from_str(include_str!("../../data/starters/content.json")).unwrap();
        let collections: Vec<Collection> =
            serde_json::from_value(starter["collections"].clone()).unwrap();
        platform
            .records
            .import_collections(collections)
            .await
            .unwrap();
        let (notifications, trigger) = (
            platform.notifications.clone(),
            starter["triggers"][0].clone(),
        );
        let install = platform
            .database
            .write(move |tx| notifications.install_trigger(tx, &trigger));
        install.await.unwrap();
        platform
    }

    fn run(&self) {
        for task in self
            .notifications
            .tasks()
            .into_iter()
            .chain([self.queue.keeper()])
        {
            self.supervisor
                .start(task.name, move |shutdown| (task.run)(shutdown));
        }
    }

    async fn close(self) {
        self.supervisor.shut_down(Duration::from_secs(10)).await;
        self.database.close(Duration::from_secs(5)).await;
        self.objects_database.close(Duration::from_secs(5)).await;
    }

    async fn create_record(&self, collection: &'static str, values: Value) {
        self.create_records(collection, vec![values]).await;
    }

    async fn create_records(&self, collection: &'static str, values: Vec<Value>) {
        let records = self.records.clone();
        let values: Vec<Record> = values
            .into_iter()
            .map(|it| it.as_object().unwrap().clone())
            .collect();
        let write = self.database.write(move |tx| {
            for values in &values {
                records.create_in(tx, collection, values)?;
            }
            Ok::<_, mito_records::Error>(())
        });
        write.await.unwrap();
    }

    async fn subscribe(&self, count: usize) {
        let subscribers = (0..count).map(|n| {
            json!({ "email": format!("s{n}@example.com"), "name": format!("S {n}"), "active": true })
        });
        self.create_records("subscribers", subscribers.collect())
            .await;
    }

    async fn publish(&self) {
        let content = json!({
            "title": "On Lanterns", "slug": "on-lanterns", "summary": "A lantern is a lamp.",
            "key_phrases": ["lantern"], "status": "published",
        });
        self.create_record("contents", content).await;
    }

    async fn get(&self, path: &str) -> Value {
        let request = http::Request::get(path)
            .body(axum::body::Body::empty())
            .unwrap();
        let response = self.notifications.panel().oneshot(request).await.unwrap();
        let body = axum::body::to_bytes(response.into_body(), 10_000_000)
            .await
            .unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    /// All items of a list, page by page.
    async fn all(&self, list: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut path = format!("/{list}?limit=100");
        loop {
            let page = self.get(&path).await;
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            let Some(next) = page["next"].as_str() else {
                return items;
            };
            path = format!("/{list}?limit=100&before={next}");
        }
    }

    async fn deliveries(&self) -> Vec<Delivery> {
        let read = self
            .database
            .read(|tx| crate::store::deliveries(tx, None, 500));
        read.await.unwrap()
    }

    async fn wait(&self, what: &str, is_done: impl Fn(&[Delivery]) -> bool) -> Vec<Delivery> {
        let wait = async {
            loop {
                let deliveries = self.deliveries().await;
                if is_done(&deliveries) {
                    return deliveries;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), wait)
            .await
            .expect(what)
    }

    async fn ended(&self, count: usize) -> Vec<Delivery> {
        let is_done = |deliveries: &[Delivery]| {
            deliveries.len() >= count && deliveries.iter().all(|it| it.finished_ms.is_some())
        };
        self.wait("the deliveries end", is_done).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_content_reaches_mailbox_and_inbox_of_active_subscribers() {
    let folder = tempfile::tempdir().unwrap();
    let platform = Platform::create(folder.path(), Smtp::default()).await;
    platform.run();
    platform.subscribe(2).await;
    let left = json!({ "email": "left@example.com", "active": false });
    platform.create_record("subscribers", left).await;
    platform.publish().await;
    let deliveries = platform.ended(2).await;
    assert!(
        deliveries
            .iter()
            .all(|it| it.state.as_str() == "sent" && it.channel == "mailbox")
    );
    let mailbox = platform.all("mailbox").await;
    let mut to: Vec<&str> = mailbox
        .iter()
        .map(|item| item["to"].as_str().unwrap())
        .collect();
    to.sort_unstable();
    assert_eq!(to, ["s0@example.com", "s1@example.com"]);
    let id = mailbox[0]["id"].as_str().unwrap();
    let message = platform.get(&format!("/mailbox/{id}")).await;
    assert_eq!(message["subject"], "New: On Lanterns");
    assert!(
        message["text"]
            .as_str()
            .unwrap()
            .contains("A lantern is a lamp."),
        "{message}"
    );
    assert!(
        message["html"].as_str().unwrap().contains("<h1"),
        "{message}"
    );
    let message_id = format!("Message-ID: <{id}@example.com>");
    assert!(
        message["headers"].as_str().unwrap().contains(&message_id),
        "{message}"
    );
    assert_eq!(platform.all("inbox").await.len(), 2);
    assert_eq!(platform.get("/mailbox/nonsense").await["status"], 404);
    assert_eq!(platform.notifications.ping().await, Ok(()));
    platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_to_accounts_go_to_the_mailbox_and_their_words_are_erased() {
    let folder = tempfile::tempdir().unwrap();
    let platform = Platform::create(folder.path(), Smtp::default()).await;
    platform.run();
    let mail = |to: Option<&str>, subject: &str| SendMail {
        to: to.map(str::to_owned),
        name: "A\r\nBcc: x@example.com".to_owned(),
        subject: subject.to_owned(),
        html: "<p>secret</p>".to_owned(),
        text: "secret".to_owned(),
    };
    let mails = [mail(None, "to nobody"), mail(Some("a@b.example"), "hello")];
    let queue = platform.queue.clone();
    let enqueue = platform.database.write(move |tx| {
        let options = mito_queue::Enqueue::default();
        let mut ids = Vec::new();
        for mail in &mails {
            ids.push(queue.enqueue(tx, mail, &options)?);
        }
        Ok::<_, mito_queue::Error>(ids)
    });
    let ids = enqueue.await.unwrap();
    let all_done = async {
        for id in &ids {
            while platform
                .queue
                .job(id)
                .await
                .unwrap()
                .summary
                .finished_ms
                .is_none()
            {
                tokio::task::yield_now().await;
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), all_done)
        .await
        .expect("the jobs end");
    let mailbox = platform.all("mailbox").await;
    assert_eq!(mailbox.len(), 1, "{mailbox:?}");
    assert_eq!(mailbox[0]["to"], "a@b.example");
    assert_eq!(mailbox[0]["from"], "Support <support@example.com>");
    let message = platform.get(&format!("/mailbox/{}", ids[1])).await;
    assert_eq!(
        (&message["text"], &message["subject"]),
        (&json!("secret"), &json!("hello"))
    );
    let stored = platform.database.read(|tx| {
        let rows = tx.query(
            "SELECT payload FROM _mito_queue_jobs WHERE sensitive = 1",
            &[],
        )?;
        rows.iter()
            .map(|row| row.get::<String>("payload"))
            .collect::<Result<Vec<_>, _>>()
    });
    assert_eq!(stored.await.unwrap(), ["{}", "{}"]);
    let detail = platform.queue.job(&ids[1]).await.unwrap();
    assert_eq!(detail.payload, Value::Null);
    platform
        .queue
        .run_now(&ids[1])
        .await
        .expect_err("it has ended");
    platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_recipients_hear_once_across_restarts() {
    /// More than two pages of the planner.
    const COUNT: usize = 450;

    let folder = tempfile::tempdir().unwrap();
    let platform = Platform::create(folder.path(), Smtp::default()).await;
    platform.subscribe(COUNT).await;
    platform.publish().await;
    platform.close().await;

    // The first restart ends in the middle of the work.
    let platform = Platform::open(folder.path(), Smtp::default()).await;
    platform.run();
    platform
        .wait("some are sent", |it| {
            it.iter().any(|it| it.finished_ms.is_some())
        })
        .await;
    platform.close().await;

    let platform = Platform::open(folder.path(), Smtp::default()).await;
    platform.run();
    platform.ended(COUNT).await;
    for list in ["deliveries", "mailbox", "inbox"] {
        assert_eq!(platform.all(list).await.len(), COUNT, "{list}");
    }
    platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_before_sending_hears_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens there, so deliveries wait for their next attempt.
    let nobody = Smtp {
        host: "127.0.0.1".to_owned(),
        port: 1,
        encryption: Encryption::None,
        ..Smtp::default()
    };
    let platform = Platform::create(folder.path(), nobody).await;
    platform.run();
    platform.subscribe(1).await;
    platform.publish().await;
    let retrying = |it: &[Delivery]| it.iter().any(|it| it.state.as_str() == "retrying");
    let deliveries = platform.wait("the attempt fails", retrying).await;
    assert!(
        deliveries[0].note.contains("cannot connect"),
        "{}",
        deliveries[0].note
    );
    let recipient = deliveries[0].recipient.clone();
    let root = mito_network::Identity {
        id: "root".to_owned(),
        collection: "_superusers".to_owned(),
        collection_id: "_superusers".to_owned(),
        email: "root@example.com".to_owned(),
        session_id: "s".to_owned(),
    };
    platform
        .records
        .delete("subscribers", &recipient, &RequestInfo::of(Some(root)))
        .await
        .unwrap();
    let deliveries = platform.ended(1).await;
    assert_eq!(deliveries[0].state.as_str(), "cancelled");
    assert_eq!(deliveries[0].note, "the recipient has left");
    assert!(platform.all("inbox").await.is_empty());
    platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mailbox_keeps_the_newest_messages() {
    let folder = tempfile::tempdir().unwrap();
    let platform = Platform::create(folder.path(), Smtp::default()).await;
    let fill = platform.database.write(|tx| {
        for n in 0..20 {
            let item = crate::store::MailboxItem {
                id: format!("m{n:02}"),
                from: "a@example.com".to_owned(),
                to: "b@example.com".to_owned(),
                subject: String::new(),
                size_bytes: 0,
                created_ms: n,
            };
            let message = crate::store::MailboxMessage {
                item,
                text: String::new(),
                html: String::new(),
                headers: String::new(),
            };
            crate::store::add_to_mailbox(tx, &message, 5)?;
        }
        Ok::<_, mito_database::Error>(())
    });
    fill.await.unwrap();
    let kept: Vec<Value> = platform
        .all("mailbox")
        .await
        .iter()
        .map(|item| item["id"].clone())
        .collect();
    assert_eq!(kept, ["m19", "m18", "m17", "m16", "m15"]);
    platform.close().await;
}
