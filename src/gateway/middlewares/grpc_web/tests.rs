//! What browsers and services see of one another.

use serde_json::json;

use super::{
    super::testing::{Service, context, get, layer, send},
    *,
};

fn rpc(kind: &str, body: &'static str) -> Request<Body> {
    let mut request = get("/service/Method").map(|_| Body::from(body));
    *request.method_mut() = Method::POST;
    let headers = request.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind.parse().expect("a type"));
    let origin = HeaderValue::from_static("https://a.test");
    headers.insert(header::ORIGIN, origin);
    request
}

fn service() -> Service {
    Service::answering(|| {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        trailers.insert("grpc-message", HeaderValue::from_static("fine"));
        let body = Body::from("hello").with_trailers(async move { Some(Ok(trailers)) });
        let mut response = Response::new(Body::new(body));
        let kind = HeaderValue::from_static("application/grpc+proto");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    })
}

async fn ask(request: Request<Body>, service: &Service) -> (HeaderMap, Bytes) {
    let layer = layer(json!({"grpcWeb": {"allowOrigins": ["https://a.test"]}}));
    let response = send(&layer, &context(), request, service).await;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("a body");
    assert!(body.trailers().is_none());
    (parts.headers, body.to_bytes())
}

#[tokio::test]
async fn both_sides_hear_their_own_words() {
    let service = service();
    let (headers, body) = ask(rpc("application/grpc-web+proto", "abc"), &service).await;
    let trailers = b"hello\x80\0\0\0\x24grpc-message: fine\r\ngrpc-status: 0\r\n";
    assert_eq!(&body[..], trailers);
    assert_eq!(headers["content-type"], "application/grpc-web+proto");
    assert_eq!(headers["access-control-allow-origin"], "https://a.test");
    assert_eq!(headers["access-control-allow-credentials"], "true");
    let exposed = headers["access-control-expose-headers"]
        .to_str()
        .expect("text");
    assert!(
        exposed.ends_with(", grpc-status, grpc-message"),
        "{exposed}"
    );
    let seen = service.one();
    assert_eq!(seen.headers["content-type"], "application/grpc+proto");
    assert_eq!(seen.headers["te"], "trailers");
    assert_eq!(&seen.body[..], b"abc");
}

#[tokio::test]
async fn text_is_base64_both_ways() {
    let service = service();
    let (headers, body) = ask(rpc("application/grpc-web-text", "YQ==YmNkZWY="), &service).await;
    assert_eq!(headers["content-type"], "application/grpc-web-text+proto");
    let expected = "aGVsbG8=gAAAACRncnBjLW1lc3NhZ2U6IGZpbmUNCmdycGMtc3RhdHVzOiAwDQo=";
    assert_eq!(&body[..], expected.as_bytes());
    assert_eq!(&service.one().body[..], b"abcdef");
    for wrong in ["YQ=", "====", "Y!=="] {
        let service = Service::status(200);
        ask(rpc("application/grpc-web-text", wrong), &service).await;
        assert!(service.all().is_empty(), "{wrong}");
    }
}

#[tokio::test]
async fn other_requests_pass_as_they_are() {
    let service = Service::status(200);
    let (headers, body) = ask(rpc("application/grpc", "abc"), &service).await;
    assert_eq!(&body[..], b"service 200");
    assert!(!headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn browsers_are_told_what_they_may() {
    let check =
        async |origin: &'static str, method: &'static str, wanted: &'static str, told: &str| {
            let mut request = get("/service/Method");
            *request.method_mut() = Method::OPTIONS;
            let headers = request.headers_mut();
            headers.insert("origin", HeaderValue::from_static(origin));
            headers.insert(
                "access-control-request-method",
                HeaderValue::from_static(method),
            );
            headers.insert(
                "access-control-request-headers",
                HeaderValue::from_static(wanted),
            );
            let (headers, _) = ask(request, &Service::status(200)).await;
            let allowed = headers.get("access-control-allow-headers");
            let allowed = allowed.map_or("", |allowed| allowed.to_str().expect("text"));
            assert_eq!(allowed, told, "{origin} {method} {wanted}");
            assert_eq!(
                headers.contains_key("access-control-max-age"),
                !told.is_empty()
            );
        };
    let wanted = "content-type,X-Grpc-Web";
    check("https://a.test", "POST", wanted, wanted).await;
    check("https://b.test", "POST", wanted, "").await;
    check("https://a.test", "PUT", wanted, "").await;
    check("https://a.test", "POST", "content-type", "").await;
}
