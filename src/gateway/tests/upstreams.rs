//! Servers beside the platform.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, body::Body, extract::Request, routing::any};
use futures_util::StreamExt as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::harness::{TestGateway, config, request};
use crate::{config as options, services::room::MAX_AT_ONCE};

/// A gateway whose `shop.localhost` is the server at `address`.
async fn before(address: SocketAddr) -> TestGateway {
    let mut config = config();
    let router = options::Router {
        rule: "Host(`shop.localhost`)".to_owned(),
        service: format!("http://{address}"),
        priority: 0,
    };
    config.routers.insert("shop".to_owned(), router);
    config.upstream_header_timeout_ms = 500;
    TestGateway::start("localhost", config).await
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

/// Reads a request head.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = stream.read_u8().await.expect("a whole head");
        head.push(byte);
    }
    String::from_utf8_lossy(&head).to_lowercase()
}

#[tokio::test]
async fn requests_are_forwarded_with_true_headers() {
    let (listener, address) = listener().await;
    let test = before(address).await;
    test.supervisor.detach("upstream", async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let head = head(&mut stream).await;
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nKeep-Alive: timeout=5\r\nServer: x\r\n\r\n",
            head.len()
        );
        stream.write_all(answer.as_bytes()).await.expect("taken");
        stream.write_all(head.as_bytes()).await.expect("taken");
    });
    let headers = [
        ("x-forwarded-for", "1.2.3.4"),
        ("x_forwarded_for", "1.2.3.4"),
        ("connection", "x-secret"),
        ("x-secret", "1"),
        ("upgrade", "h2c"),
        ("te", "trailers"),
    ];
    let answer = test
        .send(
            "web",
            request("GET", "shop.localhost:81/a%2Fb?c=d", &headers),
        )
        .await;
    let seen = answer.text();
    assert!(seen.starts_with("get /a%2fb?c=d http/1.1\r\n"), "{seen}");
    for line in [
        "host: shop.localhost:81",
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-host: shop.localhost:81",
        "x-forwarded-port: 81",
        "x-forwarded-proto: http",
        "x-real-ip: 127.0.0.1",
        "te: trailers",
    ] {
        assert!(
            seen.contains(&format!("\r\n{line}\r\n")),
            "{line} in {seen}"
        );
    }
    for gone in ["1.2.3.4", "x-secret", "upgrade"] {
        assert!(!seen.contains(gone), "{gone} in {seen}");
    }
    assert_eq!(
        (answer.header("server"), answer.header("keep-alive")),
        ("", "")
    );
    test.stop().await;
}

#[tokio::test]
async fn a_dead_server_is_a_bad_gateway() {
    let (listener, address) = listener().await;
    drop(listener);
    let test = before(address).await;
    let html = [("accept", "text/html")];
    let page = test
        .send("web", request("GET", "shop.localhost/", &html))
        .await;
    assert_eq!(page.status, 502);
    assert!(page.text().contains("shop.localhost"), "{}", page.text());
    test.stop().await;
}

#[tokio::test]
async fn a_silent_server_is_a_gateway_timeout() {
    let (listener, address) = listener().await;
    let test = before(address).await;
    assert_eq!(test.get("web", "shop.localhost/").await.status, 504);
    drop(listener);
    test.stop().await;
}

#[tokio::test]
async fn a_request_that_can_be_repeated_is_repeated_once() {
    let (listener, address) = listener().await;
    let test = before(address).await;
    let heads = Arc::new(AtomicUsize::new(0));
    let seen = heads.clone();
    test.supervisor.detach("upstream", async move {
        for attempt in 0..4 {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            head(&mut stream).await;
            seen.fetch_add(1, Ordering::SeqCst);
            // The first connection of each request breaks off without an answer.
            if attempt == 1 {
                let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
                stream.write_all(answer).await.expect("taken");
            }
        }
    });
    assert_eq!(test.get("web", "shop.localhost/").await.status, 204);
    let post = test
        .send("web", request("POST", "shop.localhost/", &[]))
        .await;
    assert_eq!(post.status, 502);
    assert_eq!(heads.load(Ordering::SeqCst), 3, "a POST is never repeated");
    test.get("web", "shop.localhost/").await;
    test.stop().await;
}

