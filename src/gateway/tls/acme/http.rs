//! How instant-acme reaches the authority: encrypted, with bounds on time and size, against the roots
//! of the configuration (which is why it is not the way out that other roles share), and with an ear
//! for `Retry-After`, which instant-acme does not tell of refusals.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header::RETRY_AFTER};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use jiff::fmt::rfc2822;
use mito_core::Clock;
use rustls::ClientConfig;

/// How long one exchange may take.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer that is read, in bytes. A long chain has 20 KiB.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// How long a connection is kept for the next exchange.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// A client of the authority. Cheap to clone.
#[derive(Clone)]
pub(super) struct Http {
    client: Client<HttpsConnector<HttpConnector>, BodyWrapper<Bytes>>,
    clock: Clock,
    wish: Arc<Mutex<Option<Duration>>>,
}

impl Http {
    /// A client that trusts what `tls` trusts.
    pub(super) fn new(tls: &Arc<ClientConfig>, clock: Clock) -> Self {
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(ClientConfig::clone(tls))
            .https_only()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(connector);
        Self {
            client,
            clock,
            wish: Arc::default(),
        }
    }

    /// How long the authority wanted to be left alone when it refused something last.
    pub(super) fn take_wish(&self) -> Option<Duration> {
        self.wish
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl HttpClient for Http {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let this = self.clone();
        Box::pin(async move {
            let exchange = async {
                let response = this.client.request(request).await.map_err(other)?;
                let (parts, body) = response.into_parts();
                let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
                let body = Full::new(body.map_err(Error::Other)?.to_bytes());
                Ok::<_, Error>(Response::from_parts(parts, body))
            };
            let response = tokio::time::timeout(EXCHANGE_TIMEOUT, exchange)
                .await
                .map_err(|_| Error::Str("an answer of the authority in time"))??;
            if response.status().is_client_error() || response.status().is_server_error() {
                let wish = retry_after(response.headers(), this.clock.now());
                *this.wish.lock().unwrap_or_else(PoisonError::into_inner) = wish;
            }
            Ok(BytesResponse::from(response))
        })
    }
}

fn other(error: hyper_util::client::legacy::Error) -> Error {
    Error::Other(Box::new(error))
}

/// Reads `Retry-After`: seconds or a date (RFC 9110 §10.2.3).
fn retry_after(headers: &HeaderMap, now: jiff::Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = rfc2822::parse(text).ok()?.timestamp();
    Duration::try_from(until.duration_since(now)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_given_in_seconds_or_as_a_date() {
        let now: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        let check = |text: &str, seconds: Option<u64>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().expect("a value"));
            let read = retry_after(&headers, now).map(|wish| wish.as_secs());
            assert_eq!(read, seconds, "{text}");
        };
        check("120", Some(120));
        check("Thu, 01 Jan 2026 01:00:00 GMT", Some(3_600));
        check("Wed, 31 Dec 2025 23:00:00 GMT", None);
        check("soon", None);
    }
}
