//! One request from arrival to answer: hygiene, routing, middlewares, service, and what every
//! answer carries.

use std::{net::SocketAddr, sync::Arc};

use axum::body::Body;
use http::{HeaderValue, Request, Response, StatusCode, header};
use mito_core::Health;
use mito_network::{ConnectionInfo, Problem, admission};
use tower::service_fn;

use crate::{
    api, guard,
    middlewares::{compress, redirect, security},
    pages::Reader,
    paths,
    record::Record,
    routers::{Middleware, Router, Table},
    rules,
    services::{Internal, Target, headers, upstream::Failure},
    state::{State, is_local},
};

/// Answers a request that came by `entrypoint`.
pub(crate) async fn answer(
    state: Arc<State>,
    entrypoint: Arc<str>,
    mut request: Request<Body>,
) -> Response<Body> {
    let known = request.extensions().get::<ConnectionInfo>().cloned();
    // Requests by a socket were let in, or not, by the accept loop.
    let refused = if known.is_some() {
        None
    } else {
        admit_without_socket(&mut request)
    };
    let info = known.unwrap_or_else(|| in_process(&state, &entrypoint, &mut request));
    let mut record = Record::begin(&state, entrypoint, &info, &request);
    let reader = Reader::of(request.method(), request.headers());
    headers::strip_forwarding(request.headers_mut());
    request.extensions_mut().insert(info.clone());

    // The table is pinned for the whole exchange, so that a reload concerns later requests alone.
    let table = state.table.load_full();
    let response = match (refused, give_one_spelling(&mut request)) {
        (Some(status), _) => empty(status),
        (None, Err(problem)) => reader.answer(problem),
        (None, Ok(())) => route(&state, &table, &mut record, &info, reader, request).await,
    };

    let mut response = reader.without_body_for_head(response);
    let headers = response.headers_mut();
    // What runs behind the gateway is nobody's business.
    headers.remove(header::SERVER);
    headers.remove("x-powered-by");
    if let Ok(id) = HeaderValue::try_from(&info.request_id) {
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
            .unwrap_or_default(),
        tls: None,
        entrypoint: entrypoint.to_owned(),
        request_id: state.random.uuid(state.clock.now_ms()).to_string(),
    }
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Gives the path its one spelling, which is routed, matched and forwarded.
fn give_one_spelling(request: &mut Request<Body>) -> Result<(), Problem> {
    let wrong = |reason: &str| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            format!("The address is wrong: {reason}."),
        )
    };
    let uri = request.uri();
    let path = paths::canonical(uri.path()).map_err(|error| wrong(&error.to_string()))?;
    if path == uri.path() {
        return Ok(());
    }
    let spelled = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.into_owned(),
    };
    *request.uri_mut() = spelled.parse().map_err(|_| wrong("it cannot be read"))?;
    Ok(())
}

/// Finds the router and runs its middlewares around its service.
async fn route(
    state: &Arc<State>,
    table: &Table,
    record: &mut Record,
    info: &ConnectionInfo,
    reader: Reader,
    request: Request<Body>,
) -> Response<Body> {
    let target = rules::Target {
        host: &info.host,
        path: request.uri().path(),
        method: request.method().as_str(),
        headers: request.headers(),
    };
    let Some(router) = table.find(&record.entrypoint, &target) else {
        return unknown(state, table, info, reader);
    };
    record.router = Some(router.clone());
    router.address(&state.network);

    // The limiter stands before everything that costs.
    if !router.has(Middleware::RateLimit) {
        return behind_limit(state, router, info, reader, request).await;
    }
    let inner = service_fn(|request| async move {
        Ok(behind_limit(state, router, info, reader, request).await)
    });
    state.limit.run(inner, request).await
}

/// The middlewares after the limit around the service; the redirect stands before both.
async fn behind_limit(
    state: &Arc<State>,
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
    let mut response = call(state, router, info, reader, request).await;
    if router.has(Middleware::SecurityHeaders) {
        let strict = info.scheme == "https" && state.has_real_domain();
        security::add(response.headers_mut(), strict);
    }
    if router.has(Middleware::Compress) && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response = compress::compress(accepted, response).await;
    }
    response
}

/// Sends the request to the router's service.
async fn call(
    state: &Arc<State>,
    router: &Router,
    info: &ConnectionInfo,
    reader: Reader,
    request: Request<Body>,
) -> Response<Body> {
    match &router.target {
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
            match state.client.send(upstream, info, request).await {
                Ok(response) => response,
                Err(failure @ Failure::NoRoom) => {
                    metrics::counter!("mito_gateway_upstreams_busy_total").increment(1);
                    let detail = format!("{} is busy. Try again in a moment.", info.host);
                    reader.answer(Problem::new(failure.status(), detail).retry_after(1))
                }
                Err(failure) => {
                    let url = upstream.url();
                    tracing::debug!(%url, ?failure, "an upstream did not answer");
                    // Which server stands behind a name is nobody's business in production.
                    let server = if state.has_real_domain() {
                        "its server"
                    } else {
                        url.as_str()
                    };
                    let detail = format!(
                        "{} is configured, but {server} did not answer. Try again in a moment.",
                        info.host
                    );
                    reader.answer(Problem::new(failure.status(), detail))
                }
            }
        }
        Target::Internal(internal) => {
            answer_internal(state, *internal, info, reader, request).await
        }
    }
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
                return text((state.render_metrics)());
            }
            api::answer(state, request).await
        }
        Internal::AcmeHttp => reader.answer(Problem::new(
            StatusCode::NOT_FOUND,
            "No certificate authority has been asked for this challenge.",
        )),
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
