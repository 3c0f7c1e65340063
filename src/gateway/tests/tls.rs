//! HTTPS by the local authority, seen by a client that trusts its root.

use std::{net::SocketAddr, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::harness::{TestGateway, config};

/// GET `/` of `host`, with or without naming it in the handshake.
async fn get(
    test: &TestGateway,
    address: SocketAddr,
    name: &str,
    alpn: &[u8],
) -> std::io::Result<(Vec<u8>, String)> {
    let root = CertificateDer::from_pem_file(test.gateway.root_certificate()).expect("a root");
    let mut roots = RootCertStore::empty();
    roots.add(root).expect("a certificate");
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let host = name.to_str().into_owned();
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    let agreed = stream
        .get_ref()
        .1
        .alpn_protocol()
        .unwrap_or_default()
        .to_vec();
    if alpn == b"h2" {
        return Ok((agreed, String::new()));
    }
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok((agreed, String::from_utf8_lossy(&answer).into_owned()))
}

#[tokio::test]
async fn routed_names_get_certificates_and_others_nothing() {
    let test = TestGateway::start("localhost", config()).await;
    let [_, secure, _] = test.listen();
    for name in ["api.localhost", "localhost", "inbox.minio.localhost"] {
        let (alpn, answer) = get(&test, secure, name, b"http/1.1").await.expect(name);
        assert_eq!(alpn, b"http/1.1", "{name}");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{name}: {answer}");
        assert!(answer.contains("\"scheme\":\"https\""), "{name}: {answer}");
    }
    // An address is not named in the handshake: localhost's certificate covers it.
    let (_, answer) = get(&test, secure, "127.0.0.1", b"http/1.1")
        .await
        .expect("loopback");
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    let (alpn, _) = get(&test, secure, "admin.localhost", b"h2")
        .await
        .expect("HTTP/2");
    assert_eq!(alpn, b"h2");
    for name in ["unknown.localhost", "evil.example", "a.b.minio.localhost"] {
        let error = get(&test, secure, name, b"http/1.1")
            .await
            .expect_err(name)
            .to_string();
        assert!(error.contains("UnrecognisedName"), "{name}: {error}");
    }
    test.stop().await;
}

#[tokio::test]
async fn a_real_domain_gets_a_root_of_its_own_and_a_warning() {
    let test = TestGateway::start("example.com", config()).await;
    let [_, secure, _] = test.listen();
    let (_, answer) = get(&test, secure, "api.example.com", b"http/1.1")
        .await
        .expect("HTTPS");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    // Without a name there is nothing to show: the names of the platform stay private.
    assert!(get(&test, secure, "127.0.0.1", b"http/1.1").await.is_err());
    let root = test.gateway.root_certificate();
    assert!(
        root.ends_with("ca/example.com/root.crt"),
        "{}",
        root.display()
    );
    let overview = test.get("traefik", "localhost/api/overview").await.json();
    let warning = overview["warnings"][0]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(warning.contains("browsers do not trust"), "{overview}");
    test.stop().await;
}

#[tokio::test]
async fn certificates_of_a_file_come_and_go_with_it() {
    let test = TestGateway::start("localhost", config()).await;
    let [_, secure, _] = test.listen();
    let made = rcgen::generate_simple_self_signed(["api.localhost".to_owned()]).expect("a pair");
    let folder = test.data.path();
    let (chain, key) = (folder.join("own.crt"), folder.join("own.key"));
    std::fs::write(&chain, made.cert.pem()).expect("a file");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
    std::fs::create_dir_all(folder.join("gateway")).expect("a folder");
    let file = folder.join("gateway/own.yml");
    let content = format!(
        "tls:\n  certificates:\n    - certFile: {}\n      keyFile: {}\n",
        chain.display(),
        key.display()
    );
    std::fs::write(&file, content).expect("a file");
    let look = || {
        assert!(test.gateway.state.files.refresh());
        test.gateway.state.rebuild();
    };
    look();
    // The client trusts the local authority alone, so another certificate is refused.
    let error = get(&test, secure, "api.localhost", b"http/1.1").await;
    let error = error.expect_err("the operator's own").to_string();
    assert!(error.contains("UnknownIssuer"), "{error}");
    assert!(
        get(&test, secure, "admin.localhost", b"http/1.1")
            .await
            .is_ok()
    );
    let listed = test
        .get("traefik", "localhost/api/certificates")
        .await
        .json();
    assert_eq!(listed[0]["sans"][0], "api.localhost", "{listed}");
    assert_eq!(listed[0]["provider"], "file", "{listed}");
    std::fs::remove_file(&file).expect("a file");
    look();
    assert!(
        get(&test, secure, "api.localhost", b"http/1.1")
            .await
            .is_ok()
    );
    test.stop().await;
}
