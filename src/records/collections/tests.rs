//! Collections through a real database: schema changes keep data, imports, views.

use serde_json::{Value, json};

use super::*;
use crate::{
    ListQuery, RequestInfo, SUPERUSERS,
    testing::{Fixture, codes, record},
};

impl Fixture {
    async fn define(&self, definition: Value) -> Result<Collection, Error> {
        self.records.create_collection(record(definition)).await
    }

    async fn redefine(&self, name: &str, definition: Value) -> Result<Collection, Error> {
        self.records
            .update_collection(name, record(definition))
            .await
    }

    async fn put_in(&self, collection: &'static str, values: Value) {
        let (records, values) = (self.records.clone(), record(values));
        let add = move |tx: &mut Tx<'_>| records.create_in(tx, collection, &values);
        self.database.write(add).await.unwrap();
    }

    /// The values of some fields of all records, by id.
    async fn rows(&self, collection: &str, fields: &[&str]) -> Vec<Value> {
        let query = ListQuery {
            sort: "id".to_owned(),
            ..ListQuery::default()
        };
        let page = self.records.list(collection, query, &administrator()).await;
        let pick = |record: &crate::Record| {
            let values: Vec<Value> = fields.iter().map(|field| record[*field].clone()).collect();
            json!(values)
        };
        page.unwrap().items.iter().map(pick).collect()
    }

    async fn names(&self) -> Vec<String> {
        let collections = self.records.collections().await.unwrap();
        collections.into_iter().map(|each| each.name).collect()
    }
}

fn administrator() -> RequestInfo {
    RequestInfo::of(Some(mito_network::Identity {
        id: "rootrootrootroo".to_owned(),
        collection: SUPERUSERS.to_owned(),
        collection_id: "pbc_3142635823".to_owned(),
        email: "root@example.com".to_owned(),
        session_id: String::new(),
    }))
}

fn things(fields: Value) -> Value {
    json!({"name": "things", "fields": fields, "indexes": []})
}

const ONE: &str = "aaaaaaaaaaaaaaa";
const TWO: &str = "bbbbbbbbbbbbbbb";

#[tokio::test]
async fn fields_keep_their_data_by_their_ids() {
    let fixture = Fixture::new().await;
    let text = |name: &str| json!({"id": "t", "name": name, "type": "text"});
    let one = |name: &str, max: u32| json!({"id": name, "name": name, "type": "select", "values": ["x", "y"], "maxSelect": max});
    fixture
        .define(things(json!([text("title"), one("a", 1), one("b", 2)])))
        .await
        .unwrap();
    fixture
        .put_in(
            "things",
            json!({"id": ONE, "title": "one", "a": "x", "b": ["x", "y"]}),
        )
        .await;
    fixture
        .put_in("things", json!({"id": TWO, "title": "two"}))
        .await;

    let swapped =
        things(json!([text("name"), one("a", 2), one("b", 1), {"name": "n", "type": "number"}]));
    fixture.redefine("things", swapped).await.unwrap();
    let fields = ["name", "a", "b", "n"];
    assert_eq!(
        fixture.rows("things", &fields).await,
        [json!(["one", ["x"], "y", 0]), json!(["two", [], "", 0])]
    );
    let renamed = json!({"name": "Things", "fields": [text("a"), one("a", 2)]});
    assert_eq!(
        codes(fixture.redefine("things", renamed).await),
        ["fields.2.name validation_duplicated_field_name"]
    );
    let mut back = one("b", 2);
    back["name"] = json!("name");
    let crossed = json!({"name": "Things", "fields": [text("b"), back]});
    fixture.redefine("things", crossed).await.unwrap();
    assert_eq!(
        fixture.rows("THINGS", &["b", "name"]).await,
        [json!(["one", ["y"]]), json!(["two", []])]
    );
}

#[tokio::test]
async fn a_change_that_fails_leaves_everything_as_it_was() {
    let fixture = Fixture::new().await;
    let title = json!({"id": "t", "name": "title", "type": "text"});
    let before = fixture.define(things(json!([title]))).await.unwrap();
    fixture
        .put_in("things", json!({"id": ONE, "title": "same"}))
        .await;
    fixture
        .put_in("things", json!({"id": TWO, "title": "same"}))
        .await;
    let unique = json!({
        "name": "others", "fields": [{"id": "t", "name": "name", "type": "text"}],
        "indexes": ["CREATE UNIQUE INDEX things_name ON others (name)"],
    });
    assert_eq!(
        codes(fixture.redefine("things", unique).await),
        ["indexes.0 validation_invalid_index_expression"]
    );
    let after = fixture.records.collection("things").await.unwrap();
    assert_eq!(after, before);
    assert_eq!(
        fixture.rows("things", &["title"]).await,
        [json!(["same"]), json!(["same"])]
    );
}

