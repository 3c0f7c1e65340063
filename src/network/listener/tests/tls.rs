//! HTTPS: what the handler learns of TLS, and handshakes that do not end.

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{PrivateKeyDer, ServerName},
};
use tokio_rustls::TlsConnector;

use super::*;

/// A server's and a client's configuration that trust each other.
fn configurations() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let names = ["api.localhost".to_owned()];
    let certified = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
    let provider = || Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("ring has them")
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .expect("they fit");
    let mut roots = RootCertStore::empty();
    roots
        .add(certified.cert.der().clone())
        .expect("a certificate");
    let client = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("ring has them")
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server), Arc::new(client))
}

fn show_tls() -> Router {
    let show = |Extension(info): Extension<ConnectionInfo>| async move {
        let tls = info.tls.expect("the connection is encrypted");
        let name = tls.server_name.clone().unwrap_or_default();
        format!("{} {name} {} {}", info.scheme, tls.version, info.host)
    };
    Router::new().fallback(any(show))
}

#[tokio::test]
async fn the_handler_learns_what_tls_negotiated() {
    let (server, client) = configurations();
    let server = serve_with(show_tls(), Some(server), Limits::default());
    let name = ServerName::try_from("api.localhost").expect("a name");
    let stream = server.connect().await;
    let mut stream = TlsConnector::from(client)
        .connect(name, stream)
        .await
        .expect("a handshake");
    let request = b"GET / HTTP/1.1\r\nHost: api.localhost:8443\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.expect("sent");
    let mut answer = String::new();
    let reading = stream.read_to_string(&mut answer);
    let read = tokio::time::timeout(PATIENCE, reading)
        .await
        .expect("it is closed");
    read.expect("the connection is closed as TLS demands");
    assert!(
        answer.ends_with("https api.localhost TLSv1_3 api.localhost"),
        "{answer}"
    );
}

#[tokio::test]
async fn handshakes_that_do_not_end_or_are_none_are_closed() {
    let (server, _) = configurations();
    let limits = Limits {
        handshake_timeout_ms: 100,
        ..Limits::default()
    };
    let server = serve_with(show_tls(), Some(server), limits);
    assert_eq!(server.exchange(b"").await, "");
    assert_eq!(server.exchange(b"\x16\x03\x01").await, "");
    let plain = server.exchange(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(!plain.starts_with("HTTP"), "{plain:?}");
}
