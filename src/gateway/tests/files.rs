//! Routers and services of files, and files that change.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::harness::{Answer, TestGateway, config, request};

/// A server that answers with its name, and with what it is told to at `/up`.
async fn server(test: &TestGateway, name: &'static str) -> (SocketAddr, Switch) {
    let switch = Switch::default();
    let up = get(async |State(switch): State<Switch>| switch.status());
    let body = post(async |body: axum::body::Bytes| body.len().to_string());
    let named = async move |State(switch): State<Switch>, headers: HeaderMap| {
        let host = headers
            .get("host")
            .and_then(|host| host.to_str().ok())
            .unwrap_or("-");
        (switch.status(), format!("{name} {host}"))
    };
    let router = Router::new()
        .route("/up", up)
        .route("/length", body)
        .fallback(named)
        .with_state(switch.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let shutdown = test.supervisor.shutdown();
    test.supervisor.detach("server", async move {
        tokio::select! {
            served = axum::serve(listener, router) => served.expect("it serves"),
            () = shutdown.begun() => {}
        }
    });
    (address, switch)
}

/// Whether a server works.
#[derive(Clone, Default)]
struct Switch(std::sync::Arc<std::sync::atomic::AtomicBool>);

impl Switch {
    fn fail(&self, fails: bool) {
        self.0.store(fails, std::sync::atomic::Ordering::Relaxed);
    }

    fn status(&self) -> StatusCode {
        if self.0.load(std::sync::atomic::Ordering::Relaxed) {
            StatusCode::INTERNAL_SERVER_ERROR
        } else {
            StatusCode::OK
        }
    }
}

impl TestGateway {
    /// Writes a file and waits until the gateway has seen it.
    async fn write(&self, name: &str, text: &str) {
        let folder = self.data.path().join("gateway");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join(name), text).expect("a file");
        // Listing looks at the files at once.
        let listed = self.panel("GET", "/files", None).await;
        assert_eq!(listed.status, 200, "{listed:?}");
    }

    async fn panel(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let mut request = http::Request::builder().method(method).uri(path);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(axum::body::Body::empty, |body| body.to_string().into());
        let request = request.body(body).expect("a request");
        let response = tower::ServiceExt::oneshot(self.gateway.panel(), request).await;
        Answer::read(response.expect("an answer")).await
    }

    async fn object(&self, kind: &str, name: &str) -> Value {
        let answer = self
            .panel("GET", &format!("/http/{kind}/{name}"), None)
            .await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        answer.json()
    }

    /// The bodies of that many answers.
    async fn bodies(&self, url: &str, count: usize) -> Vec<String> {
        let mut bodies = Vec::new();
        for _ in 0..count {
            let answer = self.get("web", url).await;
            bodies.push(
                answer
                    .text()
                    .split(' ')
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
        bodies
    }
}

fn shop(servers: &str, more: &str) -> String {
    format!(
        "http:\n  routers:\n    shop:\n      rule: Host(`shop.localhost`)\n      service: shop\n  \
         services:\n    shop:\n      loadBalancer:\n        servers:\n{servers}\n{more}"
    )
}

fn entry(address: SocketAddr, more: &str) -> String {
    format!("          - url: http://{address}\n{more}")
}

#[tokio::test]
async fn servers_share_requests_by_weight_and_keep_clients() {
    let test = TestGateway::start("localhost", config()).await;
    let (first, _) = server(&test, "first").await;
    let (second, _) = server(&test, "second").await;
    let servers = entry(first, "            weight: 2\n") + &entry(second, "");
    test.write("shop.yml", &shop(&servers, "")).await;
    let bodies = test.bodies("shop.localhost/", 6).await;
    assert_eq!(
        bodies,
        ["first", "second", "first", "first", "second", "first"]
    );
    let answer = test.get("web", "shop.localhost/").await;
    assert_eq!(answer.text(), "first shop.localhost");
    let upload = request("POST", "shop.localhost/length", &[]).map(|_| vec![7; 300_000].into());
    assert_eq!(test.send("web", upload).await.text(), "300000");
    // A position survives a file that changes something else.
    test.write(
        "other.toml",
        "[http.routers.x]\nrule = 'Host(`x.localhost`)'\nservice = 'api@mito'\n",
    )
    .await;
    assert_eq!(test.bodies("shop.localhost/", 2).await, ["first", "first"]);
    assert_eq!(
        test.get("web", "x.localhost/").await.json()["service"],
        "api"
    );

    let sticky =
        "        sticky:\n          cookie:\n            name: lb\n            httpOnly: true\n";
    test.write("shop.yml", &shop(&servers, sticky)).await;
    let met = test.get("web", "shop.localhost/").await;
    let cookie = met.header("set-cookie").to_owned();
    assert!(
        cookie.starts_with("lb=") && cookie.ends_with("; Path=/; HttpOnly"),
        "{cookie}"
    );
    let pair = cookie.split(';').next().unwrap_or_default();
    for _ in 0..4 {
        let again = test
            .send(
                "web",
                request("GET", "shop.localhost/", &[("cookie", pair)]),
            )
            .await;
        assert_eq!((again.text(), again.header("set-cookie")), (met.text(), ""));
    }
    test.stop().await;
}

#[tokio::test]
async fn servers_that_do_not_work_are_left_out() {
    let test = TestGateway::start("localhost", config()).await;
    test.listen();
    let (first, first_fails) = server(&test, "first").await;
    let (second, second_fails) = server(&test, "second").await;
    let check = "        healthCheck:\n          path: /up\n          interval: 100ms\n          timeout: 100ms\n";
    let servers = entry(first, "") + &entry(second, "");
    test.write("shop.yml", &shop(&servers, check)).await;
    let states = async |expected: [&str; 2]| {
        let key = |address: SocketAddr| format!("http://{address}");
        for _ in 0..100 {
            let service = test.object("services", "shop@file").await;
            let states = &service["serverStatus"];
            if [&states[key(first)], &states[key(second)]] == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the servers are not {expected:?}");
    };
    first_fails.fail(true);
    states(["DOWN", "UP"]).await;
    assert_eq!(
        test.bodies("shop.localhost/", 3).await,
        ["second", "second", "second"]
    );
    second_fails.fail(true);
    states(["DOWN", "DOWN"]).await;
    let none = test.get("web", "shop.localhost/").await;
    assert_eq!(none.status, 503);
    assert!(none.text().contains("no available server"), "{none:?}");
    first_fails.fail(false);
    states(["UP", "DOWN"]).await;
    assert_eq!(test.bodies("shop.localhost/", 2).await, ["first", "first"]);
    test.stop().await;
}

#[tokio::test]
async fn failures_are_seen_without_asking() {
    let test = TestGateway::start("localhost", config()).await;
    let (first, first_fails) = server(&test, "first").await;
    let (second, _) = server(&test, "second").await;
    let passive = "        passiveHealthCheck:\n          failureWindow: 30s\n          maxFailedAttempts: 2\n";
    let servers = entry(first, "") + &entry(second, "");
    test.write("shop.yml", &shop(&servers, passive)).await;
    first_fails.fail(true);
    test.bodies("shop.localhost/", 4).await;
    first_fails.fail(false);
    assert_eq!(
        test.bodies("shop.localhost/", 3).await,
        ["second", "second", "second"]
    );
    test.stop().await;
}

#[tokio::test]
async fn services_are_made_of_services() {
    let test = TestGateway::start("localhost", config()).await;
    let (blue, _) = server(&test, "blue").await;
    let (green, _) = server(&test, "green").await;
    let content = format!(
        "[http.routers.shop]\nrule = 'Host(`shop.localhost`)'\nservice = 'both'\n\
         [[http.services.both.weighted.services]]\nname = 'blue'\nweight = 3\n\
         [[http.services.both.weighted.services]]\nname = 'green@file'\n\
         [[http.services.blue.loadBalancer.servers]]\nurl = 'http://{blue}'\n\
         [http.services.green.loadBalancer]\npassHostHeader = false\n\
         [[http.services.green.loadBalancer.servers]]\nurl = 'http://{green}/base'\npreservePath = true\n\
         [http.services.round.weighted]\nservices = [{{name = 'round'}}]\n"
    );
    test.write("shop.toml", &content).await;
    assert_eq!(
        test.bodies("shop.localhost/", 4).await,
        ["blue", "blue", "green", "blue"]
    );
    let round = test.object("services", "round@file").await;
    assert!(
        round["error"][0]
            .as_str()
            .unwrap_or_default()
            .contains("a part of itself"),
        "{round}"
    );
    let both = test.object("services", "both@file").await;
    assert_eq!(
        (&both["type"], &both["usedBy"][0]),
        (&json!("weighted"), &json!("shop@file"))
    );
    test.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_told_and_the_rest_serves() {
    let test = TestGateway::start("localhost", config()).await;
    let (first, _) = server(&test, "first").await;
    let good = shop(&entry(first, ""), "");
    let wrong = good.replace(
        "  services:\n",
        "    lost:\n      rule: Host(`a`)\n      service: nowhere\n    odd:\n      rule: Hots(`a`)\n      \
         service: shop\n    far:\n      rule: Host(`a`)\n      service: shop\n      entryPoints: [moon]\n    \
         hidden:\n      rule: Host(`shop.localhost`) && Path(`/x`)\n      service: shop\n      priority: 1\n  \
         services:\n",
    );
    test.write("shop.yml", &wrong).await;
    assert_eq!(test.bodies("shop.localhost/", 1).await, ["first"]);
    for (name, status, words) in [
        (
            "lost@file",
            "disabled",
            "shop.yml line 6: routers.lost: service: there is no service \"nowhere\"",
        ),
        ("odd@file", "disabled", "did you mean Host?"),
        (
            "far@file",
            "disabled",
            "there is no \"moon\"; there are web, websecure, traefik",
        ),
        (
            "hidden@file",
            "warning",
            "shop@file takes all of its requests before",
        ),
        ("shop@file", "enabled", ""),
    ] {
        let router = test.object("routers", name).await;
        assert_eq!(router["status"], status, "{router}");
        let error = router["error"][0].as_str().unwrap_or_default();
        assert!(error.contains(words), "{name}: {error}");
    }
    let overview = test.panel("GET", "/overview", None).await.json();
    assert_eq!(overview["http"]["routers"]["errors"], 3, "{overview}");
    assert_eq!(overview["http"]["routers"]["warnings"], 1, "{overview}");

    // A file that cannot be read changes nothing but the warnings.
    test.write("shop.yml", "http: [\n").await;
    assert_eq!(test.bodies("shop.localhost/", 1).await, ["first"]);
    let overview = test.panel("GET", "/overview", None).await.json();
    let warnings = overview["warnings"].to_string();
    assert!(warnings.contains("shop.yml is wrong"), "{warnings}");
    std::fs::remove_file(test.data.path().join("gateway/shop.yml")).expect("it is there");
    test.panel("GET", "/files", None).await;
    assert_eq!(test.get("web", "shop.localhost/").await.status, 404);
    test.stop().await;
}

#[tokio::test]
async fn a_name_that_the_configuration_has_already_hurts_its_file_alone() {
    let mut config = config();
    let router = crate::config::Router {
        rule: "Host(`shop.localhost`)".to_owned(),
        service: "api".to_owned(),
        priority: 0,
    };
    config.routers.insert("shop".to_owned(), router);
    let test = TestGateway::start("localhost", config).await;
    let (first, _) = server(&test, "first").await;
    let other =
        "    other:\n      rule: Host(`other.localhost`)\n      service: shop\n  services:\n";
    let both = shop(&entry(first, ""), "").replacen("  services:\n", other, 1);
    test.write("shop.yml", &both).await;
    assert_eq!(test.bodies("other.localhost/", 1).await, ["first"]);
    assert_eq!(
        test.get("web", "shop.localhost/").await.json()["service"],
        "api"
    );
    let routers = test
        .panel("GET", "/http/routers?status=disabled", None)
        .await
        .json();
    let error = routers[0]["error"][0].as_str().unwrap_or_default();
    assert!(
        error.contains("the program's configuration has a router of that name"),
        "{routers}"
    );
    test.stop().await;
}

#[tokio::test]
async fn the_panel_checks_writes_and_removes_files() {
    let test = TestGateway::start("localhost", config()).await;
    let (first, _) = server(&test, "first").await;
    let content = shop(&entry(first, ""), "");
    let body = |text: &str, version: Option<&str>| Some(json!({"text": text, "version": version}));
    let checked = test
        .panel("PUT", "/files/shop.yml?dry_run=1", body(&content, None))
        .await;
    assert_eq!(checked.status, 200, "{checked:?}");
    assert_eq!(
        test.get("web", "shop.localhost/").await.status,
        404,
        "nothing is written"
    );
    let wrong = test
        .panel(
            "PUT",
            "/files/shop.yml",
            body("http:\n  router: {}\n", None),
        )
        .await;
    assert_eq!(
        (wrong.status, &wrong.json()["line"]),
        (422, &json!(2)),
        "{wrong:?}"
    );
    let lost = content.replace("service: shop", "service: nowhere");
    let lost = test
        .panel("PUT", "/files/shop.yml?dry_run=1", body(&lost, None))
        .await;
    assert_eq!(
        (lost.status, &lost.json()["line"]),
        (422, &json!(3)),
        "{lost:?}"
    );
    assert!(
        lost.text()
            .contains("routers.shop: service: there is no service"),
        "{lost:?}"
    );
    let written = test
        .panel("PUT", "/files/shop.yml", body(&content, None))
        .await
        .json();
    assert_eq!(test.bodies("shop.localhost/", 1).await, ["first"]);
    let read = test.panel("GET", "/files/shop.yml", None).await.json();
    assert_eq!(
        (&read["text"], &read["version"]),
        (&json!(content), &written["version"])
    );
    let late = test
        .panel("PUT", "/files/shop.yml", body("", Some("another")))
        .await;
    assert_eq!(late.status, 409, "{late:?}");
    let outside = test.panel("PUT", "/files/..%2Fx.yml", body("", None)).await;
    assert_eq!(outside.status, 422, "{outside:?}");
    let removed = test.panel("DELETE", "/files/shop.yml", None).await;
    assert_eq!(removed.status, 204, "{removed:?}");
    assert_eq!(test.get("web", "shop.localhost/").await.status, 404);
    assert_eq!(
        test.panel("DELETE", "/files/shop.yml", None).await.status,
        404
    );
    test.stop().await;
}

#[tokio::test]
async fn middlewares_stand_before_services_in_their_order() {
    let test = TestGateway::start("localhost", config()).await;
    let (first, first_fails) = server(&test, "first").await;
    let more = "  middlewares:\n    strip:\n      stripPrefix:\n        prefixes: [/shop]\n    mark:\n      \
                headers:\n        customResponseHeaders:\n          X-Marked: yes-it-is\n    both:\n      \
                chain:\n        middlewares: [strip, mark@file]\n    pages:\n      errors:\n        \
                status: [\"500\"]\n        service: api@mito\n        query: /{status}.html\n    odd:\n      \
                stripPrefix: {}\n      compress: {}\n    guard:\n      basicAuth:\n        \
                users: [\"ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\"]\n";
    let router = |middlewares: &str| {
        let line = format!("      service: shop\n      middlewares: [{middlewares}]\n");
        shop(&entry(first, ""), more).replacen("      service: shop\n", &line, 1)
    };
    test.write("shop.yml", &router("both")).await;
    let answer = test.get("web", "shop.localhost/shop/up").await;
    assert_eq!(
        (answer.status, answer.header("x-marked")),
        (200, "yes-it-is"),
        "{answer:?}"
    );
    test.write("shop.yml", &router("guard, pages")).await;
    assert_eq!(test.get("web", "shop.localhost/").await.status, 401);
    first_fails.fail(true);
    let signed = request(
        "GET",
        "shop.localhost/",
        &[("authorization", "Basic YW5uOnBhc3N3b3Jk")],
    );
    let page = test.send("web", signed).await;
    assert_eq!(
        (page.status, &page.json()["path"]),
        (500, &json!("/500.html")),
        "{page:?}"
    );
    test.write("shop.yml", &router("mark, security-headers@mito"))
        .await;
    let own = test.get("web", "shop.localhost/").await;
    assert_eq!(
        (own.header("x-frame-options"), own.header("x-marked")),
        ("DENY", "yes-it-is")
    );
    test.write("shop.yml", &router("nowhere")).await;
    assert_eq!(test.get("web", "shop.localhost/").await.status, 404);
    let shop = test.object("routers", "shop@file").await;
    assert!(
        shop["error"][0]
            .to_string()
            .contains("there is no \\\"nowhere@file\\\""),
        "{shop}"
    );
    let odd = test.object("middlewares", "odd@file").await;
    assert!(
        odd["error"][0].to_string().contains("shop.yml line"),
        "{odd}"
    );
    let guard = test.object("middlewares", "guard@file").await;
    assert_eq!(
        (&guard["type"], &guard["basicAuth"]["users"]),
        (&json!("basicauth"), &json!(["ann:xxxx"]))
    );
    test.stop().await;
}
