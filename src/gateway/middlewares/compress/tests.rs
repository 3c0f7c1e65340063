//! What is compressed, and that nothing is held back.

use futures_util::{StreamExt as _, stream};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::{
    super::testing::{Service, context, get, layer, refused, send},
    *,
};

async fn platform(content_type: &str, length: usize, accept: &'static str, encoded: bool) {
    let response = Response::builder()
        .header(header::CONTENT_TYPE, content_type)
        .body(Body::from("a".repeat(length)))
        .expect("a response");
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accept));
    let response = compress(accepted(&headers), response).await;
    let shown = response.headers().get(header::CONTENT_ENCODING).is_some();
    assert_eq!(shown, encoded, "{content_type} {length} {accept}");
    let body = response.into_body().collect().await.expect("a body");
    let smaller = body.to_bytes().len() < length;
    assert_eq!(smaller, encoded, "{content_type} {length} {accept}");
}

#[tokio::test]
async fn only_what_is_worth_it_is_compressed() {
    platform("text/html", 5_000, "gzip, br", true).await;
    platform("text/html", 5_000, "identity", false).await;
    platform("text/html", 100, "gzip", false).await;
    platform("text/event-stream", 5_000, "gzip", false).await;
    platform("image/png", 5_000, "gzip", false).await;
    platform("image/svg+xml", 5_000, "gzip", true).await;
    platform("application/zip", 5_000, "gzip", false).await;
}

/// The encoding of an answer of 2,000 bytes.
async fn check(options: Value, accept: &str, answer: (&'static str, &'static str), expected: &str) {
    let (name, value) = answer;
    let service = Service::answering(move || {
        let mut response = Response::new(Body::from("a".repeat(2_000)));
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
        response
    });
    let mut request = get("/");
    if !accept.is_empty() {
        let accept = HeaderValue::try_from(accept).expect("a value");
        request
            .headers_mut()
            .insert(header::ACCEPT_ENCODING, accept);
    }
    let layer = layer(json!({"compress": options}));
    let answer = send(&layer, &context(), request, &service).await;
    let encoding = answer.headers().get(header::CONTENT_ENCODING);
    let encoding = encoding.map_or("", |it| it.to_str().expect("text"));
    assert_eq!(encoding, expected, "{options} {accept} {name}: {value}");
}

#[tokio::test]
async fn the_options_say_what_is_compressed_and_how() {
    const HTML: (&str, &str) = ("content-type", "text/html; charset=utf-8");
    check(json!({}), "zstd, br, gzip", HTML, "gzip").await;
    check(json!({}), "br", HTML, "br").await;
    check(json!({}), "zstd", HTML, "zstd").await;
    check(json!({}), "", HTML, "").await;
    check(json!({"defaultEncoding": "br"}), "", HTML, "br").await;
    check(
        json!({"encodings": ["zstd", "gzip"]}),
        "gzip, br, zstd",
        HTML,
        "zstd",
    )
    .await;
    check(json!({"encodings": ["zstd"]}), "gzip", HTML, "").await;
    check(json!({"minResponseBodyBytes": 2_001}), "gzip", HTML, "").await;
    check(json!({"minResponseBodyBytes": 2_000}), "gzip", HTML, "gzip").await;
    check(
        json!({"excludedContentTypes": ["TEXT/html; x=y"]}),
        "gzip",
        HTML,
        "",
    )
    .await;
    check(
        json!({"excludedContentTypes": ["text/plain"]}),
        "gzip",
        HTML,
        "gzip",
    )
    .await;
    check(
        json!({"includedContentTypes": ["text/plain"]}),
        "gzip",
        HTML,
        "",
    )
    .await;
    check(
        json!({"includedContentTypes": ["text/html"]}),
        "gzip",
        HTML,
        "gzip",
    )
    .await;
    let image = ("content-type", "image/png");
    check(
        json!({"includedContentTypes": ["image/png"]}),
        "gzip",
        image,
        "gzip",
    )
    .await;
    let events = ("content-type", "text/event-stream");
    check(
        json!({"includedContentTypes": ["text/event-stream"]}),
        "gzip",
        events,
        "",
    )
    .await;
    check(json!({}), "gzip", ("content-encoding", "zstd"), "zstd").await;
    check(
        json!({}),
        "gzip",
        ("cache-control", "public, no-transform"),
        "",
    )
    .await;
    check(
        json!({}),
        "gzip",
        ("content-type", "application/grpc+proto"),
        "",
    )
    .await;
}

#[tokio::test]
async fn what_is_streamed_goes_on_at_once() {
    for encoding in Encoding::ALL {
        let service = Service::answering(|| {
            let first = stream::iter([Ok::<_, axum::Error>("{\"line\":1}\n")]);
            let mut response = Response::new(Body::from_stream(first.chain(stream::pending())));
            let kind = HeaderValue::from_static("application/x-ndjson");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        });
        let mut request = get("/");
        let accept = HeaderValue::from_static(encoding.name());
        request
            .headers_mut()
            .insert(header::ACCEPT_ENCODING, accept);
        let layer = layer(json!({"compress": {}}));
        let answer = send(&layer, &context(), request, &service).await;
        assert_eq!(answer.headers()[header::CONTENT_ENCODING], encoding.name());
        let (mut body, mut length) = (answer.into_body(), 0);
        // More than the encoding's own first bytes: the line itself.
        while length < 11 {
            let frame = body.frame().await.expect("a frame").expect("a frame");
            length += frame.data_ref().map_or(0, bytes::Bytes::len);
        }
    }
}

#[test]
fn mistakes_are_named() {
    let check = |options: Value, expected: &str| refused(json!({"compress": options}), expected);
    let both = json!({"excludedContentTypes": ["a/b"], "includedContentTypes": ["a/b"]});
    check(both, "mutually exclusive");
    check(
        json!({"encodings": ["gzip", "deflate"]}),
        "compress.encodings[1]: \"deflate\"",
    );
    check(
        json!({"encodings": ["gzip"], "defaultEncoding": "br"}),
        "compress.defaultEncoding: \"br\"",
    );
    check(
        json!({"excludedContentTypes": ["text"]}),
        "compress.excludedContentTypes[0]: \"text\"",
    );
}
