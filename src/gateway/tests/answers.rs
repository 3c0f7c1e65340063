//! What the gateway answers, without sockets.

use axum::body::Body;
use futures_util::StreamExt as _;

use super::harness::{TestGateway, config, request};
use crate::{Config, config as options};

#[tokio::test]
async fn roles_are_reached_by_their_host_names() {
    let test = TestGateway::start("localhost", config()).await;
    let check = async |url: &str, service: &str| {
        let answer = test.get("web", url).await;
        assert_eq!(answer.status, 200, "{url}");
        assert_eq!(answer.json()["service"], service, "{url}");
        assert!(!answer.header("x-request-id").is_empty());
        assert_eq!(answer.header("x-request-id"), answer.json()["request_id"]);
        assert_eq!(answer.header("server"), "", "{url}");
    };
    check("api.localhost/health", "api").await;
    check("API.localhost:8000/health", "api").await;
    check("localhost/", "admin-web").await;
    check("minio.localhost/minio/health/live", "minio").await;
    check("inbox.minio.localhost/a", "minio").await;
    check("minio-console.localhost/browser", "minio-console").await;
    check("minio-console.localhost/_mito/api/session", "api").await;
    check("mobile-build.localhost/status", "mobile-build").await;
    check("mobile-build.localhost/", "admin-web").await;
    check("traefik.localhost/_mito/api/session", "api").await;
    check("traefik.localhost/dashboard/", "admin-web").await;
    test.stop().await;
}

#[tokio::test]
async fn paths_are_canonical_before_they_are_matched_and_forwarded() {
    let test = TestGateway::start("localhost", config()).await;
    let answer = test
        .get("web", "mobile-build.localhost/x/%2e%2e/%61pi/y?q=%2e")
        .await;
    assert_eq!(answer.json()["service"], "mobile-build");
    assert_eq!(answer.json()["path"], "/api/y");
    assert_eq!(answer.json()["query"], "q=%2e");
    assert_eq!(test.get("web", "api.localhost/%zz").await.status, 400);
    assert_eq!(
        test.send("web", request("TRACE", "api.localhost/", &[]))
            .await
            .status,
        405
    );
    test.stop().await;
}

#[tokio::test]
async fn security_headers_are_for_pages_and_not_for_objects() {
    let test = TestGateway::start("localhost", config()).await;
    let page = test.get("websecure", "admin.localhost/").await;
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert_eq!(
        page.header("strict-transport-security"),
        "",
        "localhost is not pinned to HTTPS"
    );
    let object = test.get("web", "minio.localhost/inbox/a").await;
    assert_eq!(object.header("x-content-type-options"), "");
    assert_eq!(object.header("content-security-policy"), "");
    test.stop().await;

    let test = TestGateway::start("example.com", config()).await;
    let page = test.get("websecure", "admin.example.com/").await;
    assert!(
        page.header("strict-transport-security")
            .starts_with("max-age=")
    );
    test.stop().await;
}

#[tokio::test]
async fn pages_are_compressed_and_objects_are_not() {
    let test = TestGateway::start("localhost", config()).await;
    let check = async |url: &str, encoding: &str| {
        let answer = test
            .send("web", request("GET", url, &[("accept-encoding", "gzip")]))
            .await;
        assert_eq!(answer.header("content-encoding"), encoding, "{url}");
    };
    check("admin.localhost/large", "gzip").await;
    check("admin.localhost/small", "").await;
    check("minio.localhost/large", "").await;
    test.stop().await;
}

#[tokio::test]
async fn unknown_hosts_are_named_and_known_ones_listed_in_development_alone() {
    let test = TestGateway::start("localhost", config()).await;
    let html = [("accept", "text/html,*/*")];
    let page = test
        .send("web", request("GET", "shop.localhost/", &html))
        .await;
    assert_eq!(page.status, 404);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.text().contains("shop.localhost"));
    assert!(page.text().contains("http://admin.localhost/"));
    let plain = test.get("web", "shop.localhost/").await;
    assert_eq!(plain.header("content-type"), "application/problem+json");
    let head = test
        .send("web", request("HEAD", "shop.localhost/", &html))
        .await;
    assert_eq!((head.status, head.body.len()), (404, 0));
    assert_eq!(head.header("content-length"), page.header("content-length"));
    test.stop().await;

    let test = TestGateway::start("example.com", config()).await;
    let page = test
        .send("websecure", request("GET", "shop.example.com/", &html))
        .await;
    assert_eq!(page.status, 404);
    assert!(
        !page.text().contains("admin.example.com"),
        "{}",
        page.text()
    );
    test.stop().await;
}

