//! `/api` as clients see it.

use std::time::Duration;

use super::*;

const GUEST: &str = "";

fn error(status: u16, message: &str) -> Value {
    json!({"data": {}, "message": message, "status": status})
}

async fn with_notes() -> (Fixture, String) {
    let fixture = Fixture::new().await;
    let root = fixture.administrator().await;
    let notes = json!({
        "name": "notes", "type": "base", "listRule": "", "viewRule": "",
        "createRule": "@request.auth.id != ''", "updateRule": "owner = @request.auth.id",
        "fields": [
            {"name": "title", "type": "text", "required": true, "min": 3},
            {"name": "owner", "type": "relation", "collectionId": "_pb_users_auth_"},
        ],
    });
    let created = fixture.post("/api/collections", notes, &root).await;
    assert_eq!(created.status, StatusCode::OK, "{created:?}");
    (fixture, root)
}

#[tokio::test]
async fn health_is_told() {
    let fixture = Fixture::new().await;
    let health = fixture.get("/health", GUEST).await;
    health.check(
        200,
        json!({"status": "ok", "timestamp": "2026-05-06T07:08:09Z", "services": {}}),
    );
    fixture
        .get("/live", GUEST)
        .await
        .check(200, json!({"status": "ok"}));
    fixture
        .get("/ready", GUEST)
        .await
        .check(200, json!({"status": "ok"}));
    let health = fixture.get("/api/health", GUEST).await;
    health.check(
        200,
        json!({"code": 200, "message": "API is healthy.", "data": {}}),
    );
}

#[tokio::test]
async fn addresses_are_the_same_however_they_are_spelled() {
    let (fixture, _) = with_notes().await;
    let page = fixture.get("/api/collections/notes/records?page=1", GUEST);
    let page = page.await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    let path = "/api/%63ollections/x/../n%6ftes/records?page=1";
    fixture.get(path, GUEST).await.check(200, page.json());
    let unreadable = fixture.get("/api/collections/%zz/records", GUEST).await;
    assert_eq!(unreadable.status, StatusCode::NOT_FOUND, "{unreadable:?}");
}

#[tokio::test]
async fn an_account_lives_from_sign_up_to_sign_out() {
    let fixture = Fixture::new().await;
    let token = fixture.account("a@b.co").await;
    let me = fixture
        .get("/api/collections/users/records", &format!("bEaReR {token}"))
        .await
        .json();
    assert_eq!(
        (&me["totalItems"], &me["items"][0]["email"]),
        (&json!(1), &json!("a@b.co"))
    );

    fixture.clock.advance(Duration::from_secs(1));
    let path = "/api/collections/users/auth-refresh";
    let refreshed = fixture.call(Method::POST, path, None, &token).await;
    assert_eq!(refreshed.status, StatusCode::OK);
    let fresh = refreshed.json()["token"].as_str().unwrap().to_owned();
    assert_ne!(fresh, token);
    fixture.clock.advance(Duration::from_secs(31));
    let unauthorized = error(
        401,
        "The request requires valid record authorization token.",
    );
    let reused = fixture.call(Method::POST, path, None, &token).await;
    reused.check(401, unauthorized.clone());
    let after = fixture.call(Method::POST, path, None, &fresh).await;
    after.check(401, unauthorized.clone());

    let late = fixture.token("users", "a@b.co").await;
    fixture.clock.advance(Duration::from_hours(5 * 24));
    let expired = fixture.call(Method::POST, path, None, &late).await;
    expired.check(401, unauthorized.clone());

    let token = fixture.token("users", "a@b.co").await;
    let out = "/api/platform/v1/sign-out";
    assert_eq!(
        fixture.call(Method::POST, out, None, &token).await.status,
        204
    );
    fixture
        .call(Method::POST, out, None, &token)
        .await
        .check(401, unauthorized.clone());
    fixture
        .call(Method::POST, path, None, GUEST)
        .await
        .check(401, unauthorized.clone());
    fixture
        .call(Method::POST, path, None, "nonsense")
        .await
        .check(401, unauthorized);
}

