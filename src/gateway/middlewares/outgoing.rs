//! Requests to the servers that decide who may come in. They are in the operator's configuration,
//! so they may have private addresses, and are reached without the platform's egress rules.

use std::{error::Error as _, path::Path, sync::Arc, time::Duration};

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use super::chain::Outgoing;
use crate::{dynamic::middlewares::ClientTls, services::unverified::Unverified};

/// Time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long an idle connection is kept. Node closes its own after 5 s.
const POOL_IDLE: Duration = Duration::from_secs(4);
/// Idle connections kept for each server.
const POOL_IDLE_PER_HOST: usize = 16;

/// A pool of connections to such servers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Client(legacy::Client<HttpsConnector<HttpConnector>, Body>);

impl Client {
    /// A client that trusts the public authorities.
    pub(crate) fn new() -> Result<Self, String> {
        let config = builder()?
            .with_root_certificates(public_authorities())
            .with_no_client_auth();
        Ok(Self::with_config(config))
    }

    /// A client with its own authorities and certificate. The error begins with the option.
    pub(crate) fn with_tls(tls: &ClientTls) -> Result<Self, String> {
        let roots = if tls.ca.is_empty() {
            public_authorities()
        } else {
            let mut roots = RootCertStore::empty();
            for certificate in certificates("ca", &tls.ca)? {
                let added = roots.add(certificate);
                added.map_err(|error| format!("ca: {error}"))?;
            }
            roots
        };
        let config = builder()?;
        let config = if tls.insecure_skip_verify {
            let verifier = Arc::new(Unverified::new());
            let config = config.dangerous();
            config.with_custom_certificate_verifier(verifier)
        } else {
            config.with_root_certificates(roots)
        };
        let config = match (tls.cert.as_str(), tls.key.as_str()) {
            ("", "") => config.with_no_client_auth(),
            (cert, key) => config
                .with_client_auth_cert(certificates("cert", cert)?, private_key(key)?)
                .map_err(|error| format!("cert: it does not go with key: {error}"))?,
        };
        Ok(Self::with_config(config))
    }

    fn with_config(config: ClientConfig) -> Self {
        let mut plain = HttpConnector::new();
        plain.set_connect_timeout(Some(CONNECT_TIMEOUT));
        plain.set_nodelay(true);
        plain.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_or_http()
            .enable_http1()
            .wrap_connector(plain);
        let pool = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(POOL_IDLE_PER_HOST)
            .build(connector);
        Self(pool)
    }
}

impl Outgoing for Client {
    fn send(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, String>> {
        Box::pin(async move {
            let answer = self.0.request(request).await;
            answer
                .map(|response| response.map(Body::new))
                .map_err(|error| with_causes(&error))
        })
    }
}

/// What an error says and why: the message of hyper's alone names neither address nor cause.
fn with_causes(error: &legacy::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(current) = cause {
        text.push_str(": ");
        text.push_str(&current.to_string());
        cause = current.source();
    }
    text
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())
}

fn public_authorities() -> RootCertStore {
    RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    }
}

/// What an option holds: PEM itself, or the path of a file with it.
fn pem(option: &str, value: &str) -> Result<Vec<u8>, String> {
    if value.contains("-----BEGIN ") {
        return Ok(value.as_bytes().to_vec());
    }
    std::fs::read(Path::new(value)).map_err(|error| format!("{option}: {value}: {error}"))
}

fn certificates(option: &str, value: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = pem(option, value)?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match read {
        Ok(read) if !read.is_empty() => Ok(read),
        Ok(_) => Err(format!("{option}: there is no certificate in it")),
        Err(error) => Err(format!("{option}: {error}")),
    }
}

fn private_key(value: &str) -> Result<PrivateKeyDer<'static>, String> {
    let pem = pem("key", value)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| format!("key: {error}"))
}

#[cfg(test)]
mod tests;
