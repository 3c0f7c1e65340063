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

use crate::{
    access_log::AccessLog,
    routers::Router,
    series::{Key, Series},
    state::State,
};

/// What nginx and Traefik write when the client went away before there was an answer.
const CLIENT_CLOSED_REQUEST: u16 = 499;
/// The longest part of a header that the log shows, in bytes.
const MAX_FIELD_BYTES: usize = 1_024;

/// One request.
pub(crate) struct Record {
    log: AccessLog,
    series: Series,
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
    /// The router that took it.
    pub(crate) router: Option<Arc<Router>>,
    pub(crate) status: Option<u16>,
    pub(crate) bytes: u64,
}

impl Record {
    /// Notes a request that has just arrived.
    pub(crate) fn begin(
        state: &State,
        entrypoint: Arc<str>,
        info: &ConnectionInfo,
        request: &Request<Body>,
    ) -> Self {
        let headers = request.headers();
        let referer = text(headers, &header::REFERER);
        Self {
            log: state.log.clone(),
            series: state.series.clone(),
            begun: Instant::now(),
            at: state.clock.now(),
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
            number: state.log.next_number(),
            router: None,
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
        let key = Key {
            code: self.code(),
            method: self.method,
            protocol: self.protocol,
            entrypoint: self.entrypoint.clone(),
            route: self
                .router
                .as_ref()
                .map(|it| (it.full_name.clone(), it.service.clone())),
        };
        self.series
            .count(key, self.elapsed().as_secs_f64(), self.bytes);
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