#[tokio::test]
async fn answers_to_bad_credentials_do_not_tell_who_exists() {
    let fixture = Fixture::new().await;
    fixture.account("a@b.co").await;
    let path = "/api/collections/users/auth-with-password";
    for identity in ["a@b.co", "nobody@b.co"] {
        let answer = fixture
            .post(path, json!({"identity": identity, "password": "wrong"}), "")
            .await;
        answer.check(400, error(400, "Failed to authenticate."));
    }
    let blank = json!({"code": "validation_required", "message": "Cannot be blank."});
    fixture.post(path, json!({}), "").await.check(
        400,
        json!({
            "data": {"identity": blank, "password": blank},
            "message": "An error occurred while validating the submitted data.",
            "status": 400,
        }),
    );
    let nowhere = "/api/collections/nowhere/auth-with-password";
    let nowhere = fixture
        .post(nowhere, json!({"identity": "a", "password": "b"}), "")
        .await;
    nowhere.check(404, error(404, "Missing or invalid collection context."));
}

#[tokio::test]
async fn too_many_tries_are_told_when_to_come_back() {
    let fixture = Fixture::new().await;
    let path = "/api/collections/users/auth-with-password";
    let wrong = json!({"identity": "a@b.co", "password": "wrong"});
    for _ in 0..10 {
        assert_eq!(fixture.post(path, wrong.clone(), "").await.status, 400);
    }
    let refused = fixture.post(path, wrong, "").await;
    refused.check(
        429,
        error(429, "Too many attempts. Please try again later."),
    );
    assert_eq!(refused.headers[header::RETRY_AFTER], "10");
}

#[tokio::test]
async fn auth_methods_and_collections_of_others() {
    let (fixture, root) = with_notes().await;
    let methods = fixture
        .get("/api/collections/users/auth-methods", GUEST)
        .await
        .json();
    assert_eq!(
        methods["password"],
        json!({"enabled": true, "identityFields": ["email"]})
    );
    let none = fixture
        .get("/api/collections/notes/auth-methods", GUEST)
        .await;
    none.check(
        404,
        error(404, "Missing or invalid auth collection context."),
    );
    let user = fixture.account("a@b.co").await;
    let path = "/api/collections/_superusers/auth-refresh";
    let other = fixture.call(Method::POST, path, None, &user).await;
    other.check(
        403,
        error(
            403,
            "The request requires auth record from users collection.",
        ),
    );

    let path = "/api/collections";
    let message = "The request requires valid record authorization token.";
    fixture
        .get(path, GUEST)
        .await
        .check(401, error(401, message));
    let message = "The authorized record is not allowed to perform this action.";
    fixture
        .get(path, &user)
        .await
        .check(403, error(403, message));
    let page = fixture
        .get("/api/collections?page=3&perPage=2&fields=name", &root)
        .await;
    page.check(
        200,
        json!({"page": 3, "perPage": 2, "totalItems": 7, "totalPages": 4,
            "items": [{"name": "_superusers"}, {"name": "users"}]}),
    );
    let one = fixture.get("/api/collections/notes", &root).await.json();
    assert_eq!(
        (&one["type"], &one["listRule"], &one["deleteRule"]),
        (&json!("base"), &json!(""), &Value::Null)
    );
    let missing = fixture.get("/api/collections/nowhere", &root).await;
    missing.check(404, error(404, "The requested resource wasn't found."));
}

