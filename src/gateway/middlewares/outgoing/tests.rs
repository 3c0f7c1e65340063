//! Which servers are reached, and which are believed.

use http_body_util::BodyExt as _;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use super::*;

/// Answers one request on a connection, and says what its head was.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> String {
    let mut head = [0; 1_024];
    let length = stream.read(&mut head).await.expect("a request");
    let answer = b"HTTP/1.1 204 No Content\r\nx-user: a\r\n\r\n";
    stream.write_all(answer).await.expect("a client");
    String::from_utf8_lossy(&head[..length]).into_owned()
}

fn get(address: &str) -> Request<Body> {
    let request = Request::get(address).body(Body::empty());
    request.expect("a request")
}

#[tokio::test]
async fn servers_on_private_addresses_are_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = async {
        let (stream, _) = listener.accept().await.expect("a client");
        serve(stream).await
    };
    let client = Client::new().expect("a client");
    let request = get(&format!("http://{address}/auth?x"));
    let (head, answer) = tokio::join!(server, client.send(request));
    assert!(head.starts_with("GET /auth?x HTTP/1.1\r\n"), "{head}");
    let answer = answer.expect("an answer");
    assert_eq!(answer.headers()["x-user"], "a");
    answer.into_body().collect().await.expect("no body");
    drop(listener);
    let error = client.send(get(&format!("http://{address}/"))).await;
    let error = error.expect_err("nobody listens");
    assert!(error.contains("refused"), "{error}");
}

/// Whether a server with a certificate of its own for localhost is believed by a client that was
/// told about it what `tls` makes of that certificate.
async fn believes(tls: impl FnOnce(String) -> ClientTls) -> bool {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(signing_key.serialize_pem().as_bytes());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key.expect("a key"))
        .expect("a certificate");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server = async {
        let (stream, _) = listener.accept().await.expect("a client");
        match TlsAcceptor::from(Arc::new(config)).accept(stream).await {
            Ok(stream) => serve(stream).await,
            Err(_) => String::new(),
        }
    };
    let client = Client::with_tls(&tls(cert.pem())).expect("options");
    let request = get(&format!("https://localhost:{port}/"));
    let (_, answer) = tokio::join!(server, client.send(request));
    answer.is_ok()
}

#[tokio::test]
async fn servers_are_believed_as_the_options_say() {
    assert!(!believes(|_| ClientTls::default()).await);
    let with_ca = |ca| ClientTls {
        ca,
        ..ClientTls::default()
    };
    assert!(believes(with_ca).await);
    let unverified = |_| ClientTls {
        insecure_skip_verify: true,
        ..ClientTls::default()
    };
    assert!(believes(unverified).await);
}

#[test]
fn mistakes_are_named() {
    let check = |ca: &str, cert: &str, expected: &str| {
        let tls = ClientTls {
            ca: ca.to_owned(),
            cert: cert.to_owned(),
            ..ClientTls::default()
        };
        let error = Client::with_tls(&tls).err().unwrap_or_default();
        assert!(error.starts_with(expected), "{error}");
    };
    check("/nowhere", "", "ca: /nowhere: ");
    check("-----BEGIN ", "", "ca: ");
    check("", "/nowhere", "cert: /nowhere: ");
    assert!(Client::with_tls(&ClientTls::default()).is_ok());
}
