//! Challenges as an authority sees them, without one: orders go to a port where nobody listens.

use std::{net::SocketAddr, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
    sign::CertifiedKey,
};
use tokio::{io::AsyncReadExt as _, net::TcpStream};
use tokio_rustls::TlsConnector;

use super::harness::{TestGateway, config};
use crate::tls::acme::Challenges;

const HOST: &str = "api.example.com";

async fn start() -> TestGateway {
    let mut config = config();
    "operator@example.com".clone_into(&mut config.acme.email);
    "https://127.0.0.1:1/directory".clone_into(&mut config.acme.ca_server);
    config.acme.self_probe = false;
    TestGateway::start("example.com", config).await
}

fn challenges(test: &TestGateway) -> Challenges {
    let acme = test.gateway.state.certificates.acme();
    acme.expect("a real domain with an address")
        .challenges
        .clone()
}

/// A self-signed certificate for [`HOST`].
fn validation() -> CertifiedKey {
    let made = rcgen::generate_simple_self_signed([HOST.to_owned()]).expect("a certificate");
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let key = ring::sign::any_ecdsa_type(&PrivateKeyDer::Pkcs8(key)).expect("a key");
    CertifiedKey::new(vec![made.cert.der().clone()], key)
}

/// What is agreed and what is sent after a handshake that offers `alpn` and trusts `root`.
async fn validate(
    address: SocketAddr,
    root: &CertificateDer<'static>,
    alpn: &[&[u8]],
) -> std::io::Result<(Vec<u8>, Vec<u8>)> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).expect("a certificate");
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from(HOST).expect("a name");
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, stream).await?;
    let agreed = stream
        .get_ref()
        .1
        .alpn_protocol()
        .unwrap_or_default()
        .to_vec();
    let mut sent = Vec::new();
    // The gateway closes without a word of TLS.
    let _ = stream.read_to_end(&mut sent).await;
    Ok((agreed, sent))
}

#[tokio::test]
async fn who_validates_is_shown_its_challenge_and_nothing_else() {
    let test = start().await;
    let [_, secure, _] = test.listen();
    let key = validation();
    let root = key.cert[0].clone();
    let only: &[&[u8]] = &[b"acme-tls/1"];
    let mixed: &[&[u8]] = &[b"h2", b"http/1.1", b"acme-tls/1"];
    for alpn in [only, mixed] {
        let error = validate(secure, &root, alpn)
            .await
            .expect_err("no challenge");
        assert!(error.to_string().contains("UnrecognisedName"), "{error}");
    }
    let open = challenges(&test).open_certificate(HOST, Arc::new(key));
    for alpn in [only, mixed] {
        let shown = validate(secure, &root, alpn).await.expect("a challenge");
        assert_eq!(shown, (b"acme-tls/1".to_vec(), Vec::new()));
    }
    // Others see the local authority's certificate meanwhile.
    assert!(validate(secure, &root, &[b"http/1.1"]).await.is_err());
    drop(open);
    assert!(validate(secure, &root, only).await.is_err());
    test.stop().await;
}

#[tokio::test]
async fn tokens_are_answered_before_any_redirect() {
    let test = start().await;
    let path = format!("{HOST}/.well-known/acme-challenge/token");
    assert_eq!(test.get("web", &path).await.status, 404);
    let open = challenges(&test).open_token("token", "token.thumbprint".to_owned());
    let answer = test.get("web", &path).await;
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (200, "token.thumbprint")
    );
    let other = test.get("web", &format!("{path}2")).await;
    assert_eq!((other.status, other.header("location")), (404, ""));
    drop(open);
    assert_eq!(test.get("web", &path).await.status, 404);
}

#[tokio::test]
async fn an_authority_that_does_not_answer_is_named_and_the_rest_is_served() {
    let test = start().await;
    test.listen();
    let refused = async {
        loop {
            let path = "localhost/api/certificates/api.example.com";
            let view = test.get("traefik", path).await.json();
            if view["status"] == "disabled" {
                break view;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let patience = std::time::Duration::from_secs(20);
    let certificate = tokio::time::timeout(patience, refused).await;
    let certificate = certificate.expect("the order is refused");
    let error = certificate["error"][0].as_str().unwrap_or_default();
    assert!(error.contains("refused"), "{certificate}");
    let overview = test.get("traefik", "localhost/api/overview").await.json();
    let errors = overview["certificates"]["errors"].as_u64();
    assert!(errors.is_some_and(|errors| errors > 0), "{overview}");
    let warning = overview["warnings"][0].as_str().unwrap_or_default();
    assert!(warning.contains("the authority was asked"), "{overview}");
    let searched = test
        .get("traefik", "localhost/api/certificates?search=API.EXAMPLE")
        .await;
    assert_eq!(searched.json().as_array().map(Vec::len), Some(1));
    let metrics = test.get("traefik", "localhost/metrics").await.text();
    assert!(
        !metrics.contains("traefik_tls_certs_not_after"),
        "{metrics}"
    );
    test.stop().await;
}
