//! Clients on a real database, with the feed running.

use std::{collections::BTreeMap, future::poll_fn, time::Duration};

use mito_core::{Shutdown, Supervisor};
use mito_network::Identity;
use serde_json::{Value, json};

use super::{Connection, Pick, Submission, registry::Registry};
use crate::{
    Error, Record, RequestInfo,
    testing::{Fixture, PASSWORD, codes, record},
};

/// How long a message may take that must come.
const PATIENCE: Duration = Duration::from_secs(20);
const ADDRESS: &str = "192.0.2.1";

/// A platform whose feed runs.
struct Running {
    fixture: Fixture,
    supervisor: Supervisor,
}

impl Running {
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        let rule = "title = 'list'";
        let collections = json!([
            {"name": "end", "type": "base", "listRule": "", "fields": []},
            {"name": "posts", "id": "posts_id_000000", "type": "base", "listRule": "", "viewRule": "",
             "fields": [{"name": "title", "type": "text"},
                        {"name": "secret", "type": "text", "hidden": true}]},
            {"name": "ruled", "type": "base", "listRule": rule, "viewRule": "title = 'view'",
             "fields": [{"name": "title", "type": "text"}]},
            {"name": "closed", "type": "base", "fields": []},
            {"name": "signed", "type": "base", "listRule": "@request.auth.id != ''", "fields": []},
            {"name": "asked", "type": "base", "fields": [],
             "listRule": ""},
        ]);
        fixture.import(collections).await.unwrap();
        let supervisor = Supervisor::new(Shutdown::new());
        for task in fixture.records.tasks() {
            supervisor.start(task.name, move |shutdown| (task.run)(shutdown));
        }
        Self {
            fixture,
            supervisor,
        }
    }

    async fn client(&self) -> Listener<'_> {
        let connection = self.fixture.records.realtime().connect(ADDRESS).await;
        let mut listener = Listener {
            connection: connection.unwrap(),
            running: self,
        };
        let first = listener.read().await.unwrap();
        let id = listener.id();
        let expected = format!("id:{id}\nevent:PB_CONNECT\ndata:{{\"clientId\":\"{id}\"}}\n\n");
        assert_eq!(first, expected);
        listener
    }

    async fn create(&self, collection: &str, values: Value) -> Record {
        let database = &self.fixture.database;
        let (records, collection) = (self.fixture.records.clone(), collection.to_owned());
        let values = record(values);
        let created = database.write(move |tx| records.create_in(tx, &collection, &values));
        let created = created.await.unwrap();
        self.known().await;
        created
    }

    /// Waits until this process knows of all events: PostgreSQL tells of them a little later.
    async fn known(&self) {
        let newest = self.fixture.database.read(|tx| {
            let events = mito_database::outbox::read_after(tx, 0, 500)?;
            Ok::<_, mito_database::Error>(events.last().map_or(0, |event| event.sequence))
        });
        let newest = newest.await.unwrap();
        let mut changes = self.fixture.database.changes();
        changes.wait_for(|known| *known >= newest).await.unwrap();
    }

    async fn update(&self, collection: &str, id: &str, values: Value) {
        let info = superuser();
        let records = &self.fixture.records;
        records
            .update(collection, id, record(values), &info)
            .await
            .unwrap();
        self.known().await;
    }

    async fn identity(&self, email: &str) -> Identity {
        let session = self.fixture.sign_in(email, PASSWORD).await.unwrap();
        session.identity
    }
}

fn superuser() -> RequestInfo {
    RequestInfo::of(Some(administrator()))
}

fn administrator() -> Identity {
    Identity {
        id: "root".to_owned(),
        collection: "_superusers".to_owned(),
        collection_id: "pbc_3142635823".to_owned(),
        email: String::new(),
        session_id: "none".to_owned(),
    }
}

struct Listener<'a> {
    connection: Connection,
    running: &'a Running,
}

