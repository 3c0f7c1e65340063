//! Fields, paths and modifiers: what they find, as PocketBase 0.40 answers for the same records.

use super::{Author, Library, check_all};

#[tokio::test]
async fn own_fields() {
    let cases = [
        ("title = 'Alpha'", "p0"),
        ("title != 'Alpha'", "p1 p2 p3 p4"),
        ("'Alpha' = title", "p0"),
        ("title = ''", "p2"),
        ("title = null", "p2"),
        ("title != ''", "p0 p1 p3 p4"),
        ("title = 5", "p3"),
        ("title ~ 5", "p1 p3 p4"),
        ("title ~ 'ALPH'", "p0"),
        ("title !~ 'a'", "p1 p2 p3 p4"),
        ("title ~ '50%'", "p4"),
        ("title ~ '%5'", "p1"),
        ("title ~ '_off_'", "p4"),
        ("title ~ '\\\\\\\\ it'", "p4"),
        ("title ~ 'it\\'s'", "p4"),
        ("title > '5'", "p0 p3 p4"),
        ("title:lower = 'alpha'", "p0"),
        ("views = 5", "p0 p4"),
        ("views = '5'", "p0 p4"),
        ("views = 'many'", ""),
        ("views < 'many'", "p0 p1 p2 p3 p4"),
        ("views > 1 && views <= 5.0", "p0 p1 p4"),
        ("views = ''", ""),
        ("views != null", "p0 p1 p2 p3 p4"),
        ("views ~ 5", "p0 p1 p4"),
        ("views:lower = '1.5'", "p1"),
        ("open = true", "p0"),
        ("open = 0", "p1 p2 p3 p4"),
        ("open = 'true'", ""),
        ("title = views", ""),
        ("title != views", "p0 p1 p2 p3 p4"),
        ("one = 'a'", "p0"),
        ("at > '2024-01-01'", "p0"),
        ("at < @now && at != ''", "p0 p1"),
        ("true = true && 1 = 1.0 && 'a' < 'b'", "p0 p1 p2 p3 p4"),
        ("5 > '4'", ""),
    ];
    check_all(&Library::open().await, &cases).await;
}

#[tokio::test]
async fn lists() {
    let cases = [
        ("tags = '[\"a\",\"b\"]'", "p0"),
        ("tags ~ 'a'", "p0 p1"),
        ("tags:length = 0", "p2 p4"),
        ("tags:length > 1", "p0"),
        ("tags:each = 'a'", "p1"),
        ("tags:each ?= 'a'", "p0 p1"),
        ("tags:each != 'a'", "p2 p3 p4"),
        ("tags:each ?!= 'a'", "p0 p2 p3 p4"),
        ("tags:each ~ 'a'", "p1"),
        ("tags:each = ''", "p2 p4"),
        ("one:each = 'a'", "p0"),
        ("one:length = 1", "p0 p3"),
        ("cats:length = 3", "p3"),
        ("cats:each ?= 'c2'", "p3"),
    ];
    check_all(&Library::open().await, &cases).await;
}

#[tokio::test]
async fn json() {
    let cases = [
        ("extra.b.c = 1", "p0"),
        ("extra.b.c = '1'", ""),
        ("extra.b.c ~ 1", "p0"),
        ("extra.l.1 = 'y'", "p0"),
        ("extra.t = '5'", "p0"),
        ("extra.t = 5", ""),
        ("extra.f = true", "p0"),
        ("extra.b = '{\"c\":1}'", "p0"),
        ("extra = 'text'", "p1"),
        ("extra = 5", "p4"),
        ("extra = null", "p2"),
        ("extra = ''", ""),
        ("extra != null", "p0 p1 p3 p4"),
        ("extra.b.c = null", "p1 p2 p3 p4"),
        ("extra > 4", "p0 p1 p3 p4"),
        ("extra < 'u'", "p1 p3 p4"),
        ("extra.1 = '2'", "p3"),
        ("extra.t = title", ""),
        ("extra.b.c = extra.nope", "p1 p2 p3 p4"),
        ("extra:lower = 'text'", "p1"),
        ("place.lon = 1", "p0 p3"),
        ("geoDistance(place.lon, place.lat, 1, 2) = 0", "p0 p3"),
        ("geoDistance(place.lon, place.lat, 23, 42.5) < 50", "p1"),
        ("geoDistance(extra.b.c, 0, 0, 0) > 0", "p0"),
    ];
    check_all(&Library::open().await, &cases).await;
}

#[tokio::test]
async fn times() {
    let cases = [
        ("strftime('%Y', at) = '2024'", "p0"),
        ("strftime('%Y', at) = 2024", ""),
        (
            "strftime('%Y-%m-%d %H:%M:%S', at) = '2024-02-29 12:30:45'",
            "p0",
        ),
        ("strftime('%Y', at) = ''", "p2 p3 p4"),
        ("strftime('%Y', at, '+1 days') = '2024'", "p0 p1"),
        (
            "strftime('%d', at, 'start of month', '+1 months', '-1 days') = '29'",
            "p0",
        ),
        ("strftime('%Y-%m-%d', at, '+1 years') = '2025-03-01'", "p0"),
        ("strftime('%w|%j|%W', at) = '0|365|52'", "p1"),
        ("strftime('%f', at) ~ '45.678'", "p0"),
        ("strftime('%Y', title) = null", "p0 p2 p4"),
        ("strftime('%Y', 'now') > '2000'", "p0 p1 p2 p3 p4"),
    ];
    // Texts that are numbers are days of the Julian calendar to SQLite alone.
    let library = Library::open().await;
    let postgres = crate::testing::Fixture::is_postgres();
    for (rule, expected) in cases {
        if !(postgres && rule.contains("title")) {
            check_all(&library, &[(rule, expected)]).await;
        }
    }
}

