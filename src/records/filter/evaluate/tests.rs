//! The evaluator says what the SQL says, whatever the records, rules and askers are.

use mito_database::Tx;
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRng, TestRunner},
};
use serde_json::{Value as Json, json};

use super::*;
use crate::{
    Error, Record, RequestInfo,
    filter::{
        resolve::Author,
        tests::library::{Library, columns, identity},
    },
    records::access::{self, Target},
    testing::record,
};

/// Random rules against random records.
const CASES: usize = 1_500;

const FIELDS: &[&str] = &[
    "title",
    "views",
    "open",
    "tags",
    "one",
    "extra",
    "extra.b",
    "extra.b.c",
    "extra.l.1",
    "extra.t",
    "at",
    "cat",
    "cats",
    "author",
    "tags:length",
    "cats:length",
    "one:length",
    "tags:each",
    "one:each",
    "cats:each",
    "title:lower",
    "views:lower",
    "extra:lower",
    "place.lon",
    "id",
];

const PATHS: &[&str] = &[
    "cat.name",
    "cat.rank",
    "cat.parent.name",
    "cat.parent.rank",
    "cats.name",
    "cats.rank",
    "cats.name:lower",
    "cats.parent.name",
    "cats.id",
    "author.name",
    "author.favs.name",
    "author.favs:each",
    "author.favs:length",
    "author.email",
    "author.fav.parent.name",
    "notes_via_post.text",
    "notes_via_post.owner.name",
    "notes_via_post.owner.favs.rank",
    "cat.posts_via_cats.views",
    "secrets_via_post.name",
    "author.posts_via_author.tags:each",
];

const REQUESTS: &[&str] = &[
    "@request.auth.id",
    "@request.auth.name",
    "@request.auth.fav",
    "@request.auth.fav.name",
    "@request.auth.favs.name",
    "@request.auth.favs:each",
    "@request.auth.nope",
    "@request.body.title",
    "@request.body.views",
    "@request.body.cats.name",
    "@request.body.tags:each",
    "@request.body.title:changed",
    "@request.body.tags:length",
    "@request.body.title:isset",
    "@request.query.q",
    "@request.method",
    "@now",
    "@yearStart",
    "@weekday",
];

const LITERALS: &[&str] = &[
    "''",
    "null",
    "true",
    "false",
    "0",
    "1",
    "1.5",
    "2",
    "5",
    "-1",
    "'a'",
    "'b'",
    "'A'",
    "'5'",
    "'5.0'",
    "'1'",
    "'one'",
    "'Two'",
    "'zero'",
    "'Alpha'",
    "'%o%'",
    "'o_e'",
    "'c0'",
    "'c1'",
    "'[\"a\"]'",
    "'x'",
    "'bob'",
    "'ann'",
    "'2024'",
    "'2024-01-01'",
    "'x.co'",
    "'gone'",
];

const FUNCTIONS: &[&str] = &[
    "geoDistance(place.lon, place.lat, 1, 2)",
    "geoDistance(extra.b.c, cat.rank, 0, 0)",
    "strftime('%Y', at)",
    "strftime('%m-%d', at, '+1 months')",
    "strftime('%w', at, 'start of year', 'weekday 3')",
];

fn operands() -> impl Strategy<Value = String> {
    let fields = prop::sample::select(FIELDS);
    let paths = prop::sample::select(PATHS);
    let requests = prop::sample::select(REQUESTS);
    let literals = prop::sample::select(LITERALS);
    let functions = prop::sample::select(FUNCTIONS);
    prop_oneof![
        5 => fields.prop_map(str::to_owned),
        5 => paths.prop_map(str::to_owned),
        3 => requests.prop_map(str::to_owned),
        6 => literals.prop_map(str::to_owned),
        1 => functions.prop_map(str::to_owned),
    ]
}

fn rules() -> impl Strategy<Value = String> {
    let operators = prop::sample::select(vec!["=", "!=", ">", ">=", "<", "<=", "~", "!~"]);
    let comparison = (operands(), any::<bool>(), operators, operands());
    let leaf = comparison.prop_map(|(left, any, operator, right)| {
        format!("{left} {}{operator} {right}", if any { "?" } else { "" })
    });
    leaf.prop_recursive(3, 6, 3, |inner| {
        (any::<bool>(), prop::collection::vec(inner, 2..4)).prop_map(|(all, parts)| {
            let joined = parts.join(if all { " && " } else { " || " });
            format!("({joined})")
        })
    })
}

