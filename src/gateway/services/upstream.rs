//! HTTP servers beside the platform: streamed both ways, pooled, retried once where that is safe,
//! with upgrades passed through.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header, uri};
use http_body::Body as _;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use mito_core::Supervisor;
use mito_network::ConnectionInfo;

use super::{
    connections::{Patience, Server},
    headers,
    room::{Place, Room},
    transport::Pools,
    upload::{Broken, Progress},
};
use crate::{
    dynamic::{document::ServersTransport, duration::GoDuration},
    record::CLIENT_CLOSED_REQUEST,
};

/// A server, by its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Upstream {
    scheme: Scheme,
    authority: uri::Authority,
    server: Server,
    /// What stands before the path of requests; empty for most.
    base: String,
}

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
    /// HTTP/2 without TLS, by prior knowledge (RFC 9113 §3.3).
    H2c,
}

impl Scheme {
    /// What requests say.
    pub(crate) fn on_the_wire(self) -> uri::Scheme {
        match self {
            Self::Http | Self::H2c => uri::Scheme::HTTP,
            Self::Https => uri::Scheme::HTTPS,
        }
    }
}

impl Upstream {
    /// Reads `http://host:port`, `https://…` or `h2c://…`.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let upstream = Self::with_base(url, true)?;
        if upstream.base.is_empty() {
            return Ok(upstream);
        }
        Err(format!("{url:?} has a path, which is not kept here"))
    }

    /// Reads the address of a server, whose path is kept or ignored.
    pub(crate) fn with_base(url: &str, keeps_path: bool) -> Result<Self, String> {
        let wrong = || {
            format!("{url:?} is not an address such as http://127.0.0.1:4000, https://… or h2c://…")
        };
        let parts = url.parse::<Uri>().map_err(|_| wrong())?.into_parts();
        let scheme = match parts.scheme.as_ref().map(uri::Scheme::as_str) {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            Some("h2c") => Scheme::H2c,
            _ => return Err(wrong()),
        };
        let path = parts.path_and_query.as_ref();
        if path.is_some_and(|path| path.query().is_some()) {
            return Err(wrong());
        }
        let path = path.map_or("/", uri::PathAndQuery::path);
        let base = if keeps_path {
            path.trim_end_matches('/').to_owned()
        } else {
            String::new()
        };
        match parts.authority {
            Some(authority) if !authority.as_str().contains('@') => Ok(Self {
                scheme,
                server: Server::new(scheme == Scheme::Https, &authority),
                authority,
                base,
            }),
            _ => Err(wrong()),
        }
    }

    /// The address as it is shown.
    pub(crate) fn url(&self) -> String {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
            Scheme::H2c => "h2c",
        };
        format!("{scheme}://{}{}", self.authority, self.base)
    }

    /// Host and port.
    pub(crate) fn authority(&self) -> &uri::Authority {
        &self.authority
    }

    pub(crate) fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The same on another port.
    pub(crate) fn with_port(&self, port: u16) -> Option<Self> {
        let authority = format!("{}:{port}", self.authority.host()).parse().ok()?;
        Some(Self {
            server: Server::new(self.scheme == Scheme::Https, &authority),
            authority,
            ..self.clone()
        })
    }

    /// What is connected to, by another scheme than its own if need be.
    pub(crate) fn address(&self, scheme: Scheme) -> Option<Uri> {
        let mut parts = uri::Parts::default();
        parts.scheme = Some(scheme.on_the_wire());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(uri::PathAndQuery::from_static("/"));
        Uri::from_parts(parts).ok()
    }
}

/// Why an upstream did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// There is no connection to it, so it knows nothing of the request.
    NotConnected,
    /// It breaks off, or speaks nonsense.
    Unreachable,
    /// It took too long.
    TimedOut,
    /// Too many requests are with servers already.
    NoRoom,
    /// The request broke off.
    Request(Broken),
}

impl Failure {
    /// The status that Traefik answers, which knows no lack of room.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::NotConnected | Self::Unreachable => StatusCode::BAD_GATEWAY,
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Self::NoRoom => StatusCode::SERVICE_UNAVAILABLE,
            Self::Request(Broken::Malformed) => StatusCode::BAD_REQUEST,
            Self::Request(Broken::Stopped) => StatusCode::REQUEST_TIMEOUT,
            // nginx's word for it; nobody is there to read it.
            Self::Request(Broken::Left) => {
                StatusCode::from_u16(CLIENT_CLOSED_REQUEST).unwrap_or(StatusCode::BAD_REQUEST)
            }
        }
    }

    /// Whether the server is to blame.
    pub(crate) fn is_of_server(self) -> bool {
        match self {
            Self::NotConnected | Self::Unreachable | Self::TimedOut => true,
            Self::NoRoom | Self::Request(_) => false,
        }
    }
}

