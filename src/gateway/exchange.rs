//! One request from arrival to answer: hygiene, routing, middlewares, service, and what every
//! answer carries.

use std::{net::SocketAddr, sync::Arc};

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Request, Response, StatusCode, header};
use mito_core::Health;
use mito_network::{ConnectionInfo, Problem, admission, paths};
use tower::service_fn;

use crate::{
    api,
    forwarded::Trusted,
    guard,
    middlewares::{
        chain::{Context, Destination, Next, Retried, Services, Unreached, User},
        compress, redirect, security,
    },
    pages::Reader,
    record::Record,
    routers::{Middleware, Router, Table},
    rules,
    services::{
        Internal, Target,
        balancer::{ServedBy, Unserved},
        upstream::{Failure, Passing},
    },
    state::{State, is_local},
    tls,
};

/// Answers a request that came by `entrypoint`.
pub(crate) async fn answer(
    state: Arc<State>,
    entrypoint: Arc<str>,
    mut request: Request<Body>,
) -> Response<Body> {
    let known = request.extensions_mut().remove::<ConnectionInfo>();
    // Requests by a socket were let in, or not, by the accept loop.
    let refused = if known.is_some() {
        None
    } else {
        admit_without_socket(&mut request)
    };
    let mut info = known.unwrap_or_else(|| in_process(&state, &entrypoint, &mut request));
    let settings = state.settings.load();
    let misdirected = is_misdirected(&settings.trusted, &info);
    settings.trusted.apply(&mut info, request.headers_mut());
    drop(settings);
    let mut record = Record::begin(&state, entrypoint, &info, &request);
    let reader = Reader::of(request.method(), request.headers());
    request.extensions_mut().insert(info.clone());
    let request = record.watch(request);

    // The table is pinned for the whole exchange, so that a reload concerns later requests alone.
    let table = state.table.load_full();
    let response = match refused {
        Some(status) => empty(status),
        None if misdirected => {
            let detail = "This connection was opened for another host: open one for this.";
            reader.answer(Problem::new(StatusCode::MISDIRECTED_REQUEST, detail))
        }
        None => route(&state, &table, &mut record, &info, reader, request).await,
    };

    let mut response = reader.without_body_for_head(response);
    let extensions = response.extensions_mut();
    if let Some(ServedBy(url)) = extensions.remove() {
        record.server = Some(url);
    }
    record.user = extensions.remove::<User>();
    record.retries = extensions.remove().map_or(0, |Retried(times)| times);
    let headers = response.headers_mut();
    // What runs behind the gateway is nobody's business.
    headers.remove(header::SERVER);
    headers.remove("x-powered-by");
    if let Ok(id) = HeaderValue::try_from(&*info.request_id) {
        headers.insert("x-request-id", id);
    }
    record.status = Some(response.status().as_u16());
    response.map(|body| record.follow(body))
}

/// The judgement of the accept loop, for a request that came without one.
fn admit_without_socket(request: &mut Request<Body>) -> Option<StatusCode> {
    let (mut parts, body) = std::mem::take(request).into_parts();
    let refused = admission::admit(&parts).err();
    parts.extensions.insert(Host(admission::host(&parts)));
    admission::to_origin_form(&mut parts);
    *request = Request::from_parts(parts, body);
    refused
}

/// Whether the request is for another host than its connection (RFC 9110 §7.4): it would go past
/// whatever was decided by the name in the handshake. A proxy may carry requests for many hosts by
/// one connection.
fn is_misdirected(trusted: &Trusted, info: &ConnectionInfo) -> bool {
    let tls = info.tls.as_ref();
    let name = tls.and_then(|tls| tls.server_name.as_deref());
    let differs = |name: &str| !name.trim_end_matches('.').eq_ignore_ascii_case(&info.host);
    !info.host.is_empty() && name.is_some_and(differs) && !trusted.contains(info.peer.ip())
}

/// The host of a request that came without a socket.
#[derive(Clone)]
struct Host(String);

