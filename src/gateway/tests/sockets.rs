//! The gateway by real sockets: redirects, the access log, and what is left after shutdown.

use super::harness::{TestGateway, config, exchange};
use crate::{Config, config::AccessLogFormat};

#[tokio::test]
async fn plain_http_on_a_real_domain_goes_to_https() {
    let test = TestGateway::start("example.com", config()).await;
    let [web, websecure, _] = test.listen();
    let send = async |method: &str, path: &str| {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: api.example.com\r\n");
        exchange(
            web,
            &format!("{head}Content-Length: 0\r\nConnection: close\r\n\r\n"),
        )
        .await
    };
    let location = format!(
        "location: https://api.example.com:{}/x?y=1\r\n",
        websecure.port()
    );
    let answer = send("GET", "/x?y=1").await;
    assert!(answer.starts_with("HTTP/1.1 301 "), "{answer}");
    assert!(answer.to_lowercase().contains(&location), "{answer}");
    let answer = send("POST", "/x?y=1").await;
    assert!(answer.starts_with("HTTP/1.1 308 "), "{answer}");
    let answer = send("GET", "/.well-known/acme-challenge/unknown").await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    test.stop().await;
}

#[tokio::test]
async fn plain_http_on_localhost_is_answered() {
    let test = TestGateway::start("localhost", config()).await;
    let [web, _, traefik] = test.listen();
    let get = "GET /health HTTP/1.1\r\nHost: api.localhost\r\nConnection: close\r\n\r\n";
    let answer = exchange(web, get).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("\"client\":\"127.0.0.1\""), "{answer}");
    let head = "HEAD / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n";
    let answer = exchange(web, head).await;
    assert!(
        answer.starts_with("HTTP/1.1 404 ") && answer.ends_with("\r\n\r\n"),
        "{answer}"
    );
    let list = "GET /api/entrypoints HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = exchange(traefik, list).await;
    assert!(
        answer.contains(&format!("\"address\":\"{web}\"")),
        "{answer}"
    );
    test.stop().await;
}

async fn logged(format: AccessLogFormat) -> String {
    let test = TestGateway::start(
        "localhost",
        Config {
            access_log: format,
            ..config()
        },
    )
    .await;
    let [web, _, _] = test.listen();
    let head = "GET /large?token=secret HTTP/1.1\r\nHost: api.localhost\r\n";
    let agent = "User-Agent: a\"b\r\nReferer: http://x/?token=secret\r\n";
    exchange(web, &format!("{head}{agent}Connection: close\r\n\r\n")).await;
    let nowhere = "GET / HTTP/1.1\r\nHost: x.localhost\r\nConnection: close\r\n\r\n";
    exchange(web, nowhere).await;
    test.stop().await;
    let path = test.data.path().join("logs/access.log");
    std::fs::read_to_string(path).expect("the log is written before the end")
}

#[tokio::test]
async fn every_request_is_a_line_in_traefiks_common_format() {
    let log = logged(AccessLogFormat::Common).await;
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 2, "{log}");
    let (before, after) = lines[0].split_once('[').expect("a time");
    assert_eq!(before, "127.0.0.1 - - ");
    let (_, after) = after.split_once("] ").expect("a time");
    assert!(
        after.starts_with("\"GET /large HTTP/1.1\" 200 10"),
        "{after}"
    );
    let rest = "\"http://x/\" \"a\\\"b\" 1 \"api@mito\" \"http://api:3000\" ";
    assert!(after.contains(rest) && after.ends_with("ms"), "{after}");
    assert!(
        lines[1].contains(" 404 ") && lines[1].contains("2 \"-\" \"-\" "),
        "{log}"
    );
    assert!(!log.contains("secret"), "{log}");
}

#[tokio::test]
async fn every_request_is_an_object_in_the_json_format() {
    let log = logged(AccessLogFormat::Json).await;
    let line: serde_json::Value =
        serde_json::from_str(log.lines().next().expect("a line")).expect("JSON");
    assert_eq!(line["RouterName"], "api@mito");
    assert_eq!(line["DownstreamStatus"], 200);
    assert_eq!(line["entryPointName"], "web");
    assert!(
        line["DownstreamContentSize"]
            .as_u64()
            .is_some_and(|size| size > 10_000),
        "{line}"
    );
    assert!(!log.contains("secret"), "{log}");
}

#[tokio::test]
async fn lines_without_room_are_dropped_and_counted() {
    let test = TestGateway::start("localhost", config()).await;
    // Nobody writes: the gateway does not serve.
    for _ in 0..8_200 {
        test.get("web", "x.localhost/").await;
    }
    assert_eq!(test.gateway.state.log.dropped(), 8);
    test.stop().await;
}
