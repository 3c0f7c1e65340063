//! Who is let in, and what is said of wrong options.

use std::io::Write as _;

use serde_json::{Value, json};

use super::{
    super::testing::{Service, context, get, layer, refused, send, text},
    *,
};

/// `test` and its hash.
const USER: &str = "test:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/";

fn signed(name: &str, password: &str) -> Request<Body> {
    let mut request = get("/");
    let value = format!("basic {}", STANDARD.encode(format!("{name}:{password}")));
    let value = HeaderValue::try_from(value).expect("a value");
    request.headers_mut().insert(header::AUTHORIZATION, value);
    request
        .headers_mut()
        .insert("x-user", HeaderValue::from_static("forged"));
    request
}

async fn check(options: Value, request: Request<Body>, status: u16) -> Option<HeaderMap> {
    let service = Service::new();
    let layer = layer(json!({"basicAuth": options}));
    let answer = send(&layer, &context(), request, &service).await;
    assert_eq!(answer.status(), status);
    let user = answer.extensions().get::<User>();
    assert_eq!(user.is_some(), status == 200);
    service.all().pop().map(|seen| seen.headers)
}

#[tokio::test]
async fn who_knows_a_password_comes_in() {
    let users = || json!({"users": [USER, "other:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="]});
    check(users(), signed("test", "test"), 200).await;
    check(users(), signed("other", "password"), 200).await;
    check(users(), signed("test", "password"), 401).await;
    check(users(), signed("nobody", "test"), 401).await;
    check(users(), signed("", ""), 401).await;
    check(users(), signed("test", &"x".repeat(5_000)), 401).await;
    check(users(), get("/"), 401).await;
    for wrong in ["Basic", "Basic !", "Basic dGVzdA==", "Bearer dGVzdDp0ZXN0"] {
        let mut request = get("/");
        let value = HeaderValue::from_static(wrong);
        request.headers_mut().insert(header::AUTHORIZATION, value);
        check(users(), request, 401).await;
    }
}

#[tokio::test]
async fn a_right_password_is_remembered_and_a_wrong_one_is_still_wrong() {
    let layer = layer(json!({"basicAuth": {"users": [USER]}}));
    let (service, context) = (Service::new(), context());
    for (password, status) in [("test", 200), ("test", 200), ("tes", 401), ("test", 200)] {
        let answer = send(&layer, &context, signed("test", password), &service).await;
        assert_eq!(answer.status(), status, "{password}");
    }
}

#[tokio::test]
async fn the_challenge_is_that_of_traefik() {
    let layer = layer(json!({"basicAuth": {"users": [USER], "realm": "a \"b\""}}));
    let answer = send(&layer, &context(), get("/"), &Service::new()).await;
    let challenge = &answer.headers()[header::WWW_AUTHENTICATE];
    assert_eq!(challenge, r#"Basic realm="a \"b\"""#);
    assert_eq!(text(answer).await, "401 Unauthorized\n");
}

#[tokio::test]
async fn the_service_is_told_what_the_options_say() {
    let options = json!({"users": [USER]});
    let seen = check(options, signed("test", "test"), 200)
        .await
        .expect("a request");
    assert!(seen.contains_key(header::AUTHORIZATION));
    assert_eq!(seen["x-user"], "forged");
    let options = json!({"users": [USER], "removeHeader": true, "headerField": "X-User"});
    let seen = check(options, signed("test", "test"), 200)
        .await
        .expect("a request");
    assert!(!seen.contains_key(header::AUTHORIZATION));
    assert_eq!(seen["x-user"], "test");
}

#[tokio::test]
async fn users_may_stand_in_a_file() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    writeln!(file, "# users\n\n{USER}").expect("room");
    let path = file.path().to_str().expect("UTF-8").to_owned();
    check(json!({"usersFile": path}), signed("test", "test"), 200).await;
    writeln!(file, "broken").expect("room");
    let options = json!({"basicAuth": {"usersFile": path}});
    refused(options, "line 4: it is not name:hash");
    let options = json!({"basicAuth": {"usersFile": "/nowhere/users"}});
    refused(options, "basicAuth.usersFile: /nowhere/users: No such file");
}

#[test]
fn mistakes_are_named() {
    let check = |options: Value, expected: &str| {
        refused(json!({"basicAuth": options}), expected);
    };
    check(json!({}), "basicAuth.users: there is none");
    check(
        json!({"users": [USER, "admin"]}),
        "basicAuth.users[1]: it is not name:hash",
    );
    check(
        json!({"users": ["admin:admin"]}),
        "basicAuth.users[0]: its hash is none of",
    );
    check(json!({"users": [":x"]}), "basicAuth.users[0]: the name");
    check(
        json!({"users": [USER], "realm": "a\n"}),
        "basicAuth.realm: ",
    );
    check(
        json!({"users": [USER], "headerField": "a b"}),
        "basicAuth.headerField: ",
    );
}
