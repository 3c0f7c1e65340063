//! Changes of the configuration while a thousand requests, uploads and upgraded connections are in
//! flight.

use std::net::SocketAddr;

use axum::{
    Router,
    body::{Body, Bytes},
    middleware::{self, Next},
    routing::{get, post},
};
use http::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

use super::harness::{TestGateway, config};

const REQUESTS: usize = 400;
const UPLOADS: usize = 300;
const UPGRADES: usize = 300;

/// A server that answers when it is let, takes uploads, and echoes what comes by an upgraded
/// connection.
async fn server(
    test: &TestGateway,
    go: watch::Receiver<bool>,
    arrived: watch::Sender<usize>,
) -> SocketAddr {
    let slow = get(move || {
        let mut go = go.clone();
        async move {
            go.wait_for(|go| *go).await.expect("the test goes on");
            "answered"
        }
    });
    let upgrade = get(async |mut request: Request<Body>| {
        let upgraded = hyper::upgrade::on(&mut request);
        #[expect(
            clippy::disallowed_methods,
            reason = "the connection ends with the test"
        )]
        tokio::spawn(async move {
            let mut stream = TokioIo::new(upgraded.await.expect("an upgrade"));
            let mut word = [0; 4];
            while stream.read_exact(&mut word).await.is_ok() {
                stream.write_all(&word).await.expect("it is taken");
            }
        });
        let headers = [(header::CONNECTION, "upgrade"), (header::UPGRADE, "echo")];
        (StatusCode::SWITCHING_PROTOCOLS, headers)
    });
    let router = Router::new()
        .route("/slow", slow)
        .route("/upload", post(async |body: Bytes| body.len().to_string()))
        .route("/upgrade", upgrade)
        .layer(middleware::from_fn(
            move |request: Request<Body>, next: Next| {
                arrived.send_modify(|count| *count += 1);
                next.run(request)
            },
        ));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let shutdown = test.supervisor.shutdown();
    test.supervisor.detach("server", async move {
        tokio::select! {
            served = axum::serve(listener, router) => served.expect("it serves"),
            () = shutdown.begun() => {}
        }
    });
    address
}

async fn connect(address: SocketAddr, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it is taken");
    stream
}

/// Reads until `end` has come.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut answer = String::new();
    while !answer.ends_with(end) {
        let mut more = [0; 1_024];
        let read = stream.read(&mut more).await.expect("more");
        assert!(read > 0, "it ended with {answer:?}");
        answer.push_str(&String::from_utf8_lossy(&more[..read]));
    }
    answer
}

fn route(test: &TestGateway, address: SocketAddr, number: usize) {
    let content = format!(
        "[http.routers.shop]\nrule = 'Host(`shop.localhost`) || Host(`{number}.localhost`)'\n\
         service = 'shop{number}'\n[[http.services.shop{number}.loadBalancer.servers]]\n\
         url = 'http://{address}'\n"
    );
    let folder = test.data.path().join("gateway");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("shop.toml"), content).expect("a file");
    test.gateway.look_at_files();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_in_flight_survive_changes() {
    let mut config = config();
    config.limits.max_connections_per_address = 2_000;
    let test = TestGateway::start("localhost", config).await;
    let (go, wait) = watch::channel(false);
    let (arrive, mut arrived) = watch::channel(0);
    let address = server(&test, wait, arrive).await;
    route(&test, address, 0);
    let [web, ..] = test.listen();
    let host = "Host: shop.localhost\r\n";
    let mut waiting = Vec::new();
    for _ in 0..REQUESTS {
        let request = format!("GET /slow HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        waiting.push(connect(web, &request).await);
    }
    let mut uploading = Vec::new();
    for _ in 0..UPLOADS {
        let head = format!("POST /upload HTTP/1.1\r\n{host}Content-Length: 20\r\n\r\n0123456789");
        uploading.push(connect(web, &head).await);
    }
    let mut upgraded = Vec::new();
    for _ in 0..UPGRADES {
        let request =
            format!("GET /upgrade HTTP/1.1\r\n{host}Connection: upgrade\r\nUpgrade: echo\r\n\r\n");
        let mut stream = connect(web, &request).await;
        let head = read_until(&mut stream, "\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        upgraded.push(stream);
    }

    // In flight is what has reached the server.
    let all = REQUESTS + UPLOADS + UPGRADES;
    let reached = arrived.wait_for(|count| *count == all).await;
    assert!(reached.is_ok(), "the server is there");
    drop(reached);
    for number in 1..=5 {
        route(&test, address, number);
        let fresh =
            format!("GET /slow HTTP/1.1\r\nHost: {number}.localhost\r\nConnection: close\r\n\r\n");
        waiting.push(connect(web, &fresh).await);
        let reached = arrived.wait_for(|count| *count == all + number).await;
        assert!(reached.is_ok(), "the server is there");
    }
    let folder = test.data.path().join("gateway");
    std::fs::remove_file(folder.join("shop.toml")).expect("it is there");
    test.gateway.look_at_files();

    go.send_replace(true);
    let mut ended = JoinSet::new();
    for mut stream in waiting {
        ended.spawn(async move {
            let answer = read_until(&mut stream, "answered").await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        });
    }
    for mut stream in uploading {
        ended.spawn(async move {
            stream.write_all(b"0123456789").await.expect("it is taken");
            let answer = read_until(&mut stream, "\r\n\r\n20").await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        });
    }
    for mut stream in upgraded {
        ended.spawn(async move {
            stream.write_all(b"ping").await.expect("it is taken");
            assert_eq!(read_until(&mut stream, "ping").await, "ping");
        });
    }
    while let Some(one) = ended.join_next().await {
        one.expect("it survives");
    }
    test.stop().await;
}