/// What stands in for a connection without a socket.
fn in_process(state: &State, entrypoint: &str, request: &mut Request<Body>) -> ConnectionInfo {
    let peer = SocketAddr::from(([127, 0, 0, 1], 0));
    ConnectionInfo {
        peer,
        client_ip: peer.ip(),
        scheme: if entrypoint == "websecure" {
            "https"
        } else {
            "http"
        },
        host: request
            .extensions_mut()
            .remove::<Host>()
            .map(|host| host.0)
            .unwrap_or_default()
            .into(),
        tls: None,
        entrypoint: entrypoint.into(),
        request_id: state.random.uuid(state.clock.now_ms()).to_string().into(),
    }
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Finds the router and runs its middlewares around its service.
async fn route(
    state: &Arc<State>,
    table: &Arc<Table>,
    record: &mut Record,
    info: &ConnectionInfo,
    reader: Reader,
    mut request: Request<Body>,
) -> Response<Body> {
    // The path has one spelling, which is routed, matched and forwarded.
    let spelled = paths::respelled(request.uri());
    let path = match &spelled {
        Ok(Some(spelled)) => paths::routed(spelled.path()),
        Ok(None) | Err(_) => paths::routed(request.uri().path()),
    };
    let target = rules::Target {
        host: &info.host,
        path: &path,
        query: request.uri().query().unwrap_or_default(),
        method: request.method().as_str(),
        headers: request.headers(),
        peer: info.peer.ip(),
    };
    let router = table.find(&record.entrypoint, &target);
    let keeps_path = router.is_some_and(|router| router.spec.keeps_path);
    match spelled {
        Err(error) if !keeps_path => {
            let detail = format!("The address is wrong: {error}.");
            return reader.answer(Problem::new(StatusCode::BAD_REQUEST, detail));
        }
        Ok(Some(spelled)) if !keeps_path => *request.uri_mut() = spelled,
        Ok(_) | Err(_) => {}
    }
    let Some(router) = router else {
        return unknown(state, table, info, reader);
    };
    record.router = Some(router.clone());
    router.address(&state.network);
    if speaks_otherwise(table, router, info) {
        let detail = "This host is not served by connections of the one that the handshake named.";
        return reader.answer(Problem::new(StatusCode::MISDIRECTED_REQUEST, detail));
    }

    // The limiter stands before everything that costs.
    if !router.has(Middleware::RateLimit) {
        return behind_limit(state, table, router, info, reader, request).await;
    }
    let inner = service_fn(|request| async move {
        Ok(behind_limit(state, table, router, info, reader, request).await)
    });
    let limit = state.settings.load().limit.clone();
    Box::pin(limit.run(inner, request)).await
}

/// Whether the connection was made with other options than the router asks for: for a host that is
/// spoken to in another way, such as without a certificate of the client (RFC 9110 §15.5.20).
fn speaks_otherwise(table: &Table, router: &Router, info: &ConnectionInfo) -> bool {
    let Some(tls) = &info.tls else {
        return false;
    };
    match &router.tls_options {
        Some(wanted) => **wanted != *tls.configuration,
        None => *table.tls.of_host(&info.host) != *tls.configuration,
    }
}

/// The middlewares after the limit around the service; the redirect stands before both.
async fn behind_limit(
    state: &Arc<State>,
    table: &Arc<Table>,
    router: &Router,
    info: &ConnectionInfo,
    reader: Reader,
    request: Request<Body>,
) -> Response<Body> {
    if router.has(Middleware::RedirectToHttps) {
        if info.host.is_empty() {
            let detail = "The request names no host to go on with by HTTPS.";
            return reader.answer(Problem::new(StatusCode::BAD_REQUEST, detail));
        }
        return redirect::to_https(
            request.method(),
            &info.host,
            request.uri(),
            state.https_port(),
        );
    }
    let accepted = compress::accepted(request.headers());
    let mut response = call(state, table, router, info, reader, request).await;
    if router.has(Middleware::SecurityHeaders) {
        let strict = info.scheme == "https" && state.has_real_domain();
        security::add(response.headers_mut(), strict);
    }
    if router.has(Middleware::Compress) && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response = Box::pin(compress::compress(accepted, response)).await;
    }
    response
}

