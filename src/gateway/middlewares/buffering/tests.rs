//! What passes and what does not.

use std::sync::{Arc, Mutex};

use futures_util::{StreamExt as _, stream};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::{
    super::chain::Destination,
    super::testing::{Service, context, get, layer, refused, send, text},
    *,
};

/// A body of that many bytes, whose length is not known before.
fn body(length: usize) -> Body {
    let chunks = std::iter::repeat_n("x", length).map(Ok::<_, axum::Error>);
    Body::from_stream(stream::iter(chunks))
}

fn post(body: Body) -> Request<Body> {
    let mut request = get("/").map(|_| body);
    *request.method_mut() = http::Method::POST;
    request
}

async fn request(options: Value, length: usize, status: u16) {
    let service = Service::status(204);
    let layer = layer(json!({"buffering": options}));
    let answer = send(&layer, &context(), post(body(length)), &service).await;
    assert_eq!(answer.status(), status, "{options} {length}");
    let seen = service.all().pop().map(|seen| seen.body.len());
    assert_eq!(seen, (status == 204).then_some(length));
}

#[tokio::test]
async fn requests_have_a_bound_with_and_without_memory() {
    request(json!({"maxRequestBodyBytes": 10}), 10, 204).await;
    request(json!({"maxRequestBodyBytes": 10}), 11, 413).await;
    let small = json!({"maxRequestBodyBytes": 10, "memRequestBodyBytes": 3});
    request(small.clone(), 10, 204).await;
    request(small, 11, 413).await;
    let streamed = json!({"maxRequestBodyBytes": 10, "disableRequestBuffer": true});
    request(streamed.clone(), 10, 204).await;
    request(streamed, 11, 413).await;
    request(json!({"memRequestBodyBytes": 10}), 5_000, 204).await;
    request(json!({}), 0, 204).await;
}

#[tokio::test]
async fn a_length_that_is_told_decides_before_the_body() {
    let layer = layer(json!({"buffering": {"maxRequestBodyBytes": 10}}));
    let service = Service::status(204);
    let mut request = post(Body::from_stream(stream::pending::<
        Result<&str, axum::Error>,
    >()));
    request.headers_mut().insert("content-length", 11.into());
    let answer = send(&layer, &context(), request, &service).await;
    assert_eq!(answer.status(), 413);
    assert_eq!(text(answer).await, "Request Entity Too Large");
}

#[tokio::test]
async fn responses_have_a_bound() {
    let check = async |options: Value, length: usize, status: u16, whole: bool| {
        let layer = layer(json!({"buffering": options}));
        let service = Service::answering(move || Response::new(body(length)));
        let answer = send(&layer, &context(), get("/"), &service).await;
        assert_eq!(answer.status(), status);
        let collected = answer.into_body().collect().await;
        assert_eq!(collected.is_ok(), whole);
    };
    check(json!({"maxResponseBodyBytes": 10}), 10, 200, true).await;
    check(json!({"maxResponseBodyBytes": 10}), 11, 500, true).await;
    let small = json!({"maxResponseBodyBytes": 10, "memResponseBodyBytes": 3});
    check(small.clone(), 10, 200, true).await;
    check(small, 11, 500, true).await;
    let streamed = json!({"maxResponseBodyBytes": 10, "disableResponseBuffer": true});
    check(streamed.clone(), 10, 200, true).await;
    check(streamed, 11, 200, false).await;
    check(json!({"memResponseBodyBytes": 3}), 5_000, 200, true).await;
}

#[tokio::test]
async fn events_are_not_held_back() {
    let layer = layer(json!({"buffering": {"maxResponseBodyBytes": 10}}));
    let service = Service::answering(|| {
        let first = stream::iter([Ok::<_, axum::Error>("data: 1\n\n")]);
        let mut response = Response::new(Body::from_stream(first.chain(stream::pending())));
        let kind = http::HeaderValue::from_static("text/event-stream; charset=utf-8");
        response.headers_mut().insert("content-type", kind);
        response
    });
    let answer = send(&layer, &context(), get("/"), &service).await;
    let frame = answer.into_body().frame().await.expect("an event");
    assert_eq!(
        frame.expect("an event").into_data().ok().as_deref(),
        Some(&b"data: 1\n\n"[..])
    );
}

#[tokio::test]
async fn a_client_that_breaks_off_is_not_the_services_matter() {
    let layer = layer(json!({"buffering": {}}));
    let service = Service::status(204);
    let broken = stream::iter([Ok("x"), Err(axum::Error::new("gone"))]);
    let answer = send(
        &layer,
        &context(),
        post(Body::from_stream(broken)),
        &service,
    )
    .await;
    assert_eq!(answer.status(), 400);
    assert!(service.all().is_empty());
}

#[tokio::test]
async fn a_service_gets_a_whole_request_with_its_length() {
    let seen_by = async |options: Value| {
        let layer = layer(json!({"buffering": options}));
        let service = Service::status(204);
        let lengths = Arc::new(Mutex::new(Vec::new()));
        let noted = lengths.clone();
        let destination = Lengths(service, noted);
        let layers = std::slice::from_ref(&layer);
        let context = context();
        let next = Next::new(layers, &context, &destination);
        next.run(post(body(5_000))).await;
        let lengths = lengths.lock().expect("a lock");
        lengths[0]
    };
    assert_eq!(seen_by(json!({})).await, Some(5_000));
    assert_eq!(
        seen_by(json!({"memRequestBodyBytes": 10})).await,
        Some(5_000)
    );
    assert_eq!(seen_by(json!({"disableRequestBuffer": true})).await, None);
}

/// A service that notes how long bodies say they are.
struct Lengths(Service, Arc<Mutex<Vec<Option<u64>>>>);

impl Destination for Lengths {
    fn call(&self, request: Request<Body>) -> BoxFuture<'_, Response<Body>> {
        let length = http_body::Body::size_hint(request.body()).exact();
        self.1.lock().expect("a lock").push(length);
        self.0.call(request)
    }
}

#[tokio::test]
async fn requests_are_sent_again_while_the_expression_holds() {
    let check = async |expression: &str, statuses: &[u16], attempts: usize, status: u16| {
        let options = json!({"retryExpression": expression, "memRequestBodyBytes": 10});
        let layer = layer(json!({"buffering": options}));
        let mut service = Service::status(statuses[0]);
        for status in &statuses[1..] {
            let status = *status;
            service = service.then(move || super::super::testing::with_status(status));
        }
        let answer = send(&layer, &context(), post(body(50)), &service).await;
        assert_eq!(answer.status(), status, "{expression}");
        let seen = service.all();
        assert_eq!(seen.len(), attempts, "{expression}");
        assert!(seen.iter().all(|seen| seen.body.len() == 50));
    };
    check("IsNetworkError()", &[502, 504, 200], 3, 200).await;
    check(
        "IsNetworkError() && Attempts() < 2",
        &[502, 504, 200],
        2,
        504,
    )
    .await;
    check("ResponseCode() == 503", &[502], 1, 502).await;
    check("ResponseCode() == 503", &[503], 11, 503).await;
    refused(
        json!({"buffering": {"retryExpression": "Sometimes()"}}),
        "buffering.retryExpression: one of IsNetworkError()",
    );
    refused(
        json!({"buffering": {"retryExpression": "IsNetworkError()", "disableRequestBuffer": true}}),
        "take out disableRequestBuffer",
    );
}
