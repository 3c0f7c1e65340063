//! `@request.*`, `@collection.*`, and what anybody may ask about.

use std::sync::Arc;

use mito_database::Value;
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::json;

use super::{Author, Library, check_all, library::identity};
use crate::{RequestInfo, RuleContext, testing::record};

const EVERY: &str = "p0 p1 p2 p3 p4";

/// Rules about the request of [`requests`], and what they find.
const OF_A_REQUEST: &[(&str, &str)] = &[
    (
        "@request.method = 'POST' && @request.context = 'batch'",
        EVERY,
    ),
    (
        "@request.query.q = 'Z' && @request.query.q:isset = true",
        EVERY,
    ),
    (
        "@request.query.q:lower = 'z' && @request.query.n:isset = false",
        EVERY,
    ),
    (
        "@request.headers.x_a = 'h' && @request.headers.x_b = ''",
        EVERY,
    ),
    (
        "@request.auth.id = 'ann' && @request.auth.collectionName = 'people'",
        EVERY,
    ),
    (
        "@request.auth.email = 'ann@x.co' && @request.auth.name = 'one'",
        EVERY,
    ),
    ("@request.auth.nope = ''", EVERY),
    ("@request.auth.emailVisibility = true", EVERY),
    ("@request.auth.fav.name = 'one'", EVERY),
    (
        "@request.auth.favs.name ?= 'zero' && @request.auth.favs:length = 2",
        EVERY,
    ),
    ("@request.auth.favs.name = 'zero'", ""),
    ("@request.auth.favs:each ?= cat", "p0"),
    ("@request.auth.posts_via_author.title ?= 'Alpha'", EVERY),
    ("@request.auth.fav = cat", "p0"),
    ("author = @request.auth.id", "p0 p3"),
    (
        "@request.body.title = 'Alpha' && @request.body.views = 5",
        EVERY,
    ),
    (
        "@request.body.open = true && @request.body.nope = ''",
        EVERY,
    ),
    (
        "@request.body.title:isset = true && @request.body.one:isset = false",
        EVERY,
    ),
    ("@request.body.title:lower = 'alpha'", EVERY),
    (
        "@request.body.tags:length = 2 && @request.body.tags:each ?= 'b'",
        EVERY,
    ),
    ("@request.body.tags:each = 'a'", ""),
    ("@request.body.tags:each ~ '_'", ""),
    ("@request.body.cat.name = 'one'", EVERY),
    ("@request.body.cats.name ?= 'zero'", EVERY),
    ("@request.body.cats.name = 'zero'", ""),
    ("@request.body.cats.parent.name ?= 'zero'", EVERY),
    (
        "@request.body.extra.b.0 = 1 && @request.body.other.x = 'y'",
        EVERY,
    ),
    ("@request.body.title:changed = true", "p1 p2 p3 p4"),
    ("@request.body.title:changed = false", "p0"),
    ("@request.body.one:changed = false", EVERY),
    ("@request.body.tags:changed = true", "p1 p2 p3 p4"),
    ("@request.body.at:changed = false", "p2 p3 p4"),
    (
        "title = @request.body.title && views = @request.body.views",
        "p0",
    ),
];

#[tokio::test]
async fn requests() {
    let mut library = Library::open().await;
    library.info.method = "POST".to_owned();
    library.info.context = RuleContext::Batch;
    library.info.query = record(json!({"q": "Z"})).into();
    library.info.headers = record(json!({"x_a": "h"})).into();
    library.info.body = Arc::new(record(json!({
        "title": "Alpha", "views": 5, "open": true, "tags": ["a", "b"], "cat": "c1",
        "cats": ["c0", "c1"], "extra": {"b": [1]}, "other": {"x": "y"}, "at": "",
    })));
    check_all(&library, OF_A_REQUEST).await;
    library.info = RequestInfo::default();
    let cases = [
        ("@request.auth.id = ''", EVERY),
        (
            "@request.auth.fav.name = '' && @request.auth.nope.x = ''",
            EVERY,
        ),
        ("author = @request.auth.id", "p2 p4"),
        ("extra.owner = @request.auth.id", ""),
        ("@request.auth.verified = false", ""),
    ];
    check_all(&library, &cases).await;
}

#[tokio::test]
async fn other_collections() {
    let cases = [
        ("@collection.cats.id ?= cat", "p0 p3"),
        (
            "@collection.cats.name ?= 'Two' && @collection.cats.id ?= cat",
            "p3",
        ),
        (
            "@collection.cats:x.name ?= 'Two' && @collection.cats:y.id ?= cat",
            "p0 p3",
        ),
        ("@collection.cats.rank = 0", ""),
        ("@collection.people.favs.name ?= 'zero'", "p0 p1 p2 p3 p4"),
        (
            "@collection.notes.post ?= id && @collection.notes.owner ?= @request.auth.id",
            "p0",
        ),
        ("@collection.secrets.post ?= id", "p0"),
        ("@collection.posts.views ?> views", "p1 p2 p3"),
        (
            "@collection.nothing.id ?= id",
            "invalid left operand \"@collection.nothing.id\" - failed to load collection \"nothing\" \
             from field path \"@collection.nothing.id\"",
        ),
    ];
    check_all(&Library::open().await, &cases[..1]).await;
    check_all(&Library::open().await, &cases[1..]).await;
}

