//! What the server is asked, and what becomes of its answers.

use futures_util::stream;
use http::{HeaderMap, Method, header};
use serde_json::{Value, json};

use super::{
    super::testing::{
        Seen, Service, connection, context_with, get, layer, refused, send, text, with_status,
    },
    *,
};

/// What came of a request.
struct Outcome {
    answer: Response<Body>,
    asked: Option<Seen>,
    served: Option<Seen>,
}

/// Sends `request` by way of a server that answers like `decides`.
async fn run(
    options: Value,
    request: Request<Body>,
    decides: impl Fn() -> Response<Body> + Send + Sync + 'static,
) -> Outcome {
    let mut config = json!({"forwardAuth": {"address": "http://auth.internal:9091/verify?rd=1"}});
    if let (Some(config), Some(options)) =
        (config["forwardAuth"].as_object_mut(), options.as_object())
    {
        config.extend(options.clone());
    }
    let server = Service::answering(decides);
    let client = connection("192.0.2.1".parse().expect("an address"));
    let context = context_with(client, &server);
    let service = Service::answering(|| {
        let mut response = with_status(200);
        for cookie in ["a=service", "b=service"] {
            response
                .headers_mut()
                .append("set-cookie", HeaderValue::from_static(cookie));
        }
        response
    });
    let answer = send(&layer(config), &context, request, &service).await;
    Outcome {
        answer,
        asked: server.all().pop(),
        served: service.all().pop(),
    }
}

fn with(mut request: Request<Body>, headers: &[(&'static str, &'static str)]) -> Request<Body> {
    for (name, value) in headers {
        request
            .headers_mut()
            .insert(*name, HeaderValue::from_static(value));
    }
    request
}

fn answer(
    status: u16,
    headers: &'static [(&'static str, &'static str)],
) -> impl Fn() -> Response<Body> {
    move || {
        let mut response = with_status(status);
        for (name, value) in headers {
            response
                .headers_mut()
                .append(*name, HeaderValue::from_static(value));
        }
        response
    }
}

#[track_caller]
fn shown(headers: &HeaderMap, name: &str) -> String {
    let all: Vec<_> = headers
        .get_all(name)
        .iter()
        .map(|it| it.to_str().expect("text"))
        .collect();
    all.join("|")
}

