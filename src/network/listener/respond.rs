//! One request: refused, or given its [`ConnectionInfo`] and sent into the handler, whose panics
//! end here.

use std::{
    convert::Infallible, net::SocketAddr, panic::AssertUnwindSafe, sync::Arc, time::Duration,
};

use axum::{body::Body, response::IntoResponse as _};
use futures_util::FutureExt as _;
use http::{
    HeaderName, HeaderValue, Request, Response, StatusCode, Version, header, request::Parts,
};
use hyper::body::Incoming;
use mito_core::{Clock, Random, supervisor::record_panic};
use tower::Service as _;

use super::{
    activity::{Activity, tracked},
    gate::{Verdict, Verdicts},
    stall, streams,
};
use crate::{
    ConnectionInfo, HttpService, Problem, admission,
    connection::{Lifetime, TlsInfo},
};

/// The header that carries the request id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What a refused method is told.
const ALLOWED: HeaderValue =
    HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");

/// What the requests of one connection share.
pub(super) struct Responder {
    pub(super) service: HttpService,
    pub(super) entrypoint: Arc<str>,
    pub(super) peer: SocketAddr,
    pub(super) tls: Option<Arc<TlsInfo>>,
    pub(super) lifetime: Lifetime,
    pub(super) activity: Arc<Activity>,
    /// How long the body of an HTTP/2 request may stand still.
    pub(super) body_stall: Duration,
}

type Answer = Result<Response<Body>, Infallible>;

impl Responder {
    /// Answers a request of HTTP/1, which the gate has judged before.
    pub(super) async fn http1(
        self: Arc<Self>,
        mut request: Request<Incoming>,
        verdict: Verdict,
        verdicts: Verdicts,
    ) -> Answer {
        let in_flight = self.activity.begin();
        request.extensions_mut().insert(self.lifetime.clone());
        let mut response = match verdict.refused {
            Some(status) => refusal(status),
            None => self.respond(request.map(Body::new)).await,
        };
        if verdict.refused.is_some() {
            response
                .headers_mut()
                .insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if verdict.upgrade {
            verdicts.answered(response.status() == StatusCode::SWITCHING_PROTOCOLS);
        }
        Ok(response.map(|body| tracked(body, in_flight)))
    }

    /// Answers a request of HTTP/2.
    pub(super) async fn http2(self: Arc<Self>, request: Request<Incoming>) -> Answer {
        let in_flight = self.activity.begin();
        let request = request.map(|body| stall::limited(body, self.body_stall));
        let response = self.respond(request).await;
        Ok(response.map(|body| streams::followed(tracked(body, in_flight))))
    }

    async fn respond(&self, request: Request<Body>) -> Response<Body> {
        let (mut parts, body) = request.into_parts();
        if let Err(status) = admission::admit(&parts) {
            let mut response = refusal(status);
            // Whoever is wrong once is not listened to further; its body may be anything.
            if parts.version < Version::HTTP_2 && !status.is_success() {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            return response;
        }
        let info = self.info(&parts);
        let request_id = info.request_id.clone();
        admission::to_origin_form(&mut parts);
        parts.extensions.insert(info);
        let request = Request::from_parts(parts, body);
        let mut service = self.service.clone();
        // The call is inside, so that a panic before the first await is contained too.
        let handled = AssertUnwindSafe(async move { service.call(request).await }).catch_unwind();
        match handled.await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(panic) => {
                let error = record_panic(&self.entrypoint, panic.as_ref());
                tracing::error!(request.id = %request_id, %error, "the request handler was lost");
                lost(&request_id)
            }
        }
    }

    fn info(&self, parts: &Parts) -> ConnectionInfo {
        ConnectionInfo {
            peer: self.peer,
            client_ip: self.peer.ip().to_canonical(),
            scheme: if self.tls.is_some() { "https" } else { "http" },
            host: admission::host(parts).into(),
            tls: self.tls.clone(),
            entrypoint: self.entrypoint.clone(),
            request_id: new_request_id(),
        }
    }
}

/// A fresh UUID of version 7. The listener stands before everything that a test moves, so it uses
/// the machine's clock.
pub(super) fn new_request_id() -> Arc<str> {
    let id = Random::system().uuid(Clock::system().now_ms());
    let mut text = [0; 36];
    Arc::from(&*id.hyphenated().encode_lower(&mut text))
}

/// The answer to a request that is not let in.
fn refusal(status: StatusCode) -> Response<Body> {
    if status.is_success() {
        return status.into_response();
    }
    let mut response = Problem::new(status, reason(status)).into_response();
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, ALLOWED);
    }
    response
}

fn reason(status: StatusCode) -> &'static str {
    match status {
        StatusCode::REQUEST_TIMEOUT => "the request head did not arrive in time",
        StatusCode::URI_TOO_LONG => "the request target is too long",
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => "the request head is too large",
        StatusCode::EXPECTATION_FAILED => "the only expectation that is met is 100-continue",
        StatusCode::NOT_IMPLEMENTED => "this method or transfer coding is not supported",
        StatusCode::METHOD_NOT_ALLOWED => "this method is not allowed here",
        StatusCode::HTTP_VERSION_NOT_SUPPORTED => "HTTP/1.0, HTTP/1.1 and HTTP/2 are supported",
        _ => "the request is not valid HTTP",
    }
}

fn lost(request_id: &str) -> Response<Body> {
    let detail = format!("the request failed; its id is {request_id}");
    let mut response = Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail).into_response();
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