#[tokio::test]
async fn records_have_pocketbases_shapes() {
    let (fixture, root) = with_notes().await;
    let user = fixture.account("a@b.co").await;
    let path = "/api/collections/notes/records";
    let refused = fixture.post(path, json!({"title": "abc"}), GUEST).await;
    refused.check(400, error(400, "Failed to create record."));
    let invalid = fixture.post(path, json!({"title": "ab"}), &user).await;
    let reason = json!({"code": "validation_min_text_constraint",
        "message": "Must be at least 3 character(s).", "params": {"min": 3}});
    invalid.check(
        400,
        json!({"data": {"title": reason}, "message": "Failed to create record.", "status": 400}),
    );
    let id = "abcdefghijklmno";
    let created = fixture
        .post(path, json!({"id": id, "title": "abc"}), &user)
        .await;
    let shown = json!({"collectionId": "pbc_3395098727", "collectionName": "notes", "id": id,
        "title": "abc", "owner": ""});
    created.check(200, shown.clone());
    let listed = fixture
        .get(&format!("{path}?fields=id,title&skipTotal=1"), GUEST)
        .await;
    listed.check(
        200,
        json!({"page": 1, "perPage": 30, "totalItems": -1, "totalPages": -1,
            "items": [{"id": id, "title": "abc"}]}),
    );
    let one = format!("{path}/{id}");
    fixture.get(&one, GUEST).await.check(200, shown);
    let change = json!({"title": "changed"});
    let refused = fixture
        .call(Method::PATCH, &one, Some(change.clone()), &user)
        .await;
    refused.check(404, error(404, "The requested resource wasn't found."));
    let changed = fixture.call(Method::PATCH, &one, Some(change), &root).await;
    assert_eq!(changed.json()["title"], "changed");
    let refused = fixture.call(Method::DELETE, &one, None, &user).await;
    refused.check(403, error(403, "Only superusers can perform this action."));
    let deleted = fixture.call(Method::DELETE, &one, None, &root).await;
    assert_eq!((deleted.status.as_u16(), deleted.text.as_str()), (204, ""));
    fixture
        .get(&one, GUEST)
        .await
        .check(404, error(404, "The requested resource wasn't found."));
    let events = fixture
        .database
        .read(|tx| mito_database::outbox::read_after(tx, 0, 500));
    let events: Vec<mito_database::Event> = events.await.unwrap();
    let detail = &events.last().unwrap().detail;
    let detail: Value = serde_json::from_str(detail).unwrap();
    assert_eq!(detail["request_id"], "request-1");
    assert_eq!(detail["record"]["title"], "changed");
}

#[tokio::test]
async fn bad_queries_are_told() {
    let (fixture, _) = with_notes().await;
    let check = async |query: &str, status: u16, message: &str| {
        let answer = fixture
            .get(&format!("/api/collections/notes/records?{query}"), GUEST)
            .await;
        answer.check(status, error(status, message));
    };
    let message = "Something went wrong while processing your request.";
    for query in [
        "filter=nope=1",
        "filter=title",
        "sort=nope",
        "page=x",
        "perPage=1.5",
        "skipTotal=maybe",
        "page=-1&filter=%ff",
    ] {
        check(query, 400, message).await;
    }
    for name in ["@request.", "@collection."] {
        let message = format!("Only superusers can filter by {name}");
        check(&format!("filter={name}auth.id=''"), 403, &message).await;
    }
    let fine = "/api/collections/notes/records?page=-1&perPage=99999999999";
    assert_eq!(fixture.get(fine, GUEST).await.json()["perPage"], 1_000);
}

#[tokio::test]
async fn paths_that_are_no_text_lead_nowhere() {
    let fixture = Fixture::new().await;
    let nothing = error(404, "The requested resource wasn't found.");
    for path in [
        "/api/collections/%ff/records",
        "/api/collections/users/records/%ff",
        "/api/collections/%ff/auth-methods",
    ] {
        fixture.get(path, GUEST).await.check(404, nothing.clone());
    }
}

