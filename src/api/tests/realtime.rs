//! `/api/realtime` over the router, with the feed running.

use axum::body::Body;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use mito_core::{Shutdown, Supervisor};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::Fixture;

struct Stream {
    body: Body,
    id: String,
    text: String,
}

impl Stream {
    async fn open(fixture: &Fixture) -> Self {
        let request = Request::get("/api/realtime").body(Body::empty()).unwrap();
        let answer = fixture.service.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "text/event-stream");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("x-accel-buffering"), "no");
        let mut stream = Self {
            body: answer.into_body(),
            id: String::new(),
            text: String::new(),
        };
        let first = stream.next().await;
        let id = first.lines().find_map(|line| line.strip_prefix("id:"));
        id.unwrap().clone_into(&mut stream.id);
        stream
    }

    /// The next event.
    async fn next(&mut self) -> String {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                return event;
            }
            let frame = self.body.frame().await.unwrap().unwrap();
            self.text += std::str::from_utf8(&frame.into_data().unwrap()).unwrap();
        }
    }
}

async fn running() -> (Fixture, Supervisor) {
    let fixture = Fixture::new().await;
    let supervisor = Supervisor::new(Shutdown::new());
    for task in fixture.records.tasks() {
        supervisor.start(task.name, move |shutdown| (task.run)(shutdown));
    }
    (fixture, supervisor)
}

/// Submits without an address, as the stream was opened.
async fn submit(fixture: &Fixture, body: Value) -> (u16, Value) {
    let request = Request::post("/api/realtime")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    let answer = fixture.service.clone().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn what_is_committed_is_streamed() {
    let (fixture, supervisor) = running().await;
    let rules = json!([{"name": "posts", "type": "base", "listRule": "", "createRule": "",
        "fields": [{"name": "title", "type": "text"}]}]);
    let rules = serde_json::from_value(rules).unwrap();
    fixture.records.import_collections(rules).await.unwrap();
    let mut stream = Stream::open(&fixture).await;
    let topic = "posts/*?options={\"query\":{\"fields\":\"title\"}}";
    let wanted = json!({"clientId": stream.id, "subscriptions": [topic]});
    assert_eq!(submit(&fixture, wanted).await, (204, Value::Null));
    let path = "/api/collections/posts/records";
    fixture.post(path, json!({"title": "one"}), "").await;
    let expected = format!(
        "id:{}\nevent:{topic}\ndata:{{\"action\":\"create\",\"record\":{{\"title\":\"one\"}}}}",
        stream.id
    );
    assert_eq!(stream.next().await, expected);
    let (waits, id) = (json!(["@oauth2"]), stream.id.clone());
    submit(&fixture, json!({"clientId": id, "subscriptions": waits})).await;
    let back = format!("/api/oauth2-redirect?state={id}&code=c&more=1");
    let answer = fixture.get(&back, "").await;
    let place = answer.headers[header::LOCATION].to_str().unwrap();
    assert!(place.ends_with("/auth/oauth2-redirect-success"), "{place}");
    let expected = format!("id:{id}\nevent:@oauth2\ndata:{{\"state\":\"{id}\",\"code\":\"c\"}}");
    assert_eq!(stream.next().await, expected);
    supervisor
        .shut_down(std::time::Duration::from_secs(9))
        .await;
    assert!(stream.body.frame().await.is_none(), "shutdown ends streams");
}

#[tokio::test]
async fn submissions_are_refused_as_pocketbase_does() {
    let (fixture, _supervisor) = running().await;
    let stream = Stream::open(&fixture).await;
    let reason = "Something went wrong while processing your request.";
    let check = async |body: Value, status: u16, message: &str, data: Value| {
        let expected = json!({"data": data, "message": message, "status": status});
        assert_eq!(submit(&fixture, body).await, (status, expected));
    };
    let required = json!({"code": "validation_required", "message": "Cannot be blank."});
    check(json!({}), 400, reason, json!({"clientId": required})).await;
    check(json!({"clientId": 5}), 400, reason, json!({})).await;
    check(json!([]), 400, reason, json!({})).await;
    let missing = "Missing or invalid client id.";
    check(json!({"clientId": "nobody"}), 404, missing, json!({})).await;
    let long = json!({"code": "validation_length_too_long",
        "message": "The length must be no more than 2500.", "params": {"max": 2_500, "min": 0}});
    let body = json!({"clientId": "x", "subscriptions": ["b", "a".repeat(2_501)]});
    check(body, 400, reason, json!({"subscriptions": {"1": long}})).await;
    // Another address than the stream's.
    let body = json!({"clientId": stream.id, "subscriptions": ["x"]});
    let answer = fixture.post("/api/realtime", body, "").await;
    answer.check(
        400,
        json!({"data": {}, "message": "Invalid realtime client.", "status": 400}),
    );
}
