//! Definitions of collections and starters: what is imported, and what is refused whole.

use super::*;

#[tokio::test]
async fn a_schema_grows_without_losing_data() {
    let (fixture, _) = fixture().await;
    fixture.make(json!({"title": "kept", "views": 3})).await;
    let more = json!([{"name": "things", "type": "base", "listRule": "", "fields": [
        {"name": "title", "type": "text"}, {"name": "rank", "type": "number"},
        {"name": "links", "type": "relation", "collectionId": "others", "maxSelect": 5},
    ], "indexes": ["CREATE INDEX `idx_rank` ON `things` (`rank`)"]},
    {"name": "others", "type": "base", "fields": []}]);
    fixture.import(more.clone()).await.unwrap();
    fixture
        .import(more)
        .await
        .expect("importing twice changes nothing");
    let page = fixture
        .records
        .list("things", ListQuery::default(), &RequestInfo::of(None))
        .await
        .unwrap();
    let kept = &page.items[0];
    assert_eq!(
        (&kept["title"], &kept["views"]),
        (&json!("kept"), &json!(3))
    );
    assert_eq!((&kept["rank"], &kept["links"]), (&json!(0), &json!([])));
    let again = record(json!({"title": "kept"}));
    let again = fixture
        .records
        .create("things", again, &RequestInfo::of(root()))
        .await;
    assert_eq!(
        codes(again),
        ["title validation_not_unique"],
        "old indexes stay"
    );
}

#[tokio::test]
async fn a_definition_does_not_take_over_another_collection() {
    let (fixture, _) = fixture().await;
    let before = fixture.records.collections().await.unwrap();
    let check = async |definition: Value, expected: &str| {
        let text = definition.to_string();
        assert_eq!(
            codes(fixture.import(json!([definition])).await),
            [expected],
            "{text}"
        );
        assert_eq!(fixture.records.collections().await.unwrap(), before);
    };
    let name = "name validation_collection_name_exists";
    check(
        json!({"name": "fresh", "type": "base", "id": "pbc_3142635823"}),
        "type validation_collection_type_change",
    )
    .await;
    check(
        json!({"name": "fresh", "type": "auth", "id": "pbc_3142635823"}),
        "name validation_collection_system_name_change",
    )
    .await;
    check(
        json!({"name": "fresh", "type": "base", "id": "things"}),
        "id validation_invalid_or_existing_id",
    )
    .await;
    check(json!({"name": "_pb_users_auth_", "type": "auth"}), name).await;
    check(json!({"name": "Things", "type": "base"}), name).await;
    let rule = "createRule validation_collection_system_rule_change";
    check(
        json!({"name": "_superusers", "type": "auth", "createRule": ""}),
        rule,
    )
    .await;
    let rule = "authRule validation_collection_system_rule_change";
    check(
        json!({"name": "_superusers", "type": "auth", "authRule": null}),
        rule,
    )
    .await;
}

impl Fixture {
    async fn refuses(&self, collection: Value, expected: &str) {
        let text = collection.to_string();
        let good = json!({"name": "good", "type": "base"});
        assert_eq!(
            codes(self.import(json!([good, collection])).await),
            [expected],
            "{text}"
        );
        let missing = self.records.collection("good").await;
        assert!(matches!(missing, Err(Error::NotFound)), "all or nothing");
    }
}

#[tokio::test]
async fn definitions_that_cannot_be_are_refused_whole() {
    let (fixture, _) = fixture().await;
    let check =
        async |collection: Value, expected: &str| fixture.refuses(collection, expected).await;
    let named = |name: &str| json!({"name": name, "type": "base"});
    check(named("a b"), "name validation_match_invalid").await;
    check(
        named("x\"; DROP TABLE users; --"),
        "name validation_match_invalid",
    )
    .await;
    check(
        named("_mito_queue_jobs"),
        "name validation_collection_name_invalid",
    )
    .await;
    check(
        named("sqlite_master"),
        "name validation_collection_name_invalid",
    )
    .await;
    check(
        json!({"name": "users", "type": "base"}),
        "type validation_collection_type_change",
    )
    .await;
}

#[tokio::test]
async fn fields_that_cannot_be_are_refused_with_the_whole() {
    let (fixture, _) = fixture().await;
    let check =
        async |collection: Value, expected: &str| fixture.refuses(collection, expected).await;
    let with = |fields: Value| json!({"name": "n", "type": "base", "fields": fields});
    check(
        with(json!([{"name": "1 x", "type": "text"}])),
        "fields.1.name validation_match_invalid",
    )
    .await;
    check(
        with(json!([{"name": "x", "type": "zzz"}])),
        "collections validation_collections_import_failure",
    )
    .await;
    check(
        with(json!([{"name": "x", "type": "text", "pattern": "("}])),
        "fields.1.pattern validation_invalid_regex",
    )
    .await;
    check(
        with(json!([{"name": "x", "type": "text"}, {"name": "X", "type": "text"}])),
        "fields.2.name validation_duplicated_field_name",
    )
    .await;
    check(
        with(json!([{"name": "x", "type": "relation", "collectionId": "nope"}])),
        "fields.1.collectionId validation_field_relation_missing_collection",
    )
    .await;
    check(
        json!({"name": "things", "type": "base", "fields": [{"name": "title", "type": "number"}]}),
        "fields.0 validation_field_type_change",
    )
    .await;
    check(
        json!({"name": "n", "type": "base", "listRule": "nope = 1"}),
        "listRule validation_invalid_rule",
    )
    .await;
    check(
        json!({"name": "n", "type": "base", "indexes": ["DROP TABLE users"]}),
        "indexes.0 validation_invalid_index_expression",
    )
    .await;
    check(
        json!({"name": "n", "type": "base", "indexes": ["CREATE INDEX `idx_title` ON `n` (`id`)"]}),
        "indexes.0 validation_existing_index_name",
    )
    .await;
    let twice = record(json!({"name": "Things", "type": "base"}));
    let twice = fixture.records.create_collection(twice).await;
    assert_eq!(codes(twice), ["name validation_collection_name_exists"]);
}

#[tokio::test]
async fn starters_are_imported_once() {
    let fixture = Fixture::new().await;
    fixture.import(things()).await.unwrap();
    let starter = serde_json::from_value(json!({
        "name": "s", "description": "d", "collections": [],
        "records": {"things": [{"id": "abcdefghijklmno", "title": "one"}]},
    }))
    .unwrap();
    assert_eq!(
        fixture
            .records
            .import_starter_records(&starter)
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        fixture
            .records
            .import_starter_records(&starter)
            .await
            .unwrap(),
        0
    );
    assert_eq!(fixture.events().await, ["Create things/abcdefghijklmno {}"]);
}

#[tokio::test]
async fn the_starters_that_mito_ships_with_are_importable() {
    let fixture = Fixture::new().await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/starters");
    let mut seen = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let starter: crate::Starter = serde_json::from_str(&text).unwrap();
        for _ in 0..2 {
            fixture
                .records
                .import_collections(starter.collections.clone())
                .await
                .unwrap();
        }
        fixture
            .records
            .import_starter_records(&starter)
            .await
            .unwrap();
        assert_eq!(
            fixture
                .records
                .import_starter_records(&starter)
                .await
                .unwrap(),
            0
        );
        seen += 1;
    }
    assert!(seen > 0, "no starter in {folder}");
}