#[tokio::test]
async fn the_server_is_told_what_was_asked() {
    let mut request = with(
        get("/x?y=1"),
        &[
            ("cookie", "s=1"),
            ("x-forwarded-method", "forged"),
            ("x-forwarded-for", "1.1.1.1"),
            ("connection", "x-a"),
            ("x-a", "1"),
        ],
    );
    *request.method_mut() = Method::DELETE;
    let outcome = run(json!({}), request, answer(200, &[])).await;
    assert_eq!(outcome.answer.status(), 200);
    let asked = outcome.asked.expect("a question");
    assert_eq!(
        (asked.method, asked.uri.as_str()),
        (Method::GET, "http://auth.internal:9091/verify?rd=1")
    );
    for (name, expected) in [
        ("cookie", "s=1"),
        ("x-forwarded-method", "DELETE"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", "a.example"),
        ("x-forwarded-uri", "/x?y=1"),
        ("x-forwarded-for", "192.0.2.1"),
        ("host", ""),
        ("x-a", ""),
        ("connection", ""),
    ] {
        assert_eq!(shown(&asked.headers, name), expected, "{name}");
    }
}

#[tokio::test]
async fn a_trusted_proxy_in_front_is_quoted() {
    let headers = [
        ("x-forwarded-for", "1.1.1.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "b.example"),
        ("x-forwarded-uri", "/z"),
        ("x-forwarded-method", "PUT"),
    ];
    let options = json!({"trustForwardHeader": true, "authRequestHeaders": ["Accept"]});
    let request = with(get("/x"), &headers);
    let asked = run(options, request, answer(200, &[]))
        .await
        .asked
        .expect("a question");
    for (name, expected) in headers {
        let expected = if name == "x-forwarded-for" {
            "1.1.1.1, 192.0.2.1"
        } else {
            expected
        };
        assert_eq!(shown(&asked.headers, name), expected, "{name}");
    }
}

#[tokio::test]
async fn headers_and_credentials_are_what_the_options_say() {
    let options = json!({
        "address": "https://u%40:p%2Fw@auth/", "authRequestHeaders": ["X-A"],
        "preserveRequestMethod": true,
    });
    let mut request = with(get("/"), &[("x-a", "1"), ("x-b", "2")]);
    *request.method_mut() = Method::PUT;
    let asked = run(options, request, answer(200, &[]))
        .await
        .asked
        .expect("a question");
    assert_eq!(
        (asked.method, asked.uri.as_str()),
        (Method::PUT, "https://auth/")
    );
    assert_eq!(shown(&asked.headers, "x-a"), "1");
    assert_eq!(shown(&asked.headers, "x-b"), "");
    assert_eq!(
        asked.headers[header::AUTHORIZATION],
        request::basic("u@", "p/w").expect("text")
    );
}

#[tokio::test]
async fn what_the_server_says_stands_over_what_the_client_says() {
    let options = json!({
        "authResponseHeaders": ["X-User", "X-None"], "authResponseHeadersRegex": "^X-Auth-",
        "addAuthCookiesToResponse": ["a"], "headerField": "X-User",
    });
    let request = with(
        get("/"),
        &[
            ("x-user", "forged"),
            ("x-none", "forged"),
            ("x-auth-old", "forged"),
            ("x-other", "kept"),
        ],
    );
    let says = answer(
        204,
        &[
            ("x-user", "me"),
            ("x-auth-group", "g1"),
            ("x-auth-group", "g2"),
            ("x-secret", "s"),
            ("set-cookie", "a=auth; Path=/"),
            ("set-cookie", "c=auth"),
        ],
    );
    let outcome = run(options, request, says).await;
    let served = outcome.served.expect("a request").headers;
    for (name, expected) in [
        ("x-user", "me"),
        ("x-none", ""),
        ("x-auth-old", ""),
        ("x-auth-group", "g1|g2"),
        ("x-other", "kept"),
        ("x-secret", ""),
    ] {
        assert_eq!(shown(&served, name), expected, "{name}");
    }
    let headers = outcome.answer.headers();
    assert_eq!(shown(headers, "set-cookie"), "b=service|a=auth; Path=/");
    let user = outcome.answer.extensions().get::<User>();
    assert_eq!(user, Some(&User("me".into())));
    let all = json!({"authResponseHeadersRegex": ".*"});
    let says = answer(200, &[("content-length", "11"), ("x-a", "1")]);
    let served = run(all, get("/"), says)
        .await
        .served
        .expect("a request")
        .headers;
    assert_eq!(
        (shown(&served, "content-length"), shown(&served, "x-a")),
        (String::new(), "1".to_owned())
    );
    assert_eq!(shown(&served, "host"), "a.example");
}

#[tokio::test]
async fn a_refusal_is_the_clients() {
    let says = || {
        answer(
            302,
            &[
                ("location", "/login?x"),
                ("set-cookie", "s=1"),
                ("connection", "close"),
            ],
        )
    };
    let outcome = run(json!({}), get("/"), says()).await;
    assert!(outcome.served.is_none());
    let headers = outcome.answer.headers();
    assert_eq!(
        shown(headers, "location"),
        "http://auth.internal:9091/login?x"
    );
    assert_eq!(shown(headers, "set-cookie"), "s=1");
    assert_eq!(shown(headers, "connection"), "");
    assert_eq!(outcome.answer.status(), 302);
    assert_eq!(text(outcome.answer).await, "service 302");
    let outcome = run(json!({"preserveLocationHeader": true}), get("/"), says()).await;
    assert_eq!(shown(outcome.answer.headers(), "location"), "/login?x");
    let sign_in = json!({"authSigninURL": "https://login.example/"});
    let outcome = run(sign_in, get("/"), answer(401, &[])).await;
    assert_eq!(outcome.answer.status(), 302);
    assert_eq!(
        shown(outcome.answer.headers(), "location"),
        "https://login.example/"
    );
}

#[tokio::test]
async fn bodies_are_forwarded_up_to_their_bound() {
    let post = |length: usize| {
        let chunks = std::iter::repeat_n("x", length).map(Ok::<_, axum::Error>);
        get("/").map(|_| Body::from_stream(stream::iter(chunks)))
    };
    let outcome = run(json!({}), post(3), answer(200, &[])).await;
    assert_eq!(outcome.asked.expect("a question").body, "");
    assert_eq!(outcome.served.expect("a request").body, "xxx");
    let options = || json!({"forwardBody": true, "maxBodySize": 3});
    let outcome = run(options(), post(3), answer(200, &[])).await;
    assert_eq!(outcome.asked.expect("a question").body, "xxx");
    assert_eq!(outcome.served.expect("a request").body, "xxx");
    let outcome = run(options(), post(4), answer(200, &[])).await;
    assert_eq!(outcome.answer.status(), 401);
    assert!(outcome.asked.is_none() && outcome.served.is_none());
    let small = json!({"maxResponseBodySize": 3});
    let outcome = run(small, get("/"), answer(200, &[])).await;
    assert_eq!(outcome.answer.status(), 401);
}

#[tokio::test]
async fn nobody_comes_in_without_an_answer() {
    struct Dead;
    impl Outgoing for Dead {
        fn send(&self, _: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, String>> {
            Box::pin(async { Err("refused".to_owned()) })
        }
    }
    let client = connection("192.0.2.1".parse().expect("an address"));
    let context = Context {
        outgoing: Arc::new(Dead),
        ..context_with(client, &Service::new())
    };
    let service = Service::new();
    let layer = layer(json!({"forwardAuth": {"address": "http://auth/"}}));
    let answer = send(&layer, &context, get("/"), &service).await;
    assert_eq!((answer.status().as_u16(), service.all().len()), (500, 0));
}

#[test]
fn mistakes_are_named() {
    let check = |options: Value, expected: &str| refused(json!({"forwardAuth": options}), expected);
    for address in ["", "auth:9091", "ftp://auth", "http://"] {
        check(
            json!({"address": address}),
            "forwardAuth.address: it is not one",
        );
    }
    check(
        json!({"address": "http://a", "authResponseHeadersRegex": "("}),
        "forwardAuth.authResponseHeadersRegex: ",
    );
    check(
        json!({"address": "http://a", "authResponseHeaders": ["a", "b c"]}),
        "forwardAuth.authResponseHeaders[1]: ",
    );
    check(
        json!({"address": "http://a", "tls": {"ca": "/nowhere"}}),
        "forwardAuth.tls.ca: /nowhere",
    );
    check(
        json!({"address": "http://a", "authSigninURL": "a\n"}),
        "forwardAuth.authSigninURL: ",
    );
}
