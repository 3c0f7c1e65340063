//! HTTP servers beside the platform: streamed both ways, pooled, retried once where that is safe,
//! with upgrades passed through.

use std::{error::Error as _, io, time::Duration};

use axum::body::Body;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header, uri};
use http_body::Body as _;
use hyper::upgrade::OnUpgrade;
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use mito_core::Supervisor;
use mito_network::ConnectionInfo;

use super::{
    headers,
    room::{Place, Room},
    upload::Progress,
};

/// Time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long an idle connection is kept. Node closes its own after 5 s.
const POOL_IDLE: Duration = Duration::from_secs(4);
/// Idle connections kept for each server.
const POOL_IDLE_PER_HOST: usize = 32;

/// A server, by its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Upstream {
    authority: uri::Authority,
}

impl Upstream {
    /// Reads `http://host:port`.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let wrong = || format!("{url:?} is not an address such as http://127.0.0.1:4000");
        let parts = url.parse::<Uri>().map_err(|_| wrong())?.into_parts();
        if parts.scheme != Some(uri::Scheme::HTTP) {
            return Err(format!("{url:?}: only http:// servers are supported"));
        }
        let path = parts
            .path_and_query
            .as_ref()
            .map_or("/", |path| path.as_str());
        match parts.authority {
            Some(authority) if path == "/" && !authority.as_str().contains('@') => {
                Ok(Self { authority })
            }
            _ => Err(wrong()),
        }
    }

    /// The address as it is shown.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.authority)
    }
}

/// Why an upstream did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It cannot be reached, or breaks off, or speaks nonsense.
    Unreachable,
    /// It took too long.
    TimedOut,
    /// Too many requests are with servers already.
    NoRoom,
}

impl Failure {
    /// The status that Traefik answers, which knows no lack of room.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Unreachable => StatusCode::BAD_GATEWAY,
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Self::NoRoom => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Sends requests to upstreams. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Client {
    pool: legacy::Client<HttpConnector, Body>,
    supervisor: Supervisor,
    header_timeout: Duration,
    pub(crate) room: Room,
}

impl Client {
    /// A client whose upstreams must begin their answer within `header_timeout` of the last part of
    /// the request.
    pub(crate) fn new(supervisor: Supervisor, header_timeout: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let pool = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(POOL_IDLE_PER_HOST)
            .build(connector);
        Self {
            pool,
            supervisor,
            header_timeout,
            room: Room::new(),
        }
    }

    /// Sends `request` on. The body is streamed, the answer too.
    pub(crate) async fn send(
        &self,
        upstream: &Upstream,
        info: &ConnectionInfo,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, Failure> {
        let place = self.room.enter().ok_or(Failure::NoRoom)?;
        let upgrade = match request.version() {
            Version::HTTP_11 => headers::wanted_upgrade(request.headers()),
            _ => None,
        };
        let client_side = upgrade.as_ref().map(|_| hyper::upgrade::on(&mut request));
        let request = outgoing(upstream, info, request, upgrade.as_ref())?;
        let mut response = self.attempt_twice(request).await?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let client_side = client_side.ok_or(Failure::Unreachable)?;
            let server_side = hyper::upgrade::on(&mut response);
            let switched = response.headers().get(header::UPGRADE).cloned();
            headers::strip_hop_by_hop(response.headers_mut());
            if let Some(protocol) = switched {
                mark_upgrade(response.headers_mut(), protocol);
            }
            self.join(client_side, server_side, place);
            return Ok(response.map(Body::new));
        }
        headers::strip_hop_by_hop(response.headers_mut());
        Ok(response.map(|body| place.until_end_of(Body::new(body))))
    }

    /// A connection that the server closed while it was idle shows only when it is used, so a
    /// request that can be repeated is.
    async fn attempt_twice(
        &self,
        request: Request<Body>,
    ) -> Result<Response<hyper::body::Incoming>, Failure> {
        let repeat = repeatable(&request).then(|| copy_of(&request));
        match (self.attempt(request).await, repeat) {
            (Err((Failure::Unreachable, false)), Some(repeat)) => {
                self.attempt(repeat).await.map_err(|(failure, _)| failure)
            }
            (outcome, _) => outcome.map_err(|(failure, _)| failure),
        }
    }