/// Sends the request through the middlewares of files to the router's service. What few requests
/// take is boxed, here and elsewhere: a request's future is moved as a whole when it begins.
async fn call(
    state: &Arc<State>,
    table: &Arc<Table>,
    router: &Router,
    info: &ConnectionInfo,
    reader: Reader,
    request: Request<Body>,
) -> Response<Body> {
    if router.layers.is_empty() {
        return serve(state, &router.target, info, reader, request).await;
    }
    let behind = Behind {
        state: state.clone(),
        table: table.clone(),
        info: Arc::new(info.clone()),
        reader,
    };
    let context = Context {
        connection: behind.info.clone(),
        reader,
        services: Arc::new(behind.clone()),
        outgoing: state.outgoing.clone(),
    };
    let destination = To(&behind, &router.target);
    Box::pin(Next::new(&router.layers, &context, &destination).run(request)).await
}

/// What stands behind the middlewares.
#[derive(Clone)]
struct Behind {
    state: Arc<State>,
    table: Arc<Table>,
    info: Arc<ConnectionInfo>,
    reader: Reader,
}

/// A service of a router.
struct To<'a>(&'a Behind, &'a Target);

impl Destination for To<'_> {
    fn call(&self, request: Request<Body>) -> BoxFuture<'_, Response<Body>> {
        Box::pin(self.0.serve(self.1, request))
    }
}

impl Services for Behind {
    fn call<'a>(&'a self, name: &'a str, request: Request<Body>) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async move {
            let file = name.strip_suffix("@file").unwrap_or(name);
            let found = self.table.services.get(&format!("{file}@file"));
            let target = match found.map(|service| &service.target) {
                Some(Ok(target)) => Ok(target.clone()),
                Some(Err(_)) | None => Target::parse(name),
            };
            match target {
                Ok(target) => self.serve(&target, request).await,
                Err(_) => no_server(self.reader),
            }
        })
    }
}

impl Behind {
    async fn serve(&self, target: &Target, request: Request<Body>) -> Response<Body> {
        serve(&self.state, target, &self.info, self.reader, request).await
    }
}

/// Sends the request to a service, through services of services.
async fn serve(
    state: &Arc<State>,
    target: &Target,
    info: &ConnectionInfo,
    reader: Reader,
    request: Request<Body>,
) -> Response<Body> {
    let mut target = target;
    let mut kept = Vec::new();
    while let Target::Weighted(weighted) = target {
        let Some((part, is_new)) = weighted.choose(request.headers(), info.peer.ip()) else {
            return no_server(reader);
        };
        if is_new {
            kept.push((weighted, part));
        }
        target = &part.target;
    }
    let mut response = call_one(state, target, info, reader, request).await;
    for (weighted, part) in kept {
        weighted.keep(response.headers_mut(), part);
    }
    response
}

async fn call_one(
    state: &Arc<State>,
    target: &Target,
    info: &ConnectionInfo,
    reader: Reader,
    request: Request<Body>,
) -> Response<Body> {
    match target {
        Target::Role(name) => match state.network.health(name) {
            Some(health) if !health.is_healthy() => reader.answer(unready(name, &health)),
            Some(_) => state.network.dispatch(name, request).await,
            None => reader.answer(Problem::new(
                StatusCode::BAD_GATEWAY,
                format!(
                    "{}: there is no service {name:?} on the network.",
                    info.host
                ),
            )),
        },
        Target::Upstream(upstream) => {
            let passing = Passing { host: true };
            let sent = state.client.send(upstream, info, passing, request).await;
            sent.unwrap_or_else(|failure| failed(state, info, reader, &upstream.url(), failure))
        }
        Target::Balanced(balancer) => match balancer.send(info, request).await {
            Ok(response) => response,
            Err(Unserved::NoServer) => no_server(reader),
            Err(Unserved::Failed { url, failure }) => failed(state, info, reader, &url, failure),
        },
        Target::Weighted(_) => no_server(reader),
        Target::Internal(internal) => {
            Box::pin(answer_internal(state, *internal, info, reader, request)).await
        }
    }
}

fn no_server(reader: Reader) -> Response<Body> {
    let detail = "no available server";
    reader.answer(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail))
}

