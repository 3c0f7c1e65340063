//! Expansions on a real database, with the answers of the real PocketBase.

use mito_network::Identity;
use serde_json::{Value, json};

use crate::{
    Error, ListQuery, Record, RequestInfo,
    testing::{Fixture, record},
};

const U: &str = "user00000000001";
const V: &str = "user00000000002";

impl Fixture {
    async fn with_relations() -> Self {
        let fixture = Self::new().await;
        fixture.import(collections()).await.unwrap();
        for (collection, values) in contents() {
            fixture.add(collection, values).await;
            fixture.clock.advance(std::time::Duration::from_millis(1));
        }
        fixture
    }

    async fn add(&self, collection: &'static str, values: Value) {
        let (records, values) = (self.records.clone(), record(values));
        self.database
            .write(move |tx| records.create_in(tx, collection, &values))
            .await
            .unwrap();
    }
}

fn collections() -> Value {
    let relation = |name: &str, to: &str, max: u32| json!({"name": name, "type": "relation", "collectionId": to, "maxSelect": max});
    let created = json!({"name": "created", "type": "autodate", "onCreate": true});
    json!([
        {"id": "people000000001", "name": "people", "type": "base", "viewRule": "", "listRule": "",
         "fields": [{"name": "name", "type": "text"}]},
        {"id": "tags00000000001", "name": "tags", "type": "base", "viewRule": "name != 'secret'",
         "fields": [{"name": "name", "type": "text"},
             {"name": "hid", "type": "text", "hidden": true}]},
        {"id": "posts0000000001", "name": "posts", "type": "base", "viewRule": "", "listRule": "",
         "createRule": "", "updateRule": "",
         "fields": [{"name": "name", "type": "text"}, relation("author", "people000000001", 1),
             relation("tags", "tags00000000001", 9), created,
             {"name": "owner", "type": "relation", "collectionId": "people000000001",
              "maxSelect": 1, "hidden": true}]},
        {"id": "comments0000001", "name": "comments", "type": "base",
         "viewRule": "",
         "fields": [{"name": "name", "type": "text"}, created,
             relation("post", "posts0000000001", 1), relation("posts", "posts0000000001", 5)]},
        {"id": "profiles0000001", "name": "profiles", "type": "base", "viewRule": "",
         "fields": [{"name": "name", "type": "text"}, relation("user", "people000000001", 1)],
         "indexes": ["CREATE UNIQUE INDEX `idx_user` ON `profiles` (`user`)"]},
        {"id": "locked000000001", "name": "locked", "type": "base",
         "fields": [{"name": "name", "type": "text"}, relation("post", "posts0000000001", 1)]},
    ])
}

fn contents() -> Vec<(&'static str, Value)> {
    vec![
        ("people", json!({"id": U, "name": "U"})),
        ("people", json!({"id": V, "name": "V"})),
        (
            "tags",
            json!({"id": "tag000000000001", "name": "one", "hid": "h"}),
        ),
        ("tags", json!({"id": "tag000000000002", "name": "secret"})),
        ("tags", json!({"id": "tag000000000003", "name": "three"})),
        (
            "posts",
            json!({"id": "post00000000001", "name": "p1", "author": U, "owner": V,
                "tags": ["tag000000000003", "tag000000000002", "tag000000000001"]}),
        ),
        (
            "posts",
            json!({"id": "post00000000002", "name": "p2", "author": V}),
        ),
        ("posts", json!({"id": "post00000000003", "name": "p3"})),
        (
            "posts",
            json!({"id": "post00000000004", "name": "p4", "tags": ["tag000000000002"]}),
        ),
        (
            "comments",
            json!({"name": "c1", "post": "post00000000001",
                "posts": ["post00000000002", "post00000000001"]}),
        ),
        (
            "comments",
            json!({"name": "c2", "post": "post00000000001", "posts": ["post00000000001"]}),
        ),
        ("profiles", json!({"name": "b", "user": U})),
        ("locked", json!({"name": "l", "post": "post00000000001"})),
    ]
}

fn asking(expand: &str, superuser: bool) -> RequestInfo {
    let identity = superuser.then(|| Identity {
        id: "root00000000001".to_owned(),
        collection: crate::SUPERUSERS.to_owned(),
        collection_id: "pbc_3142635823".to_owned(),
        email: "root@b.co".to_owned(),
        session_id: String::new(),
    });
    RequestInfo {
        query: record(json!({"expand": expand})).into(),
        ..RequestInfo::of(identity)
    }
}

