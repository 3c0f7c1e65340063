//! The shapes of Traefik's API, word for word, and what it must not show. That the shapes are
//! Traefik's is shown against the real one in `tests/e2e/test_gateway_api.py`.

use serde_json::{Value, json};

use super::harness::{Answer, TestGateway, config};

const DYNAMIC: &str = r#"
http:
  routers:
    shop:
      rule: Host(`shop.localhost`)
      service: shop
      middlewares: [guard, strip]
      entryPoints: [web]
    secure: {rule: Host(`secure.localhost`), service: both, tls: {}, entryPoints: [websecure]}
    lost: {rule: Host(`lost.localhost`), service: nowhere, entryPoints: [web]}
  middlewares:
    guard: {basicAuth: {users: ["ann:$apr1$lZL6V/ci$eIMz/iKDkbtys/uU7LEK00"], realm: here}}
    strip: {stripPrefix: {prefixes: [/api]}}
    again: {retry: {attempts: 2}}
    limit: {rateLimit: {average: 10, burst: 5}}
  services:
    shop:
      loadBalancer:
        servers: [{url: "http://127.0.0.1:1"}, {url: "http://127.0.0.1:2", weight: 2}]
        sticky: {cookie: {name: lb}}
        healthCheck: {path: /up, interval: 1m30s}
    both: {weighted: {services: [{name: shop, weight: 3}]}}
"#;

async fn start(content: &str) -> TestGateway {
    let test = TestGateway::start("localhost", config()).await;
    let folder = test.data.path().join("gateway");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("shop.yml"), content).expect("a file");
    test.gateway.look_at_files();
    test
}

async fn api(test: &TestGateway, path: &str) -> Answer {
    test.get("traefik", &format!("localhost/api/{path}")).await
}

/// The answer is exactly this.
async fn check(test: &TestGateway, path: &str, expected: Value) {
    let answer = api(test, path).await;
    assert_eq!((answer.status, answer.json()), (200, expected), "{path}");
}

