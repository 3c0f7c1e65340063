//! `grpcWeb`: what browsers send to gRPC is put into gRPC's own words, and its answers into theirs:
//! trailers, which browsers do not see, become the last message. Who may do so from which page is
//! told as well. As in Traefik.

#[cfg(test)]
mod tests;

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::{future::BoxFuture, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header};
use http_body_util::BodyExt as _;

use super::chain::{Context, Layer, Next};
use crate::dynamic::middlewares::GrpcWeb as Options;

const GRPC: &str = "application/grpc";
const WEB: &str = "application/grpc-web";
const WEB_TEXT: &str = "application/grpc-web-text";
/// What marks trailers among messages.
const TRAILERS: u8 = 0x80;
/// The methods that pages may ask for.
const METHODS: [&str; 3] = ["GET", "HEAD", "POST"];
/// How long browsers remember what they were told, in seconds.
const MAX_AGE_SECONDS: HeaderValue = HeaderValue::from_static("600");

/// Pages that may speak gRPC.
pub(super) struct GrpcWeb {
    origins: Vec<String>,
}

impl GrpcWeb {
    pub(super) fn build(options: &Options) -> Self {
        Self {
            origins: options.allow_origins.clone(),
        }
    }

    /// The page that asks, if it may.
    fn origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        let allowed = |allowed: &String| allowed == "*" || allowed.as_bytes() == origin.as_bytes();
        self.origins.iter().any(allowed).then(|| origin.clone())
    }

    /// What a browser is told before it asks.
    fn preflight(&self, asked: &HeaderMap) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        for name in [
            header::ORIGIN,
            header::ACCESS_CONTROL_REQUEST_METHOD,
            header::ACCESS_CONTROL_REQUEST_HEADERS,
        ] {
            headers.append(header::VARY, name.into());
        }
        let method = asked.get(header::ACCESS_CONTROL_REQUEST_METHOD);
        let method = method.filter(|method| METHODS.iter().any(|known| *method == known));
        let (Some(origin), Some(method)) = (self.origin(asked), method) else {
            return response;
        };
        allow(headers, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, method.clone());
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS);
        if let Some(wanted) = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        }
        response
    }
}

fn allow(headers: &mut HeaderMap, origin: HeaderValue) {
    let yes = HeaderValue::from_static("true");
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
}

impl Layer for GrpcWeb {
    fn handle<'a>(
        &'a self,
        _context: &'a Context,
        request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        if is_preflight(&request) {
            let response = self.preflight(request.headers());
            return Box::pin(std::future::ready(response));
        }
        let Some(kind) = web_kind(&request) else {
            return next.run(request);
        };
        Box::pin(async move {
            let origin = self.origin(request.headers());
            let is_text = kind == WEB_TEXT;
            let response = next.run(asked(request, kind)).await;
            let mut response = answered(response, kind, is_text);
            let headers = response.headers_mut();
            headers.append(header::VARY, header::ORIGIN.into());
            if let Some(origin) = origin {
                allow(headers, origin);
            }
            expose(headers);
            response
        })
    }
}

fn is_preflight(request: &Request<Body>) -> bool {
    let headers = request.headers();
    let wanted = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
    let wanted = wanted.and_then(|wanted| wanted.to_str().ok());
    request.method() == Method::OPTIONS
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
        && wanted.is_some_and(|it| it.to_ascii_lowercase().contains("x-grpc-web"))
}

/// In which words a browser speaks, if it speaks gRPC.
fn web_kind(request: &Request<Body>) -> Option<&'static str> {
    let kind = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    let known = [WEB_TEXT, WEB].into_iter();
    let mut known = known.filter(|known| kind.starts_with(known));
    known.next().filter(|_| request.method() == Method::POST)
}

/// The request in gRPC's words.
fn asked(request: Request<Body>, kind: &str) -> Request<Body> {
    let (mut parts, body) = request.into_parts();
    respell(&mut parts.headers, kind, GRPC);
    parts.headers.remove(header::CONTENT_LENGTH);
    // Without it some servers take nothing for gRPC.
    let trailers = HeaderValue::from_static("trailers");
    parts.headers.insert(header::TE, trailers);
    let body = if kind == WEB_TEXT {
        decoded(body)
    } else {
        body
    };
    Request::from_parts(parts, body)
}