/// A record as its name, with what it was expanded by.
fn brief(record: &Record) -> Value {
    let name = record["name"].clone();
    match record.get("expand") {
        None => name,
        Some(Value::Object(expand)) => {
            let expand: Record = expand
                .iter()
                .map(|(key, value)| {
                    let value = match value {
                        Value::Array(records) => records
                            .iter()
                            .map(|record| brief(record.as_object().unwrap()))
                            .collect(),
                        Value::Object(record) => brief(record),
                        other => panic!("{other}"),
                    };
                    (key.clone(), value)
                })
                .collect();
            json!({name.as_str().unwrap(): expand})
        }
        Some(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_record_brings_what_it_is_related_to() {
    let fixture = Fixture::with_relations().await;
    let check = async |collection: &str, id: &str, expand: &str, expected: Value| {
        let info = asking(expand, false);
        let found = fixture.records.view(collection, id, &info).await.unwrap();
        assert_eq!(brief(&found), expected, "{id}?expand={expand}");
    };
    let (p1, p3, p4) = ("post00000000001", "post00000000003", "post00000000004");
    check(
        "posts",
        p1,
        "author,tags",
        json!({"p1": {"author": "U", "tags": ["three", "one"]}}),
    )
    .await;
    check(
        "posts",
        p1,
        " author , tags,",
        json!({"p1": {"author": "U", "tags": ["three", "one"]}}),
    )
    .await;
    check(
        "posts",
        p1,
        "comments_via_post,author.profiles_via_user",
        json!({"p1": {"comments_via_post": ["c1", "c2"],
            "author": {"U": {"profiles_via_user": "b"}}}}),
    )
    .await;
    check(
        "posts",
        p1,
        "comments_via_posts",
        json!({"p1": {"comments_via_posts": ["c1", "c2"]}}),
    )
    .await;
    check(
        "tags",
        "tag000000000001",
        "posts_via_tags.author",
        json!({"one": {"posts_via_tags": [{"p1": {"author": "U"}}]}}),
    )
    .await;
    // Nothing to expand is told apart from no way to expand.
    check("posts", p3, "author", json!({"p3": {}})).await;
    check("posts", p3, "author.nope", json!({"p3": {}})).await;
    check("posts", p3, "tags.nope", json!({"p3": {}})).await;
    check("posts", p3, "comments_via_post.nope", json!({"p3": {}})).await;
    check("posts", p4, "tags", json!({"p4": {}})).await;
    for nowhere in [
        "nope",
        "name",
        "id",
        "locked_via_post",
        "profiles_via_user",
        "nope_via_post",
        "comments_via_nope",
        "comments_via_name",
        "author.nope",
        "tags.posts_via_tags.nope",
        ".",
        "",
        "owner",
        "'; DROP TABLE posts; --",
    ] {
        check("posts", p1, nowhere, json!("p1")).await;
    }
    check(
        "posts",
        p1,
        "author.nope,author.profiles_via_user,tags.posts_via_tags.nope",
        json!({"p1": {"author": {"U": {"profiles_via_user": "b"}}}}),
    )
    .await;
}

#[tokio::test]
async fn a_path_has_six_levels() {
    let fixture = Fixture::with_relations().await;
    let check = async |collection: &str, id: &str, expand: &str, expected: Value| {
        let info = asking(expand, false);
        let found = fixture.records.view(collection, id, &info).await.unwrap();
        assert_eq!(brief(&found), expected, "{id}?expand={expand}");
    };
    check(
        "people",
        U,
        "profiles_via_user.user.posts_via_author.comments_via_post.post.author.profiles_via_user",
        json!({"U": {"profiles_via_user": {"b": {"user": {"U": {"posts_via_author": [
            {"p1": {"comments_via_post": [
                {"c1": {"post": {"p1": {"author": "U"}}}},
                {"c2": {"post": {"p1": {"author": "U"}}}},
            ]}},
        ]}}}}}}),
    )
    .await;
}

#[tokio::test]
async fn administrators_see_more() {
    let fixture = Fixture::with_relations().await;
    let info = asking("locked_via_post,owner,tags", true);
    let found = fixture
        .records
        .view("posts", "post00000000001", &info)
        .await
        .unwrap();
    assert_eq!(
        brief(&found),
        json!({"p1": {"locked_via_post": ["l"], "owner": "V", "tags": ["three", "secret", "one"]}})
    );
    assert_eq!(found["expand"]["tags"][2]["hid"], json!("h"));
    let info = asking("tags", false);
    let found = fixture
        .records
        .view("posts", "post00000000001", &info)
        .await
        .unwrap();
    assert_eq!(found["expand"]["tags"][1].get("hid"), None);
}

#[tokio::test]
async fn pages_and_writes_expand_too() {
    let fixture = Fixture::with_relations().await;
    let info = asking("author.profiles_via_user", false);
    let query = ListQuery {
        sort: "name".to_owned(),
        ..ListQuery::default()
    };
    let page = fixture.records.list("posts", query, &info).await.unwrap();
    let items: Vec<Value> = page.items.iter().map(brief).collect();
    assert_eq!(
        items,
        [
            json!({"p1": {"author": {"U": {"profiles_via_user": "b"}}}}),
            json!({"p2": {"author": {"V": {}}}}),
            json!({"p3": {}}),
            json!({"p4": {}}),
        ]
    );
    let info = asking("author", false);
    let update = record(json!({"author": V}));
    let updated = fixture
        .records
        .update("posts", "post00000000003", update, &info)
        .await
        .unwrap();
    assert_eq!(brief(&updated), json!({"p3": {"author": "V"}}));
    let create = record(json!({"name": "p5", "author": U}));
    let created = fixture
        .records
        .create("posts", create, &info)
        .await
        .unwrap();
    assert_eq!(brief(&created), json!({"p5": {"author": "U"}}));
}

#[tokio::test]
async fn levels_that_multiply_are_bounded() {
    let fixture = Fixture::with_relations().await;
    for _ in 0..60 {
        fixture
            .add("comments", json!({"name": "c", "post": "post00000000002"}))
            .await;
    }
    let view = async |expand: &str| {
        let info = asking(expand, false);
        fixture
            .records
            .view("posts", "post00000000002", &info)
            .await
    };
    let one = view("comments_via_post").await.unwrap();
    assert_eq!(
        one["expand"]["comments_via_post"].as_array().unwrap().len(),
        60
    );
    view("comments_via_post.post.comments_via_post")
        .await
        .unwrap();
    let refused = view("comments_via_post.post.comments_via_post.post.comments_via_post").await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
}