#[tokio::test]
async fn bad_bodies_are_told() {
    let fixture = Fixture::new().await;
    let check = async |kind: &str, body: Vec<u8>, status: u16| {
        let request = Request::post("/api/collections/users/records")
            .header(header::CONTENT_TYPE, kind)
            .body(Body::from(body))
            .unwrap();
        let answer = fixture.send(request).await;
        assert_eq!(answer.status.as_u16(), status, "{answer:?}");
        assert_eq!(answer.json()["status"], status);
        assert!(answer.json()["data"].is_object());
    };
    let json = "application/json";
    check(json, b"{bad".to_vec(), 400).await;
    check(json, b"[]".to_vec(), 400).await;
    check(json, b"\"x\"".to_vec(), 400).await;
    check(json, b"{\"a\":\"\xff\xfe\"}".to_vec(), 400).await;
    check(
        json,
        [
            b"{\"a\":".repeat(10_000),
            b"1".to_vec(),
            b"}".repeat(10_000),
        ]
        .concat(),
        400,
    )
    .await;
    check(json, b"[".repeat(10_000), 400).await;
    check(json, vec![b' '; 60_000_000], 413).await;
    check("text/plain", b"{}".to_vec(), 415).await;
    check("", b"{}".to_vec(), 415).await;
    check("application/json; charset=utf-8", b"{}".to_vec(), 400).await;
    let streamed = unsized_body(vec![b' '; 1_000_000], 60);
    let request = Request::post("/api/collections/users/records")
        .header(header::CONTENT_TYPE, json)
        .body(streamed)
        .unwrap();
    assert_eq!(fixture.send(request).await.status, 413);
    let request = Request::post("/api/collections/users/records")
        .header(header::CONTENT_TYPE, json)
        .header(header::CONTENT_LENGTH, "3000000000")
        .body(Body::empty())
        .unwrap();
    assert_eq!(fixture.send(request).await.status, 413);
}

/// A body that does not say how large it is.
fn unsized_body(chunk: Vec<u8>, times: usize) -> Body {
    use futures_util::stream;
    let chunks =
        (0..times).map(move |_| Ok::<_, std::io::Error>(bytes::Bytes::from(chunk.clone())));
    Body::from_stream(stream::iter(chunks))
}

#[tokio::test]
async fn unknown_paths_and_methods() {
    let fixture = Fixture::new().await;
    let missing = fixture.get("/api/nope", GUEST).await;
    missing.check(404, error(404, "The requested resource wasn't found."));
    let put = fixture.call(Method::PUT, "/api/health", None, GUEST).await;
    put.check(404, error(404, "The requested resource wasn't found."));
    let elsewhere = fixture.get("/nope", GUEST).await;
    assert_eq!(elsewhere.status, 404);
    assert_eq!(
        elsewhere.headers[header::CONTENT_TYPE],
        "application/problem+json"
    );
}

#[tokio::test]
async fn cookies_mean_nothing_at_api() {
    let fixture = Fixture::new().await;
    let token = fixture.administrator().await;
    for name in ["mito_session", "__Host-mito_session"] {
        let request = Request::get("/api/collections")
            .header(header::COOKIE, format!("{name}={token}"))
            .body(Body::empty())
            .unwrap();
        assert_eq!(fixture.send(request).await.status, 401);
    }
}

#[tokio::test]
async fn browsers_may_call_from_where_it_is_allowed() {
    let preflight = async |fixture: &Fixture, origin: &str| {
        let request = Request::options("/api/collections/users/records")
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .header(
                header::ACCESS_CONTROL_REQUEST_HEADERS,
                "authorization,content-type",
            )
            .body(Body::empty())
            .unwrap();
        let answer = fixture.send(request).await;
        let text = |name: header::HeaderName| {
            answer
                .headers
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(text(header::ACCESS_CONTROL_ALLOW_CREDENTIALS), None);
        (
            text(header::ACCESS_CONTROL_ALLOW_ORIGIN),
            text(header::ACCESS_CONTROL_ALLOW_HEADERS),
        )
    };
    let open = Fixture::new().await;
    let allowed = preflight(&open, "https://app.example").await;
    assert_eq!(allowed.0.as_deref(), Some("*"));
    assert_eq!(allowed.1.as_deref(), Some("authorization,content-type"));
    let origins = vec!["https://app.example".to_owned()];
    let config = Config {
        allowed_origins: origins,
        ..Config::default()
    };
    let closed = Fixture::with("localhost", config).await;
    let allowed = preflight(&closed, "https://app.example").await;
    assert_eq!(allowed.0.as_deref(), Some("https://app.example"));
    assert_eq!(preflight(&closed, "https://evil.example").await.0, None);
}
