//! What services and browsers see.

use http::HeaderMap;
use serde_json::{Value, json};

use super::{
    super::testing::{Service, connection, context, context_with, get, layer, refused, send},
    *,
};

#[track_caller]
fn shown(headers: &HeaderMap, name: &str) -> String {
    let all: Vec<_> = headers
        .get_all(name)
        .iter()
        .map(|it| it.to_str().expect("text"))
        .collect();
    all.join("|")
}

fn with(mut request: Request<Body>, headers: &[(&'static str, &'static str)]) -> Request<Body> {
    for (name, value) in headers {
        request
            .headers_mut()
            .insert(*name, HeaderValue::from_static(value));
    }
    request
}

/// A service that has its own opinion of some headers.
fn service() -> Service {
    Service::answering(|| {
        let mut response = Response::new(Body::empty());
        for (name, value) in [
            ("x-frame-options", "SAMEORIGIN"),
            ("x-powered-by", "php"),
            ("vary", "Accept"),
        ] {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        response
    })
}

async fn answer(options: Value, request: Request<Body>, scheme: &'static str) -> Response<Body> {
    let mut connection = connection("192.0.2.1".parse().expect("an address"));
    connection.scheme = scheme;
    let context = context_with(connection, &Service::new());
    send(
        &layer(json!({"headers": options})),
        &context,
        request,
        &service(),
    )
    .await
}

#[tokio::test]
async fn headers_are_set_and_removed() {
    let options = json!({
        "customRequestHeaders": {"X-Set": "new", "x-gone": "", "Host": "b.example"},
        "customResponseHeaders": {"X-Powered-By": "", "X-Frame-Options": "mine"},
    });
    let service = service();
    let layer = layer(json!({"headers": options}));
    let request = with(get("/"), &[("x-set", "old"), ("x-gone", "1")]);
    let answer = send(&layer, &context(), request, &service).await;
    let seen = service.one().headers;
    assert_eq!(
        (shown(&seen, "x-set"), shown(&seen, "x-gone")),
        ("new".to_owned(), String::new())
    );
    assert_eq!(shown(&seen, "host"), "b.example");
    assert_eq!(shown(answer.headers(), "x-powered-by"), "");
    assert_eq!(shown(answer.headers(), "x-frame-options"), "mine");
}

fn preflight() -> Request<Body> {
    let mut request = with(
        get("/"),
        &[
            ("origin", "https://page.example"),
            ("access-control-request-method", "PUT"),
        ],
    );
    *request.method_mut() = http::Method::OPTIONS;
    request
}

#[tokio::test]
async fn preflights_are_answered() {
    let options = json!({
        "accessControlAllowMethods": ["GET", "PUT"], "accessControlAllowHeaders": ["X-A", "X-B"],
        "accessControlAllowOriginList": ["https://page.example"], "accessControlMaxAge": 100,
        "accessControlAllowCredentials": true, "addVaryHeader": true, "frameDeny": true,
    });
    let answer = answer(options, preflight(), "http").await;
    for (name, expected) in [
        ("access-control-allow-methods", "GET,PUT"),
        ("access-control-allow-headers", "X-A,X-B"),
        ("access-control-allow-origin", "https://page.example"),
        ("access-control-max-age", "100"),
        ("access-control-allow-credentials", "true"),
        ("vary", "Origin"),
        ("x-frame-options", "DENY"),
        ("x-powered-by", ""),
    ] {
        assert_eq!(shown(answer.headers(), name), expected, "{name}");
    }
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn preflights_are_the_services_where_nothing_is_said_of_them() {
    let answer = answer(json!({"frameDeny": true}), preflight(), "http").await;
    assert_eq!(shown(answer.headers(), "x-powered-by"), "php");
    assert_eq!(shown(answer.headers(), "access-control-max-age"), "");
}

#[tokio::test]
async fn origins_are_listed_or_fit_a_pattern() {
    let check = async |options: Value, origin: &'static str, expected: &str| {
        let request = with(get("/"), &[("origin", origin)]);
        let answer = answer(options, request, "http").await;
        assert_eq!(
            shown(answer.headers(), "access-control-allow-origin"),
            expected,
            "{origin}"
        );
    };
    let list = json!({"accessControlAllowOriginList": ["https://a", "https://b"]});
    check(list.clone(), "https://b", "https://b").await;
    check(list, "https://c", "").await;
    check(
        json!({"accessControlAllowOriginList": ["*"]}),
        "https://c",
        "*",
    )
    .await;
    let pattern = json!({"accessControlAllowOriginListRegex": [r"^https://[a-z]+\.example$"]});
    check(pattern.clone(), "https://a.example", "https://a.example").await;
    check(pattern, "https://a.example.evil", "").await;
    let vary = json!({
        "accessControlAllowOriginList": ["*"], "addVaryHeader": true,
        "accessControlExposeHeaders": ["A", "B"],
    });
    let answer = answer(vary, get("/"), "http").await;
    assert_eq!(shown(answer.headers(), "vary"), "Accept|Origin");
    assert_eq!(
        shown(answer.headers(), "access-control-expose-headers"),
        "A,B"
    );
}

#[tokio::test]
async fn strict_transport_is_said_over_https() {
    const STRICT: &str = "max-age=60; includeSubDomains; preload";
    let check =
        async |more: Value, request: Request<Body>, scheme: &'static str, expected: &str| {
            let mut options =
                json!({"stsSeconds": 60, "stsIncludeSubdomains": true, "stsPreload": true});
            if let (Some(options), Some(more)) = (options.as_object_mut(), more.as_object()) {
                options.extend(more.clone());
            }
            let answer = answer(options, request, scheme).await;
            assert_eq!(
                shown(answer.headers(), "strict-transport-security"),
                expected
            );
        };
    check(json!({}), get("/"), "https", STRICT).await;
    check(json!({}), get("/"), "http", "").await;
    check(json!({"forceSTSHeader": true}), get("/"), "http", STRICT).await;
    check(
        json!({"forceSTSHeader": true, "isDevelopment": true}),
        get("/"),
        "https",
        "",
    )
    .await;
    let proxy = json!({"sslProxyHeaders": {"X-Forwarded-Proto": "https"}});
    let told = || with(get("/"), &[("x-forwarded-proto", "https")]);
    check(proxy, told(), "http", STRICT).await;
    check(json!({}), told(), "http", "").await;
    check(json!({"stsSeconds": 0}), get("/"), "https", "").await;
}