impl Listener<'_> {
    fn id(&self) -> String {
        self.connection.client_id().to_owned()
    }

    async fn read(&mut self) -> Option<String> {
        let next = poll_fn(|context| self.connection.poll_next(context));
        let bytes = tokio::time::timeout(PATIENCE, next).await.unwrap()?;
        Some(String::from_utf8(bytes.to_vec()).unwrap())
    }

    fn try_subscribe(&self, topics: &[&str], identity: Option<Identity>) -> Result<(), Error> {
        let submission = Submission {
            client_id: self.id(),
            subscriptions: topics.iter().map(|&topic| topic.to_owned()).collect(),
            identity,
            client_ip: ADDRESS.to_owned(),
            pick: pick_title,
        };
        self.running
            .fixture
            .records
            .realtime()
            .subscribe(submission)
    }

    /// Subscribes, and to what tells that there was nothing more.
    fn subscribe(&self, topics: &[&str], identity: Option<Identity>) {
        let topics: Vec<&str> = topics.iter().copied().chain(["end/*"]).collect();
        self.try_subscribe(&topics, identity).unwrap();
    }

    /// What has been told so far, by topic: the data.
    async fn told(&mut self) -> BTreeMap<String, Vec<Value>> {
        // The end of another listener may come, too: it is no end of this one.
        let end = self.running.create("end", json!({})).await;
        let end = end["id"].as_str().unwrap();
        let prefix = format!("id:{}\nevent:", self.id());
        let mut text = String::new();
        while !text.contains(end) {
            text += &self.read().await.expect("the stream goes on");
        }
        let mut told: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let events = text.split_terminator("\n\n").filter(|event| *event != ":");
        for event in events {
            let (topic, data) = event
                .strip_prefix(&prefix)
                .and_then(|event| event.split_once("\ndata:"))
                .unwrap_or_else(|| panic!("no event: {event}"));
            if topic != "end/*" {
                let data = serde_json::from_str(data).unwrap();
                told.entry(topic.to_owned()).or_default().push(data);
            }
        }
        told
    }

    async fn topics(&mut self) -> Vec<String> {
        self.told().await.into_keys().collect()
    }
}

/// Stands for the picker of the API.
fn pick_title(value: Value, fields: &str) -> Value {
    match fields {
        "" => value,
        _ => json!({"title": value["title"]}),
    }
}

const _: Pick = pick_title;

