//! Cases for [`Records::update_in`].

use mito_database::Tx;
use serde_json::{Value, json};

use crate::{
    Error, Record,
    testing::{Fixture, codes, record},
};

const ID: &str = "abcdefghijklmno";

async fn fixture() -> Fixture {
    let fixture = Fixture::new().await;
    let things = json!([{
        "name": "things", "type": "base",
        "listRule": null, "viewRule": null, "createRule": null, "updateRule": null,
        "deleteRule": null,
        "fields": [
            {"name": "title", "type": "text", "required": true, "max": 10},
            {"name": "views", "type": "number"},
            {"name": "updated", "type": "autodate", "onCreate": true, "onUpdate": true},
        ],
        "indexes": [],
    }]);
    fixture.import(things).await.unwrap();
    let records = fixture.records.clone();
    let create = move |tx: &mut Tx<'_>| {
        let values = json!({"id": ID, "title": "one", "views": 3});
        records.create_in(tx, "things", &record(values)).map(|_| ())
    };
    fixture.database.write(create).await.unwrap();
    fixture
}

impl Fixture {
    async fn change(
        &self,
        collection: &'static str,
        id: &'static str,
        values: Value,
    ) -> Result<Record, Error> {
        let records = self.records.clone();
        let change = move |tx: &mut Tx<'_>| {
            let values = record(values.clone());
            records.update_in(tx, collection, id, &values, Some("r1"))
        };
        self.database.write(change).await
    }
}

#[tokio::test]
async fn a_worker_changes_the_given_fields_with_an_event() {
    let fixture = fixture().await;
    fixture.clock.advance(std::time::Duration::from_secs(1));
    let changed = fixture.change("things", ID, json!({"title": "two"})).await;
    let changed = changed.unwrap();
    assert_eq!(changed["title"], "two");
    assert_eq!(changed["views"], 3, "what is not given stays");
    assert_eq!(changed["updated"], "2026-05-06 07:08:10.000Z");
    let events = fixture.events().await;
    let expected = format!("Update things/{ID} {{\"request_id\":\"r1\"}}");
    assert_eq!(events[1..], [expected]);
}

#[tokio::test]
async fn what_a_worker_may_not_write_changes_nothing() {
    let fixture = fixture().await;
    let before = fixture.events().await;
    for (collection, id, values, expected) in [
        (
            "things",
            ID,
            json!({"title": ""}),
            "title validation_required",
        ),
        ("things", "nobody", json!({"title": "x"}), "wasn't found"),
        ("nowhere", ID, json!({}), "wasn't found"),
        ("users", ID, json!({}), "Accounts cannot be changed"),
    ] {
        let refused = codes(fixture.change(collection, id, values).await).join(" ");
        assert!(refused.contains(expected), "{collection}/{id}: {refused}");
    }
    assert_eq!(fixture.events().await, before);
}
