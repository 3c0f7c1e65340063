//! Bad input over the network gets the protocol's own error and loses nothing.

use object_store::{ObjectStoreExt as _, PutPayload, path::Path};
use reqwest::{Method, header};

use crate::{
    client::answer,
    harness::{TestApp, create_admin},
};

#[tokio::test(flavor = "multi_thread")]
async fn malformed_json_is_refused_with_the_protocols_own_error() {
    let app = TestApp::start().await;
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for body in ["{", "null", "[1,2", "{\"identity\": 5}", "\u{0}", &deep] {
        let request = app
            .client
            .request(
                Method::POST,
                "api.localhost",
                "/api/collections/_superusers/auth-with-password",
            )
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.to_owned());
        let refused = answer(request).await.unwrap();
        assert_eq!(refused.status, 400, "{:?}", &body[..body.len().min(20)]);
        let envelope = refused.json();
        assert_eq!(envelope["status"], 400);
        assert!(
            envelope["message"].is_string() && envelope["data"].is_object(),
            "{envelope}"
        );
    }
    let large = raw(
        app.client.entrypoints["web"],
        "POST /api/collections/users/records HTTP/1.1\r\nhost: api.localhost\r\n\
         content-type: application/json\r\ncontent-length: 1073741824\r\n\r\n{\"name\":\"",
    )
    .await;
    assert!(large.starts_with("HTTP/1.1 413"), "{large}");
    assert_eq!(
        app.client
            .get("api.localhost", "/health")
            .await
            .unwrap()
            .status,
        200
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_signature_is_refused_and_writes_nothing() {
    let app = TestApp::start().await;
    app.importer.import("content").await.unwrap();
    let (wrong, right) = (
        app.client.s3_with("inbox", "another key"),
        app.client.s3("inbox"),
    );
    let key = Path::from("forged.html");
    let refused = wrong
        .put(&key, PutPayload::from("<p>forged</p>"))
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.contains("SignatureDoesNotMatch"), "{refused}");
    let absent = right.get(&key).await.unwrap_err();
    assert!(
        matches!(absent, object_store::Error::NotFound { .. }),
        "{absent}"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_over_the_limit_is_refused_before_its_bytes_are_read() {
    let app = TestApp::start_with(|config, _| config.objects.max_object_bytes = 1024 * 1024).await;
    app.importer.import("content").await.unwrap();
    // 3 GB are stated and not one byte of them is sent: the answer must not wait for them.
    let response = raw(
        app.client.services["minio"],
        "PUT /inbox/huge.bin HTTP/1.1\r\nhost: minio.localhost\r\ncontent-length: 3000000000\r\n\
         x-amz-content-sha256: UNSIGNED-PAYLOAD\r\n\r\n",
    )
    .await;
    assert!(response.starts_with("HTTP/1.1 4"), "{response}");
    // Signed and really sent, a smaller one over the limit.
    let sent = app
        .client
        .s3("inbox")
        .put(
            &Path::from("large.bin"),
            PutPayload::from(vec![7_u8; 2 * 1024 * 1024]),
        )
        .await
        .unwrap_err()
        .to_string();
    assert!(sent.contains("EntityTooLarge"), "{sent}");
    assert!(
        app.client
            .s3("inbox")
            .head(&Path::from("large.bin"))
            .await
            .is_err()
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hyper_lets_through_is_refused_at_the_door() {
    let app = TestApp::start().await;
    let web = app.client.entrypoints["web"];
    let cases = [
        ("no Host", "GET / HTTP/1.1\r\n\r\n", "400"),
        (
            "two Hosts",
            "GET / HTTP/1.1\r\nhost: api.localhost\r\nhost: admin.localhost\r\n\r\n",
            "400",
        ),
        (
            "length and chunked",
            "POST / HTTP/1.1\r\nhost: api.localhost\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "400",
        ),
        (
            "CONNECT",
            "CONNECT evil:80 HTTP/1.1\r\nhost: evil:80\r\n\r\n",
            "501",
        ),
        (
            "TRACE",
            "TRACE / HTTP/1.1\r\nhost: api.localhost\r\n\r\n",
            "405",
        ),
        (
            "a broken escape",
            "GET /%zz HTTP/1.1\r\nhost: api.localhost\r\n\r\n",
            "400",
        ),
        (
            "NUL",
            "GET /%00 HTTP/1.1\r\nhost: api.localhost\r\n\r\n",
            "400",
        ),
    ];
    for (what, request, status) in cases {
        let response = raw(web, request).await;
        assert!(
            response.starts_with(&format!("HTTP/1.1 {status}")),
            "{what}: {response}"
        );
    }
    assert_eq!(
        app.client
            .get("api.localhost", "/health")
            .await
            .unwrap()
            .status,
        200
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_limited_and_says_when_to_come_back() {
    let app = TestApp::start_with(|config, _| {
        config.gateway.rate_limit_average = 1;
        config.gateway.rate_limit_burst = 20;
    })
    .await;
    let mut limited = None;
    for spoofed in 0..60 {
        let request = app
            .client
            .request(Method::GET, "api.localhost", "/api/health")
            .header("x-forwarded-for", format!("203.0.113.{spoofed}"));
        let answer = answer(request).await.unwrap();
        if answer.status == 429 {
            limited = Some(answer);
            break;
        }
    }
    let limited = limited.expect("more than the burst is refused, whatever is forwarded");
    let wait: u32 = limited.header("retry-after").parse().unwrap();
    assert!(wait >= 1);
    create_admin(&app.folder.path().join("data"));
    app.stop().await;
}

/// Sends bytes as they are and reads the head of the answer.
async fn raw(address: std::net::SocketAddr, request: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(std::time::Duration::from_secs(10), stream.read(&mut answer));
    let read = read.await.expect("an answer in time").unwrap();
    String::from_utf8_lossy(&answer[..read]).into_owned()
}
