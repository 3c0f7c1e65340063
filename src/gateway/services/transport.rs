//! Transports to servers: pools of HTTP/1.1 and HTTP/2, with the options of Traefik's
//! `serversTransports`. HTTP/2 is spoken where it is asked for (`h2c`) or needed (gRPC by HTTPS);
//! everything else is HTTP/1.1, which upgrades need and every server speaks.

use std::{error::Error, fs, io, sync::Arc, time::Duration};

use axum::body::Body;
use http::{HeaderMap, Request, Response, Uri, header};
use hyper_rustls::{FixedServerNameResolver, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use mito_core::Supervisor;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};

use super::{
    connections::Connections,
    http2::{Http2, Unanswered},
    unverified::Unverified,
    upstream::{Failure, Scheme, Upstream},
};
use crate::dynamic::document::ServersTransport;

/// Time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long an idle connection is kept. Node closes its own after 5 s.
const POOL_IDLE: Duration = Duration::from_secs(4);
/// Idle connections kept for each server, as many as Traefik keeps. With fewer than there are
/// clients at once, connections are opened and closed all the time.
const POOL_IDLE_PER_HOST: usize = 200;

/// The connections of one transport.
pub(crate) struct Pools {
    pub(super) http1: Connections,
    http2: Http2,
    disable_http2: bool,
}

impl Pools {
    /// Pools with these options; the error says which is wrong.
    pub(super) fn new(options: &ServersTransport, supervisor: Supervisor) -> Result<Self, String> {
        let tls = tls(options)?;
        let timeouts = &options.forwarding_timeouts;
        let connector = |is_http2: bool| {
            let dial = timeouts.dial_timeout.map_or(CONNECT_TIMEOUT, |time| time.0);
            let mut http = HttpConnector::new();
            http.set_connect_timeout(Some(dial));
            http.set_nodelay(true);
            http.enforce_http(false);
            let builder = HttpsConnectorBuilder::new()
                .with_tls_config(tls.clone())
                .https_or_http();
            let builder = match server_name(options)? {
                Some(name) => builder.with_server_name_resolver(FixedServerNameResolver::new(name)),
                None => builder,
            };
            Ok::<_, String>(if is_http2 {
                builder.enable_http2().wrap_connector(http)
            } else {
                builder.enable_http1().wrap_connector(http)
            })
        };
        let keep = timeouts.idle_conn_timeout.map_or(POOL_IDLE, |time| time.0);
        let most = options
            .max_idle_conns_per_host
            .unwrap_or(POOL_IDLE_PER_HOST);
        Ok(Self {
            http1: Connections::new(connector(false)?, keep, most, supervisor),
            http2: Http2::new(connector(true)?, keep),
            disable_http2: options.disable_http2,
        })
    }

    /// Sends a request of HTTP/2 to `server`, whichever host it is for.
    pub(super) async fn http2(
        &self,
        server: &Uri,
        request: Request<Body>,
    ) -> Result<Response<Body>, Failure> {
        let answer = self.http2.request(server, request).await;
        answer.map_err(|error| match error {
            Unanswered::NotConnected(error) => classify(&*error, true),
            Unanswered::Broken(error) => classify(&error, false),
        })
    }

    /// Whether a request goes to the server by HTTP/2.
    pub(super) fn speaks_http2(&self, upstream: &Upstream, headers: &HeaderMap) -> bool {
        let is_grpc = || {
            headers
                .get(header::CONTENT_TYPE)
                .is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
        };
        match upstream.scheme() {
            Scheme::Http => false,
            Scheme::H2c => true,
            Scheme::Https => !self.disable_http2 && is_grpc(),
        }
    }
}

/// What went wrong, before or after there was a connection.
fn classify(error: &(dyn Error + 'static), is_connect: bool) -> Failure {
    let mut cause = Some(error);
    while let Some(current) = cause {
        let io = current.downcast_ref::<io::Error>();
        if io.is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            return Failure::TimedOut;
        }
        cause = current.source();
    }
    if is_connect {
        return Failure::NotConnected;
    }
    Failure::Unreachable
}

fn server_name(options: &ServersTransport) -> Result<Option<ServerName<'static>>, String> {
    if options.server_name.is_empty() {
        return Ok(None);
    }
    ServerName::try_from(options.server_name.clone())
        .map(Some)
        .map_err(|_| format!("serverName: {:?} is no host name", options.server_name))
}

fn tls(options: &ServersTransport) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    if options.insecure_skip_verify {
        let verifier = Arc::new(Unverified::new());
        let builder = builder
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        return Ok(builder.with_no_client_auth());
    }
    let mut roots = RootCertStore::empty();
    if options.root_cas.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    for (position, given) in options.root_cas.iter().enumerate() {
        let wrong = |reason: String| format!("rootCAs[{position}]: {reason}");
        let pem = if given.contains("-----BEGIN") {
            given.clone().into_bytes()
        } else {
            fs::read(given).map_err(|error| wrong(format!("{given}: {error}")))?
        };
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
            roots
                .add(certificate)
                .map_err(|error| wrong(error.to_string()))?;
        }
        if roots.len() == before {
            return Err(wrong("there is no certificate in it".to_owned()));
        }
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