#[tokio::test]
async fn views_follow_what_they_are_made_of() {
    let fixture = Fixture::new().await;
    let fields = json!([
        {"id": "t", "name": "title", "type": "text"}, {"id": "n", "name": "n", "type": "number"},
    ]);
    fixture.define(things(fields)).await.unwrap();
    fixture
        .put_in("things", json!({"id": ONE, "title": "one", "n": 2.5}))
        .await;
    let query = "SELECT id, title AS `what`, COUNT(*) AS total, CAST(n AS real) AS half, \
         (n * 2) AS doubled FROM things GROUP BY id, title, n";
    let view = fixture
        .define(json!({"name": "seen", "type": "view", "viewQuery": query, "listRule": ""}))
        .await
        .unwrap();
    let kinds: Vec<&str> = view
        .fields
        .iter()
        .map(|field| field.kind.as_str())
        .collect();
    assert_eq!(kinds, ["text", "text", "number", "number", "json"]);
    let seen = ["id", "what", "total", "half", "doubled"];
    let row = json!([ONE, "one", 1, 2.5, 5]);
    assert_eq!(
        fixture.rows("seen", &seen).await,
        std::slice::from_ref(&row)
    );

    let without = json!({"fields": [{"id": "n", "name": "n", "type": "number"}]});
    let refused = fixture.redefine("things", without).await.unwrap_err();
    assert!(refused.to_string().contains("seen"), "{refused}");
    let limited = json!({"fields": [
        {"id": "t", "name": "title", "type": "text", "max": 9},
        {"id": "n", "name": "n", "type": "number"},
    ]});
    fixture.redefine("things", limited).await.unwrap();
    let view = fixture.records.collection("seen").await.unwrap();
    assert_eq!(view.fields[1].options["max"], json!(9));
    fixture
        .redefine("things", json!({"name": "items"}))
        .await
        .unwrap();
    assert_eq!(fixture.rows("seen", &seen).await, [row]);
    let refused = fixture
        .records
        .delete_collection("items")
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("seen"), "{refused}");
}

#[tokio::test]
async fn views_read_collections_and_nothing_else() {
    let fixture = Fixture::new().await;
    for query in [
        "select id from _mito_records_sessions",
        "select key as id from _mito_meta",
        "select name as id from sqlite_master",
        "select id from users; delete from users",
        "with x as (delete from users returning id) select id from x",
        "select load_extension('x') as id",
        "select pg_read_file('/etc/passwd') as id",
        "select *, 1 as id from users",
    ] {
        let view = json!({"name": "seen", "type": "view", "viewQuery": query});
        let refused = codes(fixture.define(view).await);
        assert!(
            refused.contains(&"viewQuery validation_invalid_view_query".to_owned()),
            "{query}: {refused:?}"
        );
        assert!(
            fixture.records.dry_run_view(query).await.is_err(),
            "{query}"
        );
    }
}

#[tokio::test]
async fn an_import_takes_away_what_it_does_not_name_when_asked() {
    let fixture = Fixture::new().await;
    let text = |name: &str| json!({"name": name, "type": "text"});
    fixture
        .define(things(json!([text("title"), text("note")])))
        .await
        .unwrap();
    fixture.define(json!({"name": "gone"})).await.unwrap();
    fixture
        .put_in("things", json!({"id": ONE, "title": "kept"}))
        .await;
    let import = async |definition: Value, missing: bool| {
        let definitions = vec![record(definition)];
        fixture
            .records
            .import_definitions(definitions, missing)
            .await
    };
    import(json!({"name": "things", "fields": [text("more")]}), false)
        .await
        .unwrap();
    let fields = ["title", "note", "more"];
    assert_eq!(
        fixture.rows("things", &fields).await,
        [json!(["kept", "", ""])]
    );
    import(json!({"name": "things", "fields": [text("title")]}), true)
        .await
        .unwrap();
    assert_eq!(fixture.rows("things", &["title"]).await, [json!(["kept"])]);
    let names = fixture.names().await;
    assert!(
        !names.iter().any(|name| name == "gone" || name == "users"),
        "{names:?}"
    );
    assert!(names.iter().any(|name| name == SUPERUSERS), "{names:?}");
    let things = fixture.records.collection("things").await.unwrap();
    assert!(things.field("note").is_none());
}

#[tokio::test]
async fn what_others_point_at_stays_and_what_is_emptied_is_empty() {
    let fixture = Fixture::new().await;
    let to = fixture.define(json!({"name": "to"})).await.unwrap();
    let relation = json!([{"name": "r", "type": "relation", "collectionId": to.id}]);
    fixture
        .define(json!({"name": "from", "fields": relation}))
        .await
        .unwrap();
    let refused = fixture.records.delete_collection("to").await.unwrap_err();
    assert!(refused.to_string().contains("from"), "{refused}");
    fixture.put_in("to", json!({"id": ONE})).await;
    fixture.put_in("from", json!({"id": TWO, "r": ONE})).await;
    fixture.records.truncate_collection("to").await.unwrap();
    assert_eq!(fixture.rows("from", &["r"]).await, [json!([""])]);
    fixture.records.delete_collection("from").await.unwrap();
    fixture.records.delete_collection("to").await.unwrap();
    for name in ["_superusers", "_mfas"] {
        let refused = fixture.records.delete_collection(name).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{name}");
    }
}

#[tokio::test]
async fn secrets_of_definitions_are_not_shown() {
    let fixture = Fixture::new().await;
    let secret = "s".repeat(40);
    let provider = json!({"name": "google", "clientId": "id", "clientSecret": "hush-hush"});
    let definition = json!({
        "name": "members", "type": "auth", "authToken": {"secret": secret, "duration": 3600},
        "oauth2": {"enabled": true, "providers": [provider]},
    });
    let created = fixture.define(definition).await.unwrap();
    let shown = created.shown().to_string();
    assert!(
        !shown.contains(&secret) && !shown.contains("hush-hush"),
        "{shown}"
    );
    let kept = fixture.redefine("members", json!({})).await.unwrap();
    let stored = serde_json::to_string(&kept).unwrap();
    assert!(stored.contains(&secret) && stored.contains("hush-hush"));
}
