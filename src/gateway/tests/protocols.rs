//! Servers that speak HTTP/2 or TLS.

use std::{net::SocketAddr, sync::Arc};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, Version};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::{body::Frame, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use super::harness::{TestGateway, config, request};

/// Answers as gRPC does: a status in the trailers.
async fn with_trailers(
    request: Request<hyper::body::Incoming>,
) -> Result<Response<Body>, std::convert::Infallible> {
    let (version, te) = (request.version(), request.headers().get("te").cloned());
    let host = request.uri().authority().map(ToString::to_string);
    let body = request
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let host = host.unwrap_or_default();
    let content = format!("{version:?} {te:?} {} {host}", body.len());
    let frames = [
        Ok::<_, std::convert::Infallible>(Frame::data(Bytes::from(content))),
        Ok(Frame::trailers(trailers)),
    ];
    let body = StreamBody::new(futures_util::stream::iter(frames));
    Ok(Response::new(Body::new(body)))
}

/// A server of HTTP/2 alone, with TLS if there is a certificate.
async fn http2(test: &TestGateway, tls: Option<TlsAcceptor>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let shutdown = test.supervisor.shutdown();
    test.supervisor.detach("server", async move {
        let serving = async {
            while let Ok((stream, _)) = listener.accept().await {
                let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                let service = service_fn(with_trailers);
                // One connection at a time is enough.
                let ended = match &tls {
                    None => server.serve_connection(TokioIo::new(stream), service).await,
                    Some(acceptor) => match acceptor.accept(stream).await {
                        Ok(stream) => server.serve_connection(TokioIo::new(stream), service).await,
                        Err(_) => continue,
                    },
                };
                drop(ended);
            }
        };
        tokio::select! {
            () = serving => {}
            () = shutdown.begun() => {}
        }
    });
    address
}

fn grpc() -> Request<Body> {
    let headers = [("content-type", "application/grpc"), ("te", "trailers")];
    let mut call = request("POST", "rpc.localhost/service/Method", &headers);
    *call.version_mut() = Version::HTTP_2;
    call.map(|_| Body::from(vec![7; 100_000]))
}

async fn answer(test: &TestGateway, call: Request<Body>) -> (u16, String, Option<HeaderMap>) {
    let response = test.gateway.service("web").oneshot(call).await;
    let response = response.expect("an answer");
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.expect("a whole body");
    let trailers = body.trailers().cloned();
    let content = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    (status, content, trailers)
}

async fn route_to(test: &TestGateway, url: &str, transport: &str) {
    let name = if transport.is_empty() {
        ""
    } else {
        "serversTransport = 'own'\n"
    };
    let content = format!(
        "[http.routers.rpc]\nrule = 'Host(`rpc.localhost`)'\nservice = 'rpc'\n\
         [http.services.rpc.loadBalancer]\n{name}servers = [{{url = '{url}'}}]\n{transport}"
    );
    let folder = test.data.path().join("gateway");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("rpc.toml"), content).expect("a file");
    let list = Request::builder()
        .uri("/files")
        .body(Body::empty())
        .expect("a request");
    let listed = test.gateway.panel().oneshot(list).await.expect("an answer");
    assert_eq!(listed.status(), 200);
}

#[tokio::test]
async fn grpc_goes_through_with_its_trailers() {
    let test = TestGateway::start("localhost", config()).await;
    let address = http2(&test, None).await;
    route_to(&test, &format!("h2c://{address}"), "").await;
    let (status, content, trailers) = answer(&test, grpc()).await;
    assert_eq!(
        (status, content.as_str()),
        (200, "HTTP/2.0 Some(\"trailers\") 100000 rpc.localhost")
    );
    assert_eq!(trailers.expect("trailers")["grpc-status"], "0");
    test.stop().await;
}

#[tokio::test]
async fn one_connection_serves_every_host_and_is_replaced_when_it_ends() {
    let test = TestGateway::start("localhost", config()).await;
    // This server takes one connection after the other.
    let address = http2(&test, None).await;
    let url = format!("h2c://{address}");
    let content = format!(
        "[http.routers.rpc]\nrule = 'HostRegexp(`^.+\\.rpc\\.localhost$`)'\nservice = 'rpc'\n\
         [http.routers.own]\nrule = 'Host(`own.localhost`)'\nservice = 'own'\n\
         [http.services.own.loadBalancer]\npassHostHeader = false\nserversTransport = 'idle'\nservers = [{{url = '{url}'}}]\n\
         [http.services.rpc.loadBalancer]\nserversTransport = 'idle'\nservers = [{{url = '{url}'}}]\n\
         [http.serversTransports.idle.forwardingTimeouts]\nidleConnTimeout = '20ms'\n"
    );
    let folder = test.data.path().join("gateway");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("rpc.toml"), content).expect("a file");
    test.gateway.look_at_files();
    let ask = async |host: &str| {
        let mut call = request("GET", &format!("{host}/"), &[]);
        *call.version_mut() = Version::HTTP_2;
        let (status, content, _) = answer(&test, call).await;
        assert_eq!(status, 200, "{content}");
        content.rsplit(' ').next().unwrap_or_default().to_owned()
    };
    assert_eq!(ask("a.rpc.localhost").await, "a.rpc.localhost");
    assert_eq!(ask("b.rpc.localhost:81").await, "b.rpc.localhost:81");
    assert_eq!(ask("own.localhost").await, address.to_string());
    // An idle connection ends, and nobody sees it.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(ask("c.rpc.localhost").await, "c.rpc.localhost");
    test.stop().await;
}

#[tokio::test]
async fn servers_with_tls_are_verified_as_they_are_told() {
    let test = TestGateway::start("localhost", config()).await;
    let made = rcgen::generate_simple_self_signed(vec!["inside.example".to_owned()]);
    let rcgen::CertifiedKey { cert, signing_key } = made.expect("a certificate");
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("they match");
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let address = http2(&test, Some(TlsAcceptor::from(Arc::new(tls)))).await;
    let url = format!("https://{address}");
    // The certificate is of nobody that is known, and of another name than the address.
    route_to(&test, &url, "").await;
    assert_eq!(answer(&test, grpc()).await.0, 502);
    let pem = cert.pem();
    let trusted = format!(
        "[http.serversTransports.own]\nserverName = 'inside.example'\nrootCAs = ['''{pem}''']\n"
    );
    route_to(&test, &url, &trusted).await;
    assert_eq!(answer(&test, grpc()).await.0, 200);
    let misnamed = trusted.replace("inside.example", "outside.example");
    route_to(&test, &url, &misnamed).await;
    assert_eq!(answer(&test, grpc()).await.0, 502);
    route_to(
        &test,
        &url,
        "[http.serversTransports.own]\ninsecureSkipVerify = true\n",
    )
    .await;
    assert_eq!(answer(&test, grpc()).await.0, 200);
    test.stop().await;
}
