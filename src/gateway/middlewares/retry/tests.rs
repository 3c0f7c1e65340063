//! What is sent again, and how often.

use futures_util::stream;
use http::HeaderValue;
use serde_json::{Value, json};

use super::{
    super::testing::{Service, context, get, layer, refused, send, with_status},
    *,
};

/// Sends a request with a body of `length` bytes to a service that is unreached twice, and expects
/// the status after that many attempts.
async fn check(options: Value, method: Method, service: Service, expected: (u16, usize)) {
    let layer = layer(json!({"retry": options}));
    let mut request = get("/x?y").map(|_| Body::from("body"));
    *request.method_mut() = method;
    let answer = send(&layer, &context(), request, &service).await;
    let seen = service.all();
    assert_eq!(
        (answer.status().as_u16(), seen.len()),
        expected,
        "{options}"
    );
    assert!(
        seen.iter()
            .all(|seen| seen.body == "body" && seen.uri == "/x?y")
    );
    let retried = answer.extensions().get::<Retried>();
    assert_eq!(retried.map(|it| it.0 + 1), u32::try_from(expected.1).ok());
}

fn recovering(sent: bool) -> Service {
    let again = move || {
        let mut response = with_status(502);
        response.extensions_mut().insert(Unreached { sent });
        response
    };
    Service::unreached(sent)
        .then(again)
        .then(|| with_status(200))
}

#[tokio::test]
async fn what_no_server_took_is_sent_again() {
    let attempts = |attempts: u32| json!({"attempts": attempts});
    check(attempts(3), Method::GET, recovering(false), (200, 3)).await;
    check(attempts(2), Method::GET, recovering(false), (502, 2)).await;
    check(attempts(5), Method::POST, recovering(false), (200, 3)).await;
    check(attempts(5), Method::PUT, recovering(true), (200, 3)).await;
    check(attempts(5), Method::POST, recovering(true), (502, 1)).await;
    let any = json!({"attempts": 5, "retryNonIdempotentMethod": true});
    check(any, Method::POST, recovering(true), (200, 3)).await;
    let no_network = json!({"attempts": 5, "disableRetryOnNetworkError": true, "status": ["503"]});
    check(no_network, Method::GET, recovering(false), (502, 1)).await;
}

#[tokio::test]
async fn statuses_are_tried_again_if_they_are_listed() {
    let failing = || Service::status(503).then(|| with_status(200));
    check(json!({"attempts": 4}), Method::GET, failing(), (503, 1)).await;
    let listed = json!({"attempts": 4, "status": ["500-599"]});
    check(listed.clone(), Method::GET, failing(), (200, 2)).await;
    check(listed.clone(), Method::POST, failing(), (503, 1)).await;
    check(listed, Method::GET, Service::status(500), (500, 4)).await;
}

#[tokio::test]
async fn the_wait_grows_to_twice_the_first_and_ends_with_the_time() {
    let options = |json: Value| serde_json::from_value::<Options>(json).expect("options");
    let retry = Retry::build(&options(json!({"attempts": 5, "initialInterval": "100ms"})));
    let retry = retry.expect("options");
    let waits: Vec<_> = (1..=5)
        .map(|attempts| retry.wait(attempts).as_millis())
        .collect();
    assert_eq!(waits, [100, 118, 141, 168, 200]);
    let late = json!({"attempts": 9, "initialInterval": "1h", "timeout": "1m"});
    check(late, Method::GET, recovering(false), (502, 1)).await;
    let short = json!({"attempts": 3, "initialInterval": "1ms", "timeout": "1m"});
    check(short, Method::GET, recovering(false), (200, 3)).await;
}

#[tokio::test]
async fn large_bodies_and_upgrades_are_sent_once() {
    let layer = layer(json!({"retry": {"attempts": 5, "maxRequestBodyBytes": 10}}));
    let (service, context) = (recovering(false), context());
    let chunks = std::iter::repeat_n("xx", 6).map(Ok::<_, axum::Error>);
    let large = get("/").map(|_| Body::from_stream(stream::iter(chunks)));
    let answer = send(&layer, &context, large, &service).await;
    assert_eq!(
        (answer.status().as_u16(), service.one().body.len()),
        (502, 12)
    );

    let service = recovering(false);
    let mut upgrade = get("/");
    for (name, value) in [("connection", "upgrade"), ("upgrade", "websocket")] {
        let value = HeaderValue::from_static(value);
        upgrade.headers_mut().insert(name, value);
    }
    send(&layer, &context, upgrade, &service).await;
    service.one();
}

#[test]
fn mistakes_are_named() {
    refused(json!({"retry": {}}), "retry.attempts: it must be 1 or more");
    refused(
        json!({"retry": {"attempts": 2, "status": ["x"]}}),
        "retry.status[0]: ",
    );
    let nothing = json!({"retry": {"attempts": 2, "disableRetryOnNetworkError": true}});
    refused(nothing, "retry.status: without it");
}
