//! Connections to a server on loopback that does as it is told.

use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use mito_core::{Shutdown, Supervisor};
use rustls::{ClientConfig, RootCertStore};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::{Connections, Patience, Server};
use crate::services::{upload::Progress, upstream::Failure};

const KEEP: Duration = Duration::from_millis(200);
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct Test {
    connections: Connections,
    listener: TcpListener,
    server: Server,
}

impl Test {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let supervisor = Supervisor::new(Shutdown::new());
        Self {
            connections: Connections::new(connector, KEEP, 2, supervisor),
            listener,
            server: Server::new(false, &authority.parse().unwrap()),
        }
    }

    async fn send(&self, request: Request<Body>) -> Result<(StatusCode, String), Failure> {
        let patience = Patience {
            limit: Some(Duration::from_secs(5)),
            progress: &Progress::begin(),
        };
        let sent = self.connections.send(&self.server, request, &patience);
        let (parts, body) = sent.await?.into_parts();
        let body = body.collect().await.map_err(|_| Failure::Unreachable)?;
        let text = String::from_utf8(body.to_bytes().to_vec()).unwrap();
        Ok((parts.status, text))
    }

    async fn get(&self) -> Result<(StatusCode, String), Failure> {
        self.send(Request::get("/").body(Body::empty()).unwrap())
            .await
    }

    /// Sends a request for each of the answers, on the connection if there is one.
    async fn exchange(&self, stream: Option<TcpStream>, answers: &[&str]) -> TcpStream {
        let serve = async {
            let mut stream = match stream {
                Some(stream) => stream,
                None => self.listener.accept().await.unwrap().0,
            };
            for answer in answers {
                head(&mut stream).await;
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            stream
        };
        let ask = async {
            for answer in answers {
                let end = answer.rsplit("\r\n").next().unwrap();
                assert_eq!(self.get().await.unwrap().1, end);
            }
        };
        tokio::join!(serve, ask).0
    }
}

async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn a_connection_is_used_again_and_closed_when_it_is_idle() {
    let test = Test::new().await;
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let mut stream = test.exchange(None, &[OK, chunked, OK]).await;
    assert_eq!(
        stream.read(&mut [0]).await.unwrap(),
        0,
        "closed after a while"
    );
}

#[tokio::test]
async fn what_the_server_has_closed_is_not_used() {
    let test = Test::new().await;
    drop(test.exchange(None, &[OK]).await);
    tokio::time::sleep(KEEP / 10).await;
    let stream = test.exchange(None, &[OK]).await;
    let closing = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    let mut stream = test.exchange(Some(stream), &[closing]).await;
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    test.exchange(None, &[OK]).await;
}

#[tokio::test]
async fn a_request_without_a_host_names_the_server() {
    let test = Test::new().await;
    let (answered, seen) = tokio::join!(test.get(), async {
        let (mut stream, _) = test.listener.accept().await.unwrap();
        let head = head(&mut stream).await;
        stream.write_all(OK.as_bytes()).await.unwrap();
        (head, stream)
    });
    assert_eq!(answered.unwrap().0, 200);
    let address = test.listener.local_addr().unwrap();
    assert!(
        seen.0.contains(&format!("\r\nhost: {address}\r\n")),
        "{}",
        seen.0
    );
}

#[tokio::test]
async fn an_answer_may_come_before_the_whole_request_is_sent() {
    let test = Test::new().await;
    let (more, pieces) = tokio::sync::mpsc::channel::<Result<&str, std::io::Error>>(1);
    let pieces = futures_util::stream::unfold(pieces, async |mut pieces| {
        Some((pieces.recv().await?, pieces))
    });
    let upload = Request::post("/").body(Body::from_stream(pieces)).unwrap();
    more.send(Ok("one")).await.unwrap();
    let (answered, mut stream) = tokio::join!(test.send(upload), async {
        let (mut stream, _) = test.listener.accept().await.unwrap();
        head(&mut stream).await;
        stream.write_all(OK.as_bytes()).await.unwrap();
        stream
    });
    assert_eq!(answered.unwrap().1, "ok");
    more.send(Ok("two")).await.unwrap();
    drop(more);
    let mut rest = Vec::new();
    while !rest.ends_with(b"0\r\n\r\n") {
        rest.push(stream.read_u8().await.unwrap());
    }
    assert_eq!(rest, b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
    test.exchange(Some(stream), &[OK]).await;
}

#[tokio::test]
async fn a_broken_answer_is_an_error() {
    let test = Test::new().await;
    let (answered, ()) = tokio::join!(test.get(), async {
        let (mut stream, _) = test.listener.accept().await.unwrap();
        head(&mut stream).await;
        let cut = &OK[..OK.len() - 1];
        stream.write_all(cut.as_bytes()).await.unwrap();
    });
    assert_eq!(answered, Err(Failure::Unreachable));
}