    /// One attempt; a failure comes with whether it already happened while connecting.
    async fn attempt(
        &self,
        request: Request<Body>,
    ) -> Result<Response<hyper::body::Incoming>, (Failure, bool)> {
        let progress = Progress::begin();
        let answer = self.pool.request(request.map(|body| progress.follow(body)));
        tokio::select! {
            answer = answer => answer.map_err(|error| (classify(&error), error.is_connect())),
            () = self.no_progress(&progress) => Err((Failure::TimedOut, false)),
        }
    }

    /// Returns when the server has taken nothing for as long as it may take to answer.
    async fn no_progress(&self, progress: &Progress) {
        let mut last = progress.last();
        loop {
            tokio::time::sleep_until(last + self.header_timeout).await;
            let now = progress.last();
            if now == last {
                return;
            }
            last = now;
        }
    }

    /// Carries bytes both ways until one side ends or the process does.
    fn join(&self, client: OnUpgrade, server: OnUpgrade, place: Place) {
        let shutdown = self.supervisor.shutdown();
        self.supervisor.detach("gateway/upgrade", async move {
            let carried = async {
                let (client, server) = tokio::try_join!(client, server)?;
                let (mut client, mut server) = (TokioIo::new(client), TokioIo::new(server));
                let ended = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                // A side that vanishes without a word is an everyday end.
                ended.ok();
                Ok::<(), hyper::Error>(())
            };
            tokio::select! {
                () = shutdown.begun() => {}
                outcome = carried => if let Err(error) = outcome {
                    tracing::debug!(%error, "an upgraded connection did not come about");
                }
            }
            drop(place);
        });
    }
}

/// The request as the upstream sees it: its path, our forwarding headers, the client's host.
fn outgoing(
    upstream: &Upstream,
    info: &ConnectionInfo,
    request: Request<Body>,
    upgrade: Option<&HeaderValue>,
) -> Result<Request<Body>, Failure> {
    let (mut parts, body) = request.into_parts();
    // An HTTP/2 request has its host in `:authority` alone.
    if let (None, Some(authority)) = (parts.headers.get(header::HOST), parts.uri.authority()) {
        let host = HeaderValue::try_from(authority.as_str()).map_err(|_| Failure::Unreachable)?;
        parts.headers.insert(header::HOST, host);
    }
    let trailers = parts
        .headers
        .get(header::TE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"trailers"));
    headers::strip_hop_by_hop(&mut parts.headers);
    headers::set_forwarding(&mut parts.headers, info, upgrade.is_some());
    if trailers {
        parts
            .headers
            .insert(header::TE, HeaderValue::from_static("trailers"));
    }
    if let Some(protocol) = upgrade {
        mark_upgrade(&mut parts.headers, protocol.clone());
    }
    let path = parts.uri.path_and_query().cloned();
    parts.uri = Uri::builder()
        .scheme(uri::Scheme::HTTP)
        .authority(upstream.authority.clone())
        .path_and_query(path.unwrap_or_else(|| uri::PathAndQuery::from_static("/")))
        .build()
        .map_err(|_| Failure::Unreachable)?;
    parts.version = Version::HTTP_11;
    parts.extensions.clear();
    Ok(Request::from_parts(parts, body))
}

fn mark_upgrade(headers: &mut http::HeaderMap, protocol: HeaderValue) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, protocol);
}

/// Whether sending the request again does no more than sending it once (RFC 9110 §9.2.2).
fn repeatable(request: &Request<Body>) -> bool {
    let idempotent = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE
    );
    idempotent && request.body().is_end_stream() && !request.headers().contains_key(header::UPGRADE)
}

fn copy_of(request: &Request<Body>) -> Request<Body> {
    let mut copy = Request::new(Body::empty());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    copy
}

fn classify(error: &legacy::Error) -> Failure {
    let mut cause = error.source();
    while let Some(current) = cause {
        let io = current.downcast_ref::<io::Error>();
        if io.is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            return Failure::TimedOut;
        }
        cause = current.source();
    }
    Failure::Unreachable
}
