//! Records through a real database: rules, pages, events, errors.

mod definitions;

use mito_database::Tx;
use mito_network::Identity;
use serde_json::{Value, json};

use super::*;
use crate::{
    SUPERUSERS,
    testing::{Fixture, codes, record},
};

fn things() -> Value {
    json!([{
        "name": "things", "type": "base",
        "listRule": "open = true || owner = @request.auth.id && owner != ''",
        "viewRule": "open = true || owner = @request.auth.id && owner != ''",
        "createRule": "owner = @request.auth.id && @request.auth.id != ''",
        "updateRule": "owner = @request.auth.id && @request.auth.id != ''",
        "fields": [
            {"name": "title", "type": "text", "required": true, "max": 100},
            {"name": "open", "type": "bool"},
            {"name": "views", "type": "number"},
            {"name": "tags", "type": "select", "maxSelect": 3, "values": ["a", "b", "c"]},
            {"name": "extra", "type": "json"},
            {"name": "note", "type": "text", "hidden": true},
            {"name": "owner", "type": "relation", "collectionId": "users"},
            {"name": "created", "type": "autodate", "onCreate": true},
            {"name": "updated", "type": "autodate", "onCreate": true, "onUpdate": true},
        ],
        "indexes": ["CREATE UNIQUE INDEX `idx_title` ON `things` (`title`)"],
    }])
}

#[expect(clippy::unnecessary_wraps, reason = "what every call takes")]
fn person(id: &str, collection: &str) -> Option<Identity> {
    Some(Identity {
        id: id.to_owned(),
        collection: collection.to_owned(),
        collection_id: collection.to_owned(),
        email: "p@x.co".to_owned(),
        session_id: "s".to_owned(),
    })
}

fn root() -> Option<Identity> {
    person("rootrootrootroo", SUPERUSERS)
}

async fn fixture() -> (Fixture, String) {
    let fixture = Fixture::new().await;
    fixture.import(things()).await.unwrap();
    let user = fixture.sign_up("a@b.co").await;
    let id = user["id"].as_str().unwrap().to_owned();
    (fixture, id)
}

impl Fixture {
    async fn make(&self, values: Value) -> Record {
        self.records
            .create("things", record(values), &RequestInfo::of(root()))
            .await
            .unwrap()
    }

    /// The titles of a list, in order.
    async fn titles(&self, query: ListQuery, identity: Option<Identity>) -> Vec<String> {
        let page = self
            .records
            .list("things", query, &RequestInfo::of(identity))
            .await
            .unwrap();
        let title = |record: &Record| record["title"].as_str().unwrap().to_owned();
        page.items.iter().map(title).collect()
    }
}

#[tokio::test]
async fn a_record_has_pocketbases_shape() {
    let (fixture, user) = fixture().await;
    let values = json!({
        "id": "abcdefghijklmno", "title": "one", "open": "true", "views": "3",
        "tags": ["a", "b"], "extra": {"x": [1]}, "owner": user, "junk": 1,
    });
    let shown = fixture.make(values).await;
    let expected = json!({
        "collectionId": fixture.records.collection("things").await.unwrap().id,
        "collectionName": "things", "id": "abcdefghijklmno", "title": "one", "open": true,
        "views": 3, "tags": ["a", "b"], "extra": {"x": [1]}, "note": "", "owner": user,
        "created": "2026-05-06 07:08:09.000Z", "updated": "2026-05-06 07:08:09.000Z",
    });
    assert_eq!(Value::Object(shown), expected);
}

#[tokio::test]
async fn rules_decide_who_sees_and_changes_what() {
    let (fixture, user) = fixture().await;
    let owner = person(&user, "users");
    let other = person("otherotherother", "users");
    let own = json!({"title": "own", "owner": user, "note": "n"});
    let records = &fixture.records;
    let created = records
        .create(
            "things",
            record(own.clone()),
            &RequestInfo::of(owner.clone()),
        )
        .await
        .unwrap();
    let id = created["id"].as_str().unwrap();
    assert!(!created.contains_key("note"), "hidden fields are hidden");

    for stranger in [None, other] {
        let create = records
            .create(
                "things",
                record(own.clone()),
                &RequestInfo::of(stranger.clone()),
            )
            .await;
        assert_eq!(codes(create).len(), 1, "the rule or the index refuses");
        let fresh = record(json!({"title": "x", "owner": user}));
        let create = records
            .create("things", fresh, &RequestInfo::of(stranger.clone()))
            .await;
        assert_eq!(codes(create), ["Failed to create record."]);
        let view = records
            .view("things", id, &RequestInfo::of(stranger.clone()))
            .await;
        assert!(matches!(view, Err(Error::NotFound)));
        let update = records
            .update(
                "things",
                id,
                record(json!({})),
                &RequestInfo::of(stranger.clone()),
            )
            .await;
        assert!(matches!(update, Err(Error::NotFound)));
        assert!(
            fixture
                .titles(ListQuery::default(), stranger.clone())
                .await
                .is_empty()
        );
        let delete = records
            .delete("things", id, &RequestInfo::of(stranger))
            .await;
        assert!(
            matches!(delete, Err(Error::Forbidden(_))),
            "no rule: administrators alone"
        );
    }
    assert_eq!(
        fixture.titles(ListQuery::default(), owner.clone()).await,
        ["own"]
    );
    let change = record(json!({"open": true}));
    records
        .update("things", id, change, &RequestInfo::of(owner.clone()))
        .await
        .unwrap();
    assert_eq!(fixture.titles(ListQuery::default(), None).await, ["own"]);
    assert!(
        records
            .delete("things", id, &RequestInfo::of(owner))
            .await
            .is_err()
    );
    records
        .delete("things", id, &RequestInfo::of(root()))
        .await
        .unwrap();
    assert!(matches!(
        records.delete("things", id, &RequestInfo::of(root())).await,
        Err(Error::NotFound)
    ));
}

