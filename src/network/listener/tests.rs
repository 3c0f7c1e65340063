//! Real sockets against the accept loop: what is refused, what is closed, what is drained.

mod closing;
mod http2;
mod tls;

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicUsize, Ordering},
};

use ::http::{HeaderMap, Request, StatusCode, Uri};
use axum::{
    Extension, Router,
    body::{Body, Bytes},
    routing::{any, get, post},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Notify,
    task::JoinHandle,
};

use super::*;
use crate::service::{BoxFuture, http_service};

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(10);

struct Server {
    address: SocketAddr,
    shutdown: Shutdown,
    serving: JoinHandle<io::Result<()>>,
}

fn short_limits() -> Limits {
    Limits {
        first_byte_timeout_ms: 100,
        header_timeout_ms: 150,
        body_stall_timeout_ms: 150,
        idle_timeout_ms: 150,
        ..Limits::default()
    }
}

fn bound() -> Bound {
    bind("web", (Ipv4Addr::LOCALHOST, 0).into()).expect("a free port")
}

fn serve(router: Router, limits: Limits) -> Server {
    serve_with(router, None, limits)
}

fn serve_with(router: Router, tls: Option<Arc<rustls::ServerConfig>>, limits: Limits) -> Server {
    let bound = bound();
    let (address, shutdown) = (bound.address, Shutdown::new());
    let service = http_service(router);
    #[expect(clippy::disallowed_methods, reason = "the test plays the supervisor")]
    let serving = tokio::spawn(serve_http(
        bound,
        service,
        tls,
        limits,
        shutdown.clone(),
        PATIENCE,
    ));
    Server {
        address,
        shutdown,
        serving,
    }
}

/// Shows what arrived.
fn echo() -> Router {
    let show = |uri: Uri,
                headers: HeaderMap,
                Extension(info): Extension<ConnectionInfo>,
                body: Bytes| async move {
        let host = headers["host"].to_str().unwrap_or_default().to_owned();
        format!(
            "{uri} host={host} info={} body={}",
            info.host,
            String::from_utf8_lossy(&body)
        )
    };
    Router::new()
        .route(
            "/panic",
            get(async || -> &'static str { panic!("handler") }),
        )
        .route("/ignore", post(|| async { "ignored" }))
        .fallback(any(show))
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address)
            .await
            .expect("the listener accepts")
    }

    /// Sends bytes and reads until the server closes.
    async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.expect("sent");
        read_to_end(&mut stream).await
    }
}

/// Reads until the server closes; a reset after the answer counts as closed.
async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let reading = async {
        while stream
            .read_buf(&mut answer)
            .await
            .is_ok_and(|read| read > 0)
        {}
    };
    let closed = tokio::time::timeout(PATIENCE, reading).await.is_ok();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(closed, "the connection stays open after {answer:?}");
    answer
}

async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut answer = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&answer).contains(end) {
            let read = stream.read_buf(&mut answer).await.expect("it stays open");
            assert!(
                read > 0,
                "closed after {:?}",
                String::from_utf8_lossy(&answer)
            );
        }
    };
    let arrived = tokio::time::timeout(PATIENCE, reading).await.is_ok();
    assert!(
        arrived,
        "{end:?} does not come after {:?}",
        String::from_utf8_lossy(&answer)
    );
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> u16 {
    answer
        .get(9..12)
        .and_then(|code| code.parse().ok())
        .unwrap_or(0)
}

#[tokio::test]
async fn hostile_heads_are_refused_and_the_connection_closed() {
    let server = serve(echo(), Limits::default());
    let cases: &[(&str, u16)] = &[
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            501,
        ),
        (
            "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        ("GET / HTTP/1.1\nHost: a\n\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400),
        ("GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/3.7\r\nHost: a\r\n\r\n", 505),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        ("\x16\x03\x01\x02\x00\x01\x00\x01\u{fc}", 400),
    ];
    for (request, expected) in cases {
        let answer = server.exchange(request.as_bytes()).await;
        assert_eq!(status(&answer), *expected, "{request:?} got {answer:?}");
        assert!(
            answer.contains("connection: close"),
            "{request:?} got {answer:?}"
        );
    }
}