fn posts() -> impl Strategy<Value = Json> {
    let texts = prop::sample::select(vec![
        "",
        "a",
        "A",
        "5",
        "5.0",
        "1.5",
        "one",
        "Alpha",
        "o_e",
        "100%",
        "\\",
        "é",
        "2024-01-01",
    ]);
    let tags = prop::sample::subsequence(vec!["a", "b", "c"], 0..=3);
    let cats = prop::sample::subsequence(vec!["c0", "c1", "c2", "gone"], 0..=4);
    let cat = prop::sample::select(vec!["", "c0", "c1", "c2", "gone"]);
    let author = prop::sample::select(vec!["", "ann", "bob"]);
    let extra = prop::sample::select(vec![
        json!(null),
        json!("a"),
        json!("5"),
        json!(5),
        json!(1.5),
        json!(true),
        json!([1, "x"]),
        json!({"b": "a", "l": [1, "1.5"], "t": "5"}),
        json!({"b": {"c": 2}}),
        json!({"b": null}),
    ]);
    let at = prop::sample::select(vec![
        "",
        "2024-02-29 12:30:45.678Z",
        "2023-01-31 23:59:59.999Z",
        "2024-01-01 00:00:00.000Z",
    ]);
    let views = prop::sample::select(vec![0.0, 1.0, 1.5, 5.0, -1.0, 1e9]);
    let one = prop::sample::select(vec!["", "a", "b"]);
    let first = (texts, tags, cats, cat, author);
    (first, (extra, at, views, one, any::<bool>())).prop_map(|(first, second)| {
        let (title, tags, cats, cat, author) = first;
        let (extra, at, views, one, open) = second;
        json!({
            "id": "new", "title": title, "tags": tags, "cats": cats, "cat": cat, "author": author,
            "extra": extra, "at": at, "views": views, "one": one, "open": open,
            "place": {"lon": views, "lat": 2},
        })
    })
}

fn requests() -> impl Strategy<Value = RequestInfo> {
    let account = prop::sample::select(vec!["", "ann", "bob", "nobody"]);
    let body = prop::sample::select(vec![
        json!({}),
        json!({"title": "a", "views": 5, "tags": ["a"], "cats": ["c0", "c1"]}),
        json!({"title": "", "views": null, "tags": [], "cats": ["gone"]}),
    ]);
    (account, body).prop_map(|(account, body)| {
        let mut info = RequestInfo::of(Some(account).filter(|id| !id.is_empty()).map(identity));
        info.method = "GET".to_owned();
        info.query = record(json!({"q": "a"})).into();
        info.body = Arc::new(record(body));
        info
    })
}

/// What both say of one case: the verdict of the evaluator and of the database.
fn both(
    tx: &mut Tx<'_>,
    records: &Records,
    rule: &str,
    author: Author,
    post: &Record,
    info: &RequestInfo,
) -> Result<Option<(Verdict, bool)>, Error> {
    let collection = records.shared_collection_in(tx, "posts")?;
    let row = columns(&collection, post);
    let texts = [(rule, author)];
    let mut evaluator = Evaluator::new(records, Arc::clone(&collection), &row);
    let verdict = match evaluator.evaluate(tx, &texts, info) {
        Ok(verdict) => verdict,
        Err(Problem::Invalid(_)) => return Ok(None),
        Err(Problem::Failed(error)) => return Err(error),
    };
    let found = access::passes(records, tx, &collection, &texts, Target::Row(&row), info);
    match found {
        Ok(found) => Ok(Some((verdict, found))),
        Err(Problem::Invalid(reason)) => Err(Error::Internal(reason)),
        Err(Problem::Failed(error)) => Err(error),
    }
}

#[tokio::test]
async fn the_evaluator_and_the_database_agree() {
    let library = Library::open().await;
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &[7; 32]),
    );
    let cases = (rules(), posts(), requests(), any::<bool>());
    let (mut decided, mut held) = (0, 0);
    for _ in 0..CASES {
        let (rule, post, info, trusted) = cases.new_tree(&mut runner).unwrap().current();
        let author = if trusted {
            Author::Trusted
        } else {
            Author::Anybody
        };
        let (records, post) = (library.fixture.records.clone(), record(post));
        let (text, asked) = (rule.clone(), post.clone());
        let ask = move |tx: &mut Tx<'_>| both(tx, &records, &text, author, &asked, &info);
        let found = library.fixture.database.read(ask).await;
        let found = found.unwrap_or_else(|error| panic!("{rule}\n{post:?}\n{error}"));
        let Some((verdict, found)) = found else {
            continue;
        };
        if verdict == Verdict::NeedsSql {
            continue;
        }
        decided += 1;
        held += usize::from(found);
        assert_eq!(
            verdict == Verdict::Yes,
            found,
            "{rule} ({author:?})\n{post:?}"
        );
    }
    assert!(
        decided > CASES / 2 && held > CASES / 10,
        "{decided} decided, {held} held"
    );
}

#[tokio::test]
async fn what_is_left_to_the_database() {
    let library = Library::open().await;
    let check = async |rule: &'static str, expected: Verdict| {
        let (records, info) = (library.fixture.records.clone(), library.info.clone());
        let post = record(json!({"id": "p0", "title": "a", "cat": "c1", "author": "ann"}));
        let ask = move |tx: &mut Tx<'_>| both(tx, &records, rule, Author::Trusted, &post, &info);
        let found = library.fixture.database.read(ask).await.unwrap();
        assert_eq!(found.map(|found| found.0), Some(expected), "{rule}");
    };
    check("title = 'a' && author = @request.auth.id", Verdict::Yes).await;
    check(
        "@request.auth.favs.name ?= 'one' && cat.parent.name = 'zero'",
        Verdict::Yes,
    )
    .await;
    check("notes_via_post.owner ?= @request.auth.id", Verdict::Yes).await;
    check(
        "@collection.notes.owner ?= @request.auth.id",
        Verdict::NeedsSql,
    )
    .await;
    check("title = 'b' && @collection.notes.owner ?= ''", Verdict::No).await;
    check("strftime('%J', at) = ''", Verdict::NeedsSql).await;
}