#[tokio::test]
async fn anybody() {
    let mut library = Library::open().await;
    let refused = "unknown field";
    let cases = [
        ("posts", "cat.name = 'one'", "p0"),
        ("posts", "cat.secret = 's1'", refused),
        ("cats", "secret = 's1'", refused),
        ("people", "email ~ 'x.co'", "ann"),
        ("people", "tokenKey != ''", refused),
        ("people", "password = ''", refused),
        ("posts", "author.email ~ 'x.co'", "p0 p3"),
        ("posts", "author.email ~ 'x.co' || title = '5'", "p0 p1 p3"),
        ("cats", "people_via_favs.email ?~ 'x.co'", "c0 c1"),
        ("posts", "secret.name = 'x'", "secrets may not be listed"),
        ("posts", "secret = 's0' || secret.id = 's0'", "p0"),
        (
            "posts",
            "secrets_via_post.name ?= 'x'",
            "secrets may not be listed",
        ),
        ("posts", "notes_via_post.text ?= 'mine'", "p0"),
        ("posts", "notes_via_post.text ?= 'his'", ""),
        ("posts", "notes_via_post.text ?!= 'x'", "p0 p2 p3 p4"),
    ];
    for (collection, text, expected) in cases {
        let found = library.find(collection, text, Author::Anybody).await;
        let is_refused = expected == refused || expected.contains("may not be listed");
        let same = found == expected || is_refused && found.contains(expected);
        assert!(same, "{text}: {found}");
    }
    library.info = RequestInfo::of(Some(identity("bob")));
    let found = library.find("posts", "notes_via_post.text ?= 'his'", Author::Anybody);
    assert_eq!(found.await, "p0 p1");
}

/// Each of these is a value to look for, or is refused; none becomes part of a statement.
const INJECTIONS: &[&str] = &[
    "' OR 1=1 --",
    "'; DROP TABLE posts; --",
    "\\'; DROP TABLE posts; --",
    "\" OR \"\"=\"",
    "') OR ('1'='1",
    "1; ATTACH DATABASE '/tmp/x' AS x",
    "$1",
    "?1",
    "/* */ UNION SELECT password FROM _superusers",
    "\u{2019} OR 1=1",
    "%' ESCAPE '",
];

#[tokio::test]
async fn injections_are_values() {
    let mut library = Library::open().await;
    for injection in INJECTIONS {
        let quoted = injection.replace('\\', "\\\\").replace('\'', "\\'");
        for rule in [
            "title = ",
            "cats.name ?~ ",
            "extra.b = ",
            "strftime('%Y', at) = ",
        ] {
            let text = format!("{rule}'{quoted}'");
            let found = library.find("posts", &text, Author::Anybody).await;
            assert_eq!(found, "", "{text}");
        }
        library.info.body = Arc::new(record(json!({
            "title": injection, "tags": [injection], "cats": [injection], "cat": injection,
        })));
        library.info.identity = Some(identity(injection));
        for rule in [
            "@request.body.title = title",
            "@request.body.tags:each ?= title",
            "@request.body.cats.name ?= 'x'",
            "@request.body.cat.name = 'x'",
            "@request.auth.name = 'x'",
        ] {
            let found = library.find("posts", rule, Author::Trusted).await;
            assert_eq!(found, "", "{rule} {injection}");
        }
    }
    assert_eq!(
        library.find("posts", "id = 'p0'", Author::Anybody).await,
        "p0"
    );
}

/// The SQL of a rule is the same whatever texts its values are.
#[tokio::test]
async fn statements_do_not_depend_on_texts() {
    use crate::{Error, filter, sql::Sql};
    let library = Library::open().await;
    let mut runner = TestRunner::default();
    let texts = "[^\0]{1,40}";
    let mut statements = std::collections::BTreeSet::new();
    for _ in 0..200 {
        let tree = texts.new_tree(&mut runner).unwrap();
        let text = proptest::strategy::ValueTree::current(&tree);
        let quoted = text.replace('\\', "\\\\").replace('\'', "\\'");
        let rule = format!("title = '{quoted}' && cats.name ?= '{quoted}' && '{quoted}' ~ title");
        let (records, info) = (library.fixture.records.clone(), library.info.clone());
        let compile = move |tx: &mut mito_database::Tx<'_>| {
            let collection = records.shared_collection_in(tx, "posts")?;
            let mut sql = Sql::default();
            let rules = [(rule.as_str(), Author::Anybody)];
            filter::compile(&records, &mut sql, tx, &collection, &rules, &info).unwrap();
            Ok::<_, Error>(sql)
        };
        let sql = library.fixture.database.read(compile).await.unwrap();
        assert_eq!(sql.parameters[0], Value::Text(text));
        statements.insert(sql.text);
    }
    assert_eq!(statements.len(), 1);
}