#[tokio::test]
async fn who_may_not_create_learns_nothing_of_the_values() {
    let (fixture, user) = fixture().await;
    fixture.make(json!({"title": "taken"})).await;
    let refusal = ["Failed to create record."];
    for values in [
        json!({"title": "taken", "owner": user}),
        json!({"title": "", "owner": "nobodynobodynob"}),
    ] {
        let info = RequestInfo::of(None);
        let create = fixture.records.create("things", record(values), &info);
        assert_eq!(codes(create.await), refusal);
    }
    let runs = fixture.records.inner.passwords.runs();
    let members = json!([{"name": "members", "type": "auth",
        "createRule": "name = 'x' && (@request.auth.id != '' || @request.auth.id != '')",
        "fields": [{"name": "name", "type": "text"}]}]);
    fixture.import(members).await.unwrap();
    let values = json!({"email": "a@b.co", "name": "x",
        "password": "long enough", "passwordConfirm": "long enough"});
    let info = RequestInfo::of(None);
    let create = fixture.records.create("members", record(values), &info);
    assert_eq!(codes(create.await), refusal);
    assert_eq!(
        fixture.records.inner.passwords.runs(),
        runs,
        "nothing was hashed"
    );
}

#[tokio::test]
async fn secrets_and_hidden_fields_cannot_be_found_out() {
    let fixture = three().await;
    fixture.sign_up("hidden@b.co").await;
    let users = json!([{"name": "users", "type": "auth", "listRule": "", "viewRule": ""}]);
    fixture.import(users).await.unwrap();
    let check = async |collection: &str, filter: &str, sort: &str, who: Option<Identity>| {
        let query = ListQuery {
            filter: filter.to_owned(),
            sort: sort.to_owned(),
            ..ListQuery::default()
        };
        let listed = fixture
            .records
            .list(collection, query, &RequestInfo::of(who))
            .await;
        assert!(
            matches!(listed, Err(Error::Invalid(_))),
            "{filter} {sort}: {listed:?}"
        );
    };
    for who in [None, person("otherotherother", "users"), root()] {
        for field in ["password", "tokenKey", "PASSWORD", "tokenkey"] {
            check("users", &format!("{field} ~ 'a'"), "", who.clone()).await;
            check("users", &format!("'a' < {field}"), "", who.clone()).await;
            check("users", &format!("id = {field}"), "", who.clone()).await;
            check("users", "", field, who.clone()).await;
            check("users", "", &format!("id,-{field}"), who.clone()).await;
        }
    }
    check("things", "note = 'n'", "", None).await;
    check("things", "", "note", None).await;
    check("users", "", "email", None).await;
    for filter in [
        "email ~ '%'",
        "email != 'x'",
        "email >= ''",
        "id != email",
        "'x' != email",
    ] {
        let query = ListQuery {
            filter: filter.to_owned(),
            ..ListQuery::default()
        };
        let page = fixture
            .records
            .list("users", query, &RequestInfo::of(None))
            .await
            .unwrap();
        assert_eq!(page.total_items, 0, "{filter}");
    }
}

