//! Who comes in by a response, and who does not.

use serde_json::{Value, json};

use super::{
    super::testing::{Service, context, get, layer, refused, send},
    *,
};

const PASSWORD: &str = "secret";

fn users() -> Value {
    let hash = hash(&["someone", "here", PASSWORD]);
    json!([format!("someone:here:{hash}")])
}

fn nonce_of(answer: &Response<Body>) -> String {
    let challenge = answer.headers()["www-authenticate"].to_str().expect("text");
    assert!(
        challenge.starts_with("Digest realm=\"here\", nonce=\""),
        "{challenge}"
    );
    let parameters = parameters(challenge).expect("parameters");
    assert_eq!(
        (&*parameters["algorithm"], &*parameters["qop"]),
        ("MD5", "auth")
    );
    parameters["nonce"].clone()
}

fn response(nonce: &str, count: &str, password: &str, path: &str) -> String {
    let first = hash(&["someone", "here", password]);
    let second = hash(&["GET", path]);
    let response = hash(&[&first, nonce, count, "xyz", "auth", &second]);
    format!(
        "Digest username=\"someone\", realm=\"here\", nonce=\"{nonce}\", uri=\"{path}\", qop=auth, \
         nc={count}, cnonce=\"xyz\", response=\"{response}\", algorithm=MD5"
    )
}

#[tokio::test]
async fn a_right_response_comes_in_once() {
    let options = json!({
        "users": users(), "realm": "here", "removeHeader": true, "headerField": "X-User",
    });
    let layer = layer(json!({"digestAuth": options}));
    let service = Service::status(200);
    let context = context();
    let ask = async |authorization: Option<String>| {
        let mut request = get("/a?b=c");
        if let Some(authorization) = authorization {
            let value = authorization.parse().expect("a value");
            request.headers_mut().insert("authorization", value);
        }
        send(&layer, &context, request, &service).await
    };
    let nonce = nonce_of(&ask(None).await);
    let right = response(&nonce, "00000001", PASSWORD, "/a?b=c");
    let answer = ask(Some(right.clone())).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.extensions().get(), Some(&User("someone".into())));
    let seen = service.one().headers;
    assert_eq!(seen["x-user"], "someone");
    assert!(!seen.contains_key("authorization"));
    let again = ask(Some(right)).await;
    assert_eq!(again.status(), 401);
    let told = again.headers()["www-authenticate"].to_str().expect("text");
    assert!(told.ends_with(", stale=true"), "{told}");
    for wrong in [
        response(&nonce, "00000002", "wrong", "/a?b=c"),
        response(&nonce, "00000003", PASSWORD, "/other"),
        response(&nonce, "00000004", PASSWORD, "/a?b=c").replace("someone", "nobody"),
        response(&nonce, "00000005", PASSWORD, "/a?b=c").replace("=MD5", "=SHA-256"),
        response(&nonce, "00000006", PASSWORD, "/a?b=c").replace("qop=auth", "qop=auth-int"),
        "Basic c29tZW9uZTpzZWNyZXQ=".to_owned(),
        "Digest username=\"x".to_owned(),
    ] {
        let answer = ask(Some(wrong.clone())).await;
        assert_eq!(answer.status(), 401, "{wrong}");
        let told = answer.headers()["www-authenticate"].to_str().expect("text");
        assert!(!told.contains("stale"), "{wrong}");
    }
    let next = response(&nonce, "00000002", PASSWORD, "/a?b=c");
    assert_eq!(ask(Some(next)).await.status(), 200);
}

#[test]
fn mistakes_are_named() {
    let check = |options: Value, expected: &str| refused(json!({"digestAuth": options}), expected);
    check(
        json!({}),
        "digestAuth.users: there is none of the realm \"traefik\"",
    );
    check(json!({"users": users()}), "there is none of the realm");
    check(
        json!({"users": ["a:b"]}),
        "digestAuth.users[0]: it is not name:realm:hash",
    );
    check(json!({"users": ["a:b:c"]}), "digestAuth.users[0]");
    check(
        json!({"usersFile": "/nowhere"}),
        "digestAuth.usersFile: /nowhere",
    );
    check(
        json!({"users": users(), "realm": "a\"b"}),
        "digestAuth.realm",
    );
    check(
        json!({"users": users(), "realm": "here", "headerField": "a b"}),
        "digestAuth.headerField",
    );
}
