//! Changes of `[gateway]` while the gateway runs.

use std::net::{SocketAddr, TcpListener as Taken};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::harness::{TestGateway, config, exchange, request};
use crate::{Config, config as options};

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: api.localhost\r\nConnection: close\r\n\r\n";

/// The addresses that the gateway has, written down.
fn fixed([web, websecure, traefik]: [SocketAddr; 3]) -> Config {
    let at = |address: SocketAddr| options::EntryPoint {
        address: address.to_string(),
    };
    Config {
        entrypoints: options::EntryPoints {
            web: at(web),
            websecure: at(websecure),
            traefik: at(traefik),
        },
        ..config()
    }
}

async fn change(test: &TestGateway, config: &Config) -> Vec<(String, SocketAddr)> {
    let changed = test.gateway.reconfigure(config.clone()).await;
    let entrypoints = changed.unwrap_or_else(|error| panic!("{error}"));
    let pairs = entrypoints.into_iter().map(|it| (it.name, it.address));
    pairs.collect()
}

async fn is_open(address: SocketAddr) -> bool {
    TcpStream::connect(address).await.is_ok()
}

/// Waits until nobody listens there any more.
async fn closes(address: SocketAddr) {
    let closing = async {
        while is_open(address).await {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    };
    let closed = tokio::time::timeout(std::time::Duration::from_secs(5), closing).await;
    assert!(closed.is_ok(), "{address} stays open");
}

#[tokio::test]
async fn an_entry_point_moves_and_its_requests_in_flight_end_as_they_began() {
    let test = TestGateway::start("localhost", config()).await;
    let [web, websecure, traefik] = test.listen();
    change(&test, &fixed([web, websecure, traefik])).await;
    let mut uploading = TcpStream::connect(web).await.expect("a connection");
    let head = "POST / HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: 4\r\n\r\nab";
    uploading
        .write_all(head.as_bytes())
        .await
        .expect("it is taken");
    // The first answer says that the connection before it is being served.
    assert!(exchange(web, REQUEST).await.starts_with("HTTP/1.1 200"));

    let mut moved = fixed([web, websecure, traefik]);
    moved.entrypoints.web.address = "127.0.0.1:0".to_owned();
    let entrypoints = change(&test, &moved).await;
    let new = entrypoints[0].1;
    assert_ne!(new, web);
    assert_eq!(
        entrypoints[1..],
        [
            ("websecure".to_owned(), websecure),
            ("traefik".to_owned(), traefik)
        ]
    );
    assert!(exchange(new, REQUEST).await.starts_with("HTTP/1.1 200"));
    closes(web).await;

    uploading.write_all(b"cd").await.expect("it is still taken");
    let mut answer = String::new();
    uploading
        .read_to_string(&mut answer)
        .await
        .expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    test.stop().await;
}

#[tokio::test]
async fn entry_points_are_switched_off_and_on_and_the_api_says_so() {
    let test = TestGateway::start("localhost", config()).await;
    let [web, websecure, traefik] = test.listen();
    let mut without = fixed([web, websecure, traefik]);
    "off".clone_into(&mut without.entrypoints.websecure.address);
    let names = |entrypoints: Vec<(String, SocketAddr)>| -> Vec<String> {
        entrypoints.into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(names(change(&test, &without).await), ["web", "traefik"]);
    closes(websecure).await;
    let shown = test
        .get("traefik", "localhost/api/entrypoints")
        .await
        .json();
    assert_eq!(shown.as_array().map(Vec::len), Some(2), "{shown}");

    let with = fixed([web, websecure, traefik]);
    assert_eq!(
        names(change(&test, &with).await),
        ["web", "websecure", "traefik"]
    );
    assert!(is_open(websecure).await);
    test.stop().await;
}

#[tokio::test]
async fn two_entry_points_exchange_their_ports() {
    let test = TestGateway::start("localhost", config()).await;
    let [web, websecure, traefik] = test.listen();
    change(&test, &fixed([web, websecure, traefik])).await;
    let exchanged = change(&test, &fixed([traefik, websecure, web])).await;
    assert_eq!((exchanged[0].1, exchanged[2].1), (traefik, web));
    let overview = "GET /api/overview HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert!(exchange(web, overview).await.starts_with("HTTP/1.1 200"));
    assert!(exchange(traefik, REQUEST).await.starts_with("HTTP/1.1 200"));
    test.stop().await;
}

/// Makes a good configuration wrong.
type Spoil<'a> = &'a dyn Fn(&mut Config);

#[tokio::test]
async fn what_cannot_be_changes_nothing() {
    let test = TestGateway::start("localhost", config()).await;
    let [web, websecure, traefik] = test.listen();
    let good = fixed([web, websecure, traefik]);
    change(&test, &good).await;
    let held = Taken::bind("127.0.0.1:0").expect("a free port");
    let taken = held.local_addr().expect("an address").to_string();
    let wrong: [(&str, &str, Spoil<'_>); 5] = [
        ("a port that is taken", "taken by another program", &|it| {
            it.entrypoints.web.address.clone_from(&taken);
        }),
        // The one gives its port up for the other, which fails.
        (
            "a port after one that moves",
            "taken by another program",
            &|it| {
                it.entrypoints.web.address = traefik.to_string();
                it.entrypoints.traefik.address.clone_from(&taken);
            },
        ),
        ("no address", "not an address", &|it| {
            "nowhere".clone_into(&mut it.entrypoints.web.address);
        }),
        ("no network", "gateway.trusted_proxies", &|it| {
            it.trusted_proxies = vec!["everybody".to_owned()];
        }),
        ("no rule", "column", &|it| {
            let router = options::Router {
                rule: "Host(".to_owned(),
                service: "api".to_owned(),
                priority: 0,
            };
            it.routers.insert("shop".to_owned(), router);
        }),
    ];
    for (name, expected, spoil) in wrong {
        let mut config = good.clone();
        config.rate_limit_average = 1;
        spoil(&mut config);
        let error = test.gateway.reconfigure(config).await.expect_err(name);
        assert!(error.to_string().contains(expected), "{name}: {error}");
        let listening: Vec<SocketAddr> = test
            .gateway
            .entrypoints()
            .iter()
            .map(|it| it.address)
            .collect();
        assert_eq!(listening, [web, websecure, traefik], "{name}");
        assert!(
            exchange(web, REQUEST).await.starts_with("HTTP/1.1 200"),
            "{name}"
        );
        assert!(is_open(websecure).await && is_open(traefik).await, "{name}");
    }
    let middlewares = test
        .get("traefik", "localhost/api/http/middlewares")
        .await
        .text();
    assert!(middlewares.contains("\"average\":100"), "{middlewares}");
    test.stop().await;
}

#[tokio::test]
async fn limits_and_proxies_change_without_another_listener() {
    let test = TestGateway::start("localhost", config()).await;
    let addresses = test.listen();
    let web = addresses[0];
    let mut changed = fixed(addresses);
    change(&test, &changed).await;

    changed.limits.max_header_bytes = 1_024;
    changed.rate_limit_average = 1;
    changed.rate_limit_burst = 1;
    changed.trusted_proxies = vec!["127.0.0.1".to_owned()];
    change(&test, &changed).await;
    let long = format!(
        "GET / HTTP/1.1\r\nHost: api.localhost\r\nConnection: close\r\nX-Long: {}\r\n\r\n",
        "a".repeat(2_000)
    );
    assert!(exchange(web, &long).await.starts_with("HTTP/1.1 431"));
    assert!(exchange(web, REQUEST).await.starts_with("HTTP/1.1 200"));
    assert!(exchange(web, REQUEST).await.starts_with("HTTP/1.1 429"));
    let forwarded = "GET / HTTP/1.1\r\nHost: api.localhost\r\nConnection: close\r\n\
                     X-Forwarded-For: 192.0.2.7\r\n\r\n";
    let answer = exchange(web, forwarded).await;
    assert!(answer.contains("\"client\":\"192.0.2.7\""), "{answer}");

    changed.limits.max_connections = 0;
    change(&test, &changed).await;
    let mut closed = TcpStream::connect(web).await.expect("the system takes it");
    // The request may find the connection closed.
    let _ = closed.write_all(REQUEST.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = closed.read_to_end(&mut answer).await;
    assert!(answer.is_empty(), "there is no room");
    test.stop().await;
}

#[tokio::test]
async fn what_the_limiter_has_counted_outlives_other_changes() {
    let mut limited = config();
    (limited.rate_limit_average, limited.rate_limit_burst) = (1, 1);
    let test = TestGateway::start("localhost", limited.clone()).await;
    assert_eq!(test.get("web", "api.localhost/").await.status, 200);
    limited.upstream_header_timeout_ms = 1_000;
    change(&test, &limited).await;
    assert_eq!(test.get("web", "api.localhost/").await.status, 429);
    test.stop().await;
}

#[tokio::test]
async fn the_access_log_is_switched_on_and_changes_its_format() {
    let quiet = Config {
        access_log: options::AccessLogFormat::Off,
        ..config()
    };
    let test = TestGateway::start("localhost", quiet.clone()).await;
    test.listen();
    test.get("web", "api.localhost/before").await;
    let json = Config {
        access_log: options::AccessLogFormat::Json,
        ..quiet
    };
    change(&test, &json).await;
    let get = request("GET", "api.localhost/after", &[]);
    test.send("web", get).await;
    test.stop().await;
    let log = std::fs::read_to_string(test.data.path().join("logs/access.log"));
    let log = log.expect("there is a log");
    assert!(log.starts_with('{') && log.contains("/after"), "{log}");
    assert!(!log.contains("/before"), "{log}");
}

#[tokio::test]
async fn certificates_are_ordered_from_the_authority_that_is_configured_now() {
    let test = TestGateway::start("example.com", config()).await;
    test.listen();
    assert!(test.gateway.state.certificates.acme().is_none());
    let mut ordering = config();
    "operator@example.com".clone_into(&mut ordering.acme.email);
    "https://127.0.0.1:1/directory".clone_into(&mut ordering.acme.ca_server);
    ordering.acme.self_probe = false;
    change(&test, &ordering).await;
    let acme = test.gateway.state.certificates.acme();
    let acme = acme.expect("an authority");
    let asked = async {
        while !acme
            .hosts()
            .values()
            .any(|host| host.attempts.last_error.is_some())
        {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let asked = tokio::time::timeout(std::time::Duration::from_secs(10), asked).await;
    assert!(asked.is_ok(), "nobody orders");
    change(&test, &config()).await;
    assert!(test.gateway.state.certificates.acme().is_none());
    test.stop().await;
}
