//! Exchanges with a real server on loopback, which only an operator's word makes reachable.

use std::sync::Arc;

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;

/// A server that answers every connection's first request with `answer`.
async fn serve(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    #[expect(clippy::disallowed_methods, reason = "the test plays the supervisor")]
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n")
                && stream.read_buf(&mut head).await.is_ok_and(|n| n > 0)
            {}
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    address
}

fn config(allow: &[&str]) -> Config {
    let allow = allow.iter().map(ToString::to_string).collect();
    Config {
        allow,
        request_timeout_ms: 300,
        max_response_bytes: 100,
        ..Config::default()
    }
}

async fn get(egress: &Egress, url: &str) -> Result<http::Response<Bytes>, Error> {
    egress
        .send(
            http::Request::get(url)
                .body(Bytes::new())
                .expect("a request"),
        )
        .await
}

#[tokio::test]
async fn private_addresses_are_refused_however_they_are_written() {
    let address = serve("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let egress = Egress::new(&config(&[])).expect("nothing is allowed");
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "127.1",
        "2130706433",
    ] {
        let error = get(&egress, &format!("http://{host}:{}/", address.port())).await;
        let error = error.expect_err(host);
        assert!(matches!(error, Error::Forbidden { .. }), "{host}: {error}");
    }
}

#[tokio::test]
async fn what_the_operator_allowed_answers() {
    let address = serve("HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 2\r\n\r\nhi").await;
    for (allow, host) in [("127.0.0.0/8", "127.0.0.1"), ("localhost", "localhost")] {
        let egress = Egress::new(&config(&[allow])).expect("a network or a name");
        let url = format!("http://{host}:{}/", address.port());
        let response = get(&egress, &url)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            response.status(),
            302,
            "a redirect is returned, not followed"
        );
        assert_eq!(response.body().as_ref(), b"hi");
    }
}

#[tokio::test]
async fn answers_are_bounded_in_size_and_time() {
    let egress = Egress::new(&config(&["127.0.0.1"])).expect("an address");
    let check = async |answer: &'static str, expected: &str| {
        let address = serve(answer).await;
        let error = get(&egress, &format!("http://{address}/"))
            .await
            .expect_err(answer);
        assert_eq!(error.to_string(), expected, "{answer:?}");
    };
    let large = "the exchange with 127.0.0.1 failed: the answer is larger than 100 bytes";
    check("HTTP/1.1 200 OK\r\ncontent-length: 101\r\n\r\n", large).await;
    let chunk = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n66\r\n0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789xy\r\n0\r\n\r\n";
    check(chunk, large).await;
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_given_up_and_then_left_alone() {
    // It accepts connections, by its backlog, and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let egress = Egress::new(&Config {
        request_timeout_ms: 30,
        ..config(&["127.0.0.1"])
    });
    let egress = egress.expect("an address");
    let url = format!("http://{address}/");
    for _ in 0..5 {
        let error = get(&egress, &url).await.expect_err("nobody answers");
        assert!(matches!(error, Error::Timeout { .. }), "{error}");
    }
    let error = get(&egress, &url).await.expect_err("the breaker is open");
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn only_http_urls_without_user_are_sent_to() {
    let egress = Egress::new(&config(&["127.0.0.1"])).expect("an address");
    for url in ["/path", "ftp://127.0.0.1/", "http://user:pw@127.0.0.1/"] {
        let error = get(&egress, url).await.expect_err(url);
        assert!(matches!(error, Error::Exchange { .. }), "{url}: {error}");
        assert!(!error.to_string().contains("pw"), "{error}");
    }
}

#[tokio::test]
async fn https_is_verified() {
    let certified =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has them")
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .expect("they fit");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    #[expect(clippy::disallowed_methods, reason = "the test plays the supervisor")]
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n")
                && stream.read_buf(&mut head).await.is_ok_and(|n| n > 0)
            {}
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
                .await;
        }
    });
    let config = Config {
        request_timeout_ms: 5_000,
        ..config(&["localhost"])
    };
    let url = format!("https://localhost:{port}/");
    let stranger = Egress::new(&config).expect("a name");
    let error = get(&stranger, &url)
        .await
        .expect_err("nobody vouches for it");
    assert!(error.to_string().contains("TLS"), "{error}");
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(certified.cert.der().clone())
        .expect("a certificate");
    let egress = Egress::with_roots(&config, roots).expect("a name");
    let response = get(&egress, &url)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(response.body().as_ref(), b"hi");
}
