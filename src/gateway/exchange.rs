//! One request from arrival to answer: hygiene, routing, middlewares, service, and what every
//! answer carries.

use std::{net::SocketAddr, sync::Arc};

use axum::body::Body;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header, uri};
use mito_core::Health;
use mito_network::{ConnectionInfo, Problem};

use crate::{
    api, guard,
    middlewares::{compress, rate_limit, redirect, security},
    pages::Reader,
    paths,
    record::{Record, Route},
    routers::{Middleware, Router, Table},
    rules,
    services::{Internal, Target, headers},
    state::{State, is_local},
};

/// Answers a request that came by `entrypoint`.
pub(crate) async fn answer(
    state: Arc<State>,
    entrypoint: Arc<str>,
    mut request: Request<Body>,
) -> Response<Body> {
    let info = connection(&state, &entrypoint, &request);
    let log = state.log.clone();
    let mut record = Record::begin(log, state.clock.now(), entrypoint, &info, &request);
    let reader = Reader::of(request.method(), request.headers());
    headers::strip_forwarding(request.headers_mut());
    request.extensions_mut().insert(info.clone());

    // The table is pinned for the whole exchange, so that a reload concerns later requests alone.
    let table = state.table.load_full();
    let response = match admit(&mut request, &info) {
        Ok(()) => route(&state, &table, &mut record, &info, reader, request).await,
        Err(Refusal::Problem(problem)) => reader.answer(problem),
        Err(Refusal::Answered(response)) => response,
    };

    let mut response = reader.without_body_for_head(response);
    let headers = response.headers_mut();
    headers.remove(header::SERVER);
    if let Ok(id) = HeaderValue::try_from(&info.request_id) {
        headers.insert("x-request-id", id);
    }
    record.status = Some(response.status().as_u16());
    response.map(|body| record.follow(body))
}

/// What the accept loop knows of the connection, or what stands in for it without a socket.
fn connection(state: &State, entrypoint: &str, request: &Request<Body>) -> ConnectionInfo {
    let mut info = request.extensions().get::<ConnectionInfo>().cloned().unwrap_or_else(|| {
        let peer = SocketAddr::from(([127, 0, 0, 1], 0));
        ConnectionInfo {
            peer,
            client_ip: peer.ip(),
            scheme: if entrypoint == "websecure" { "https" } else { "http" },
            host: String::new(),
            tls: None,
            entrypoint: entrypoint.to_owned(),
            request_id: state.random.uuid(state.clock.now_ms()).to_string(),
        }
    });
    if info.host.is_empty() {
        info.host = host_of(request).unwrap_or_default();
    }
    info
}

/// The host of a request: that of the target, else that of the header (RFC 9112 §3.2.2).
fn host_of(request: &Request<Body>) -> Option<String> {
    let host = match request.uri().authority() {
        Some(authority) => authority.host().to_owned(),
        None => {
            let header = request.headers().get(header::HOST)?.to_str().ok()?;
            header.parse::<uri::Authority>().ok()?.host().to_owned()
        }
    };
    Some(host.to_ascii_lowercase())
}

/// Why a request is not routed.
enum Refusal {
    Problem(Problem),
    Answered(Response<Body>),
}

/// Refuses what no service should see, and gives the path its one spelling.
fn admit(request: &mut Request<Body>, info: &ConnectionInfo) -> Result<(), Refusal> {
    let refuse = |status, detail: &str| Err(Refusal::Problem(Problem::new(status, detail)));
    match *request.method() {
        Method::CONNECT => {
            return refuse(StatusCode::NOT_IMPLEMENTED, "This is not a forward proxy.");
        }
        Method::TRACE => {
            return refuse(StatusCode::METHOD_NOT_ALLOWED, "TRACE is not answered.");
        }
        Method::OPTIONS if request.uri().path() == "*" => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            return Err(Refusal::Answered(response));
        }
        _ => {}
    }
    if info.host.is_empty() {
        return refuse(StatusCode::BAD_REQUEST, "The request names no host.");
    }
    let canonical = match paths::canonical(request.uri().path()) {
        Ok(path) if path == request.uri().path() => None,
        Ok(path) => Some(path.into_owned()),
        Err(error) => {
            return refuse(StatusCode::BAD_REQUEST, &format!("The address is wrong: {error}."));
        }
    };
    if let Some(path) = canonical {
        let path = match request.uri().query() {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        let mut parts = request.uri().clone().into_parts();
        parts.path_and_query = path.parse().ok();
        match Uri::from_parts(parts) {
            Ok(uri) => *request.uri_mut() = uri,
            Err(_) => return refuse(StatusCode::BAD_REQUEST, "The address is wrong."),
        }
    }
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
    record.route = Some(Route {
        router: router.full_name.clone(),
        service: router.target.full_name(&router.full_name),
        url: url(state, &router.target),
    });

    // The limiter stands before everything that costs, the redirect before the service.
    if router.has(Middleware::RateLimit)
        && let Err(wait) = state.limit.take(info.client_ip)
    {
        metrics::counter!("mito_gateway_rate_limited_total").increment(1);
        return rate_limit::refusal(wait);
    }
    if router.has(Middleware::RedirectToHttps) {
        return redirect::to_https(request.method(), &info.host, request.uri(), state.https_port());
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
                format!("{}: there is no service {name:?} on the network.", info.host),
            )),
        },
        Target::Upstream(upstream) => {
            match state.client.send(upstream, info, request).await {
                Ok(response) => response,
                Err(failure) => {
                    let url = upstream.url();
                    tracing::debug!(%url, ?failure, "an upstream did not answer");
                    // Which server stands behind a name is nobody's business in production.
                    let server = if state.has_real_domain() { "its server" } else { url.as_str() };
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
fn unknown(
    state: &State,
    table: &Table,
    info: &ConnectionInfo,
    reader: Reader,
) -> Response<Body> {
    let detail = format!("Nothing is served for {} at this path.", info.host);
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
        .into_iter()
        .filter(|host| is_local(host))
        .map(|host| format!("http://{host}{port}/"))
        .collect();
    reader.answer_with_links(problem, &links)
}

/// How a service's address is shown in the access log.
fn url(state: &State, target: &Target) -> String {
    match target {
        Target::Role(name) => {
            match state.network.service(name).and_then(|service| service.port) {
                Some(port) => format!("http://{name}:{port}"),
                None => format!("http://{name}"),
            }
        }
        Target::Upstream(upstream) => upstream.url(),
        Target::Internal(internal) => internal.name().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, uri: &str, host: Option<&str>) -> Request<Body> {
        let mut builder = Request::builder().method(method).uri(uri);
        if let Some(host) = host {
            builder = builder.header(header::HOST, host);
        }
        builder.body(Body::empty()).expect("a request")
    }

    #[test]
    fn the_target_decides_the_host() {
        let check = |uri: &str, host: Option<&str>, expected: Option<&str>| {
            assert_eq!(host_of(&request("GET", uri, host)).as_deref(), expected, "{uri}");
        };
        check("/", Some("API.localhost:8000"), Some("api.localhost"));
        check("http://a.localhost/", Some("b.localhost"), Some("a.localhost"));
        check("/", Some("[::1]:80"), Some("[::1]"));
        check("/", Some("a b"), None);
        check("/", None, None);
    }
}
