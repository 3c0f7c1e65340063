//! Who may see the inside of the platform: this machine by the loopback entry point, administrators
//! everywhere, and nobody by what a request says of itself.

use std::net::SocketAddr;

use reqwest::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    client::{Answer, answer},
    harness::{PATIENCE, TestApp, create_admin},
};

/// What shows the inside, on the dashboard's host.
const INSIDE: [&str; 5] = [
    "/api/http/routers",
    "/api/rawdata",
    "/api/overview",
    "/api/certificates",
    "/metrics",
];

/// What clients say of themselves to be taken for this machine.
const CLAIMS: [(&str, &str); 8] = [
    ("x-forwarded-for", "127.0.0.1"),
    ("x-real-ip", "127.0.0.1"),
    ("forwarded", "for=127.0.0.1;host=localhost"),
    ("x-forwarded-host", "localhost"),
    ("x-forwarded-port", "8080"),
    ("x-forwarded-server", "localhost"),
    ("x-original-url", "/ping"),
    ("x-entrypoint", "traefik"),
];

/// The status of a GET whose head is written as it is here.
async fn ask(address: SocketAddr, host: &str, path: &str, fields: &str) -> u16 {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{fields}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut text)).await;
    read.expect("an answer in time").unwrap();
    text[9..12].parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboards_host_is_closed_to_strangers_whatever_they_say() {
    let app = TestApp::start().await;
    let web = app.client.entrypoints["web"];
    for path in INSIDE {
        assert_eq!(ask(web, "traefik.localhost", path, "").await, 401, "{path}");
        for (name, value) in CLAIMS {
            let field = format!("{name}: {value}\r\n");
            let status = ask(web, "traefik.localhost", path, &field).await;
            assert_eq!(status, 401, "{path} {field}");
        }
    }
    // Names of the loopback entry point are other hosts here.
    for host in ["localhost", "127.0.0.1", "localhost:8080", "traefik"] {
        let status = ask(web, host, "/api/http/routers", "").await;
        assert!(matches!(status, 401 | 404), "{host}: {status}");
    }
    // Spellings of the path, and requests for two hosts at once.
    for path in [
        "/%61pi/http/routers",
        "/x/../api/http/routers",
        "/dashboard/../api/rawdata",
        "http://traefik.localhost/api/rawdata",
    ] {
        let status = ask(web, "traefik.localhost", path, "").await;
        assert_eq!(status, 401, "{path}");
    }
    let status = ask(web, "localhost", "http://traefik.localhost/api/rawdata", "").await;
    assert_eq!(status, 401);
    assert_eq!(ask(web, "traefik.localhost", "/ping", "").await, 200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loopback_entry_point_answers_this_machine_and_no_page_elsewhere() {
    let app = TestApp::start().await;
    let traefik = app.client.entrypoints["traefik"];
    for path in INSIDE {
        for host in [
            "localhost:8080",
            "127.0.0.1:8080",
            "[::1]:8080",
            "traefik.localhost",
        ] {
            assert_eq!(ask(traefik, host, path, "").await, 200, "{host}{path}");
        }
        // A name of somebody else's that resolves to this machine.
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "192.0.2.1",
        ] {
            let claimed = "X-Forwarded-Host: localhost\r\nOrigin: http://localhost\r\n";
            assert_eq!(ask(traefik, host, path, claimed).await, 401, "{host}{path}");
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_point_that_others_reach_asks_everybody() {
    let app = TestApp::start_with(|config, _| {
        "0.0.0.0:0".clone_into(&mut config.gateway.entrypoints.traefik.address);
    })
    .await;
    let port = app.client.entrypoints["traefik"].port();
    let traefik = SocketAddr::from(([127, 0, 0, 1], port));
    for path in INSIDE {
        assert_eq!(ask(traefik, "localhost", path, "").await, 401, "{path}");
        for (name, value) in CLAIMS {
            let field = format!("{name}: {value}\r\n");
            assert_eq!(
                ask(traefik, "localhost", path, &field).await,
                401,
                "{path} {field}"
            );
        }
    }
    assert_eq!(ask(traefik, "localhost", "/ping", "").await, 200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_believed_does_not_lend_its_place() {
    let app = TestApp::start_with(|config, _| {
        config.gateway.trusted_proxies = vec!["127.0.0.1".to_owned()];
    })
    .await;
    let web = app.client.entrypoints["web"];
    for claimed in ["127.0.0.1", "::1", "10.0.0.1, 127.0.0.1"] {
        let field = format!("X-Forwarded-For: {claimed}\r\n");
        let status = ask(web, "traefik.localhost", "/api/rawdata", &field).await;
        assert_eq!(status, 401, "{claimed}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_may_look_and_others_may_not() {
    let app = TestApp::start().await;
    create_admin(&app.folder.path().join("data"));
    let token = app.client.sign_in().await;
    let with = async |credential: &str| -> Answer {
        let request = app
            .client
            .request(Method::GET, "traefik.localhost", "/api/http/routers")
            .header("authorization", credential);
        answer(request).await.unwrap()
    };
    let bearer = format!("Bearer {token}");
    assert_eq!(with(&bearer).await.status, 200);
    let (cut, forged) = (&bearer[..bearer.len() - 1], format!("{bearer}a"));
    for wrong in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer null",
        "Basic YWRtaW46YWRtaW4=",
        cut,
        &forged,
    ] {
        assert_eq!(with(wrong).await.status, 401, "{wrong}");
    }

    // An account of the application is signed in, and no administrator.
    let accounts = "/api/collections/users/records";
    let account = serde_json::json!({
        "email": "ann@example.com", "password": "a long password", "passwordConfirm": "a long password",
    });
    let created = app.client.request(Method::POST, "api.localhost", accounts);
    let created = answer(created.header("authorization", &token).json(&account))
        .await
        .unwrap();
    assert_eq!(created.status, 200, "{}", created.text);
    let path = "/api/collections/users/auth-with-password";
    let credentials =
        serde_json::json!({"identity": "ann@example.com", "password": "a long password"});
    let signed_in = app
        .client
        .request(Method::POST, "api.localhost", path)
        .json(&credentials);
    let signed_in = answer(signed_in).await.unwrap();
    assert_eq!(signed_in.status, 200, "{}", signed_in.text);
    let user = signed_in.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(with(&format!("Bearer {user}")).await.status, 401);
    app.stop().await;
}