/// Sends requests to upstreams. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Client {
    pools: Arc<Pools>,
    supervisor: Supervisor,
    header_timeout: HeaderTimeout,
    pub(crate) room: Room,
}

/// How long a server may take to begin its answer.
#[derive(Clone)]
enum HeaderTimeout {
    /// What the program's configuration says, in milliseconds; it may change.
    Configured(Arc<AtomicU64>),
    /// What the transport says.
    Transport(Option<Duration>),
}

impl HeaderTimeout {
    fn get(&self) -> Option<Duration> {
        match self {
            Self::Configured(limit_ms) => {
                Some(Duration::from_millis(limit_ms.load(Ordering::Relaxed)))
            }
            Self::Transport(limit) => *limit,
        }
    }
}

fn millis(limit: Duration) -> u64 {
    u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)
}

/// What becomes of a request on its way to a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passing {
    /// The server sees the host that the client asked for, and not its own.
    pub(crate) host: bool,
}

impl Client {
    /// A client whose upstreams must begin their answer within `header_timeout` of the last part of
    /// the request.
    pub(crate) fn new(supervisor: Supervisor, header_timeout: Duration) -> Result<Self, String> {
        Ok(Self {
            pools: Arc::new(Pools::new(
                &ServersTransport::default(),
                supervisor.clone(),
            )?),
            supervisor,
            header_timeout: HeaderTimeout::Configured(Arc::new(millis(header_timeout).into())),
            room: Room::new(),
        })
    }

    /// Upstreams must begin later answers within this time, unless their transport says otherwise.
    pub(crate) fn set_header_timeout(&self, limit: Duration) {
        if let HeaderTimeout::Configured(limit_ms) = &self.header_timeout {
            limit_ms.store(millis(limit), Ordering::Relaxed);
        }
    }

    /// The same with the options of a transport; the room is shared.
    pub(crate) fn with(&self, options: &ServersTransport) -> Result<Self, String> {
        let asked = options.forwarding_timeouts.response_header_timeout;
        Ok(Self {
            pools: Arc::new(Pools::new(options, self.supervisor.clone())?),
            header_timeout: match asked {
                // As in Traefik, 0 is no limit.
                Some(GoDuration(Duration::ZERO)) => HeaderTimeout::Transport(None),
                Some(GoDuration(limit)) => HeaderTimeout::Transport(Some(limit)),
                None => self.header_timeout.clone(),
            },
            ..self.clone()
        })
    }

    /// Sends `request` on. The body is streamed, the answer too.
    pub(crate) async fn send(
        &self,
        upstream: &Upstream,
        info: &ConnectionInfo,
        passing: Passing,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, Failure> {
        let place = self.room.enter().ok_or(Failure::NoRoom)?;
        let upgrade = match request.version() {
            Version::HTTP_11 => headers::wanted_upgrade(request.headers()),
            _ => None,
        };
        let client_side = upgrade.as_ref().map(|_| hyper::upgrade::on(&mut request));
        let is_http2 = upgrade.is_none() && self.pools.speaks_http2(upstream, request.headers());
        let route = Route {
            upstream,
            info,
            is_http2,
            host: passing.host,
        };
        let server = if is_http2 {
            Some(
                upstream
                    .address(upstream.scheme)
                    .ok_or(Failure::Unreachable)?,
            )
        } else {
            None
        };
        let request = route.outgoing(request, upgrade.as_ref())?;
        let mut response = self.attempt_twice(&route, request, server.as_ref()).await?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let client_side = client_side.ok_or(Failure::Unreachable)?;
            let server_side = hyper::upgrade::on(&mut response);
            let switched = response.headers().get(header::UPGRADE).cloned();
            headers::strip_hop_by_hop(response.headers_mut());
            if let Some(protocol) = switched {
                mark_upgrade(response.headers_mut(), protocol);
            }
            self.join(client_side, server_side, place);
            return Ok(response);
        }
        headers::strip_hop_by_hop(response.headers_mut());
        // How the server speaks is its affair (RFC 9110 §2.5): with 1.0 the client would be told of
        // the end of the body by the end of the connection, which a fault looks like too.
        *response.version_mut() = Version::HTTP_11;
        Ok(response.map(|body| place.until_end_of(body)))
    }