#[tokio::test]
async fn browsers_are_told_what_the_options_say() {
    let options = json!({
        "customFrameOptionsValue": "ALLOW", "frameDeny": true, "contentTypeNosniff": true,
        "browserXssFilter": true, "contentSecurityPolicy": "a",
        "contentSecurityPolicyReportOnly": "b",
        "referrerPolicy": "c", "permissionsPolicy": "d", "publicKey": "e",
    });
    let answer = answer(options, get("/"), "https").await;
    for (name, expected) in [
        ("x-frame-options", "ALLOW"),
        ("x-content-type-options", "nosniff"),
        ("x-xss-protection", "1; mode=block"),
        ("content-security-policy", "a"),
        ("content-security-policy-report-only", "b"),
        ("referrer-policy", "c"),
        ("permissions-policy", "d"),
        ("public-key-pins", "e"),
    ] {
        assert_eq!(shown(answer.headers(), name), expected, "{name}");
    }
}

#[tokio::test]
async fn only_allowed_hosts_are_served() {
    let check = async |options: Value, request: Request<Body>, status: u16| {
        let answer = answer(options, request, "http").await;
        assert_eq!(answer.status(), status);
    };
    check(json!({"allowedHosts": ["A.example"]}), get("/"), 200).await;
    check(json!({"allowedHosts": ["b.example"]}), get("/"), 500).await;
    let with_port = || with(get("/"), &[("host", "a.example:81")]);
    check(json!({"allowedHosts": ["a.example:81"]}), with_port(), 200).await;
    check(json!({"allowedHosts": ["a.example"]}), with_port(), 200).await;
    check(json!({"allowedHosts": ["a.example:82"]}), with_port(), 500).await;
    check(
        json!({"allowedHosts": ["b.example"], "isDevelopment": true}),
        get("/"),
        200,
    )
    .await;
    let proxy = json!({"allowedHosts": ["b.example"], "hostsProxyHeaders": ["X-Forwarded-Host"]});
    check(
        proxy.clone(),
        with(get("/"), &[("x-forwarded-host", "B.example")]),
        200,
    )
    .await;
    check(proxy, get("/"), 500).await;
}

#[test]
fn mistakes_are_named() {
    let check = |options: Value, expected: &str| refused(json!({"headers": options}), expected);
    check(json!({}), "headers.customRequestHeaders: neither");
    check(
        json!({"customRequestHeaders": {"a b": "c"}}),
        "headers.customRequestHeaders: \"a b\"",
    );
    check(
        json!({"customResponseHeaders": {"A": "b\n"}}),
        "headers.customResponseHeaders.A: ",
    );
    check(
        json!({"accessControlAllowOriginListRegex": ["("]}),
        "headers.accessControlAllowOriginListRegex[0]: ",
    );
    check(
        json!({"customRequestHeaders": {"Content-Length": "1"}}),
        "headers.customRequestHeaders.Content-Length: ",
    );
    check(
        json!({"customRequestHeaders": {"host": ""}}),
        "headers.customRequestHeaders.host: ",
    );
    check(json!({"stsSeconds": -1}), "headers.stsSeconds: ");
    check(
        json!({"sslRedirect": true}),
        "headers.sslRedirect: it is gone",
    );
    check(
        json!({"featurePolicy": "x"}),
        "headers.featurePolicy: it is gone",
    );
}