#[tokio::test]
async fn a_change_is_told_to_everybody_who_asked() {
    let running = Running::new().await;
    let mut client = running.client().await;
    let post = running
        .create("posts", json!({"title": "one", "secret": "s"}))
        .await;
    let id = post["id"].as_str().unwrap().to_owned();
    let by_id = format!("posts/{id}");
    let fields = format!("posts/{id}?options={{\"query\":{{\"fields\":\"title\"}}}}");
    let asked = [
        "posts",
        "posts/*",
        "posts_id_000000/*",
        "posts_id_000000",
        &by_id,
        &fields,
        "posts/*?options=broken",
    ];
    let unheard = ["posts/", "posts/none", "POSTS/*", "", "x\ny", "closed/*"];
    client.subscribe(&[&asked[..], &unheard[..]].concat(), None);
    running.update("posts", &id, json!({"title": "two"})).await;
    let told = client.told().await;
    let mut expected: Vec<&str> = asked.to_vec();
    expected.sort_unstable();
    assert_eq!(told.keys().collect::<Vec<_>>(), expected);
    let record = json!({"collectionId": "posts_id_000000", "collectionName": "posts", "id": id,
        "title": "two"});
    assert_eq!(
        told["posts/*"],
        [json!({"action": "update", "record": record})]
    );
    let short = json!({"action": "update", "record": {"title": "two"}});
    assert_eq!(told[&fields], [short]);

    // What is not submitted again is forgotten.
    client.subscribe(&["posts/*"], None);
    running
        .update("posts", &id, json!({"title": "three"}))
        .await;
    assert_eq!(client.topics().await, ["posts/*"]);
    running.supervisor.shut_down(PATIENCE).await;
    assert_eq!(client.read().await, None, "shutdown ends streams");
    assert!(
        running
            .fixture
            .records
            .realtime()
            .connect(ADDRESS)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn rules_and_filters_decide_who_is_told() {
    let running = Running::new().await;
    let mut guest = running.client().await;
    let mut root = running.client().await;
    let query = |text: &str| format!("ruled/*?options={{\"query\":{{\"filter\":\"{text}\"}}}}");
    let (fits, not, wrong, request) = (
        query("title='list'"),
        query("title='x'"),
        query("title=("),
        query("@request.auth.id=''"),
    );
    let hidden = "posts/*?options={\"query\":{\"filter\":\"secret='s'\"}}";
    let topics = [
        "ruled/*",
        "ruled",
        &fits,
        &not,
        &wrong,
        &request,
        "closed/*",
        hidden,
        "signed/*",
        "asked/*",
        "asked/*?options={\"query\":{\"x\":1}}",
        "asked/*?options={\"headers\":{\"X-Y\":\"2\"}}",
    ];
    guest.subscribe(&topics, None);
    root.subscribe(&topics, Some(administrator()));
    for title in ["list", "view", "other"] {
        running.create("ruled", json!({"title": title})).await;
    }
    for collection in ["closed", "signed", "asked"] {
        running.create(collection, json!({})).await;
    }
    running.create("posts", json!({"secret": "s"})).await;

    let told = guest.told().await;
    let mut expected = vec![
        "asked/*",
        "asked/*?options={\"headers\":{\"X-Y\":\"2\"}}",
        "asked/*?options={\"query\":{\"x\":1}}",
        "ruled",
        "ruled/*",
        fits.as_str(),
    ];
    expected.sort_unstable();
    assert_eq!(told.keys().collect::<Vec<_>>(), expected);
    assert_eq!(told["ruled/*"].len(), 1);
    let told = root.told().await;
    assert_eq!(told["ruled/*"].len(), 3);
    assert_eq!(told[&fits].len(), 1);
    assert_eq!(told[hidden][0]["record"]["secret"], "s");
    assert!(told.contains_key("closed/*") && told.contains_key("signed/*"));
    assert!(!told.contains_key(&not) && !told.contains_key(&wrong));
}

#[tokio::test]
async fn an_id_is_told_by_the_view_rule() {
    let running = Running::new().await;
    let mut guest = running.client().await;
    let record = running.create("ruled", json!({"title": "x"})).await;
    let id = record["id"].as_str().unwrap();
    let by_id = format!("ruled/{id}");
    guest.subscribe(&[&by_id, "ruled/*"], None);
    for (title, expected) in [("view", by_id.as_str()), ("list", "ruled/*")] {
        running.update("ruled", id, json!({"title": title})).await;
        assert_eq!(guest.topics().await, [expected]);
    }
}

#[tokio::test]
async fn rights_come_with_a_session_and_end_with_it() {
    let running = Running::new().await;
    let records = &running.fixture.records;
    running.fixture.sign_up("a@b.co").await;
    running.fixture.sign_up("b@b.co").await;
    let mut client = running.client().await;
    client.subscribe(&["signed/*"], None);
    running.create("signed", json!({})).await;
    assert_eq!(client.topics().await, Vec::<String>::new());

    let identity = running.identity("a@b.co").await;
    client.subscribe(&["signed/*"], Some(identity.clone()));
    running.create("signed", json!({})).await;
    assert_eq!(client.topics().await, ["signed/*"]);

    // Only nobody becomes somebody.
    let other = running.identity("b@b.co").await;
    for identity in [None, Some(other.clone()), Some(administrator())] {
        let refused = client.try_subscribe(&["x"], identity);
        let expected = "The current and the previous request authorization don't match.";
        assert_eq!(codes(refused), [expected]);
    }
    // Another session of the same account may go on.
    let again = running.identity("a@b.co").await;
    client.subscribe(&["signed/*"], Some(again.clone()));
    records.sign_out(&identity.session_id).await.unwrap();
    running.create("signed", json!({})).await;
    assert_eq!(client.topics().await, ["signed/*"]);

    records.sign_out(&again.session_id).await.unwrap();
    running.create("signed", json!({})).await;
    assert_eq!(client.topics().await, Vec::<String>::new());
    // And nobody may become somebody else.
    client.subscribe(&["signed/*"], Some(other));
    running.create("signed", json!({})).await;
    assert_eq!(client.topics().await, ["signed/*"]);
}

#[tokio::test]
async fn what_is_deleted_is_told_as_it_was() {
    let running = Running::new().await;
    let (mut guest, mut root) = (running.client().await, running.client().await);
    let topics = [
        "ruled/*",
        "posts/*",
        "posts/*?options={\"query\":{\"filter\":\"title='one'\"}}",
        "posts/*?options={\"query\":{\"filter\":\"title='two'\"}}",
    ];
    let mut delete = async |collection: &str, values: Value| {
        let created = running.create(collection, values).await;
        let id = created["id"].as_str().unwrap();
        guest.subscribe(&topics, None);
        root.subscribe(&topics, Some(administrator()));
        let records = &running.fixture.records;
        records.delete(collection, id, &superuser()).await.unwrap();
        (guest.told().await, root.told().await)
    };
    let (guest_told, root_told) = delete("posts", json!({"title": "one", "secret": "s"})).await;
    assert_eq!(
        guest_told.keys().collect::<Vec<_>>(),
        [topics[1], topics[2]]
    );
    let told = &guest_told["posts/*"][0];
    assert_eq!(told["action"], "delete");
    assert_eq!(told["record"]["title"], "one");
    assert_eq!(told["record"].get("secret"), None);
    assert_eq!(root_told["posts/*"][0]["record"]["secret"], "s");
    // The rule decides by what the record was.
    let (guest_told, root_told) = delete("ruled", json!({"title": "other"})).await;
    assert!(guest_told.is_empty(), "{guest_told:?}");
    let last = |told: &BTreeMap<String, Vec<Value>>| told["ruled/*"].last().cloned().unwrap();
    assert_eq!(last(&root_told)["action"], "delete");
    let (guest_told, _) = delete("ruled", json!({"title": "list"})).await;
    assert_eq!(last(&guest_told)["action"], "delete");
}

#[tokio::test]
async fn an_address_is_shown_to_its_owner_alone() {
    let running = Running::new().await;
    let account = running.fixture.sign_up("a@b.co").await;
    let id = account["id"].as_str().unwrap().to_owned();
    let rules = json!([{"name": "users", "type": "auth", "listRule": "", "viewRule": ""}]);
    running.fixture.import(rules).await.unwrap();
    let (mut own, mut guest) = (running.client().await, running.client().await);
    own.subscribe(&["users/*"], Some(running.identity("a@b.co").await));
    guest.subscribe(&["users/*"], None);
    running.update("users", &id, json!({"name": "A"})).await;
    let email = |told: &BTreeMap<String, Vec<Value>>| told["users/*"][0]["record"]["email"].clone();
    assert_eq!(email(&own.told().await), "a@b.co");
    assert_eq!(email(&guest.told().await), Value::Null);
}

#[tokio::test]
async fn submissions_are_checked() {
    let running = Running::new().await;
    let client = running.client().await;
    let realtime = running.fixture.records.realtime();
    let check = |id: &str, subscriptions: Vec<String>, ip: &str, expected: &[&str]| {
        let submission = Submission {
            client_id: id.to_owned(),
            subscriptions,
            identity: None,
            client_ip: ip.to_owned(),
            pick: pick_title,
        };
        assert_eq!(codes(realtime.subscribe(submission)), expected, "{id}");
    };
    let id = client.id();
    let many = vec!["a".to_owned(); 1_001];
    let long = vec!["b".to_owned(), "ä".repeat(2_501)];
    check("", vec![], ADDRESS, &["clientId validation_required"]);
    check(
        &"a".repeat(256),
        vec![],
        ADDRESS,
        &["clientId validation_length_out_of_range"],
    );
    check(
        "nobody",
        vec![],
        ADDRESS,
        &["the requested resource wasn't found"],
    );
    check(
        &id,
        many,
        ADDRESS,
        &["subscriptions validation_length_too_long"],
    );
    check(
        &id,
        long,
        ADDRESS,
        &["subscriptions.1 validation_length_too_long"],
    );
    check(&id, vec![], "192.0.2.2", &["Invalid realtime client."]);
}

#[tokio::test]
async fn what_one_client_waits_for_is_sent_once() {
    let running = Running::new().await;
    let mut client = running.client().await;
    let realtime = running.fixture.records.realtime();
    let data = json!({"state": client.id(), "code": "c"});
    assert!(!realtime.send(&client.id(), "@oauth2", &data));
    client.subscribe(&["@oauth2"], None);
    assert!(realtime.send(&client.id(), "@oauth2", &data));
    assert!(!realtime.send(&client.id(), "@oauth2", &data));
    assert!(!realtime.send("nobody", "@oauth2", &data));
    assert_eq!(client.told().await["@oauth2"], [data]);
}

#[tokio::test]
async fn streams_end_when_they_are_idle_or_old() {
    let running = Running::new().await;
    let mut client = running.client().await;
    let mut listener = running.client().await;
    listener.subscribe(&[], None);
    let clock = &running.fixture.clock;
    clock.advance(Duration::from_secs(30));
    assert_eq!(client.read().await.as_deref(), Some(":\n\n"));
    for _ in 0..5 {
        listener.told().await;
        clock.advance(Duration::from_mins(1));
    }
    let mut rest = String::new();
    while let Some(text) = client.read().await {
        rest += &text;
    }
    assert_eq!(rest.replace(":\n\n", ""), "");
    // The other was told something all the time, but nobody stays for ever.
    let mut minutes = 5;
    loop {
        running.create("end", json!({})).await;
        if listener.read().await.is_none() {
            break;
        }
        clock.advance(Duration::from_mins(1));
        minutes += 1;
    }
    // The task may look a few of this clock's minutes later.
    assert!((30..=60).contains(&minutes), "{minutes}");
}

#[tokio::test]
async fn the_connected_are_counted_and_bounded() {
    let limits = super::Limits {
        clients: 3,
        clients_per_address: 1,
    };
    let mut registry = Registry::default();
    let mut enter = |id: &str, address: &str| registry.enter(id.to_owned(), address, limits, 0);
    let first = enter("a", "2001:db8:0:1::1").unwrap();
    assert!(enter("b", "2001:db8:0:1::2").is_err());
    enter("c", "127.0.0.1").unwrap();
    enter("d", "127.0.0.1").unwrap();
    assert!(enter("e", "192.0.2.1").is_err());
    registry.leave(&first);
    registry.leave(&first);
    assert_eq!(registry.count(), 2);
    registry
        .enter("f".to_owned(), "2001:db8:0:1::2", limits, 0)
        .unwrap();
}

#[tokio::test]
async fn nothing_is_kept_of_who_has_left() {
    let running = Running::new().await;
    let client = running.client().await;
    client.subscribe(&["posts/*", "posts/*", "users/*"], None);
    let realtime = running.fixture.records.realtime();
    assert!(realtime.registry().has_subscribers());
    assert_eq!(realtime.count(), 1);
    drop(client);
    assert!(!realtime.registry().has_subscribers());
    assert_eq!(realtime.count(), 0);
}