#[tokio::test]
async fn a_web_socket_passes_through() {
    let (listener, address) = listener().await;
    let test = before(address).await;
    let [web, _, _] = test.listen();
    test.supervisor.detach("upstream", async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let head = head(&mut stream).await;
        assert!(head.contains("\r\nupgrade: websocket\r\n"), "{head}");
        assert!(
            head.contains("\r\nsec-websocket-key: dghlihnhbxbsz==\r\n"),
            "{head}"
        );
        assert!(head.contains("\r\nx-forwarded-proto: ws\r\n"), "{head}");
        let switch = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
            Upgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n";
        stream.write_all(switch.as_bytes()).await.expect("taken");
        let (mut read, mut write) = stream.split();
        tokio::io::copy(&mut read, &mut write)
            .await
            .expect("an echo");
    });
    let mut client = TcpStream::connect(web).await.expect("a connection");
    let ask = "GET /chat HTTP/1.1\r\nHost: shop.localhost\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZ==\r\n\r\n";
    client.write_all(ask.as_bytes()).await.expect("taken");
    let answer = head(&mut client).await;
    assert!(answer.starts_with("http/1.1 101 "), "{answer}");
    assert!(answer.contains("\r\nupgrade: websocket\r\n"), "{answer}");
    assert!(
        answer.contains("\r\nsec-websocket-accept: x\r\n"),
        "{answer}"
    );
    // A masked text frame, "hello", and a frame larger than any buffer on the way.
    let mut frame = vec![0x81, 0x85, 1, 2, 3, 4];
    frame.extend(
        b"hello"
            .iter()
            .zip([1, 2, 3, 4, 1])
            .map(|(byte, mask)| byte ^ mask),
    );
    frame.extend(std::iter::repeat_n(7_u8, 300_000));
    let (mut read, mut write) = client.split();
    let mut echoed = vec![0; frame.len()];
    let (sent, received) = tokio::join!(write.write_all(&frame), read.read_exact(&mut echoed));
    sent.expect("taken");
    received.expect("echoed");
    assert_eq!(echoed, frame);
    drop(client);
    test.stop().await;
}

#[tokio::test]
async fn large_uploads_are_streamed_through_and_answered() {
    const CHUNK_BYTES: usize = 1 << 20;
    const CHUNKS: usize = 96;
    let (listener, address) = listener().await;
    let test = before(address).await;
    let pulled = Arc::new(AtomicUsize::new(0));
    let seen = pulled.clone();
    let server = Router::new().fallback(any(move |request: Request| async move {
        let mut body = request.into_body().into_data_stream();
        let mut total = body.next().await.expect("a chunk").expect("a chunk").len();
        // What the gateway took in before it could pass it on.
        let ahead = seen.load(Ordering::SeqCst) * CHUNK_BYTES;
        while let Some(chunk) = body.next().await {
            total += chunk.expect("a chunk").len();
        }
        format!("{total} {ahead}")
    }));
    let ending = test.supervisor.shutdown();
    test.supervisor.detach("upstream", async move {
        let until = async move { ending.begun().await };
        axum::serve(listener, server)
            .with_graceful_shutdown(until)
            .await
            .expect("it serves");
    });
    let chunks = futures_util::stream::repeat_with(move || {
        pulled.fetch_add(1, Ordering::SeqCst);
        Ok::<_, std::io::Error>(vec![0_u8; CHUNK_BYTES])
    });
    let mut request = request("POST", "shop.localhost/", &[]);
    *request.body_mut() = Body::from_stream(chunks.take(CHUNKS));
    let answer = test.send("web", request).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let counted = answer.text();
    let (total, ahead) = counted.split_once(' ').expect("two numbers");
    assert_eq!(
        total.parse::<usize>().expect("a number"),
        CHUNK_BYTES * CHUNKS
    );
    // Socket buffers hold some megabytes; the whole body is never in memory.
    assert!(
        ahead.parse::<usize>().expect("a number") < CHUNK_BYTES * CHUNKS / 2,
        "{counted}"
    );
    test.stop().await;
}

#[tokio::test]
async fn an_upload_may_take_longer_than_the_beginning_of_an_answer() {
    let (listener, address) = listener().await;
    let test = before(address).await;
    test.supervisor.detach("upstream", async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        head(&mut stream).await;
        let mut body = Vec::new();
        while !body.ends_with(b"0\r\n\r\n") {
            body.push(stream.read_u8().await.expect("a whole body"));
        }
        let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
        stream.write_all(answer).await.expect("taken");
    });
    // 900 ms in all, where an answer must begin within 500 ms.
    let pieces = futures_util::stream::iter(0..9).then(async |_| {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        Ok::<_, std::io::Error>("piece")
    });
    let mut upload = request("POST", "shop.localhost/", &[]);
    *upload.body_mut() = Body::from_stream(pieces);
    assert_eq!(test.send("web", upload).await.status, 204);
    test.stop().await;
}

#[tokio::test]
async fn requests_to_servers_are_bounded_until_their_answers_have_ended() {
    let (listener, address) = listener().await;
    let test = before(address).await;
    let room = test.gateway.state.client.room.clone();
    let all = u32::try_from(MAX_AT_ONCE).expect("it fits");
    let full = room.semaphore().try_acquire_many(all).expect("all of it");
    let busy = test.get("web", "shop.localhost/").await;
    assert_eq!((busy.status, busy.header("retry-after")), (503, "1"));
    drop(full);
    test.supervisor.detach("upstream", async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        head(&mut stream).await;
        let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
        stream.write_all(answer).await.expect("taken");
    });
    let sent = request("GET", "shop.localhost/", &[]);
    let response = tower::ServiceExt::oneshot(test.gateway.service("web"), sent).await;
    let response = response.unwrap_or_else(|never| match never {});
    assert_eq!(response.status(), 200);
    assert_eq!(room.semaphore().available_permits(), MAX_AT_ONCE - 1);
    drop(response);
    assert_eq!(room.semaphore().available_permits(), MAX_AT_ONCE);
    test.stop().await;
}
