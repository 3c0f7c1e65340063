//! Servers behind the gateway that are hostile themselves, clients that go away, and bombs.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use super::{
    site::{Site, route},
    wire::{self, in_time},
};
use crate::harness::eventually;

/// The host of the server.
const HOST: &str = "hostile.localhost";

/// A server that does at each path what it says.
#[derive(Clone, Default)]
struct Hostile {
    /// Which connection brought which request.
    requests: Arc<Mutex<Vec<(usize, String)>>>,
    /// An upload ended in the middle.
    cut: Arc<Notify>,
    /// The rest of a stream of events may be sent.
    go_on: Arc<Notify>,
}

impl Hostile {
    async fn listen(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = self.clone();
        tokio::spawn(async move {
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(server.clone().serve(number, stream));
            }
        });
        address
    }

    async fn serve(self, number: usize, mut stream: TcpStream) {
        while let Some(path) = next_path(&mut stream).await {
            self.requests.lock().unwrap().push((number, path.clone()));
            let Some(goes_on) = self.answer(&path, &mut stream).await else {
                return;
            };
            if !goes_on {
                return;
            }
        }
    }

    /// Whether the connection goes on; nothing if it breaks.
    async fn answer(&self, path: &str, stream: &mut TcpStream) -> Option<bool> {
        let large = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
        let (answer, goes_on) = match path {
            "/garbage" => ("SSH-2.0-nonsense\r\n\r\n", true),
            "/lengths" => (
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
                true,
            ),
            "/negative" => ("HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nabc", true),
            "/split" => (
                "HTTP/1.1 200 OK\r\nX: a\rb\0c\r\nContent-Length: 0\r\n\r\n",
                true,
            ),
            "/large" => (large.as_str(), true),
            "/short" => ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", false),
            "/long" => (
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 200 OK\r\n\r\n",
                true,
            ),
            "/chunks" => (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nx\r\n",
                true,
            ),
            "/old" => ("HTTP/1.0 200 OK\r\n\r\nold", false),
            "/empty" => ("", false),
            "/refuse" => (
                "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno",
                true,
            ),
            "/gzip" => (
                "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n\x1f\x0b!!!",
                true,
            ),
            "/last" => ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false),
            "/dies" => (
                "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nhi",
                false,
            ),
            "/hints" => {
                while stream
                    .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                    .await
                    .is_ok()
                {}
                return None;
            }
            "/upload" => {
                let mut rest = Vec::new();
                let _ = stream.read_to_end(&mut rest).await;
                self.cut.notify_one();
                return None;
            }
            "/events" => {
                let head =
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: first\n\n";
                stream.write_all(head).await.ok()?;
                self.go_on.notified().await;
                ("data: second\n\n", false)
            }
            _ => ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true),
        };
        stream.write_all(answer.as_bytes()).await.ok()?;
        Some(goes_on)
    }

    /// The connection that brought the last request.
    fn last_connection(&self) -> usize {
        self.requests.lock().unwrap().last().unwrap().0
    }
}

/// Reads a head and gives its path.
async fn next_path(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    head.split(' ').nth(1).map(str::to_owned)
}

async fn start() -> (Site, Hostile) {
    let server = Hostile::default();
    let address = server.listen().await;
    let site = Site::start_with(|config| {
        config.gateway.upstream_header_timeout_ms = 1_500;
        route(config, HOST, address);
    })
    .await;
    (site, server)
}