/// What a client is told of a server that did not answer.
fn failed(
    state: &State,
    info: &ConnectionInfo,
    reader: Reader,
    url: &str,
    failure: Failure,
) -> Response<Body> {
    if failure == Failure::NoRoom {
        metrics::counter!("mito_gateway_upstreams_busy_total").increment(1);
        let detail = format!("{} is busy. Try again in a moment.", info.host);
        return reader.answer(Problem::new(failure.status(), detail).retry_after(1));
    }
    if let Failure::Request(_) = failure {
        let detail = "The body of the request did not come whole.";
        return reader.answer(Problem::new(failure.status(), detail));
    }
    tracing::debug!(url, ?failure, "an upstream did not answer");
    // Which server stands behind a name is nobody's business in production.
    let server = if state.has_real_domain() {
        "its server"
    } else {
        url
    };
    let detail = format!(
        "{} is configured, but {server} did not answer. Try again in a moment.",
        info.host
    );
    let mut response = reader.answer(Problem::new(failure.status(), detail));
    response.extensions_mut().insert(Unreached {
        sent: failure != Failure::NotConnected,
    });
    response
}

/// The gateway's own answers. What shows the platform's inside asks who wants to know.
async fn answer_internal(
    state: &Arc<State>,
    internal: Internal,
    info: &ConnectionInfo,
    reader: Reader,
    request: Request<Body>,
) -> Response<Body> {
    let path = request.uri().path();
    // One service stands behind several paths of the dashboard's host.
    let internal = match (internal, path) {
        (Internal::Api, "/ping") => Internal::Ping,
        (Internal::Api, "/metrics") => Internal::Prometheus,
        (internal, _) => internal,
    };
    match internal {
        Internal::Ping if state.supervisor.shutdown().has_begun() => {
            let detail = "The gateway is shutting down.";
            reader.answer(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail))
        }
        Internal::Ping => Response::new(Body::from("OK")),
        Internal::Api | Internal::Prometheus => {
            if let Err(problem) = guard::may_look(state, info, request.headers()).await {
                return reader.answer(problem);
            }
            if internal == Internal::Prometheus {
                return text((state.render_metrics)() + &state.certificates.metrics());
            }
            api::answer(state, request).await
        }
        Internal::AcmeHttp => tls::acme::answer(state, path).unwrap_or_else(|| {
            let detail = "No certificate authority has been asked for this challenge.";
            reader.answer(Problem::new(StatusCode::NOT_FOUND, detail))
        }),
        Internal::Noop => reader.answer(Problem::new(StatusCode::NOT_FOUND, "Nothing is here.")),
    }
}

fn text(content: String) -> Response<Body> {
    let mut response = Response::new(Body::from(content));
    let plain = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}

/// A role that may not be asked yet, or any more.
fn unready(name: &str, health: &Health) -> Problem {
    const RETRY_AFTER_SECONDS: u32 = 2;
    let detail = match health {
        Health::Waiting { on } => format!("{name} waits for {on} and starts as soon as it works."),
        Health::Starting => format!("{name} is starting."),
        Health::Stopped => format!("{name} does not run here."),
        // The reason may name files and addresses: `mito ps` and the panel show it.
        Health::Healthy | Health::Unhealthy { .. } => {
            format!("{name} does not work at the moment. `mito ps` says why.")
        }
    };
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(RETRY_AFTER_SECONDS)
}

/// A host or path that no router takes. In development the page says where to go; a platform on
/// the internet lists nothing.
fn unknown(state: &State, table: &Table, info: &ConnectionInfo, reader: Reader) -> Response<Body> {
    let host = if info.host.is_empty() {
        "a request without a host"
    } else {
        &info.host
    };
    let detail = format!("Nothing is served for {host} at this path.");
    let problem = Problem::new(StatusCode::NOT_FOUND, detail);
    if state.has_real_domain() {
        return reader.answer(problem);
    }
    let listening = state.listening();
    let port = listening
        .iter()
        .find(|entry| entry.name == "web")
        .map(|entry| entry.address.port())
        .filter(|port| *port != 80)
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    let links: Vec<String> = table
        .hosts()
        .iter()
        .filter(|host| is_local(host))
        .map(|host| format!("http://{host}{port}/"))
        .collect();
    reader.answer_with_links(problem, &links)
}
