//! What is counted, under Traefik's names.

use futures_util::StreamExt as _;
use metrics_exporter_prometheus::PrometheusBuilder;
use tower::ServiceExt as _;

use super::harness::{TestGateway, config, exchange, request};

#[tokio::test]
async fn requests_are_counted_when_their_answer_has_ended() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let guard = metrics::set_default_local_recorder(&recorder);
    let test = TestGateway::start("localhost", config()).await;

    let service = test.gateway.service("web");
    let response = service.oneshot(request("GET", "api.localhost/", &[])).await;
    let mut body = response
        .unwrap_or_else(|never| match never {})
        .into_body()
        .into_data_stream();
    assert!(
        !handle
            .render()
            .contains("traefik_entrypoint_requests_total{")
    );
    let mut bytes = 0;
    while let Some(chunk) = body.next().await {
        bytes += chunk.expect("a chunk").len();
    }
    drop(body);
    test.get("websecure", "x.localhost/").await;
    test.send("web", request("BREW", "api.localhost/", &[]))
        .await;

    let shown = handle.render();
    let check = |line: String| assert!(shown.contains(&line), "{line} in {shown}");
    let labels = "code=\"200\",method=\"GET\",protocol=\"http\"";
    check(format!(
        "traefik_entrypoint_requests_total{{{labels},entrypoint=\"web\"}} 1"
    ));
    check(format!(
        "traefik_entrypoint_responses_bytes_total{{{labels},entrypoint=\"web\"}} {bytes}"
    ));
    check(format!(
        "traefik_router_requests_total{{{labels},router=\"api@mito\",service=\"api@mito\"}} 1"
    ));
    check(format!(
        "traefik_service_requests_total{{{labels},service=\"api@mito\"}} 1"
    ));
    check(format!(
        "traefik_service_request_duration_seconds_count{{{labels},"
    ));
    let sent = request("POST", "api.localhost/", &[]).map(|_| vec![7; 1_234].into());
    test.send("web", sent).await;
    let shown = handle.render();
    let check = |line: String| assert!(shown.contains(&line), "{line} in {shown}");
    let posted = "code=\"200\",method=\"POST\",protocol=\"http\"";
    for (of, labels) in [
        ("entrypoint", "entrypoint=\"web\""),
        ("router", "router=\"api@mito\",service=\"api@mito\""),
        ("service", "service=\"api@mito\""),
    ] {
        let name = format!("traefik_{of}_requests_bytes_total");
        // The role answers without looking at the body, which has come all the same or not at all.
        assert!(
            shown.contains(&format!("{name}{{{posted},{labels}}}")),
            "{name} in {shown}"
        );
    }
    check("code=\"404\",method=\"GET\",protocol=\"http\",entrypoint=\"websecure\"} 1".to_owned());
    check("method=\"EXTENSION_METHOD\"".to_owned());
    drop(guard);
    test.stop().await;
}

#[tokio::test]
async fn a_client_that_goes_away_is_counted_as_499() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let guard = metrics::set_default_local_recorder(&recorder);
    let mut config = config();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("an address");
    let router = crate::config::Router {
        rule: "Host(`slow.localhost`)".to_owned(),
        service: format!("http://{address}"),
        priority: 0,
    };
    config.routers.insert("slow".to_owned(), router);
    let test = TestGateway::start("localhost", config).await;
    let pending = test.send("web", request("GET", "slow.localhost/", &[]));
    tokio::select! {
        _ = pending => panic!("the server says nothing"),
        accepted = listener.accept() => drop(accepted.expect("a connection").0.set_nodelay(true)),
    }
    let shown = handle.render();
    assert!(shown.contains("code=\"499\""), "{shown}");
    drop(guard);
    test.stop().await;
}

#[tokio::test]
async fn open_connections_are_shown_by_entry_point() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let guard = metrics::set_default_local_recorder(&recorder);
    let test = TestGateway::start("localhost", config()).await;
    let [web, ..] = test.listen();
    let open = |number: usize| {
        let labels = "entrypoint=\"web\",protocol=\"TCP\"";
        format!("traefik_open_connections{{{labels}}} {number}\n")
    };
    let held = tokio::net::TcpStream::connect(web)
        .await
        .expect("a connection");
    // The one that was accepted before is counted by the time that this one is answered.
    let whole = "GET / HTTP/1.1\r\nHost: api.localhost\r\nConnection: close\r\n\r\n";
    exchange(web, whole).await;
    let shown_as = async |number| {
        while !handle.render().contains(&open(number)) {
            tokio::task::yield_now().await;
        }
    };
    let patience = std::time::Duration::from_secs(10);
    let check = async |number| {
        let shown = tokio::time::timeout(patience, shown_as(number)).await;
        assert!(shown.is_ok(), "{number}: {}", handle.render());
    };
    check(1).await;
    drop(held);
    check(0).await;
    drop(guard);
    test.stop().await;
}