#[tokio::test]
async fn relations() {
    let cases = [
        ("cat = 'c1'", "p0"),
        ("cat.id = 'gone'", "p4"),
        ("cat.name = 'one'", "p0"),
        ("cat.name = ''", "p1 p2 p4"),
        ("cat.name != ''", "p0 p3"),
        ("cat.name != 'one'", "p1 p2 p3 p4"),
        ("cat.rank = ''", "p1 p2 p4"),
        ("cat.rank > 1", "p0 p3"),
        ("cat.parent.name = 'one'", "p3"),
        ("cat.parent.parent.name = 'zero'", "p3"),
        ("cats.name = 'one'", "p1"),
        ("cats.name ?= 'one'", "p0 p1 p3"),
        ("cats.name != 'one'", "p2 p4"),
        ("cats.name ?!= 'one'", "p0 p2 p3 p4"),
        ("cats.name = ''", "p2 p4"),
        ("cats.name != ''", "p0 p1 p3"),
        ("cats.rank < 2", "p0 p1"),
        ("cats.rank ?< 1", "p0 p3"),
        ("cats.name ~ 'o'", "p0 p1 p3"),
        ("cats.id ?= 'c2'", "p3"),
        ("cats.parent.name ?= 'zero'", "p0 p1 p3"),
        ("cats.name:lower ?= 'two'", "p3"),
        ("cats.name ?= 'zero' && cats.rank ?> 1", ""),
        ("cats.name ?= 'one' && cats.rank ?> 1", "p0 p1 p3"),
        ("cats.name ?= 'two' || title = '5'", "p1"),
        ("author.name = cat.name", "p0 p2 p4"),
        ("author.favs.name = cats.name", "p2 p4"),
        ("author.favs.name ?= cats.name", "p0 p2 p3 p4"),
        ("cats.name ~ cat.name", ""),
        ("cats.name ?~ cat.name", "p0 p3"),
        ("author.favs:length = 2", "p0 p3"),
        ("author.favs:each ?= cat", "p0 p1 p2"),
        ("strftime('%Y', cats.name) = ''", "p0 p1 p2 p3 p4"),
    ];
    check_all(&Library::open().await, &cases).await;
}

#[tokio::test]
async fn back_relations() {
    let library = Library::open().await;
    let cases = [
        ("posts_via_cat.title = 'Alpha'", "c1"),
        ("posts_via_cat.views ?= 5", "c1"),
        ("posts_via_cats.title ?= '5'", "c1"),
        ("posts_via_cats.title != '5'", "c0 c2"),
        ("posts_via_cats.author.name ?= 'bob'", "c1"),
        ("cats_via_parent.cats_via_parent.name = 'Two'", "c0"),
        ("people_via_favs.email ?~ 'ann'", "c0 c1"),
        ("posts_via_cat.tags:each ?= 'c'", "c2"),
        ("posts_via_cat.tags:length > 1", "c1"),
        ("posts_via_cat.id = ''", "c0"),
        ("name = 'one' && posts_via_cat.open ?= true", "c1"),
    ];
    for (rule, expected) in cases {
        let found = library.find("cats", rule, Author::Trusted).await;
        assert_eq!(found, expected, "{rule}");
    }
}

#[tokio::test]
async fn what_names_do_not_mean() {
    let library = Library::open().await;
    let check = async |text: &str| library.find("posts", text, Author::Trusted).await;
    for name in [
        "nope",
        "title.x",
        "title:nope",
        "cat.nope",
        "cats.0",
        "@nope",
        "@now.x",
        "@now:lower",
        "collectionId",
        "posts_via_nope.id",
        "nope_via_cat.id",
        "posts_via_cat.id",
        "tags.0",
        "extra.a#b",
        "cat.id.name",
        "@collection.posts",
        "@collection.nope.id",
        "@request.nope",
        "@request.auth",
        "@request.method:lower",
        "@request.body.title:each",
        "@request.body.nope:changed",
        "@request.body.extra:length",
    ] {
        let reason = check(&format!("{name} = 1")).await;
        assert!(
            reason.starts_with("invalid left operand \""),
            "{name}: {reason}"
        );
    }
    let deep = format!("cat.{}name = 'a'", "parent.".repeat(6));
    assert!(check(&deep).await.contains("max nested relations"));
    let six = format!("cat.{}name = 'zero'", "parent.".repeat(5));
    assert_eq!(check(&six).await, "");
    let joins: Vec<String> = (0..80)
        .map(|each| format!("@collection.cats:a{each}.id ?= 'c0'"))
        .collect();
    assert!(
        check(&joins.join("&&"))
            .await
            .contains("more than 64 steps")
    );
    for call in [
        "geoDistance(1, 2, 3) > 1",
        "geoDistance('a', 2, 3, 4) > 1",
        "nope(1) = 1",
        "strftime() = ''",
        "strftime(title) = ''",
        "strftime('%Y', at, views) = ''",
    ] {
        assert!(
            check(call).await.starts_with("invalid left operand"),
            "{call}"
        );
    }
}

#[tokio::test]
async fn many_paths_are_not_multiplied() {
    let library = Library::open().await;
    let each = "cats.name ?= 'one' && posts_via_nothing"
        .split(" && ")
        .next();
    let parts: Vec<String> = (0..30)
        .map(|number| format!("@collection.posts:a{number}.views ?= 5"))
        .collect();
    let rule = format!("{} && {}", each.unwrap_or_default(), parts.join(" && "));
    assert_eq!(
        library.find("posts", &rule, Author::Trusted).await,
        "p0 p1 p3"
    );
}