    /// Asks a server whether it works: by HTTP/2 the one that is named, else that of the request.
    pub(crate) async fn check(
        &self,
        mut request: Request<Body>,
        server: Option<&Uri>,
    ) -> Option<Response<Body>> {
        if let Some(server) = server {
            return self.pools.http2(server, request).await.ok();
        }
        let address = std::mem::take(request.uri_mut()).into_parts();
        let is_tls = address.scheme == Some(uri::Scheme::HTTPS);
        let server = Server::new(is_tls, &address.authority?);
        *request.uri_mut() = address.path_and_query?.into();
        // Whoever asks bounds the whole check.
        let patience = Patience {
            limit: None,
            progress: &Progress::begin(),
        };
        let answer = self.pools.http1.send(&server, request, &patience).await;
        answer.ok()
    }

    /// A connection that the server closed while it was idle shows only when it is used, so a
    /// request that can be repeated is.
    async fn attempt_twice(
        &self,
        route: &Route<'_>,
        request: Request<Body>,
        server: Option<&Uri>,
    ) -> Result<Response<Body>, Failure> {
        let repeat = repeatable(&request).then(|| copy_of(&request));
        match (self.attempt(route, request, server).await, repeat) {
            (Err(Failure::Unreachable), Some(repeat)) => self.attempt(route, repeat, server).await,
            (outcome, _) => outcome,
        }
    }

    /// One attempt.
    async fn attempt(
        &self,
        route: &Route<'_>,
        request: Request<Body>,
        server: Option<&Uri>,
    ) -> Result<Response<Body>, Failure> {
        let progress = Progress::begin();
        let request = request.map(|body| progress.follow(body));
        let at_fault = |failure| progress.broken().map_or(failure, Failure::Request);
        let Some(server) = server else {
            let patience = Patience {
                limit: self.header_timeout.get(),
                progress: &progress,
            };
            let server = &route.upstream.server;
            let answer = self.pools.http1.send(server, request, &patience).await;
            return answer.map_err(at_fault);
        };
        tokio::select! {
            answer = self.pools.http2(server, request) => answer.map_err(at_fault),
            () = self.no_progress(&progress) => Err(Failure::TimedOut),
        }
    }

    /// Returns when the server has taken nothing for as long as it may take to answer.
    async fn no_progress(&self, progress: &Progress) {
        let Some(limit) = self.header_timeout.get() else {
            return std::future::pending().await;
        };
        let mut last = progress.last();
        loop {
            tokio::time::sleep_until(last + limit).await;
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

/// Where a request goes and how.
struct Route<'a> {
    upstream: &'a Upstream,
    info: &'a ConnectionInfo,
    is_http2: bool,
    host: bool,
}

impl Route<'_> {
    /// The request as the upstream sees it: its path, our forwarding headers, the client's host.
    fn outgoing(
        &self,
        request: Request<Body>,
        upgrade: Option<&HeaderValue>,
    ) -> Result<Request<Body>, Failure> {
        let (mut parts, body) = request.into_parts();
        // An HTTP/2 request has its host in `:authority` alone.
        if let (None, Some(authority)) = (parts.headers.get(header::HOST), parts.uri.authority()) {
            let host =
                HeaderValue::try_from(authority.as_str()).map_err(|_| Failure::Unreachable)?;
            parts.headers.insert(header::HOST, host);
        }
        let trailers = parts
            .headers
            .get(header::TE)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"trailers"));
        headers::strip_hop_by_hop(&mut parts.headers);
        headers::set_forwarding(&mut parts.headers, self.info, upgrade.is_some());
        if trailers {
            parts
                .headers
                .insert(header::TE, HeaderValue::from_static("trailers"));
        }
        if let Some(protocol) = upgrade {
            mark_upgrade(&mut parts.headers, protocol.clone());
        }
        let host = parts.headers.get(header::HOST).cloned();
        let authority = host
            .filter(|_| self.is_http2 && self.host)
            .and_then(|host| uri::Authority::try_from(host.as_bytes()).ok());
        // In HTTP/2 the host is the authority, and no second one may differ.
        if self.is_http2 || !self.host {
            parts.headers.remove(header::HOST);
        }
        let path = parts.uri.path_and_query().cloned();
        let path = path.unwrap_or_else(|| uri::PathAndQuery::from_static("/"));
        let path = match self.upstream.base.as_str() {
            "" => path,
            base => {
                let path = format!("{base}{path}").parse();
                path.map_err(|_| Failure::Unreachable)?
            }
        };
        parts.uri = if self.is_http2 {
            let target = Uri::builder().scheme(self.upstream.scheme.on_the_wire());
            let target =
                target.authority(authority.unwrap_or_else(|| self.upstream.authority.clone()));
            let target = target.path_and_query(path).build();
            target.map_err(|_| Failure::Unreachable)?
        } else {
            path.into()
        };
        parts.version = if self.is_http2 {
            Version::HTTP_2
        } else {
            Version::HTTP_11
        };
        parts.extensions.clear();
        Ok(Request::from_parts(parts, body))
    }
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
