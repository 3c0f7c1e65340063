//! What comes slowly, or not at all, is closed; who is only slow in answering is not.

use std::time::{Duration, Instant};

use mito_network::listener::Limits;
use tokio::{io::AsyncWriteExt as _, task::JoinSet};

use super::{
    site::{HOST, Site},
    wire::{self, SHORT},
};

/// All time limits as short as [`SHORT`].
fn short() -> Limits {
    let short = u64::try_from(SHORT.as_millis()).unwrap();
    Limits {
        first_byte_timeout_ms: short,
        handshake_timeout_ms: short,
        header_timeout_ms: short,
        body_stall_timeout_ms: short,
        write_stall_timeout_ms: short,
        idle_timeout_ms: short,
        ..Limits::default()
    }
}

#[test]
fn nothing_may_stand_still_for_longer_than_is_required() {
    let limits = Limits::default();
    assert_eq!(limits.first_byte_timeout_ms, 10_000);
    assert_eq!(limits.handshake_timeout_ms, 10_000);
    assert_eq!(limits.header_timeout_ms, 15_000);
    assert_eq!(limits.body_stall_timeout_ms, 30_000);
    assert_eq!(limits.write_stall_timeout_ms, 60_000);
    assert_eq!(limits.idle_timeout_ms, 180_000);
}

async fn site() -> Site {
    Site::start_with(|config| config.gateway.limits = short()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_still_is_closed() {
    let site = site().await;
    let (web, secure) = (site.web(), site.secure());
    let post = format!("POST / HTTP/1.1\r\nHost: {HOST}\r\n");
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let cases = [
        // Nothing, and what might become anything.
        (web, String::new(), 0),
        (web, "P".to_owned(), 0),
        (web, "PRI * HT".to_owned(), 0),
        (web, preface[..20].to_owned(), 0),
        // A head that does not end.
        (web, "GET".to_owned(), 408),
        (web, "GET / HTTP/1.1\r\nHost: a\r\n".to_owned(), 408),
        // A body that does not end.
        (web, format!("{post}Content-Length: 10\r\n\r\nabc"), 408),
        (
            web,
            format!("{post}Transfer-Encoding: chunked\r\n\r\n5\r\nab"),
            408,
        ),
        // Nothing after the first answer.
        (web, format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"), 200),
        // HTTP/2 without a request: our settings, and the end.
        (web, preface.to_owned(), 0),
        // Handshakes that do not begin, and do not end.
        (secure, String::new(), 0),
        (secure, "\x16\x03\x01".to_owned(), 0),
        (secure, "\x16\x03\x01\x02\0\x01\0\x01".to_owned(), 0),
    ];
    let mut checks = JoinSet::new();
    for (address, sent, status) in cases {
        checks.spawn(async move {
            let begun = Instant::now();
            let reply = wire::exchange(address, sent.as_bytes()).await;
            assert_eq!(reply.status(), status, "{sent:?} got {:?}", reply.text());
            let least = SHORT.mul_f32(0.9);
            assert!(begun.elapsed() >= least, "{sent:?} is closed at once");
        });
    }
    while let Some(check) = checks.join_next().await {
        check.unwrap();
    }
    site.is_healthy().await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_drips_is_closed_and_a_body_that_drips_is_taken() {
    let site = site().await;
    let pause = SHORT / 20;
    let drip = async |text: String| {
        let (mut read, mut write) = wire::connect(site.web()).await.into_split();
        let dripping = async {
            for byte in text.bytes() {
                if write.write_all(&[byte]).await.is_err() {
                    break;
                }
                tokio::time::sleep(pause).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            reply = wire::read_to_end(&mut read) => reply,
            () = dripping => unreachable!("it waits"),
        }
    };
    let head = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nX: {}", "y".repeat(80));
    assert_eq!(drip(head).await.status(), 408);

    let (mut read, mut write) = wire::connect(site.web()).await.into_split();
    let head = format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n");
    let head = format!("{head}Content-Length: 40\r\n\r\n");
    write.write_all(head.as_bytes()).await.unwrap();
    // Twice as long as anything may stand still.
    for _ in 0..40 {
        tokio::time::sleep(pause).await;
        write.write_all(b"a").await.unwrap();
    }
    let reply = wire::read_to_end(&mut read).await;
    assert_eq!(reply.status(), 200, "{:?}", reply.text());
    site.is_healthy().await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_takes_is_given_up() {
    let site = site().await;
    let mut stream = wire::connect(site.web()).await;
    let request = format!("GET /large HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    // As long as it takes for the other side to give up, and nothing is read.
    let open = async || {
        let metrics = site.app.client.entrypoints["traefik"];
        let metrics = site.app.client.get_from(metrics, "/metrics").await;
        let line = "traefik_open_connections{entrypoint=\"web\",protocol=\"TCP\"} ";
        let count = metrics.text.lines().find_map(|it| it.strip_prefix(line));
        count.and_then(|count| count.parse::<f64>().ok())
    };
    crate::harness::eventually("the connection is closed", || async {
        open().await == Some(0.0)
    })
    .await;
    let rest = wire::read_to_end(&mut stream).await;
    assert!(
        rest.0.len() < super::site::LARGE_BYTES,
        "it ends in the middle"
    );
    site.is_healthy().await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_counted_and_the_others_are_served_on() {
    let site = Site::start_with(|config| config.gateway.limits.max_connections = 40).await;
    let request = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    let mut served = wire::connect(site.web()).await;
    let mut ask = async || {
        served.write_all(request.as_bytes()).await.unwrap();
        wire::read_until(&mut served, "\n\n").await
    };
    assert!(ask().await.starts_with("HTTP/1.1 200"));
    // The rest of the room, with connections on which nothing comes, and many more.
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(wire::connect(site.web()).await);
    }
    let mut last = idle.pop().unwrap();
    assert_eq!(
        wire::read_to_end(&mut last).await.0,
        b"",
        "there is no room"
    );
    assert!(
        ask().await.starts_with("HTTP/1.1 200"),
        "who is in stays in"
    );
    drop(idle);
    crate::harness::eventually("there is room again", || async {
        site.app
            .client
            .get("api.localhost", "/health")
            .await
            .is_ok_and(|answer| answer.status == 200)
    })
    .await;
    site.stop().await;
}

/// Longer than anything may stand still in these tests.
const LONG: Duration = Duration::from_millis(1_500);

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_thinks_is_not_a_client_that_sleeps() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        wire::read_until(&mut stream, "\r\n\r\n").await;
        tokio::time::sleep(LONG).await;
        let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nlate";
        stream.write_all(answer).await.unwrap();
    });
    let site = Site::start_with(|config| {
        config.gateway.limits = short();
        super::site::route(config, "slow.localhost", address);
    })
    .await;
    let request = "GET / HTTP/1.1\r\nHost: slow.localhost\r\n\r\n";
    let reply = wire::exchange(site.web(), request.as_bytes()).await;
    assert!(reply.text().ends_with("late"), "{:?}", reply.text());
    site.stop().await;
}
