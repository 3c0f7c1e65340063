//! Options of TLS by host, certificates of clients, and the default certificate.

use std::{net::SocketAddr, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use rustls::{
    ClientConfig, ProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::harness::{TestGateway, config};
use crate::services::unverified::Unverified;

/// Who issues certificates of clients, and one that it has issued.
struct Clients {
    authority: String,
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

impl Clients {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let authority = params.self_signed(&key).expect("a certificate");
        let issuer = Issuer::new(params, key);
        let mut params = CertificateParams::new(["client.test".to_owned()]).expect("parameters");
        params
            .distinguished_name
            .push(DnType::CommonName, "A client");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key");
        let client = params.signed_by(&key, &issuer).expect("a certificate");
        Self {
            authority: authority.pem(),
            chain: vec![client.der().clone()],
            key,
        }
    }
}

/// What a client saw.
struct Seen {
    answer: String,
    version: Option<ProtocolVersion>,
    certificate: Vec<u8>,
}

/// GET `/` of `host` by a connection for `name`.
async fn get(
    address: SocketAddr,
    name: &str,
    host: &str,
    client: Option<&Clients>,
) -> std::io::Result<Seen> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Unverified::new()));
    let config = match client {
        Some(client) => {
            let key = PrivateKeyDer::try_from(client.key.serialize_der()).expect("a key");
            let config = config.with_client_auth_cert(client.chain.clone(), key);
            config.expect("a certificate")
        }
        None => config.with_no_client_auth(),
    };
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let session = stream.get_ref().1;
    Ok(Seen {
        answer: String::from_utf8_lossy(&answer).into_owned(),
        version: session.protocol_version(),
        certificate: session.peer_certificates().expect("a certificate")[0].to_vec(),
    })
}

fn write(test: &TestGateway, content: &str) {
    let folder = test.data.path().join("gateway");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("tls.yml"), content).expect("a file");
    test.gateway.look_at_files();
}

const ROUTERS: &str = "\
http:
  routers:
    plain: {rule: Host(`plain.localhost`), service: api@mito, tls: {}}
    closed: {rule: Host(`closed.localhost`), service: api@mito, tls: {options: clients}, middlewares: [tell]}
    old: {rule: Host(`old.localhost`), service: api@mito, tls: {options: old}}
    broken: {rule: Host(`broken.localhost`), service: api@mito, tls: {options: broken}}
  middlewares:
    tell: {passTLSClientCert: {pem: true, info: {subject: {commonName: true}, sans: true}}}
tls:
  options:
    old: {maxVersion: VersionTLS12}
    broken: {cipherSuites: [NONSENSE]}
    clients:
      clientAuth:
        caFiles:
          - |
";

#[tokio::test]
async fn each_host_has_its_options_and_connections_do_not_cross() {
    let test = TestGateway::start("localhost", config()).await;
    let [_, secure, _] = test.listen();
    let clients = Clients::new();
    let indented = clients.authority.trim_end().replace('\n', "\n            ");
    write(&test, &format!("{ROUTERS}            {indented}\n"));
    let check = async |name: &str, host: &str, client: Option<&Clients>, status: &str| {
        let seen = get(secure, name, host, client).await;
        let seen = seen.map(|seen| seen.answer).unwrap_or_default();
        assert!(seen.starts_with(status), "{name} {host}: {seen}");
        seen
    };
    let ok = "HTTP/1.1 200 ";
    check("plain.localhost", "plain.localhost", None, ok).await;
    check("api.localhost", "api.localhost", None, ok).await;
    check("closed.localhost", "closed.localhost", Some(&clients), ok).await;
    let refused = get(secure, "closed.localhost", "closed.localhost", None).await;
    let error = refused.err().expect("a refusal").to_string();
    assert!(error.contains("CertificateRequired"), "{error}");
    let stranger = Clients::new();
    let refused = get(
        secure,
        "closed.localhost",
        "closed.localhost",
        Some(&stranger),
    )
    .await;
    assert!(refused.is_err());
    let misdirected = "HTTP/1.1 421 ";
    check("plain.localhost", "closed.localhost", None, misdirected).await;
    check(
        "closed.localhost",
        "api.localhost",
        Some(&clients),
        misdirected,
    )
    .await;
    check("old.localhost", "plain.localhost", None, misdirected).await;
    let old = get(secure, "old.localhost", "old.localhost", None)
        .await
        .expect("TLS 1.2");
    assert_eq!(old.version, Some(ProtocolVersion::TLSv1_2));
    assert!(
        get(secure, "broken.localhost", "broken.localhost", None)
            .await
            .is_err()
    );

    // A changed file concerns the next handshake.
    write(
        &test,
        &ROUTERS.replace("            - |\n", "").replace(
            "clients:\n      clientAuth:\n        caFiles:\n          - |\n",
            "clients: {}\n",
        ),
    );
    check("closed.localhost", "closed.localhost", None, ok).await;
    test.stop().await;
}

#[tokio::test]
async fn the_default_certificate_is_for_names_that_no_other_fits() {
    let test = TestGateway::start("example.com", config()).await;
    let [_, secure, _] = test.listen();
    assert!(
        get(secure, "nobody.test", "nobody.test", None)
            .await
            .is_err()
    );
    let made = rcgen::generate_simple_self_signed(["fallback.test".to_owned()]).expect("a pair");
    let folder = test.data.path();
    let (chain, key) = (folder.join("own.crt"), folder.join("own.key"));
    std::fs::write(&chain, made.cert.pem()).expect("a file");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
    let (chain, key) = (chain.display(), key.display());
    write(
        &test,
        &format!(
            "tls:\n  stores:\n    default:\n      defaultCertificate: {{certFile: {chain}, keyFile: {key}}}\n  \
             options:\n    strict: {{sniStrict: true}}\nhttp:\n  routers:\n    strict: {{rule: \
             Host(`*.strict.test`), service: api@mito, tls: {{options: strict}}}}\n"
        ),
    );
    for (name, status) in [
        ("nobody.test", 404),
        ("api.example.com", 200),
        ("127.0.0.1", 404),
    ] {
        let seen = get(secure, name, name, None).await.expect(name);
        let expected = format!("HTTP/1.1 {status} ");
        assert!(seen.answer.starts_with(&expected), "{}", seen.answer);
        assert_eq!(seen.certificate, made.cert.der().to_vec(), "{name}");
    }
    // Where the options are strict, the local authority is asked as ever.
    let seen = get(secure, "a.strict.test", "a.strict.test", None)
        .await
        .expect("HTTPS");
    assert_ne!(seen.certificate, made.cert.der().to_vec());
    test.stop().await;
}
