//! A small service that can fail, and what it takes to send requests through layers to it.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
};

use axum::body::Body;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use mito_core::Random;
use mito_network::ConnectionInfo;
use serde_json::Value;

use super::{
    chain::{Context, Destination, Layer, Next, Outgoing, Services, Unreached, build},
    kept::Kept,
};
use crate::{dynamic::middlewares::Middleware, pages::Reader};

/// What a service saw of a request.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) method: Method,
    pub(super) uri: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// A service that notes what it sees and answers what it was told, in this order, the last again
/// and again.
#[derive(Clone, Default)]
pub(super) struct Service {
    pub(super) seen: Arc<Mutex<Vec<Seen>>>,
    answers: Arc<Mutex<Vec<Answer>>>,
}

type Answer = Arc<dyn Fn() -> Response<Body> + Send + Sync>;

impl Service {
    /// Answers with 200 and an empty body.
    pub(super) fn new() -> Self {
        Self::answering(|| Response::new(Body::empty()))
    }

    /// Answers like this.
    pub(super) fn answering(answer: impl Fn() -> Response<Body> + Send + Sync + 'static) -> Self {
        Self::default().then(answer)
    }

    /// Answers with this status, and a body that names it.
    pub(super) fn status(status: u16) -> Self {
        Self::answering(move || with_status(status))
    }

    /// Cannot be reached.
    pub(super) fn unreached(sent: bool) -> Self {
        Self::answering(move || {
            let mut response = with_status(502);
            response.extensions_mut().insert(Unreached { sent });
            response
        })
    }

    /// Answers like this from the next request on.
    pub(super) fn then(self, answer: impl Fn() -> Response<Body> + Send + Sync + 'static) -> Self {
        self.answers.lock().expect("a lock").push(Arc::new(answer));
        self
    }

    /// All that it saw.
    pub(super) fn all(&self) -> Vec<Seen> {
        self.seen.lock().expect("a lock").clone()
    }

    /// The only request that it saw.
    #[track_caller]
    pub(super) fn one(&self) -> Seen {
        let all = self.all();
        assert_eq!(all.len(), 1, "{all:?}");
        all.into_iter().next().expect("one request")
    }

    async fn note(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        // Like a server, it has nothing to say to a request that breaks off.
        let Ok(body) = body.collect().await else {
            return with_status(502);
        };
        self.seen.lock().expect("a lock").push(Seen {
            method: parts.method,
            uri: parts.uri.to_string(),
            headers: parts.headers,
            body: body.to_bytes(),
        });
        let answer = {
            let mut answers = self.answers.lock().expect("a lock");
            if answers.len() > 1 {
                answers.remove(0)
            } else {
                answers[0].clone()
            }
        };
        answer()
    }
}

/// A status with a body that names it.
pub(super) fn with_status(status: u16) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("service {status}")));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response
}

impl Destination for Service {
    fn call(&self, request: Request<Body>) -> BoxFuture<'_, Response<Body>> {
        Box::pin(self.note(request))
    }
}

impl Services for Service {
    fn call<'a>(&'a self, _name: &'a str, request: Request<Body>) -> BoxFuture<'a, Response<Body>> {
        Box::pin(self.note(request))
    }
}

impl Outgoing for Service {
    fn send(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, String>> {
        Box::pin(async { Ok(self.note(request).await) })
    }
}

/// A connection from `client` to `a.example` by plain HTTP.
pub(super) fn connection(client: IpAddr) -> ConnectionInfo {
    ConnectionInfo {
        peer: SocketAddr::new(client, 1),
        client_ip: client,
        scheme: "http",
        host: "a.example".into(),
        tls: None,
        entrypoint: "web".into(),
        request_id: "1".into(),
    }
}

/// A context whose services and servers are `other`.
pub(super) fn context_with(connection: ConnectionInfo, other: &Service) -> Context {
    Context {
        connection: Arc::new(connection),
        reader: Reader::of(&Method::GET, &HeaderMap::new()),
        services: Arc::new(other.clone()),
        outgoing: Arc::new(other.clone()),
    }
}

/// A context of a client at 192.0.2.1.
pub(super) fn context() -> Context {
    context_with(connection(IpAddr::from([192, 0, 2, 1])), &Service::new())
}

/// Nothing that was kept before.
pub(super) fn kept() -> Kept {
    Kept::new(Random::seeded(1), std::env::temp_dir())
}

/// The middleware `test` of its options in JSON, or what is wrong with them.
pub(super) fn try_layer(config: Value) -> Result<Arc<dyn Layer>, String> {
    let config: Middleware = serde_json::from_value(config).map_err(|error| error.to_string())?;
    build("test", &config, &|_| None, &kept())
}

/// The middleware of its options in JSON.
#[track_caller]
pub(super) fn layer(config: Value) -> Arc<dyn Layer> {
    try_layer(config).unwrap_or_else(|error| panic!("{error}"))
}

/// Checks what is said of wrong options.
#[track_caller]
pub(super) fn refused(config: Value, expected: &str) {
    let Err(error) = try_layer(config.clone()) else {
        panic!("{config} is taken");
    };
    assert!(error.contains(expected), "{config}: {error}");
    assert!(error.starts_with("middlewares.test"), "{error}");
}

/// A request of `a.example`.
pub(super) fn get(path: &str) -> Request<Body> {
    Request::get(path)
        .header("host", "a.example")
        .body(Body::empty())
        .expect("a request")
}

/// Sends `request` through `layer` to `service`.
pub(super) async fn send(
    layer: &Arc<dyn Layer>,
    context: &Context,
    request: Request<Body>,
    service: &Service,
) -> Response<Body> {
    let layers = std::slice::from_ref(layer);
    Next::new(layers, context, service).run(request).await
}

/// The whole body as text.
pub(super) async fn text(response: Response<Body>) -> String {
    let body = response.into_body().collect().await.expect("a body");
    String::from_utf8(body.to_bytes().to_vec()).expect("UTF-8")
}