#[tokio::test]
async fn a_role_that_does_not_work_is_named_and_comes_back() {
    let test = TestGateway::start("localhost", config()).await;
    test.hold("api", true).await;
    let html = [("accept", "text/html")];
    let page = test
        .send("web", request("GET", "api.localhost/", &html))
        .await;
    assert_eq!(page.status, 503);
    assert_ne!(page.header("retry-after"), "");
    assert!(page.text().contains("api"), "{}", page.text());
    let problem = test.get("web", "api.localhost/").await;
    assert_eq!(problem.header("content-type"), "application/problem+json");
    assert_eq!(test.get("web", "minio.localhost/").await.status, 200);
    test.hold("api", false).await;
    assert_eq!(test.get("web", "api.localhost/").await.status, 200);
    test.stop().await;
}

#[tokio::test]
async fn a_router_to_nothing_answers_502() {
    let mut config = config();
    let router = options::Router {
        rule: "Host(`shop.localhost`)".to_owned(),
        service: "shop".to_owned(),
        priority: 0,
    };
    config.routers.insert("shop".to_owned(), router);
    let test = TestGateway::start("localhost", config).await;
    let answer = test.get("web", "shop.localhost/").await;
    assert_eq!(answer.status, 502);
    assert!(answer.text().contains("shop"));
    let view = test
        .get("traefik", "localhost/api/http/routers/shop@file")
        .await
        .json();
    assert_eq!(view["status"], "disabled");
    test.stop().await;
}

#[tokio::test]
async fn the_api_is_limited_whatever_the_headers_claim() {
    let config = Config {
        rate_limit_average: 1,
        ..config()
    };
    let test = TestGateway::start("localhost", config).await;
    let mut limited = 0;
    for number in 0..60 {
        let forged = format!("10.0.0.{number}");
        let headers = [
            ("x-forwarded-for", forged.as_str()),
            ("x-real-ip", forged.as_str()),
        ];
        let answer = test
            .send("web", request("GET", "api.localhost/", &headers))
            .await;
        if answer.status == 429 {
            limited += 1;
            assert!(
                answer
                    .header("retry-after")
                    .parse::<u32>()
                    .expect("seconds")
                    >= 1
            );
            assert_ne!(answer.header("x-retry-in"), "");
            assert_eq!(answer.header("content-type"), "application/problem+json");
        } else {
            assert_eq!(answer.json()["client"], "127.0.0.1");
            assert_eq!(answer.json()["forwarded_for"], false);
        }
    }
    // The burst is 50; a slow machine may have earned a second or two meanwhile.
    assert!((1..=10).contains(&limited), "{limited}");
    assert_eq!(test.get("web", "minio.localhost/").await.status, 200);
    test.stop().await;
}

#[tokio::test]
async fn the_dashboards_api_speaks_as_traefik_does() {
    let test = TestGateway::start("localhost", config()).await;
    let routers = test.get("traefik", "localhost/api/http/routers").await;
    assert_eq!(routers.status, 200);
    assert_eq!(routers.header("x-next-page"), "1");
    let all = routers.json();
    let api = all
        .as_array()
        .expect("an array")
        .iter()
        .find(|it| it["name"] == "api@mito");
    let api = api.expect("the api's router");
    assert_eq!(api["rule"], "Host(`api.localhost`)");
    assert_eq!(api["entryPoints"], serde_json::json!(["web", "websecure"]));
    assert_eq!(api["service"], "api@mito");
    assert_eq!(api["priority"], 21);
    assert_eq!(api["priorityStr"], "21");
    assert_eq!(api["status"], "enabled");
    assert_eq!(api["provider"], "mito");
    let names = all.as_array().expect("an array").iter();
    assert!(names.clone().any(|it| it["name"] == "api@internal"));
    let service = test
        .get("traefik", "localhost/api/http/services/api@mito")
        .await
        .json();
    assert_eq!(service["serverStatus"]["http://api:3000"], "UP");
    assert_eq!(service["type"], "loadbalancer");
    let limit = test
        .get(
            "traefik",
            "localhost/api/http/middlewares/api-ratelimit@mito",
        )
        .await;
    assert_eq!(limit.json()["rateLimit"]["average"], 100);
    assert_eq!(limit.json()["type"], "ratelimit");
    let overview = test.get("traefik", "localhost/api/overview").await.json();
    assert_eq!(
        overview["http"]["routers"]["total"],
        all.as_array().map_or(0, Vec::len)
    );
    assert_eq!(overview["features"]["metrics"], "Prometheus");
    assert!(test.get("traefik", "localhost/api/version").await.json()["Version"].is_string());
    assert!(test.get("traefik", "localhost/api/rawdata").await.json()["routers"].is_object());
    assert_eq!(test.get("traefik", "localhost/ping").await.text(), "OK");
    assert_eq!(
        test.get("traefik", "localhost/metrics").await.text(),
        "mito_up 1\n"
    );
    let missing = test
        .get("traefik", "localhost/api/http/routers/x@file")
        .await;
    assert_eq!(missing.status, 404);
    assert_eq!(missing.json()["message"], "router not found: x@file");
    test.stop().await;
}

