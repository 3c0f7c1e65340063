//! HTTP/2 without TLS, which a client begins at once.

use hyper_util::rt::{TokioExecutor, TokioIo};

use super::*;

#[tokio::test]
async fn http_2_is_recognised_and_judged_too() {
    let server = serve(
        echo(),
        Limits {
            idle_timeout_ms: 150,
            ..Limits::default()
        },
    );
    let stream = TokioIo::new(server.connect().await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
            .await
            .expect("HTTP/2");
    #[expect(clippy::disallowed_methods, reason = "the test plays the supervisor")]
    let connection = tokio::spawn(connection);
    let request = |uri: &str, host: Option<&str>| {
        let mut request = Request::builder().uri(uri);
        if let Some(host) = host {
            request = request.header("host", host);
        }
        request.body(Body::empty()).expect("a request")
    };
    let response = sender
        .send_request(request("http://A:80/x", None))
        .await
        .expect("an answer");
    let body = axum::body::to_bytes(Body::new(response.into_body()), 1000)
        .await
        .expect("a body");
    assert_eq!(String::from_utf8_lossy(&body), "/x host=A:80 info=a body=");
    let response = sender
        .send_request(request("http://a/x", Some("b")))
        .await
        .expect("an answer");
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let response = sender
        .send_request(request("http://a/panic", None))
        .await
        .expect("an answer");
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let idle = tokio::time::timeout(PATIENCE, connection).await;
    idle.expect("an idle connection is closed")
        .expect("no panic")
        .expect("a clean end");
}

#[tokio::test]
async fn a_body_of_http_2_that_stops_is_given_up() {
    let server = serve(echo(), short_limits());
    let stream = TokioIo::new(server.connect().await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
            .await
            .expect("HTTP/2");
    #[expect(clippy::disallowed_methods, reason = "the test plays the supervisor")]
    tokio::spawn(connection);
    let stopped = futures_util::StreamExt::chain(
        futures_util::stream::iter([Ok::<_, io::Error>("abc")]),
        futures_util::stream::pending(),
    );
    let request = Request::post("http://a/")
        .body(Body::from_stream(stopped))
        .expect("a request");
    let answer = tokio::time::timeout(PATIENCE, sender.send_request(request)).await;
    let answer = answer.expect("the handler does not wait for ever");
    assert!(!answer.is_ok_and(|answer| answer.status().is_success()));
}

#[tokio::test]
async fn an_answer_that_is_not_taken_is_given_up_and_others_go_on() {
    let limits = Limits {
        write_stall_timeout_ms: 150,
        ..Limits::default()
    };
    let large = || async { "x".repeat(1_000_000) };
    let slow = || async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        "late"
    };
    let server = serve(
        echo().route("/large", get(large)).route("/slow", get(slow)),
        limits,
    );
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(50_000)
        .handshake(TokioIo::new(server.connect().await))
        .await
        .expect("HTTP/2");
    #[expect(clippy::disallowed_methods, reason = "the test plays the supervisor")]
    tokio::spawn(connection);
    let ask = |path: &str| {
        let request = Request::get(format!("http://a{path}"));
        request.body(Body::empty()).expect("a request")
    };
    let begun = sender.send_request(ask("/large")).await.expect("a head");
    // Nobody reads the body: the client makes no room for more than the window. An answer that is
    // slow by itself is another thing.
    let late = sender.send_request(ask("/slow")).await.expect("an answer");
    assert_eq!(late.status(), StatusCode::OK);
    let cut = axum::body::to_bytes(Body::new(begun.into_body()), 2_000_000).await;
    assert!(cut.is_err(), "the stream is reset");
    let whole = sender.send_request(ask("/large")).await.expect("a head");
    let whole = axum::body::to_bytes(Body::new(whole.into_body()), 2_000_000).await;
    assert_eq!(whole.map(|body| body.len()).ok(), Some(1_000_000));
}
