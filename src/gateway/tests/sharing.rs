//! How servers and services share requests, seen from outside; and how gRPC says whether it works.

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use axum::{Router, routing::any};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch};

use super::harness::{TestGateway, config};

async fn named(test: &TestGateway, name: &'static str, pause: Duration) -> SocketAddr {
    let answer = any(async move || {
        tokio::time::sleep(pause).await;
        name
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let shutdown = test.supervisor.shutdown();
    test.supervisor.detach("server", async move {
        tokio::select! {
            served = axum::serve(listener, Router::new().fallback(answer)) => served.expect("it serves"),
            () = shutdown.begun() => {}
        }
    });
    address
}

fn write(test: &TestGateway, content: &str) {
    let folder = test.data.path().join("gateway");
    std::fs::create_dir_all(&folder).expect("a folder");
    let head =
        "http:\n  routers:\n    shop: {rule: Host(`shop.localhost`), service: shop}\n  services:\n";
    std::fs::write(folder.join("shop.yml"), format!("{head}{content}")).expect("a file");
    test.gateway.look_at_files();
}

async fn answers(test: &TestGateway, count: usize) -> Vec<String> {
    let mut answers = Vec::new();
    for _ in 0..count {
        answers.push(test.get("web", "shop.localhost/").await.text());
    }
    answers
}

#[tokio::test]
async fn each_strategy_chooses_in_its_way() {
    let test = TestGateway::start("localhost", config()).await;
    let slow = named(&test, "slow", Duration::from_millis(30)).await;
    let quick = named(&test, "quick", Duration::ZERO).await;
    let service = |strategy: &str| {
        format!(
            "    shop: {{loadBalancer: {{strategy: {strategy}, servers: [{{url: \"http://{slow}\"}}, {{url: \
             \"http://{quick}\"}}]}}}}\n"
        )
    };
    write(&test, &service("leasttime"));
    let told = answers(&test, 8).await;
    assert!(told[3..].iter().all(|name| name == "quick"), "{told:?}");
    write(&test, &service("hrw"));
    let told: BTreeSet<String> = answers(&test, 6).await.into_iter().collect();
    assert_eq!(told.len(), 1, "a client stays where it is");
    write(&test, &service("p2c"));
    let told: BTreeSet<String> = answers(&test, 40).await.into_iter().collect();
    assert_eq!(told.len(), 2);
    write(&test, &service("p3c"));
    assert_eq!(test.get("web", "shop.localhost/").await.status, 404);
    test.stop().await;
}

#[tokio::test]
async fn services_share_clients_by_their_addresses() {
    let test = TestGateway::start("localhost", config()).await;
    let one = named(&test, "one", Duration::ZERO).await;
    let two = named(&test, "two", Duration::ZERO).await;
    write(
        &test,
        &format!(
            "    shop: {{highestRandomWeight: {{services: [{{name: one, weight: 0}}, {{name: two}}]}}}}\n    \
             one: {{loadBalancer: {{servers: [{{url: \"http://{one}\"}}]}}}}\n    two: {{loadBalancer: \
             {{servers: [{{url: \"http://{two}\"}}]}}}}\n"
        ),
    );
    assert_eq!(answers(&test, 3).await, ["two", "two", "two"]);
    let shown = test
        .get("traefik", "localhost/api/http/services/shop@file")
        .await;
    let shown: Value = shown.json();
    assert_eq!(shown["type"], "highestrandomweight", "{shown}");
    assert_eq!(
        shown["highestRandomWeight"]["services"][1]["name"], "two",
        "{shown}"
    );
    test.stop().await;
}

/// A server of gRPC that says it serves, or not.
async fn grpc(test: &TestGateway, told: watch::Receiver<bool>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let shutdown = test.supervisor.shutdown();
    let answer = move |request: Request<hyper::body::Incoming>| {
        let serves = *told.borrow();
        async move {
            let asked = request.uri().path() == "/grpc.health.v1.Health/Check";
            let message = [0, 0, 0, 0, 2, 8, if asked && serves { 1 } else { 2 }];
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static("0"));
            let body = Full::new(Bytes::copy_from_slice(&message));
            Ok::<_, std::convert::Infallible>(Response::new(
                body.with_trailers(async move { Some(Ok(trailers)) }),
            ))
        }
    };
    test.supervisor.detach("server", async move {
        let serving = async {
            while let Ok((stream, _)) = listener.accept().await {
                let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                let service = service_fn(answer.clone());
                builder
                    .serve_connection(TokioIo::new(stream), service)
                    .await
                    .ok();
            }
        };
        tokio::select! {
            () = serving => {}
            () = shutdown.begun() => {}
        }
    });
    address
}

#[tokio::test]
async fn grpc_is_asked_for_its_health() {
    let test = TestGateway::start("localhost", config()).await;
    test.listen();
    let (serves, told) = watch::channel(false);
    let address = grpc(&test, told).await;
    write(
        &test,
        &format!(
            "    shop:\n      loadBalancer:\n        healthCheck: {{mode: grpc, interval: 100ms, timeout: \
             100ms}}\n        servers: [{{url: \"h2c://{address}\"}}]\n"
        ),
    );
    let state = async |expected: &str| {
        for _ in 0..200 {
            let shown = test
                .get("traefik", "localhost/api/http/services/shop@file")
                .await;
            let shown: Value = shown.json();
            if shown["serverStatus"][format!("h2c://{address}")] == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it never is {expected}");
    };
    state("DOWN").await;
    serves.send_replace(true);
    state("UP").await;
    test.stop().await;
}