#[tokio::test]
async fn the_dashboards_api_is_for_administrators_elsewhere() {
    let test = TestGateway::start("localhost", config()).await;
    let check = async |entrypoint: &str, url: &str, headers: &[(&str, &str)], status: u16| {
        let answer = test.send(entrypoint, request("GET", url, headers)).await;
        assert_eq!(answer.status, status, "{entrypoint} {url} {headers:?}");
    };
    let url = "traefik.localhost/api/http/routers";
    check("web", url, &[], 401).await;
    check(
        "web",
        url,
        &[("authorization", "Bearer administrator")],
        200,
    )
    .await;
    check("web", url, &[("authorization", "Bearer user")], 401).await;
    check("web", url, &[("cookie", "mito_session=administrator")], 200).await;
    check(
        "websecure",
        url,
        &[("cookie", "mito_session=administrator")],
        401,
    )
    .await;
    check(
        "websecure",
        url,
        &[("cookie", "__Host-mito_session=administrator")],
        200,
    )
    .await;
    check("web", "traefik.localhost/metrics", &[], 401).await;
    check("web", "traefik.localhost/ping", &[], 200).await;
    // A page elsewhere whose name resolves to loopback.
    check("traefik", "evil.example/api/http/routers", &[], 401).await;
    test.stop().await;
}

#[tokio::test]
async fn bodies_are_streamed_into_roles() {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };
    let test = TestGateway::start("localhost", config()).await;
    let pulled = Arc::new(AtomicUsize::new(0));
    let count = pulled.clone();
    let chunks = futures_util::stream::repeat_with(move || {
        count.fetch_add(1, Ordering::SeqCst);
        Ok::<_, std::io::Error>(vec![0_u8; 1 << 20])
    });
    let mut request = request("PUT", "minio.localhost/inbox/a", &[]);
    *request.body_mut() = Body::from_stream(chunks.take(1 << 20));
    // The service answers without reading: a terabyte is never asked for.
    assert_eq!(test.send("web", request).await.status, 200);
    assert!(pulled.load(Ordering::SeqCst) < 8);
    test.stop().await;
}

#[tokio::test]
async fn a_broken_rule_keeps_the_routers_that_were() {
    let test = TestGateway::start("localhost", config()).await;
    let mut changed = config();
    let router = |rule: &str| options::Router {
        rule: rule.to_owned(),
        service: "api".to_owned(),
        priority: 0,
    };
    changed
        .routers
        .insert("shop".to_owned(), router("Host(`shop.localhost`"));
    let error = test
        .gateway
        .reconfigure(changed.clone())
        .await
        .expect_err("the rule is broken")
        .to_string();
    assert!(
        error.contains("shop@file") && error.contains("column 22"),
        "{error}"
    );
    assert_eq!(test.get("web", "api.localhost/").await.status, 200);
    changed
        .routers
        .insert("shop".to_owned(), router("Host(`shop.localhost`)"));
    test.gateway
        .reconfigure(changed)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        test.get("web", "shop.localhost/").await.json()["service"],
        "api"
    );
    test.stop().await;
}

#[tokio::test]
async fn a_request_without_a_host_is_not_redirected_to_nowhere() {
    let test = TestGateway::start("example.com", config()).await;
    let request = |host: Option<&str>| {
        let mut request = http::Request::get("/evil.example/").version(http::Version::HTTP_10);
        if let Some(host) = host {
            request = request.header("host", host);
        }
        request.body(Body::empty()).expect("a request")
    };
    assert_eq!(test.send("web", request(None)).await.status, 400);
    let answer = test.send("web", request(Some("a.example.com"))).await;
    assert_eq!(answer.status, 301);
    test.stop().await;
}

#[tokio::test]
async fn object_keys_come_as_they_are_and_other_paths_in_one_spelling() {
    let test = TestGateway::start("localhost", config()).await;
    for path in ["/inbox/a/../b", "/inbox/%7Ea%2f", "/inbox//a"] {
        let object = test.get("web", &format!("minio.localhost{path}")).await;
        assert_eq!(object.json()["path"], path, "{object:?}");
    }
    let other = test.get("web", "api.localhost/a/../%7Eb").await;
    assert_eq!(other.json()["path"], "/~b");
    assert_eq!(test.get("web", "api.localhost/%zz").await.status, 400);
    test.stop().await;
}
