//! Names in the handshake, and requests that are for another name.

use std::{net::SocketAddr, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    site::{HOST, Site},
    wire::{self, Reply},
};

/// A handshake by a client that trusts the local authority. `name` may be an address, which is not
/// sent (RFC 6066 §3).
async fn handshake(site: &Site, name: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let data = site.app.folder.path().join("data");
    let root = mito_gateway::root_certificate(&data, "localhost");
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_file(root).unwrap();
    roots.add(root).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(site.secure()).await?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

async fn ask(site: &Site, name: &str, host: &str) -> Reply {
    let mut stream = handshake(site, name).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    wire::read_to_end(&mut stream).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_which_names_there_are() {
    let site = Site::start().await;
    for name in [
        "unknown.localhost",
        "localhost.example",
        "a.b.echo.localhost",
    ] {
        let error = handshake(&site, name).await.unwrap_err().to_string();
        assert!(error.contains("UnrecognisedName"), "{name}: {error}");
    }
    // A hello without a name, from an address of this machine, is shown that address alone.
    let stream = handshake(&site, "127.0.0.1").await.unwrap();
    let shown = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
    let text = String::from_utf8_lossy(&shown);
    assert!(!text.contains("echo.localhost"), "{text}");
    site.is_healthy().await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_for_one_host_serves_no_other() {
    let site = Site::start().await;
    for (name, host, status) in [
        (HOST, HOST, 200),
        (HOST, "ECHO.localhost:8443", 200),
        (HOST, "echo.localhost.", 200),
        (HOST, "admin.localhost", 421),
        (HOST, "unknown.localhost", 421),
        ("admin.localhost", HOST, 421),
        // There is no name to differ from.
        ("127.0.0.1", HOST, 200),
    ] {
        let reply = ask(&site, name, host).await;
        assert_eq!(reply.status(), status, "{name} {host}: {:?}", reply.text());
    }
    assert_eq!(site.seen(), 4);
    site.is_healthy().await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_handshake_ends_at_once() {
    let site = Site::start().await;
    let secure: SocketAddr = site.secure();
    let plain = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    let zeros = [0; 5_000];
    // A record of TLS that is longer than one may be.
    let long = [&b"\x16\x03\x01\xff\xff"[..], &vec![1; 0xffff]].concat();
    for sent in [plain.as_bytes(), &zeros, &long] {
        let reply = wire::exchange(secure, sent).await;
        assert_eq!(reply.status(), 0, "{:?}", reply.text());
    }
    site.is_healthy().await;
    site.stop().await;
}
