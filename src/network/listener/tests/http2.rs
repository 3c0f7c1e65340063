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
