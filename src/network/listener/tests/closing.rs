//! How connections end that the other side goes on with.

use super::*;

#[tokio::test]
async fn an_answer_reaches_a_client_that_is_still_sending() {
    let server = serve(echo(), Limits::default());
    let mut stream = server.connect().await;
    let head = "POST /ignore HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
    let head = format!("{head}Content-Length: 8000000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("sent");
    // The answer is there long before this is; to close then would reset the connection.
    let sent = stream.write_all(&vec![b'x'; 8_000_000]).await;
    sent.expect("it is taken to its end");
    assert!(read_to_end(&mut stream).await.ends_with("ignored"));
}

#[tokio::test]
async fn a_refusal_ends_the_connection_and_a_question_to_the_server_does_not() {
    let server = serve(echo(), Limits::default());
    let good = "GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    for (head, answers) in [
        ("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 1),
        ("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 1),
        ("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 1),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 2),
    ] {
        let answer = server.exchange(format!("{head}{good}").as_bytes()).await;
        assert_eq!(answer.matches("HTTP/1.1 ").count(), answers, "{answer}");
    }
}

#[tokio::test]
async fn the_other_half_of_an_upgraded_connection_goes_on() {
    let (told, mut heard) = tokio::sync::mpsc::channel(1);
    let upgrade = get(move |mut request: Request<Body>| async move {
        let upgrading = hyper::upgrade::on(&mut request);
        #[expect(clippy::disallowed_methods, reason = "the test plays the supervisor")]
        tokio::spawn(async move {
            let mut stream = hyper_util::rt::TokioIo::new(upgrading.await.expect("upgraded"));
            stream.shutdown().await.expect("one half ends");
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.expect("the other half");
            told.send(rest).await.expect("the test waits");
        });
        (
            StatusCode::SWITCHING_PROTOCOLS,
            [("connection", "upgrade"), ("upgrade", "echo")],
        )
    });
    let server = serve(Router::new().route("/", upgrade), Limits::default());
    let mut stream = server.connect().await;
    let wish = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nearly";
    stream.write_all(wish).await.expect("sent");
    let answer = read_to_end(&mut stream).await;
    assert_eq!(status(&answer), 101, "{answer}");
    stream.write_all(b" and late").await.expect("sent");
    stream.shutdown().await.expect("the end");
    let heard = tokio::time::timeout(PATIENCE, heard.recv()).await;
    assert_eq!(
        heard.ok().flatten().as_deref(),
        Some(&b"early and late"[..])
    );
}