/// The response in the browser's words.
fn answered(response: Response<Body>, kind: &str, is_text: bool) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    respell(&mut parts.headers, GRPC, kind);
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::TRAILER);
    Response::from_parts(parts, with_trailers(body, is_text))
}

/// Lets pages see all headers, and the trailers among them.
fn expose(headers: &mut HeaderMap) {
    let names = headers.keys().map(HeaderName::as_str);
    let mut names: Vec<&str> = names.collect();
    names.extend(["grpc-status", "grpc-message"]);
    if let Ok(names) = HeaderValue::try_from(names.join(", ")) {
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, names);
    }
}

/// Another beginning for the type: `application/grpc+proto`.
fn respell(headers: &mut HeaderMap, from: &str, to: &str) {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok());
    let respelled = kind.and_then(|kind| {
        let rest = kind.strip_prefix(from)?;
        HeaderValue::try_from(format!("{to}{rest}")).ok()
    });
    if let Some(respelled) = respelled {
        headers.insert(header::CONTENT_TYPE, respelled);
    }
}

/// `body` with its trailers as the last message, and in base64 if it is to be text.
fn with_trailers(body: Body, is_text: bool) -> Body {
    let spelled = move |data: Bytes| {
        if is_text {
            return Bytes::from(STANDARD.encode(data));
        }
        data
    };
    Body::from_stream(stream::unfold(Some(body), move |body| async move {
        let mut body = body?;
        loop {
            let frame = match body.frame().await {
                None => return Some((Ok(spelled(message(&HeaderMap::new()))), None)),
                Some(Err(error)) => return Some((Err(error), None)),
                Some(Ok(frame)) => frame,
            };
            match frame.into_data() {
                Ok(data) if data.is_empty() => {}
                Ok(data) => return Some((Ok(spelled(data)), Some(body))),
                Err(frame) => {
                    let trailers = frame.into_trailers().unwrap_or_default();
                    return Some((Ok(spelled(message(&trailers))), None));
                }
            }
        }
    }))
}

/// Trailers as a message.
fn message(trailers: &HeaderMap) -> Bytes {
    let mut lines: Vec<Vec<u8>> = trailers
        .iter()
        .map(|(name, value)| [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat())
        .collect();
    lines.sort_unstable();
    let lines = lines.concat();
    let mut message = BytesMut::with_capacity(lines.len() + 5);
    message.put_u8(TRAILERS);
    message.put_u32(u32::try_from(lines.len()).unwrap_or(u32::MAX));
    message.extend_from_slice(&lines);
    message.freeze()
}

/// `body` out of base64, of which there may be several pieces one after the other.
fn decoded(body: Body) -> Body {
    let start = Some((body, Vec::new()));
    Body::from_stream(stream::unfold(start, |state| async move {
        let (mut body, mut left) = state?;
        loop {
            let data = match body.frame().await {
                None if left.is_empty() => return None,
                None => return Some((Err(axum::Error::new("the base64 is cut off")), None)),
                Some(Err(error)) => return Some((Err(error), None)),
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            };
            left.extend_from_slice(&data);
            let rest = left.split_off(left.len() - left.len() % 4);
            let whole = std::mem::replace(&mut left, rest);
            if whole.is_empty() {
                continue;
            }
            return match decode(&whole) {
                Ok(decoded) => Some((Ok(Bytes::from(decoded)), Some((body, left)))),
                Err(error) => Some((Err(axum::Error::new(error)), None)),
            };
        }
    }))
}

/// Groups of four, each of which may end a piece.
fn decode(text: &[u8]) -> Result<Vec<u8>, base64::DecodeError> {
    STANDARD.decode(text).or_else(|_| {
        let groups = text.chunks(4).map(|group| STANDARD.decode(group));
        groups
            .collect::<Result<Vec<_>, _>>()
            .map(|all| all.concat())
    })
}
