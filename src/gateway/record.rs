//! What is noted of one request: begun when it arrives, finished when the body of its answer has
//! ended, was broken off, or never came. Then the metrics count it and the access log shows it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, Version, header};
use http_body::{Body as _, Frame};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use mito_network::{ConnectionInfo, connection::TlsInfo};
use tokio::time::Instant;

use crate::{
    access_log::AccessLog,
    api::traffic::Traffic,
    middlewares::chain::User,
    routers::Router,
    series::{Figures, Key, Series},
    state::State,
};

/// What nginx and Traefik write when the client went away before there was an answer.
pub(crate) const CLIENT_CLOSED_REQUEST: u16 = 499;
/// The longest part of a header that the log shows, in bytes.
const MAX_FIELD_BYTES: usize = 1_024;

/// One request.
pub(crate) struct Record {
    log: AccessLog,
    series: Series,
    traffic: Traffic,
    begun: Instant,
    pub(crate) at: Timestamp,
    pub(crate) client: SocketAddr,
    pub(crate) method: &'static str,
    /// Without the query, which may hold signatures and tokens.
    pub(crate) path: String,
    pub(crate) version: &'static str,
    pub(crate) protocol: &'static str,
    pub(crate) scheme: &'static str,
    pub(crate) tls: Option<Arc<TlsInfo>>,
    pub(crate) host: Arc<str>,
    pub(crate) referer: String,
    pub(crate) user_agent: String,
    pub(crate) entrypoint: Arc<str>,
    pub(crate) request_id: Arc<str>,
    /// How many requests came before and with this one.
    pub(crate) number: u64,
    /// The router that took it.
    pub(crate) router: Option<Arc<Router>>,
    /// The server that answered, of those of its service.
    pub(crate) server: Option<String>,
    /// Who signed the request.
    pub(crate) user: Option<User>,
    /// How often it was sent again.
    pub(crate) retries: u32,
    pub(crate) status: Option<u16>,
    pub(crate) bytes: u64,
    request_bytes: RequestBytes,
}

/// How much of a request's body has come.
#[derive(Clone, Default)]
struct RequestBytes(Arc<AtomicU64>);

impl RequestBytes {
    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Record {
    /// Notes a request that has just arrived.
    pub(crate) fn begin(
        state: &State,
        entrypoint: Arc<str>,
        info: &ConnectionInfo,
        request: &Request<Body>,
    ) -> Box<Self> {
        let headers = request.headers();
        let referer = text(headers, &header::REFERER);
        Box::new(Self {
            log: state.log.clone(),
            series: state.series.clone(),
            traffic: state.traffic.clone(),
            begun: Instant::now(),
            at: state.clock.now(),
            client: SocketAddr::new(info.client_ip.to_canonical(), info.peer.port()),
            method: known_method(request.method()),
            path: shortened(request.uri().path()),
            version: version(request.version()),
            protocol: protocol(headers),
            scheme: info.scheme,
            tls: info.tls.clone(),
            request_bytes: RequestBytes::default(),
            host: info.host.clone(),
            referer: referer.split('?').next().unwrap_or_default().to_owned(),
            user_agent: text(headers, &header::USER_AGENT),
            entrypoint,
            request_id: info.request_id.clone(),
            number: state.log.next_number(),
            router: None,
            server: None,
            user: None,
            retries: 0,
            status: None,
            bytes: 0,
        })
    }

    /// How much of the request's body has come, in bytes.
    pub(crate) fn request_bytes(&self) -> u64 {
        self.request_bytes.get()
    }

    /// Time since the request arrived.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Where the answer came from, as logs show it.
    pub(crate) fn address(&self) -> &str {
        let router = self.router.as_ref();
        let known = || router.map_or("-", |router| router.known_address());
        self.server.as_deref().unwrap_or_else(known)
    }

    /// Lets the record see the body of its request.
    pub(crate) fn watch(&self, request: Request<Body>) -> Request<Body> {
        if request.body().is_end_stream() {
            return request;
        }
        let seen = self.request_bytes.clone();
        request.map(|body| {
            Body::new(body.inspect_frame(move |frame| {
                seen.0.fetch_add(length(frame), Ordering::Relaxed);
            }))
        })
    }

    /// Lets the record follow `body` to its end.
    pub(crate) fn follow(mut self: Box<Self>, body: Body) -> Body {
        Body::new(body.inspect_frame(move |frame| {
            // All of it belongs to the closure, which goes with the body.
            let record: &mut Self = &mut self;
            record.bytes += length(frame);
        }))
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
            tls: self
                .tls
                .as_ref()
                .map(|tls| (tls.version.clone(), tls.cipher.clone())),
        };
        let figures = Figures {
            seconds: self.elapsed().as_secs_f64(),
            request_bytes: self.request_bytes.get(),
            response_bytes: self.bytes,
            retries: self.retries,
        };
        self.series.count(key, figures);
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.count();
        self.traffic.show(self);
        self.log.clone().write(self);
    }
}

fn length(frame: &Frame<Bytes>) -> u64 {
    let length = frame.data_ref().map_or(0, Bytes::len);
    u64::try_from(length).unwrap_or(u64::MAX)
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
