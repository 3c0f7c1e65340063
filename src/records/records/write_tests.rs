//! Writes through a real database, on both engines: cascades, batches, modifiers, keys.

use std::time::Duration;

use mito_network::Identity;
use serde_json::{Value, json};

use super::*;
use crate::{
    SUPERUSERS,
    testing::{Fixture, codes, record},
};

fn root() -> RequestInfo {
    RequestInfo::of(Some(Identity {
        id: "rootrootrootroo".to_owned(),
        collection: SUPERUSERS.to_owned(),
        collection_id: SUPERUSERS.to_owned(),
        email: String::new(),
        session_id: "s".to_owned(),
    }))
}

fn id(letter: &str) -> String {
    letter.repeat(15)
}

async fn fixture() -> Fixture {
    let fixture = Fixture::new().await;
    let relation = |name: &str, options: Value| {
        let mut field = json!({"name": "r", "type": "relation", "collectionId": "parents"});
        for (option, value) in options.as_object().unwrap() {
            field[option] = value.clone();
        }
        json!({"name": name, "type": "base", "fields": [field]})
    };
    let collections = json!([
        {"name": "parents", "type": "base", "createRule": "", "fields": [
            {"name": "n", "type": "number"},
            {"name": "tags", "type": "select", "maxSelect": 3, "values": ["a", "b", "c"]},
        ]},
        relation("required", json!({"maxSelect": 1, "required": true})),
        relation("cascading", json!({"maxSelect": 1, "cascadeDelete": true})),
        relation("optional", json!({"maxSelect": 1})),
        relation("many", json!({"maxSelect": 3})),
        {"name": "deep", "type": "base", "fields": [{"name": "r", "type": "relation",
            "collectionId": "cascading", "cascadeDelete": true}]},
        {"name": "loose", "type": "base", "fields": [{"name": "id", "type": "text",
            "primaryKey": true, "pattern": "[\\s\\S]+", "min": 0, "max": 0, "required": true}]},
    ]);
    fixture.import(collections).await.unwrap();
    fixture
}

impl Fixture {
    async fn put(&self, collection: &str, values: Value) -> Result<Record, Error> {
        self.records
            .create(collection, record(values), &root())
            .await
    }

    async fn field(&self, collection: &str, id: &str, field: &str) -> Value {
        match self.records.view(collection, id, &root()).await {
            Ok(record) => record[field].clone(),
            Err(error) => Value::String(error.to_string()),
        }
    }

    async fn run(&self, requests: Vec<(BatchOperation, Value)>) -> Result<Vec<String>, String> {
        let requests = requests
            .into_iter()
            .map(|(operation, values)| BatchRequest {
                collection: "parents".to_owned(),
                operation,
                submitted: Submitted::from(record(values)),
                query: crate::Parameters::default(),
                headers: crate::Parameters::default(),
            })
            .collect();
        let limit = Duration::from_secs(3);
        let done = self.records.batch(requests, limit, &root()).await;
        let shown = |outcome: BatchOutcome| match outcome {
            BatchOutcome::Record(record) => record["n"].to_string(),
            BatchOutcome::Deleted => "deleted".to_owned(),
        };
        done.map(|outcomes| outcomes.into_iter().map(shown).collect())
            .map_err(|failure| match failure {
                BatchFailure::Request { position, .. } => format!("request {position}"),
                other => other.to_string(),
            })
    }
}

#[tokio::test]
async fn deleting_settles_what_points_at_the_record() {
    let fixture = fixture().await;
    for letter in ["a", "b"] {
        fixture
            .put("parents", json!({"id": id(letter)}))
            .await
            .unwrap();
    }
    let kept = json!({"id": id("1"), "r": id("a")});
    fixture.put("required", kept).await.unwrap();
    let events = fixture.events().await.len();
    let refused = fixture.records.delete("parents", &id("a"), &root()).await;
    assert!(codes(refused)[0].contains("required relation reference"));
    assert_eq!(fixture.events().await.len(), events, "nothing was written");
    fixture
        .records
        .delete("required", &id("1"), &root())
        .await
        .unwrap();

    for (collection, r) in [
        ("cascading", json!(id("a"))),
        ("optional", json!(id("a"))),
        ("many", json!([id("a"), id("b")])),
        ("deep", json!(id("1"))),
    ] {
        let values = json!({"id": id("1"), "r": r});
        fixture.put(collection, values).await.unwrap();
    }
    fixture
        .records
        .delete("parents", &id("a"), &root())
        .await
        .unwrap();
    let gone = "the requested resource wasn't found";
    assert_eq!(fixture.field("cascading", &id("1"), "r").await, gone);
    assert_eq!(fixture.field("deep", &id("1"), "r").await, gone);
    assert_eq!(fixture.field("optional", &id("1"), "r").await, "");
    assert_eq!(fixture.field("many", &id("1"), "r").await, json!([id("b")]));
    let events = fixture.events().await;
    let deleted = events.iter().filter(|event| event.starts_with("Delete"));
    assert_eq!(deleted.count(), 4, "{events:#?}");
}

