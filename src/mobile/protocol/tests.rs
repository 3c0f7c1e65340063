//! Cases for requests and answers.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::json;

use super::{Answer, Format, ManifestQuery, ManifestRequest, negotiate, parse, respond};

fn request(headers: &[(&'static str, &'static str)]) -> Result<ManifestRequest, StatusCode> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    parse(&map, &ManifestQuery::default()).map_err(|(status, _)| status)
}

const IOS: (&str, &str) = ("expo-platform", "ios");
const RUNTIME: (&str, &str) = ("expo-runtime-version", "1.0");

#[test]
fn requests_are_read_and_bad_ones_refused() {
    let good = request(&[
        IOS,
        RUNTIME,
        ("expo-protocol-version", "1"),
        (
            "accept",
            "multipart/mixed,application/expo+json,application/json",
        ),
        ("expo-current-update-id", "ABC"),
    ])
    .unwrap();
    assert_eq!(good.format, Format::Multipart);
    assert_eq!(good.channel, "production");
    assert_eq!(good.current_update.as_deref(), Some("abc"));
    for (headers, status) in [
        (vec![RUNTIME], StatusCode::BAD_REQUEST),
        (
            vec![("expo-platform", "web"), RUNTIME],
            StatusCode::BAD_REQUEST,
        ),
        (vec![IOS], StatusCode::BAD_REQUEST),
        (
            vec![IOS, ("expo-runtime-version", "a b")],
            StatusCode::BAD_REQUEST,
        ),
        (
            vec![IOS, RUNTIME, ("expo-channel-name", "a\"b")],
            StatusCode::BAD_REQUEST,
        ),
        (
            vec![IOS, RUNTIME, ("expo-protocol-version", "0")],
            StatusCode::NOT_ACCEPTABLE,
        ),
        (
            vec![IOS, RUNTIME, ("expo-protocol-version", "2")],
            StatusCode::NOT_ACCEPTABLE,
        ),
        (
            vec![IOS, RUNTIME, ("accept", "text/html")],
            StatusCode::NOT_ACCEPTABLE,
        ),
    ] {
        assert_eq!(request(&headers).unwrap_err(), status, "{headers:?}");
    }
}

#[test]
fn formats_are_negotiated() {
    for (accept, expected) in [
        (
            "multipart/mixed,application/expo+json,application/json",
            Some(Format::Multipart),
        ),
        (
            "application/expo+json;q=0.9, multipart/mixed;q=0.8",
            Some(Format::ExpoJson),
        ),
        ("application/json", Some(Format::Json)),
        ("application/*", Some(Format::ExpoJson)),
        ("*/*", Some(Format::ExpoJson)),
        ("multipart/mixed;q=0, */*", Some(Format::ExpoJson)),
        ("Multipart/Mixed", Some(Format::Multipart)),
        ("text/html", None),
        ("application/json;q=0", None),
        ("application/json;q=nonsense", None),
        ("", None),
    ] {
        assert_eq!(negotiate(accept), expected, "{accept}");
    }
}

async fn answer(format: &'static str, answer: Answer) -> (u16, String, String) {
    let request = request(&[IOS, RUNTIME, ("accept", format)]).unwrap();
    let response = respond(&request, &answer);
    assert_eq!(response.headers()["expo-protocol-version"], "1");
    assert_eq!(response.headers()["expo-sfv-version"], "0");
    assert_eq!(response.headers()["cache-control"], "private, max-age=0");
    assert_eq!(
        response.headers()["expo-manifest-filters"],
        "channel=\"production\""
    );
    let content_type = response.headers().get("content-type");
    let content_type = content_type
        .map_or("", |value| value.to_str().unwrap())
        .to_owned();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (
        status,
        content_type,
        String::from_utf8(body.to_vec()).unwrap(),
    )
}

#[tokio::test]
async fn answers_are_written_in_the_format_that_was_asked_for() {
    let manifest = json!({ "id": "x" });
    let update = || Answer::Manifest(manifest.clone());
    let (status, content_type, body) = answer("multipart/mixed", update()).await;
    assert_eq!(
        (status, content_type.as_str()),
        (200, "multipart/mixed; boundary=mito-expo-update")
    );
    assert!(
        body.starts_with("--mito-expo-update\r\n") && body.ends_with("--mito-expo-update--\r\n")
    );
    assert!(
        body.contains(
            "name=\"manifest\"\r\ncontent-type: application/json\r\n\r\n{\"id\":\"x\"}\r\n"
        )
    );
    let (_, _, body) = answer("multipart/mixed", Answer::NoUpdate).await;
    assert!(
        body.contains("name=\"directive\"") && body.contains("{\"type\":\"noUpdateAvailable\"}")
    );
    let (status, content_type, body) = answer("application/expo+json", update()).await;
    assert_eq!(
        (status, content_type.as_str()),
        (200, "application/expo+json")
    );
    assert_eq!(body, "{\"id\":\"x\"}");
    let (status, content_type, body) = answer("application/json", Answer::NoUpdate).await;
    assert_eq!(
        (status, content_type.as_str(), body.as_str()),
        (204, "", "")
    );
}