/// The names in a list, and the number of the next page.
async fn names(test: &TestGateway, path: &str) -> (Vec<String>, String) {
    let answer = api(test, path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    let list = answer.json();
    let all = list.as_array().expect("a list").iter();
    let names = all.map(|item| item["name"].as_str().unwrap_or_default().to_owned());
    (names.collect(), answer.header("x-next-page").to_owned())
}

fn router(name: &str, rule: &str, service: &str, entry_point: &str) -> Value {
    json!({
        "entryPoints": [entry_point],
        "service": service,
        "rule": rule,
        "priority": rule.len(),
        "observability": {
            "accessLogs": true, "metrics": true, "tracing": true, "traceVerbosity": "minimal",
        },
        "status": "enabled",
        "using": [],
        "name": name,
        "provider": "file",
        "priorityStr": rule.len().to_string(),
    })
}

/// `object` with `more`.
fn and(mut object: Value, more: Value) -> Value {
    let (Some(fields), Value::Object(more)) = (object.as_object_mut(), more) else {
        panic!("two objects");
    };
    fields.extend(more);
    object
}

#[tokio::test]
async fn routers_are_shown_as_traefik_does() {
    let test = start(DYNAMIC).await;
    let shop = router("shop@file", "Host(`shop.localhost`)", "shop@file", "web");
    let shop = and(shop, json!({"middlewares": ["guard@file", "strip@file"]}));
    check(&test, "http/routers/shop@file", shop.clone()).await;
    check(&test, "http/routers/shop%40file", shop).await;
    let secure = router(
        "secure@file",
        "Host(`secure.localhost`)",
        "both@file",
        "websecure",
    );
    let secure = and(secure, json!({"tls": {"options": "default"}}));
    check(&test, "http/routers/secure@file", secure).await;
    let lost = api(&test, "http/routers/lost@file").await.json();
    assert_eq!(
        (&lost["status"], &lost["priority"]),
        (&json!("disabled"), &json!(22))
    );
    let error = lost["error"][0].as_str().unwrap_or_default();
    assert!(error.contains("there is no service"), "{lost}");
    let internal = api(&test, "http/routers/api@internal").await.json();
    assert_eq!(
        (&internal["ruleSyntax"], &internal["priorityStr"]),
        (&json!("default"), &json!("9223372036854775806"))
    );
    test.stop().await;
}

#[tokio::test]
async fn services_are_shown_as_traefik_does() {
    let test = start(DYNAMIC).await;
    let shop = json!({
        "loadBalancer": {
            "servers": [{"url": "http://127.0.0.1:1"}, {"url": "http://127.0.0.1:2", "weight": 2}],
            "passHostHeader": true,
            "sticky": {"cookie": {"name": "lb", "path": "/"}},
            "healthCheck": {
                "path": "/up", "interval": "1m30s", "timeout": "5s", "followRedirects": true,
                "mode": "http",
            },
            "strategy": "wrr",
        },
        "status": "enabled",
        "usedBy": ["shop@file"],
        "serverStatus": {"http://127.0.0.1:1": "UP", "http://127.0.0.1:2": "UP"},
        "name": "shop@file",
        "provider": "file",
        "type": "loadbalancer",
    });
    check(&test, "http/services/shop@file", shop).await;
    let both = json!({
        "weighted": {"services": [{"name": "shop", "weight": 3}]},
        "status": "enabled",
        "usedBy": ["secure@file"],
        "name": "both@file",
        "provider": "file",
        "type": "weighted",
    });
    check(&test, "http/services/both@file", both).await;
    let api = json!({
        "status": "enabled",
        "usedBy": ["api@internal", "traefik-api@mito"],
        "name": "api@internal",
        "provider": "internal",
    });
    check(&test, "http/services/api@internal", api).await;
    test.stop().await;
}

#[tokio::test]
async fn middlewares_are_shown_as_traefik_does() {
    let test = start(DYNAMIC).await;
    let middleware = |name: &str, kind: &str, options: Value, used_by: Value| {
        json!({
            kind: options,
            "status": "enabled",
            "usedBy": used_by,
            "name": format!("{name}@file"),
            "provider": "file",
            "type": kind.to_lowercase(),
        })
    };
    let guard = json!({"users": ["ann:xxxx"], "realm": "here"});
    let guard = middleware("guard", "basicAuth", guard, json!(["shop@file"]));
    check(&test, "http/middlewares/guard@file", guard).await;
    let again = json!({"attempts": 2, "maxRequestBodyBytes": 2_097_152});
    let again = middleware("again", "retry", again, json!([]));
    check(&test, "http/middlewares/again@file", again).await;
    let limit = json!({"average": 10, "burst": 5, "period": "1s"});
    let limit = middleware("limit", "rateLimit", limit, json!([]));
    check(&test, "http/middlewares/limit@file", limit).await;
    test.stop().await;
}

#[tokio::test]
async fn the_whole_is_shown_as_traefik_does() {
    let test = start(DYNAMIC).await;
    let [web, ..] = test.listen();
    let entry_point = json!({
        "address": web.to_string(),
        "transport": {
            "lifeCycle": {"graceTimeOut": "2s"},
            "respondingTimeouts": {"readTimeout": "15s", "idleTimeout": "3m0s"},
        },
        "forwardedHeaders": {},
        "http": {"sanitizePath": true, "maxHeaderBytes": 32_768},
        "http2": {
            "maxConcurrentStreams": 100,
            "maxDecoderHeaderTableSize": 4_096,
            "maxEncoderHeaderTableSize": 4_096,
        },
        "name": "web",
    });
    check(&test, "entrypoints/web", entry_point).await;
    let (listed, _) = names(&test, "entrypoints").await;
    assert_eq!(listed, ["traefik", "web", "websecure"]);

    let overview = api(&test, "overview").await.json();
    let none = json!({"total": 0, "warnings": 0, "errors": 0});
    let nothing = json!({"routers": none, "services": none, "middlewares": none});
    assert_eq!(overview["tcp"], nothing);
    assert_eq!(overview["udp"], json!({"routers": none, "services": none}));
    assert_eq!(overview["certificates"], none);
    assert_eq!(overview["http"]["routers"]["errors"], 1);
    assert_eq!(
        overview["features"],
        json!({"tracing": "", "metrics": "Prometheus", "accessLog": true})
    );
    assert_eq!(overview["providers"], json!(["File", "Mito"]));

    let version = api(&test, "version").await.json();
    let fields = version.as_object().expect("an object");
    let fields: Vec<&str> = fields.keys().map(String::as_str).collect();
    assert_eq!(
        fields,
        ["Version", "Codename", "startDate", "disableDashboardAd"]
    );
    assert!(
        version["startDate"]
            .as_str()
            .is_some_and(|it| it.ends_with('Z'))
    );

    let raw = api(&test, "rawdata").await.json();
    let shop = api(&test, "http/routers/shop@file").await.json();
    assert_eq!(raw["routers"]["shop@file"], shop);
    assert!(
        raw["services"]["shop@file"].is_object() && raw["middlewares"]["guard@file"].is_object()
    );
    check(&test, "certificates", json!([])).await;
    for kind in [
        "tcp/routers",
        "tcp/services",
        "tcp/middlewares",
        "udp/routers",
        "udp/services",
    ] {
        assert_eq!(names(&test, kind).await, (vec![], "1".to_owned()), "{kind}");
    }
    test.stop().await;
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_paged_as_traefik_does() {
    let test = start(DYNAMIC).await;
    let list = async |query: &str, expected: &[&str]| {
        let (names, _) = names(&test, &format!("http/routers?{query}")).await;
        assert_eq!(names, expected, "{query}");
    };
    list("search=shop.local", &["shop@file"]).await;
    list("search=SECURE", &["secure@file"]).await;
    list("status=disabled", &["lost@file"]).await;
    list("serviceName=shop@file", &["shop@file"]).await;
    list("serviceName=shop&status=enabled", &["shop@file"]).await;
    list("middlewareName=guard@file", &["shop@file"]).await;
    list("middlewareName=guard", &[]).await;
    list("serviceName=nobody", &[]).await;
    let files = "search=@file";
    list(files, &["lost@file", "secure@file", "shop@file"]).await;
    list(
        &format!("{files}&direction=desc"),
        &["shop@file", "secure@file", "lost@file"],
    )
    .await;
    let by_priority = format!("{files}&sortBy=priority&direction=desc");
    list(&by_priority, &["secure@file", "shop@file", "lost@file"]).await;
    list(
        &format!("{files}&sortBy=status"),
        &["lost@file", "secure@file", "shop@file"],
    )
    .await;
    list(
        &format!("{files}&sortBy=entryPoints"),
        &["lost@file", "shop@file", "secure@file"],
    )
    .await;
    for (page, shown, next) in [
        (1, vec!["lost@file", "secure@file"], "2"),
        (2, vec!["shop@file"], "1"),
    ] {
        let path = format!("http/routers?{files}&per_page=2&page={page}");
        let (names, told) = names(&test, &path).await;
        assert_eq!(
            (names, told.as_str()),
            (shown.iter().map(ToString::to_string).collect(), next)
        );
    }
    for (query, words) in [
        ("page=9", "page: 9, per_page: 100"),
        ("page=0", "page: "),
        ("page=x", "page: "),
        ("per_page=0", "per_page: "),
        ("per_page=-1", "per_page: "),
    ] {
        let wrong = api(&test, &format!("http/routers?{query}")).await;
        let message = wrong.json()["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert_eq!(wrong.status, 400, "{query}");
        assert!(
            message.starts_with(&format!("invalid request: {words}")),
            "{query}: {message}"
        );
    }
    test.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_said_as_traefik_does() {
    let test = start(DYNAMIC).await;
    for (path, kind) in [
        ("http/routers/x@file", "router"),
        ("http/services/x@file", "service"),
        ("http/middlewares/x@file", "middleware"),
        ("entrypoints/x@file", "entry point"),
        ("certificates/x@file", "certificate"),
        ("tcp/routers/x@file", "router"),
        ("tcp/middlewares/x@file", "middleware"),
        ("udp/services/x@file", "service"),
    ] {
        let missing = api(&test, path).await;
        assert_eq!(missing.status, 404, "{path}");
        assert_eq!(
            missing.json(),
            json!({"message": format!("{kind} not found: x@file")})
        );
    }
    let nowhere = api(&test, "nothing").await;
    assert_eq!(
        (nowhere.status, nowhere.text().as_str()),
        (404, "404 page not found\n")
    );
    test.stop().await;
}

#[tokio::test]
async fn no_secret_is_shown_wherever_it_is_written() {
    let everywhere = r#"
http:
  routers:
    shop: {rule: Host(`shop.localhost`), service: shop, middlewares: [guard, front, head, limit]}
  middlewares:
    guard: {basicAuth: {users: ["ann:$2y$05$hush", "hush-bob"]}}
    front:
      forwardAuth:
        address: "https://hush:hush@127.0.0.1:1/auth?token=hush"
        authSigninURL: "https://hush:hush@127.0.0.1:1/login?token=hush"
        tls: {key: hush}
    head:
      headers:
        customRequestHeaders: {Authorization: Bearer hush, X-Api-Key: hush, Cookie: a=hush, X-Secret: hush}
        customResponseHeaders: {Set-Cookie: a=hush, X-Token: hush}
    limit: {rateLimit: {average: 1, sourceCriterion: {requestHeaderName: X-Api-Key}}}
  services:
    shop:
      loadBalancer:
        servers: [{url: "http://127.0.0.1:1"}]
        serversTransport: own
        healthCheck: {path: "/up?token=hush", headers: {Authorization: Bearer hush, X-Password: hush}}
  serversTransports:
    own: {serverName: inside.example}
"#;
    let test = start(everywhere).await;
    for path in [
        "rawdata",
        "overview",
        "http/routers",
        "http/services",
        "http/middlewares",
        "http/services/shop@file",
        "http/middlewares/guard@file",
        "http/middlewares/front@file",
        "http/middlewares/head@file",
        "entrypoints",
        "certificates",
    ] {
        let shown = api(&test, path).await;
        assert_eq!(shown.status, 200, "{path}");
        assert!(!shown.text().contains("hush"), "{path}: {}", shown.text());
    }
    // They are there all the same, under their names.
    let head = api(&test, "http/middlewares/head@file").await.json();
    assert_eq!(head["headers"]["customRequestHeaders"]["X-Api-Key"], "xxxx");
    test.stop().await;
}
