//! What is noted of one request: begun when it arrives, finished when the body of its answer has
//! ended, was broken off, or never came. Then the metrics count it and the access log shows it.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, Version, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use jiff::Timestamp;
use mito_network::ConnectionInfo;
use tokio::time::Instant;

use crate::access_log::AccessLog;

/// What nginx and Traefik write when the client went away before there was an answer.
const CLIENT_CLOSED_REQUEST: u16 = 499;
/// The longest part of a header that the log shows, in bytes.
const MAX_FIELD_BYTES: usize = 1_024;

/// One request.
pub(crate) struct Record {
    log: AccessLog,
    begun: Instant,
    pub(crate) at: Timestamp,
    pub(crate) client: SocketAddr,
    pub(crate) method: &'static str,
    /// Without the query, which may hold signatures and tokens.
    pub(crate) path: String,
    pub(crate) version: &'static str,
    pub(crate) protocol: &'static str,
    pub(crate) scheme: &'static str,
    pub(crate) tls_version: Option<String>,
    pub(crate) host: String,
    pub(crate) referer: String,
    pub(crate) user_agent: String,
    pub(crate) entrypoint: Arc<str>,
    pub(crate) request_id: String,
    /// How many requests came before and with this one.
    pub(crate) number: u64,
    pub(crate) route: Option<Route>,
    pub(crate) status: Option<u16>,
    pub(crate) bytes: u64,
}

/// Where a request was sent.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) router: String,
    pub(crate) service: String,
    pub(crate) url: String,
}

impl Record {
    /// Notes a request that has just arrived.
    pub(crate) fn begin(
        log: AccessLog,
        at: Timestamp,
        entrypoint: Arc<str>,
        info: &ConnectionInfo,
        request: &Request<Body>,
    ) -> Self {
        let headers = request.headers();
        let referer = text(headers, &header::REFERER);
        let number = log.next_number();
        Self {
            log,
            begun: Instant::now(),
            at,
            client: SocketAddr::new(info.client_ip.to_canonical(), info.peer.port()),
            method: known_method(request.method()),
            path: shortened(request.uri().path()),
            version: version(request.version()),
            protocol: protocol(headers),
            scheme: info.scheme,
            tls_version: info.tls.as_ref().map(|tls| tls.version.clone()),
            host: info.host.clone(),
            referer: referer.split('?').next().unwrap_or_default().to_owned(),
            user_agent: text(headers, &header::USER_AGENT),
            entrypoint,
            request_id: info.request_id.clone(),
            number,
            route: None,
            status: None,
            bytes: 0,
        }
    }

    /// Time since the request arrived.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Lets the record follow `body` to its end.
    pub(crate) fn follow(self, body: Body) -> Body {
        Body::new(Recorded { body, record: self })
    }

    /// The status that is counted.
    pub(crate) fn code(&self) -> u16 {
        self.status.unwrap_or(if std::thread::panicking() {
            500
        } else {
            CLIENT_CLOSED_REQUEST
        })
    }

    fn count(&self) {
        let code = self.code().to_string();
        let seconds = self.elapsed().as_secs_f64();
        let entrypoint = self.entrypoint.to_string();
        let (method, protocol) = (self.method, self.protocol);
        metrics::counter!("traefik_entrypoint_requests_total", "code" => code.clone(),
            "method" => method, "protocol" => protocol, "entrypoint" => entrypoint.clone())
        .increment(1);
        metrics::counter!("traefik_entrypoint_responses_bytes_total", "code" => code.clone(),
            "method" => method, "protocol" => protocol, "entrypoint" => entrypoint.clone())
        .increment(self.bytes);
        metrics::histogram!("traefik_entrypoint_request_duration_seconds", "code" => code.clone(),
            "method" => method, "protocol" => protocol, "entrypoint" => entrypoint)
        .record(seconds);
        let Some(route) = &self.route else {
            return;
        };
        let (router, service) = (route.router.clone(), route.service.clone());
        metrics::counter!("traefik_router_requests_total", "code" => code.clone(),
            "method" => method, "protocol" => protocol, "router" => router.clone(),
            "service" => service.clone())
        .increment(1);
        metrics::histogram!("traefik_router_request_duration_seconds", "code" => code.clone(),
            "method" => method, "protocol" => protocol, "router" => router,
            "service" => service.clone())
        .record(seconds);
        metrics::counter!("traefik_service_requests_total", "code" => code.clone(),
            "method" => method, "protocol" => protocol, "service" => service.clone())
        .increment(1);
        metrics::histogram!("traefik_service_request_duration_seconds", "code" => code,
            "method" => method, "protocol" => protocol, "service" => service)
        .record(seconds);
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.count();
        self.log.clone().write(self);
    }
}

/// A body that counts what passes and takes its record along.
struct Recorded {
    body: Body,
    record: Record,
}

impl HttpBody for Recorded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            let length = frame.data_ref().map_or(0, Bytes::len);
            self.record.bytes += u64::try_from(length).unwrap_or(u64::MAX);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The method as a label; anything unusual shares one, so that clients cannot make series.
fn known_method(method: &http::Method) -> &'static str {
    const KNOWN: [&str; 9] = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE",
    ];
    KNOWN
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or("EXTENSION_METHOD")
}

fn protocol(headers: &HeaderMap) -> &'static str {
    let is = |name, wanted: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.eq_ignore_ascii_case(wanted))
    };
    if is(header::UPGRADE, "websocket") {
        "websocket"
    } else if is(header::ACCEPT, "text/event-stream") {
        "sse"
    } else {
        "http"
    }
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_3 => "HTTP/3.0",
        _ => "HTTP/1.1",
    }
}

fn text(headers: &HeaderMap, name: &header::HeaderName) -> String {
    headers
        .get(name)
        .map(|value| shortened(&String::from_utf8_lossy(value.as_bytes())))
        .unwrap_or_default()
}

fn shortened(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_FIELD_BYTES)].to_owned()
}