fn get(path: &str, fields: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\n{fields}\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_servers_say_wrongly_is_a_bad_gateway_and_their_connection_is_done_with() {
    let (site, server) = start().await;
    let cases: [(&str, u16, &str); 11] = [
        ("/garbage", 502, ""),
        ("/lengths", 502, ""),
        ("/negative", 502, ""),
        ("/split", 502, ""),
        ("/large", 502, ""),
        ("/empty", 502, ""),
        // No answer comes, however much is said: it is too late before it is wrong.
        ("/hints", 504, ""),
        // What has begun cannot be taken back: it ends before its end.
        ("/short", 200, "abc"),
        ("/chunks", 200, "ab"),
        ("/long", 200, "ab"),
        // RFC 9112 §6.3: the end of the connection is the end of the body.
        ("/old", 200, "old"),
    ];
    for (path, status, body) in cases {
        let reply = wire::exchange(site.web(), get(path, "Connection: close\r\n").as_bytes()).await;
        let text = reply.text();
        assert_eq!(
            (reply.status(), reply.answers()),
            (status, 1),
            "{path}: {text:?}"
        );
        if status == 200 {
            assert!(text.contains(body), "{path}: {text:?}");
            // One that is cut must not look whole.
            let looks_whole = text.ends_with("0\r\n\r\n");
            assert_eq!(looks_whole, path == "/old", "{path}: {text:?}");
        }
        let used = server.last_connection();
        let good =
            wire::exchange(site.web(), get("/good", "Connection: close\r\n").as_bytes()).await;
        assert!(
            good.text().ends_with("ok"),
            "after {path}: {:?}",
            good.text()
        );
        assert_ne!(server.last_connection(), used, "after {path}");
        site.is_healthy().await;
    }
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_the_server_closed_is_replaced_without_a_word() {
    let (site, server) = start().await;
    for _ in 0..10 {
        let reply =
            wire::exchange(site.web(), get("/last", "Connection: close\r\n").as_bytes()).await;
        assert!(reply.text().ends_with("ok"), "{:?}", reply.text());
    }
    assert!(server.last_connection() >= 9);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn web_sockets_are_refused_and_end_as_the_server_says() {
    let (site, _server) = start().await;
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let mut stream = wire::connect(site.web()).await;
    stream
        .write_all(get("/refuse", upgrade).as_bytes())
        .await
        .unwrap();
    let refused = wire::read_until(&mut stream, "no").await;
    assert!(refused.starts_with("HTTP/1.1 403 "), "{refused}");
    // The connection was not upgraded and goes on.
    stream.write_all(get("/good", "").as_bytes()).await.unwrap();
    wire::read_until(&mut stream, "ok").await;
    let dead = wire::exchange(site.web(), get("/dies", upgrade).as_bytes()).await;
    assert!(
        dead.text().starts_with("HTTP/1.1 101 "),
        "{:?}",
        dead.text()
    );
    assert!(dead.0.ends_with(b"\r\n\r\nhi"), "{:?}", dead.text());
    site.is_healthy().await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_given_up_ends_at_the_server_and_is_no_failure_of_it() {
    let (site, server) = start().await;
    let mut stream = wire::connect(site.web()).await;
    let head =
        format!("POST /upload HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1000000\r\n\r\nabc");
    stream.write_all(head.as_bytes()).await.unwrap();
    eventually("the server has the request", || async {
        !server.requests.lock().unwrap().is_empty()
    })
    .await;
    drop(stream);
    in_time("the server sees the end", server.cut.notified()).await;
    let log = site.app.folder.path().join("data/logs/access.log");
    eventually("it is written in the log", || async {
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        log.contains("\"POST /upload HTTP/1.1\" 499 ")
    })
    .await;
    site.is_healthy().await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_neither_unpacked_nor_held_back() {
    let (site, server) = start().await;
    let packed = wire::exchange(site.web(), get("/gzip", "Connection: close\r\n").as_bytes()).await;
    assert!(packed.0.ends_with(b"\x1f\x0b!!!"), "{:?}", packed.text());
    let mut stream = wire::connect(site.web()).await;
    let fields = "Accept-Encoding: gzip, br\r\n";
    stream
        .write_all(get("/events", fields).as_bytes())
        .await
        .unwrap();
    let first = wire::read_until(&mut stream, "data: first\n\n").await;
    assert!(!first.contains("second"), "{first}");
    server.go_on.notify_one();
    wire::read_until(&mut stream, "data: second\n\n").await;

    // The platform's own stream of events, whose pages are compressed.
    let mut stream = wire::connect(site.web()).await;
    let fields = format!("GET /api/realtime HTTP/1.1\r\nHost: api.localhost\r\n{fields}\r\n");
    stream.write_all(fields.as_bytes()).await.unwrap();
    wire::read_until(&mut stream, "PB_CONNECT").await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_are_bombs_hurt_nobody() {
    let (site, _server) = start().await;
    let data = site.app.folder.path().join("data/gateway");
    std::fs::create_dir_all(&data).unwrap();
    let rules = [
        "HostRegexp(`^(a{1000}){1000}$`)".to_owned(),
        "PathRegexp(`(((a*)*)*)*$`) && Host(`bomb.localhost`)".to_owned(),
        format!("{}Host(`a`){}", "(".repeat(10_000), ")".repeat(10_000)),
        format!("{}Host(`a`)", "!".repeat(10_000)),
    ];
    let routers: Vec<String> = (0..)
        .zip(&rules)
        .map(|(number, rule)| {
            format!("    bomb{number}:\n      rule: '{rule}'\n      service: api@mito\n")
        })
        .collect();
    let routers = routers.concat();
    std::fs::write(
        data.join("bombs.yml"),
        format!("http:\n  routers:\n{routers}"),
    )
    .unwrap();
    let listed = async || {
        let path = "/api/http/routers?search=bomb&per_page=500";
        let listed = site
            .app
            .client
            .get_from(site.app.client.entrypoints["traefik"], path);
        listed.await.json().as_array().cloned().unwrap_or_default()
    };
    eventually("the file is read", || async {
        listed().await.len() == rules.len()
    })
    .await;
    for router in listed().await {
        let fits = router["name"] == "bomb1@file";
        assert_eq!(router["status"] == "enabled", fits, "{router}");
    }
    // What a backtracking engine would need years for.
    let path = format!("/{}b", "a".repeat(10_000));
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: bomb.localhost\r\nConnection: close\r\n\r\n");
    let asked = wire::exchange(site.web(), request.as_bytes());
    let reply = tokio::time::timeout(Duration::from_secs(10), asked)
        .await
        .unwrap();
    assert!(reply.status() >= 200, "{:?}", reply.text());
    site.is_healthy().await;
    site.stop().await;
}
