//! Buckets and listings.

use http::Method;

use super::{Storage, signer::encode};
use crate::Put;

async fn filled(keys: &[&str]) -> Storage {
    let storage = Storage::new().await;
    for key in keys {
        let target = encode(&format!("/inbox/{key}"));
        assert_eq!(storage.put(&target, "x").await.outcome(), "200", "{key:?}");
    }
    storage
}

/// Keys, then groups, of every page of a version 2 listing.
async fn pages(storage: &Storage, query: &str) -> Vec<String> {
    let mut pages = Vec::new();
    let mut token = String::new();
    loop {
        let answer = storage
            .get(&format!("/inbox?list-type=2&{query}{token}"))
            .await;
        assert_eq!(answer.outcome(), "200", "{}", answer.text());
        let keys = answer.elements("Key");
        let groups: Vec<String> = answer
            .elements("CommonPrefixes")
            .iter()
            .map(|group| group.replace("<Prefix>", "").replace("</Prefix>", ""))
            .collect();
        pages.push([keys, groups].concat().join(" "));
        match answer.element("NextContinuationToken") {
            Some(next) => token = format!("&continuation-token={next}"),
            None => return pages,
        }
        assert!(pages.len() < 100, "the listing does not end");
    }
}

#[tokio::test]
async fn listings_are_ordered_grouped_and_paged() {
    let storage = filled(&[
        "a", "b/1", "b/2", "b/c/3", "b-x", "c/1", "é", "Z", "..", "/x", "//y",
    ])
    .await;
    for (query, expected) in [
        ("", vec![".. //y /x Z a b-x b/1 b/2 b/c/3 c/1 é"]),
        ("prefix=b", vec!["b-x b/1 b/2 b/c/3"]),
        ("prefix=b%2F&delimiter=%2F", vec!["b/1 b/2 b/c/"]),
        ("delimiter=%2F", vec![".. Z a b-x é / b/ c/"]),
        ("delimiter=", vec![".. //y /x Z a b-x b/1 b/2 b/c/3 c/1 é"]),
        (
            "max-keys=4",
            vec![".. //y /x Z", "a b-x b/1 b/2", "b/c/3 c/1 é"],
        ),
        (
            "delimiter=%2F&max-keys=2",
            vec![".. /", "Z a", "b-x b/", "é c/"],
        ),
        ("start-after=b%2F2", vec!["b/c/3 c/1 é"]),
        ("prefix=none", vec![""]),
        ("delimiter=1", vec![".. //y /x Z a b-x b/2 b/c/3 é b/1 c/1"]),
        ("prefix=b%2F&delimiter=%2F&start-after=b%2Fc%2F", vec![""]),
    ] {
        assert_eq!(pages(&storage, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn large_groups_are_skipped_whole() {
    let storage = Storage::new().await;
    for index in 0..150 {
        storage
            .objects
            .put("inbox", &format!("a/{index:03}"), Put::default(), body())
            .await
            .unwrap();
    }
    for key in ["b/1", "c"] {
        storage
            .objects
            .put("inbox", key, Put::default(), body())
            .await
            .unwrap();
    }
    assert_eq!(pages(&storage, "delimiter=%2F").await, ["c a/ b/"]);
    assert_eq!(
        pages(&storage, "delimiter=%2F&max-keys=1").await,
        ["a/", "b/", "c"]
    );
    let all = pages(&storage, "max-keys=100").await;
    assert_eq!(
        all.iter()
            .map(|page| page.split(' ').count())
            .collect::<Vec<_>>(),
        [100, 52]
    );
}

fn body() -> crate::Body {
    Box::pin(futures_util::stream::once(async {
        Ok(bytes::Bytes::from_static(b"x"))
    }))
}

#[tokio::test]
async fn version_one_pages_by_key() {
    let storage = filled(&["a", "b/1", "b/2", "c"]).await;
    let first = storage.get("/inbox?delimiter=%2F&max-keys=2").await;
    assert_eq!(first.element("NextMarker").as_deref(), Some("b/"));
    assert_eq!(first.element("IsTruncated").as_deref(), Some("true"));
    let second = storage
        .get("/inbox?delimiter=%2F&max-keys=2&marker=b%2F")
        .await;
    assert_eq!(second.elements("Key"), ["c"]);
    assert_eq!(second.element("IsTruncated").as_deref(), Some("false"));
}

#[tokio::test]
async fn listing_arguments_are_checked_and_clamped() {
    let storage = filled(&["a b", "x\u{1}y"]).await;
    for (query, expected) in [
        ("list-type=2&max-keys=-1", "400 InvalidArgument"),
        ("max-keys=-1", "400 InvalidArgument"),
        (
            "list-type=2&continuation-token=garbage",
            "400 InvalidArgument",
        ),
        ("list-type=2&encoding-type=base64", "400 InvalidArgument"),
        ("list-type=2&max-keys=0", "200"),
        ("list-type=2&max-keys=5000", "200"),
    ] {
        let answer = storage.get(&format!("/inbox?{query}")).await;
        assert_eq!(answer.outcome(), expected, "{query}: {}", answer.text());
    }
    let clamped = storage.get("/inbox?list-type=2&max-keys=5000").await;
    assert_eq!(clamped.element("MaxKeys").as_deref(), Some("1000"));
    assert_eq!(clamped.elements("Key"), ["a b", "x\u{FFFD}y"]);
    let none = storage.get("/inbox?list-type=2&max-keys=0").await;
    assert_eq!(
        (none.elements("Key").len(), none.element("IsTruncated")),
        (0, Some("false".into()))
    );
    let encoded = storage.get("/inbox?list-type=2&encoding-type=url").await;
    assert_eq!(encoded.elements("Key"), ["a%20b", "x%01y"]);
    assert_eq!(encoded.element("EncodingType").as_deref(), Some("url"));
}

#[tokio::test]
async fn buckets_are_made_found_and_removed() {
    let storage = Storage::new().await;
    for (method, target, expected) in [
        (Method::PUT, "/second", "200"),
        (Method::PUT, "/second", "409 BucketAlreadyOwnedByYou"),
        (Method::PUT, "/Not_A_Bucket", "400 InvalidBucketName"),
        (Method::HEAD, "/second", "200"),
        (Method::HEAD, "/nowhere", "404"),
        (Method::GET, "/nowhere?list-type=2", "404 NoSuchBucket"),
        (Method::GET, "/nowhere/key", "404 NoSuchBucket"),
        (Method::GET, "/second/key", "404 NoSuchKey"),
        (Method::PUT, "/nowhere/key", "404 NoSuchBucket"),
        (Method::DELETE, "/nowhere/key", "404 NoSuchBucket"),
        (Method::DELETE, "/nowhere", "404 NoSuchBucket"),
        (Method::PUT, "/second/key", "200"),
        (Method::DELETE, "/second", "409 BucketNotEmpty"),
        (Method::DELETE, "/second/key", "204"),
        (Method::DELETE, "/second/key", "204"),
        (Method::DELETE, "/second", "204"),
        (Method::HEAD, "/second", "404"),
    ] {
        let answer = storage.call(method.clone(), target, &[], "").await;
        assert_eq!(answer.outcome(), expected, "{method} {target}");
    }
    let all = storage.get("/").await;
    assert_eq!(all.elements("Name"), ["inbox"]);
    let location = storage.get("/inbox?location").await;
    assert!(
        location.text().contains("LocationConstraint"),
        "{}",
        location.text()
    );
}

#[tokio::test]
async fn many_keys_are_deleted_at_once() {
    let storage = filled(&["a", "b", "c"]).await;
    let delete = |keys: &[&str], quiet: bool| {
        let keys: Vec<String> = keys
            .iter()
            .map(|key| format!("<Object><Key>{key}</Key></Object>"))
            .collect();
        let keys = keys.concat();
        format!("<Delete>{keys}<Quiet>{quiet}</Quiet></Delete>")
    };
    let answer = storage
        .call(
            Method::POST,
            "/inbox?delete",
            &[],
            delete(&["a", "none"], false),
        )
        .await;
    assert_eq!(answer.outcome(), "200", "{}", answer.text());
    assert_eq!(answer.elements("Key"), ["a", "none"]);
    let quiet = storage
        .call(Method::POST, "/inbox?delete", &[], delete(&["b"], true))
        .await;
    assert_eq!(quiet.elements("Key").len(), 0);
    assert_eq!(pages(&storage, "").await, ["c"]);
    let many: Vec<String> = (0..1_001).map(|index| index.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (body, expected) in [
        (delete(&many, false), "400 MalformedXML"),
        ("<Delete></Delete>".to_owned(), "400 MalformedXML"),
        ("not xml".to_owned(), "400 MalformedXML"),
    ] {
        let answer = storage.call(Method::POST, "/inbox?delete", &[], body).await;
        assert_eq!(answer.outcome(), expected);
    }
}
