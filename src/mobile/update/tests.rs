//! Cases for publications and manifests.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Publication, Stored, content_type_of_path, with_base};

fn good() -> Value {
    json!({
        "runtimeVersion": "1.0.0", "platform": "ios",
        "launchAsset": { "key": "bundle", "contentType": "application/javascript" },
        "assets": [{ "key": "logo", "contentType": "image/png", "fileExtension": ".png" }],
    })
}

fn check(change: impl FnOnce(&mut Value), field: &str, expected: &str) {
    let mut bad = good();
    change(&mut bad);
    let (reason, found) = Publication::from_json(bad.to_string().as_bytes()).unwrap_err();
    assert_eq!(found, field, "{bad}");
    assert!(reason.contains(expected), "{bad}: {reason}");
}

#[test]
fn bad_publications_are_refused_by_field() {
    check(
        |it| it["runtimeVersion"] = json!(""),
        "runtimeVersion",
        "must be",
    );
    check(
        |it| it["runtimeVersion"] = json!("1\r\nX: y"),
        "runtimeVersion",
        "must be",
    );
    check(
        |it| it["platform"] = json!("windows"),
        "update",
        "unknown variant",
    );
    check(|it| it["channel"] = json!("a b"), "channel", "must be");
    check(|it| it["channel"] = json!(".."), "channel", "must be");
    check(
        |it| it["message"] = json!("x".repeat(5_000)),
        "message",
        "at most",
    );
    check(
        |it| it["extra"] = json!({"a": "x".repeat(100_000)}),
        "extra",
        "at most",
    );
    check(|it| it["extra"] = json!([]), "update", "invalid type");
    check(
        |it| it["launchAsset"]["key"] = json!("update"),
        "launchAsset",
        "no key",
    );
    check(
        |it| it["launchAsset"]["key"] = json!("a/b"),
        "launchAsset",
        "no key",
    );
    check(
        |it| it["launchAsset"]["contentType"] = json!("text"),
        "launchAsset",
        "content type",
    );
    check(
        |it| it["launchAsset"]["contentType"] = json!("a/b\r\nc: d"),
        "launchAsset",
        "content type",
    );
    check(
        |it| it["assets"][0]["fileExtension"] = json!("png"),
        "assets",
        "must be a dot",
    );
    check(
        |it| it["assets"][0]["fileExtension"] = json!("./x"),
        "assets",
        "must be a dot",
    );
    check(
        |it| it["assets"][0]["fileExtension"] = Value::Null,
        "assets",
        "needs a fileExtension",
    );
    check(
        |it| it["assets"][0]["key"] = json!("bundle"),
        "assets",
        "is there twice",
    );
    check(
        |it| {
            let asset = it["assets"][0].clone();
            it["assets"] = json!(vec![asset; 3_000]);
        },
        "assets",
        "at most",
    );
    check(|it| it["colour"] = json!("red"), "update", "unknown field");
    check(|it| *it = json!("x"), "update", "invalid type");
}

#[test]
fn the_manifest_says_what_was_stored() {
    let publication = Publication::from_json(good().to_string().as_bytes()).unwrap();
    assert_eq!(publication.channel, "production");
    let mut stored = BTreeMap::new();
    assert_eq!(publication.missing(&stored), ["logo", "bundle"]);
    stored.insert(
        "logo".to_owned(),
        Stored {
            sha256: [0xff; 32],
            size_bytes: 1,
        },
    );
    stored.insert(
        "bundle".to_owned(),
        Stored {
            sha256: [0; 32],
            size_bytes: 2,
        },
    );
    assert!(publication.missing(&stored).is_empty());
    let manifest = publication.manifest("id", 1_700_000_000_000, &stored);
    let manifest = with_base(manifest, "https://m.example.com");
    assert_eq!(manifest["createdAt"], "2023-11-14T22:13:20Z");
    assert_eq!(manifest["metadata"], json!({ "channel": "production" }));
    // SHA-256 in URL-safe base64 without padding.
    assert_eq!(
        manifest["assets"][0]["hash"],
        "__________________________________________8"
    );
    assert_eq!(
        manifest["assets"][0]["url"],
        format!(
            "https://m.example.com/api/assets/{}/image~png",
            "ff".repeat(32)
        )
    );
    assert_eq!(manifest["assets"][0]["fileExtension"], ".png");
    assert_eq!(manifest["launchAsset"]["fileExtension"], Value::Null);
}

#[test]
fn content_types_in_paths_read_back() {
    for (segment, expected) in [
        ("image~png", Some("image/png")),
        ("application~vnd.x+json", Some("application/vnd.x+json")),
        ("image", None),
        ("~", None),
        ("text~html; charset=x", None),
        ("a~b~c", None),
    ] {
        assert_eq!(
            content_type_of_path(segment).as_deref(),
            expected,
            "{segment}"
        );
    }
}
