//! Limits that files put before services: requests at once, and the platform's own rate.

use axum::{Router, body::Body, routing::get};
use http::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::harness::{TestGateway, config, exchange};
use crate::Config;

/// A server whose connections are upgraded and echo until they end.
async fn echoes(test: &TestGateway) -> String {
    let upgrade = get(async |mut request: Request<Body>| {
        let upgraded = hyper::upgrade::on(&mut request);
        TokioExecutor::spawn(async move {
            let Ok(upgraded) = upgraded.await else {
                return;
            };
            let (mut read, mut write) = tokio::io::split(TokioIo::new(upgraded));
            tokio::io::copy(&mut read, &mut write).await.ok();
        });
        let headers = [(header::CONNECTION, "upgrade"), (header::UPGRADE, "echo")];
        (StatusCode::SWITCHING_PROTOCOLS, headers)
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let shutdown = test.supervisor.shutdown();
    test.supervisor.detach("server", async move {
        tokio::select! {
            served = axum::serve(listener, Router::new().fallback(upgrade)) => served.expect("it serves"),
            () = shutdown.begun() => {}
        }
    });
    address.to_string()
}

/// Runs what a connection goes on with.
struct TokioExecutor;

impl TokioExecutor {
    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        hyper::rt::Executor::execute(&hyper_util::rt::TokioExecutor::new(), task);
    }
}

fn write(test: &TestGateway, content: &str) {
    let folder = test.data.path().join("gateway");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("limits.yml"), content).expect("a file");
    test.gateway.look_at_files();
}

#[tokio::test]
async fn an_upgraded_connection_counts_until_it_ends() {
    let test = TestGateway::start("localhost", config()).await;
    let [web, _, _] = test.listen();
    let server = echoes(&test).await;
    write(
        &test,
        &format!(
            "http:\n  routers:\n    shop: {{rule: Host(`shop.localhost`), service: shop, middlewares: \
             [few]}}\n  middlewares:\n    few: {{inFlightReq: {{amount: 1}}}}\n  services:\n    shop: \
             {{loadBalancer: {{servers: [{{url: \"http://{server}\"}}]}}}}\n"
        ),
    );
    let ask =
        "GET / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
    let mut upgraded = TcpStream::connect(web).await.expect("a connection");
    upgraded.write_all(ask.as_bytes()).await.expect("taken");
    let mut answer = vec![0; 12];
    upgraded.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(answer, b"HTTP/1.1 101");
    let other = "GET / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n";
    let refused = exchange(web, other).await;
    assert!(refused.starts_with("HTTP/1.1 429 "), "{refused}");
    drop(upgraded);
    // The end of a connection is seen a moment later.
    for _ in 0..100 {
        if !exchange(web, other).await.starts_with("HTTP/1.1 429 ") {
            test.stop().await;
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the connection counts for ever");
}

#[tokio::test]
async fn files_can_name_the_rate_limit_of_the_platform() {
    let config = Config {
        rate_limit_average: 1,
        rate_limit_burst: 3,
        ..config()
    };
    let test = TestGateway::start("localhost", config).await;
    write(
        &test,
        "http:\n  routers:\n    own: {rule: Host(`own.localhost`), service: admin-web@mito, middlewares: \
         [api-ratelimit@mito]}\n",
    );
    let mut statuses = Vec::new();
    for host in ["own", "api", "own", "own", "api"] {
        let answer = test.get("web", &format!("{host}.localhost/")).await;
        statuses.push(answer.status);
    }
    // Both take from one bucket.
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    test.stop().await;
}