#[tokio::test]
async fn requests_that_mean_nothing_good_are_refused() {
    let server = serve(echo(), Limits::default());
    let cases: &[(&str, u16)] = &[
        ("GET / HTTP/1.1\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a@evil\r\n", 400),
        ("GET /%00 HTTP/1.1\r\nHost: a\r\n", 400),
        ("TRACE / HTTP/1.1\r\nHost: a\r\n", 405),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n", 200),
        ("GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n", 417),
    ];
    for (head, expected) in cases {
        let answer = server
            .exchange(format!("{head}Connection: close\r\n\r\n").as_bytes())
            .await;
        assert_eq!(status(&answer), *expected, "{head:?} got {answer:?}");
    }
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let server = serve(echo(), Limits::default());
    let long = "x".repeat(70_000);
    let answer = server
        .exchange(format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes())
        .await;
    assert_eq!(status(&answer), 414, "{answer:?}");
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n");
    assert_eq!(status(&server.exchange(head.as_bytes()).await), 431);
    let many = "X: y\r\n".repeat(101);
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n");
    assert_eq!(status(&server.exchange(head.as_bytes()).await), 431);
}

#[tokio::test]
async fn requests_on_one_connection_are_answered_in_order() {
    let server = serve(echo(), Limits::default());
    let answer = server
        .exchange(
            b"POST /1 HTTP/1.1\r\nHost: A:80\r\nContent-Length: 3\r\n\r\nabc\
              POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nde\r\n0\r\nT: u\r\n\r\n\
              \r\nGET http://B:81/3?q HTTP/1.1\r\nHost: a\r\n\r\n\
              POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n%00%\
              GET /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        )
        .await;
    let bodies: Vec<_> = answer.split("\r\n\r\n").skip(1).collect();
    let expected = [
        "/1 host=A:80 info=a body=abc",
        "/2 host=a info=a body=de",
        "/3?q host=B:81 info=b body=",
        "ignored",
        "/4 host=a info=a body=",
    ];
    assert_eq!(bodies.len(), expected.len(), "{answer}");
    for (body, expected) in bodies.iter().zip(expected) {
        assert!(
            body.starts_with(expected),
            "{expected:?} is not in {body:?}"
        );
    }
}

#[tokio::test]
async fn a_bad_request_after_a_good_one_is_refused_alone() {
    let server = serve(echo(), Limits::default());
    let answer = server
        .exchange(
            b"GET /good HTTP/1.1\r\nHost: a\r\n\r\n\
              POST /bad HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n\
              GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        )
        .await;
    assert_eq!(status(&answer), 200, "{answer}");
    assert!(
        answer.contains("/good host=a") && answer.contains("HTTP/1.1 400"),
        "{answer}"
    );
    assert!(!answer.contains("smuggled"), "{answer}");
}

#[tokio::test]
async fn slow_clients_are_closed() {
    let server = serve(echo(), short_limits());
    for sent in ["", "P", "PRI * HT", "PRI * HTTP/2.0\r\n\r\n"] {
        assert_eq!(server.exchange(sent.as_bytes()).await, "", "{sent:?}");
    }
    for sent in ["GET", "GET / HTTP/1.1\r\nHost: a\r\n"] {
        let answer = server.exchange(sent.as_bytes()).await;
        assert_eq!(status(&answer), 408, "{sent:?} got {answer:?}");
    }
    let body = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc";
    let answer = server.exchange(body.as_bytes()).await;
    assert_ne!(status(&answer), 200, "{answer:?}");
    let answer = server.exchange(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(
        status(&answer),
        200,
        "an idle connection is closed after its answer: {answer:?}"
    );
}

#[tokio::test]
async fn a_slow_answer_is_not_an_idle_connection() {
    let slow = get(|| async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        "late"
    });
    let server = serve(Router::new().route("/", slow), short_limits());
    let answer = server.exchange(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(answer.ends_with("late"), "{answer:?}");
}

#[tokio::test]
async fn a_panic_answers_500_with_the_request_id_and_harms_nobody_else() {
    let server = serve(echo(), Limits::default());
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /panic HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .expect("sent");
    let answer = read_until(&mut stream, "}").await;
    assert_eq!(status(&answer), 500, "{answer}");
    let id = answer
        .split("x-request-id: ")
        .nth(1)
        .and_then(|rest| rest.get(..36));
    let id = id.unwrap_or_else(|| panic!("no request id in {answer}"));
    assert!(answer.ends_with(&format!("its id is {id}\"}}")), "{answer}");
    stream
        .write_all(b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .expect("sent");
    assert_eq!(status(&read_until(&mut stream, "body=").await), 200);
}

#[tokio::test]
async fn an_upgraded_connection_carries_bytes_and_a_refused_upgrade_goes_on() {
    let upgrade = get(|mut request: Request<Body>| async move {
        let upgrading = hyper::upgrade::on(&mut request);
        #[expect(clippy::disallowed_methods, reason = "the test plays the supervisor")]
        tokio::spawn(async move {
            let mut stream = hyper_util::rt::TokioIo::new(upgrading.await.expect("upgraded"));
            let mut bytes = [0; 5];
            stream.read_exact(&mut bytes).await.expect("five bytes");
            stream.write_all(&bytes).await.expect("sent back");
        });
        (
            StatusCode::SWITCHING_PROTOCOLS,
            [("connection", "upgrade"), ("upgrade", "echo")],
        )
    });
    let server = serve(echo().route("/upgrade", upgrade), Limits::default());
    let mut stream = server.connect().await;
    let wish = "HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
    stream
        .write_all(format!("GET /not {wish}").as_bytes())
        .await
        .expect("sent");
    assert_eq!(status(&read_until(&mut stream, "body=").await), 200);
    stream
        .write_all(format!("GET /upgrade {wish}").as_bytes())
        .await
        .expect("sent");
    assert_eq!(status(&read_until(&mut stream, "\r\n\r\n").await), 101);
    stream.write_all(b"\0\n\r\n!").await.expect("sent");
    assert_eq!(read_to_end(&mut stream).await, "\0\n\r\n!");
}

#[tokio::test]
async fn caps_close_what_is_too_many_and_let_others_in_again() {
    let server = serve(
        echo(),
        Limits {
            max_connections: 1,
            ..Limits::default()
        },
    );
    let mut first = server.connect().await;
    first
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .expect("sent");
    assert_eq!(status(&read_until(&mut first, "body=").await), 200);
    assert_eq!(read_to_end(&mut server.connect().await).await, "");
    drop(first);
    let request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let again = async {
        while status(&server.exchange(request).await) != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, again)
        .await
        .expect("the slot is free again");
}

#[tokio::test]
async fn shutdown_answers_what_is_in_flight_and_closes_what_is_idle() {
    let (arrived, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (entered, proceed) = (arrived.clone(), finish.clone());
    let slow = get(move || async move {
        entered.notify_one();
        proceed.notified().await;
        "finished"
    });
    let server = serve(echo().route("/slow", slow), Limits::default());
    let mut idle = server.connect().await;
    idle.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .expect("sent");
    read_until(&mut idle, "body=").await;
    let mut silent = server.connect().await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .expect("sent");
    arrived.notified().await;
    server.shutdown.begin();
    assert_eq!(read_to_end(&mut idle).await, "");
    assert_eq!(read_to_end(&mut silent).await, "");
    assert!(!server.serving.is_finished());
    finish.notify_one();
    assert!(read_to_end(&mut busy).await.ends_with("finished"));
    server
        .serving
        .await
        .expect("no panic")
        .expect("a clean end");
    assert!(
        TcpStream::connect(server.address).await.is_err(),
        "nobody listens any more"
    );
}

/// Sends every byte back, and counts connections.
struct Parrot(Arc<AtomicUsize>);

impl ConnectionHandler for Parrot {
    fn serve(
        &self,
        mut stream: TcpStream,
        info: ConnectionInfo,
        shutdown: Shutdown,
    ) -> BoxFuture<()> {
        self.0.fetch_add(1, Ordering::SeqCst);
        assert_eq!(&*info.entrypoint, "web");
        Box::pin(async move {
            let (mut read, mut write) = stream.split();
            tokio::select! {
                () = shutdown.begun() => {}
                _ = tokio::io::copy(&mut read, &mut write) => {}
            }
        })
    }
}

#[tokio::test]
async fn connections_of_other_protocols_are_served_and_drained() {
    let (bound, shutdown, count) = (bound(), Shutdown::new(), Arc::new(AtomicUsize::new(0)));
    let address = bound.address;
    let handler = Arc::new(Parrot(count.clone()));
    let serving = serve_connections(
        bound,
        handler,
        Limits::default(),
        shutdown.clone(),
        PATIENCE,
    );
    #[expect(clippy::disallowed_methods, reason = "the test plays the supervisor")]
    let serving = tokio::spawn(serving);
    let mut stream = TcpStream::connect(address).await.expect("it accepts");
    stream.write_all(b"PING").await.expect("sent");
    assert_eq!(read_until(&mut stream, "PING").await, "PING");
    shutdown.begin();
    assert_eq!(read_to_end(&mut stream).await, "");
    serving.await.expect("no panic").expect("a clean end");
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let first = bound();
    let error = bind("api", first.address).expect_err("it is taken");
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    let expected = format!(
        "api cannot listen on {}: another process listens there",
        first.address
    );
    assert_eq!(error.to_string(), expected);
}
