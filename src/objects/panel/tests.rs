//! The object browser's routes over a real store.

use http::Request;
use tower::ServiceExt as _;

use super::*;
use crate::s3::tests::Storage;

async fn call(
    router: &Router,
    method: &str,
    uri: &str,
    body: &str,
) -> (StatusCode, HeaderMap, String) {
    let mut request = Request::builder().method(method).uri(uri);
    if method == "POST" {
        request = request.header("content-type", "application/json");
    } else {
        request = request.header("content-type", "text/html");
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 1_000_000).await.unwrap();
    (
        parts.status,
        parts.headers,
        String::from_utf8(body.to_vec()).unwrap(),
    )
}

#[tokio::test]
async fn buckets_and_objects_are_browsed_and_changed() {
    let storage = Storage::new().await;
    let router = routes(storage.objects.clone());
    for (method, uri, body, expected) in [
        ("POST", "/buckets", "{\"name\":\"second\"}", 201),
        ("POST", "/buckets", "{\"name\":\"second\"}", 409),
        ("POST", "/buckets", "{\"name\":\"Bad Name\"}", 400),
        (
            "PUT",
            "/buckets/second/objects/dir/a%20b.html",
            "<script>",
            200,
        ),
        ("PUT", "/buckets/nowhere/objects/a", "x", 404),
        ("GET", "/buckets/second/objects/none", "", 404),
        ("DELETE", "/buckets/second", "", 409),
    ] {
        let (status, headers, text) = call(&router, method, uri, body).await;
        assert_eq!(status.as_u16(), expected, "{method} {uri}: {text}");
        if status.is_client_error() {
            assert_eq!(
                headers["content-type"], "application/problem+json",
                "{method} {uri}"
            );
        }
    }
    let (_, _, text) = call(&router, "GET", "/buckets", "").await;
    let page: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(page["items"][1]["name"], "second");
    let (_, _, text) = call(&router, "GET", "/buckets/second/objects?delimiter=/", "").await;
    let page: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&page["prefixes"][0], &page["next"]),
        (&"dir/".into(), &serde_json::Value::Null)
    );
    let (_, _, text) = call(
        &router,
        "GET",
        "/buckets/second/objects?prefix=dir/&limit=1",
        "",
    )
    .await;
    let page: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(page["items"][0]["key"], "dir/a b.html");
    assert_eq!(page["items"][0]["content_type"], "text/html");

    let uri = "/buckets/second/objects/dir/a%20b.html";
    let (_, headers, text) = call(&router, "GET", uri, "").await;
    assert_eq!(text, "<script>");
    assert_eq!(
        headers["content-disposition"],
        "attachment; filename*=UTF-8''a%20b.html"
    );
    assert_eq!(
        headers["content-security-policy"],
        "default-src 'none'; sandbox"
    );
    assert_eq!(
        call(&router, "DELETE", uri, "").await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(call(&router, "GET", uri, "").await.0, StatusCode::NOT_FOUND);
    assert_eq!(
        call(&router, "DELETE", "/buckets/second", "").await.0,
        StatusCode::NO_CONTENT
    );
}

#[tokio::test]
async fn the_files_of_records_are_read_and_not_changed() {
    let storage = Storage::new().await;
    let router = routes(storage.objects.clone());
    let (bucket, put) = (names::RECORDS_BUCKET, Put::default());
    storage.objects.create_bucket(bucket).await.unwrap();
    let body = futures_util::stream::iter([Ok(bytes::Bytes::from_static(b"x"))]);
    storage
        .objects
        .put(bucket, "a", put, Box::pin(body))
        .await
        .unwrap();
    for (method, uri, body, expected) in [
        ("POST", "/buckets", "{\"name\":\"mito-records\"}", 403),
        ("PUT", "/buckets/mito-records/objects/a", "y", 403),
        ("DELETE", "/buckets/mito-records/objects/a", "", 403),
        ("DELETE", "/buckets/mito-records", "", 403),
        ("GET", "/buckets/mito-records/objects/a", "", 200),
    ] {
        let (status, _, text) = call(&router, method, uri, body).await;
        assert_eq!(status.as_u16(), expected, "{method} {uri}: {text}");
    }
    for (outcome, expected) in [
        (
            storage.put("/mito-records/b", "y").await.outcome(),
            "403 AccessDenied",
        ),
        (
            storage.put("/mito-records", "").await.outcome(),
            "403 AccessDenied",
        ),
        (
            storage.delete("/mito-records/a").await.outcome(),
            "403 AccessDenied",
        ),
        (
            storage.delete("/mito-records").await.outcome(),
            "403 AccessDenied",
        ),
        (storage.get("/mito-records/a").await.outcome(), "200"),
    ] {
        assert_eq!(outcome, expected);
    }
}