#[tokio::test]
async fn lists_in_order_of_creation_do_not_sort_the_table() {
    let (fixture, _) = fixture().await;
    if fixture
        .database
        .read(|tx| Ok::<_, Error>(tx.dialect()))
        .await
        .unwrap()
        != mito_database::Dialect::Sqlite
    {
        return;
    }
    let later = json!([{"name": "later", "type": "base",
        "fields": [{"name": "title", "type": "text"}]}]);
    fixture.import(later).await.unwrap();
    let later = json!([{"name": "later", "type": "base",
        "fields": [{"name": "created", "type": "autodate"}]}]);
    fixture.import(later.clone()).await.unwrap();
    fixture.import(later).await.unwrap();
    for table in ["things", "later", "users"] {
        let sql = format!(
            "EXPLAIN QUERY PLAN SELECT * FROM \"{table}\" WHERE 1=1 ORDER BY \"created\", id LIMIT 30"
        );
        let plan = fixture.database.read(move |tx| tx.query(&sql, &[]));
        let plan: Vec<mito_database::Row> = plan.await.unwrap();
        let plan = format!("{plan:?}");
        assert!(!plan.contains("TEMP B-TREE"), "{table}: {plan}");
    }
}

#[tokio::test]
async fn refused_creations_leave_nothing_behind() {
    let (fixture, user) = fixture().await;
    let before = fixture.events().await;
    let values = record(json!({"title": "x", "owner": user}));
    fixture
        .records
        .create("things", values, &RequestInfo::of(None))
        .await
        .unwrap_err();
    assert_eq!(fixture.events().await, before);
    assert!(
        fixture
            .titles(ListQuery::default(), root())
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn every_write_has_its_event() {
    let fixture = Fixture::new().await;
    fixture.import(things()).await.unwrap();
    let request = || RequestInfo {
        request_id: Some("r1".to_owned()),
        ..RequestInfo::of(root())
    };
    let values = record(json!({"id": "abcdefghijklmno", "title": "one"}));
    let records = &fixture.records;
    records.create("things", values, &request()).await.unwrap();
    let change = record(json!({"title": "two"}));
    records
        .update("things", "abcdefghijklmno", change, &request())
        .await
        .unwrap();
    records
        .delete("things", "abcdefghijklmno", &request())
        .await
        .unwrap();
    let expected = ["Create", "Update"]
        .map(|action| format!("{action} things/abcdefghijklmno {{\"request_id\":\"r1\"}}"));
    let events = fixture.events().await;
    assert_eq!(events[..2], expected);
    let gone = "Delete things/abcdefghijklmno {\"request_id\":\"r1\",\"record\":{";
    assert!(events[2].starts_with(gone), "{}", events[2]);
    assert!(events[2].contains("\"title\":\"two\""), "{}", events[2]);
}

#[tokio::test]
async fn a_single_relation_is_checked_whatever_it_looks_like() {
    let (fixture, _) = fixture().await;
    for owner in ["[", "[1]", "[\"x\"]", "nobodynobodynob"] {
        let values = record(json!({"title": "t", "owner": owner}));
        let create = fixture
            .records
            .create("things", values, &RequestInfo::of(root()))
            .await;
        assert_eq!(
            codes(create),
            ["owner validation_missing_rel_records"],
            "{owner}"
        );
    }
}

#[tokio::test]
async fn wrong_values_are_told_by_field() {
    let (fixture, user) = fixture().await;
    fixture
        .make(json!({"id": "abcdefghijklmno", "title": "taken"}))
        .await;
    let check = async |values: Value, expected: &[&str]| {
        let text = values.to_string();
        let created = fixture
            .records
            .create("things", record(values), &RequestInfo::of(root()))
            .await;
        assert_eq!(codes(created), expected, "{text}");
    };
    check(json!({}), &["title validation_required"]).await;
    check(json!({"title": "taken"}), &["title validation_not_unique"]).await;
    check(
        json!({"title": "x", "id": "abcdefghijklmno"}),
        &["id validation_not_unique"],
    )
    .await;
    check(
        json!({"title": "x", "id": "short"}),
        &["id validation_min_text_constraint"],
    )
    .await;
    check(
        json!({"title": "x", "id": "ABCDEABCDEABCDE"}),
        &["id validation_invalid_format"],
    )
    .await;
    check(
        json!({"tags": ["z"], "owner": "nobody"}),
        &[
            "owner validation_missing_rel_records",
            "tags validation_invalid_value",
            "title validation_required",
        ],
    )
    .await;
    let id = record(json!({"id": "aaaaaaaaaaaaaaa"}));
    let renamed = fixture
        .records
        .update("things", "abcdefghijklmno", id, &RequestInfo::of(root()))
        .await;
    assert_eq!(codes(renamed), ["id validation_pk_change"]);
    let good = record(json!({"title": "x", "owner": user}));
    fixture
        .records
        .create("things", good, &RequestInfo::of(root()))
        .await
        .expect("an existing owner");
}

/// Three records, a second apart.
async fn three() -> Fixture {
    let (fixture, _) = fixture().await;
    for (title, views, tags) in [
        ("a", 1, json!(["a"])),
        ("b", 2, json!(["a", "b"])),
        ("C", 3, json!([])),
    ] {
        let values = json!({"title": title, "views": views, "tags": tags, "open": true,
            "extra": {"k": title}});
        fixture.make(values).await;
        fixture.clock.advance(std::time::Duration::from_secs(1));
    }
    fixture
}

#[tokio::test]
async fn pages_have_totals_and_bounds() {
    let fixture = three().await;
    let page = fixture
        .records
        .list(
            "things",
            ListQuery {
                page: 2,
                per_page: 2,
                ..Default::default()
            },
            &RequestInfo::default(),
        )
        .await
        .unwrap();
    assert_eq!(
        (page.page, page.per_page, page.total_items, page.total_pages),
        (2, 2, 3, 2)
    );
    assert_eq!(page.items.len(), 1);
    let skipped = ListQuery {
        skip_total: true,
        per_page: 5_000,
        ..Default::default()
    };
    let page = fixture
        .records
        .list("things", skipped, &RequestInfo::of(None))
        .await
        .unwrap();
    assert_eq!(
        (page.per_page, page.total_items, page.total_pages),
        (1_000, -1, -1)
    );
}

#[tokio::test]
async fn lists_are_filtered_and_sorted() {
    let fixture = three().await;
    let check = async |filter: &str, sort: &str, expected: &[&str]| {
        let query = ListQuery {
            filter: filter.to_owned(),
            sort: sort.to_owned(),
            ..Default::default()
        };
        assert_eq!(
            fixture.titles(query, root()).await,
            expected,
            "{filter} {sort}"
        );
    };
    check("", "", &["a", "b", "C"]).await;
    check("", "-views", &["C", "b", "a"]).await;
    check("", "-@rowid", &["C", "b", "a"]).await;
    check("", "open,-title", &["b", "a", "C"]).await;
    check("title = 'a'", "", &["a"]).await;
    check("title ~ 'c'", "", &["C"]).await;
    check("title !~ 'c'", "", &["a", "b"]).await;
    check("views >= 2 && views < 3", "", &["b"]).await;
    check("views = '2' || title = 'a'", "", &["a", "b"]).await;
    check("tags ~ 'b'", "", &["b"]).await;
    check("extra ~ '\"k\":\"a\"'", "", &["a"]).await;
    check("extra != null", "", &["a", "b", "C"]).await;
    check("open != true", "", &[]).await;
    check(
        "created < @now && created > '2026-05-06 07:08:09.500'",
        "",
        &["b", "C"],
    )
    .await;
    check("title = 'a\\' OR 1=1 --'", "", &[]).await;
    check("'abc' ~ title", "", &["a", "b", "C"]).await;
}

#[tokio::test]
async fn wrong_filters_and_sorts_are_refused() {
    let (fixture, _) = fixture().await;
    for wrong in ["nope = 1", "title", "note = ''"] {
        let query = ListQuery {
            filter: wrong.to_owned(),
            ..Default::default()
        };
        let listed = fixture
            .records
            .list("things", query, &RequestInfo::of(None))
            .await;
        assert!(matches!(listed, Err(Error::Invalid(_))), "{wrong}");
    }
    for wrong in ["nope", "a,,b", "title; DROP TABLE things", "note"] {
        let query = ListQuery {
            sort: wrong.to_owned(),
            ..Default::default()
        };
        let listed = fixture
            .records
            .list("things", query, &RequestInfo::of(None))
            .await;
        assert!(matches!(listed, Err(Error::Invalid(_))), "{wrong}");
    }
    let spying = ListQuery {
        filter: "@request.auth.id = ''".to_owned(),
        ..Default::default()
    };
    let listed = fixture
        .records
        .list("things", spying, &RequestInfo::of(None))
        .await;
    assert!(matches!(listed, Err(Error::Forbidden(_))));
}

#[tokio::test]
async fn workers_create_find_and_scan_in_their_transaction() {
    let (fixture, _) = fixture().await;
    let records = fixture.records.clone();
    let work = move |tx: &mut Tx<'_>| {
        for number in 0..5 {
            let values = record(json!({"title": format!("t{number}"), "note": "n"}));
            records.create_in(tx, "things", &values)?;
        }
        let first = records.scan_in(tx, "things", "note = 'n'", "", 3)?;
        let last = first[2]["id"].as_str().unwrap_or_default().to_owned();
        let rest = records.scan_in(tx, "things", "", &last, 500)?;
        let found = records.find_in(tx, "things", &last)?;
        Ok::<_, Error>((first, rest, found))
    };
    let (first, rest, found) = fixture.database.write(work).await.unwrap();
    assert_eq!((first.len(), rest.len()), (3, 2));
    assert_eq!(found, first[2]);
    assert_eq!(found["note"], "n", "workers see hidden fields");
    let ids: Vec<&str> = first
        .iter()
        .chain(&rest)
        .map(|record| record["id"].as_str().unwrap())
        .collect();
    assert!(ids.is_sorted());
}