#[tokio::test]
async fn a_batch_is_done_as_a_whole() {
    let fixture = fixture().await;
    let one = id("x");
    let done = fixture
        .run(vec![
            (BatchOperation::Upsert, json!({"id": one, "n": 1})),
            (BatchOperation::Upsert, json!({"id": one, "n+": 4})),
            (BatchOperation::Update(one.clone()), json!({"n-": 2})),
            (BatchOperation::Create, json!({"n": 7})),
            (BatchOperation::Delete(one.clone()), json!({})),
        ])
        .await;
    assert_eq!(done.unwrap(), ["1", "5", "3", "7", "deleted"]);
    let events = fixture.events().await.len();
    let failed = fixture
        .run(vec![
            (BatchOperation::Create, json!({"n": 8})),
            (BatchOperation::Create, json!({"tags": ["nope"]})),
        ])
        .await;
    assert_eq!(failed.unwrap_err(), "request 1");
    assert_eq!(fixture.events().await.len(), events, "nothing was written");
}

#[tokio::test]
async fn a_batch_makes_accounts_that_can_sign_in() {
    let fixture = fixture().await;
    let runs = fixture.records.inner.passwords.runs();
    let account = |email: &str, confirmed: &str| BatchRequest {
        collection: "users".to_owned(),
        operation: BatchOperation::Create,
        submitted: Submitted::from(record(json!({"email": email,
            "password": crate::testing::PASSWORD, "passwordConfirm": confirmed}))),
        query: crate::Parameters::default(),
        headers: crate::Parameters::default(),
    };
    let limit = Duration::from_secs(30);
    let wrong = vec![
        account("a@b.co", crate::testing::PASSWORD),
        account("b@b.co", "other"),
    ];
    let failed = fixture
        .records
        .batch(wrong, limit, &RequestInfo::default())
        .await;
    assert!(matches!(
        failed,
        Err(BatchFailure::Request { position: 1, .. })
    ));
    assert_eq!(
        fixture.records.inner.passwords.runs(),
        runs,
        "nothing was hashed"
    );
    let good = vec![account("a@b.co", crate::testing::PASSWORD)];
    fixture
        .records
        .batch(good, limit, &RequestInfo::default())
        .await
        .unwrap();
    fixture
        .sign_in("a@b.co", crate::testing::PASSWORD)
        .await
        .unwrap();
}

#[tokio::test]
async fn keys_differ_in_more_than_case() {
    let fixture = fixture().await;
    for (key, expected) in [
        ("a", ""),
        ("A", "id validation_pk_invalid"),
        ("a/b", "id validation_forbidden_pk_character"),
        ("con", "id validation_reserved_pk"),
        ("a;b", ""),
        ("", "id validation_required"),
    ] {
        let made = fixture.put("loose", json!({"id": key})).await;
        match expected {
            "" => assert_eq!(made.unwrap()["id"], key),
            code => assert_eq!(codes(made), [code], "{key}"),
        }
    }
}

#[tokio::test]
async fn modifiers_work_on_what_is_stored() {
    let fixture = fixture().await;
    let one = id("m");
    let values = json!({"id": one, "n": 10, "tags": ["a"]});
    fixture.put("parents", values).await.unwrap();
    let change = record(json!({"n+": 5, "tags+": ["b"], "+tags": "c"}));
    let changed = fixture
        .records
        .update("parents", &one, change, &root())
        .await;
    let changed = changed.unwrap();
    assert_eq!(
        (&changed["n"], &changed["tags"]),
        (&json!(15), &json!(["c", "a", "b"]))
    );
}
