//! `compress`: answers whose type is worth it, in the encoding that the client likes best; never a
//! stream of events, gRPC, or what is compressed already.

mod encodings;

use std::convert::Infallible;

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use tower::{ServiceExt as _, service_fn};
use tower_http::{
    CompressionLevel,
    compression::{Compression, Predicate},
};

use super::{
    bodies::{declared_length, is_event_stream},
    chain::{Context, Layer, Next},
};
use crate::dynamic::middlewares::Compress as Options;
use encodings::Encoding;

/// Answers smaller than this are not compressed, in bytes. As in Traefik.
const MIN_SIZE_BYTES: u64 = 1_024;
/// What is never compressed.
const NEVER: [&str; 2] = ["application/grpc", "text/event-stream"];
/// What is compressed only if it is listed, because it is compressed already.
const PACKED: [&str; 7] = [
    "image/",
    "video/",
    "audio/",
    "font/woff",
    "application/zip",
    "application/gzip",
    "application/octet-stream",
];
/// The images that are text or bare pixels.
const UNPACKED_IMAGES: [&str; 2] = ["image/svg+xml", "image/bmp"];

/// What is compressed and how.
pub(super) struct Compress {
    encodings: Vec<Encoding>,
    default: Option<Encoding>,
    worth_it: WorthIt,
}

/// Which answers are.
#[derive(Clone)]
struct WorthIt {
    min_bytes: u64,
    excluded: Vec<String>,
    /// Nothing else, if it is not empty.
    included: Vec<String>,
}

impl Compress {
    pub(super) fn build(options: &Options) -> Result<Self, String> {
        let (excluded, included) = (
            types("excludedContentTypes", &options.excluded_content_types)?,
            types("includedContentTypes", &options.included_content_types)?,
        );
        if !excluded.is_empty() && !included.is_empty() {
            return Err(
                "excludedContentTypes: it and includedContentTypes are mutually exclusive; keep one"
                    .to_owned(),
            );
        }
        let encodings = Encoding::read_all("encodings", &options.encodings)?;
        let default = match options.default_encoding.as_str() {
            "" => None,
            name => Some(
                Encoding::parse(name)
                    .filter(|it| encodings.contains(it))
                    .ok_or_else(|| {
                        format!("defaultEncoding: {name:?} is none of the encodings; add it there")
                    })?,
            ),
        };
        let min_bytes = match options.min_response_body_bytes {
            0 => MIN_SIZE_BYTES,
            bytes => bytes,
        };
        Ok(Self {
            encodings,
            default,
            worth_it: WorthIt {
                min_bytes,
                excluded,
                included,
            },
        })
    }

    fn encoding(&self, request: &HeaderMap) -> Option<Encoding> {
        if request.contains_key(header::ACCEPT_ENCODING) {
            return encodings::preferred(request, &self.encodings);
        }
        self.default
    }
}

impl Layer for Compress {
    fn handle<'a>(
        &'a self,
        _context: &'a Context,
        request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        let encoding = self.encoding(request.headers());
        let Some(encoding) = encoding.filter(|_| request.method() != Method::HEAD) else {
            return next.run(request);
        };
        Box::pin(async move {
            let response = next.run(request).await;
            encode(encoding.name(), self.worth_it.clone(), response).await
        })
    }
}

/// The part of a request that compression looks at.
pub(crate) fn accepted(headers: &HeaderMap) -> HeaderMap {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .into_iter()
        .map(|value| (header::ACCEPT_ENCODING, value.clone()))
        .collect()
}

/// Compresses `response` with what the client accepts.
pub(crate) async fn compress(accepted: HeaderMap, response: Response<Body>) -> Response<Body> {
    let Some(encoding) = encodings::preferred(&accepted, &Encoding::ALL) else {
        return response;
    };
    let worth_it = WorthIt {
        min_bytes: MIN_SIZE_BYTES,
        excluded: Vec::new(),
        included: Vec::new(),
    };
    encode(encoding.name(), worth_it, response).await
}

async fn encode(
    encoding: &'static str,
    worth_it: WorthIt,
    response: Response<Body>,
) -> Response<Body> {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return response;
    }
    let mut request = Request::new(());
    let encoding = HeaderValue::from_static(encoding);
    request
        .headers_mut()
        .insert(header::ACCEPT_ENCODING, encoding);
    let mut response = Some(response);
    let inner = service_fn(move |_: Request<()>| {
        let response = response.take().expect("the service is called once");
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let service = Compression::new(inner)
        .quality(CompressionLevel::Fastest)
        .compress_when(worth_it);
    match service.oneshot(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}

impl Predicate for WorthIt {
    fn should_compress<B: http_body::Body>(&self, response: &Response<B>) -> bool {
        let headers = response.headers();
        let length = response.body().size_hint().exact();
        let length = length.or_else(|| declared_length(headers));
        // What a service forbids to change, a proxy leaves (RFC 9111 §5.2.2.6).
        let fixed = headers
            .get_all(header::CACHE_CONTROL)
            .iter()
            .any(|value| value.to_str().is_ok_and(|it| it.contains("no-transform")));
        length.is_none_or(|length| length >= self.min_bytes)
            && !fixed
            && !is_event_stream(headers)
            && self.takes(&media_type(headers))
    }
}

impl WorthIt {
    fn takes(&self, kind: &str) -> bool {
        if NEVER.iter().any(|never| kind.starts_with(never)) {
            return false;
        }
        if !self.included.is_empty() {
            return self.included.iter().any(|included| included == kind);
        }
        let packed = PACKED.iter().any(|packed| kind.starts_with(packed));
        (!packed || UNPACKED_IMAGES.contains(&kind)) && !self.excluded.iter().any(|it| it == kind)
    }
}

/// `text/html` of `text/HTML; charset=utf-8`.
fn media_type(headers: &HeaderMap) -> String {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    essence(kind)
}

fn essence(kind: &str) -> String {
    let kind = kind.split(';').next().unwrap_or_default();
    kind.trim().to_ascii_lowercase()
}

fn types(option: &str, texts: &[String]) -> Result<Vec<String>, String> {
    let read = |(at, text): (usize, &String)| {
        let kind = essence(text);
        let fits = kind
            .split_once('/')
            .is_some_and(|(one, other)| !one.is_empty() && !other.is_empty());
        fits.then_some(kind)
            .ok_or_else(|| format!("{option}[{at}]: {text:?} is not a type such as text/html"))
    };
    texts.iter().enumerate().map(read).collect()
}

#[cfg(test)]
mod tests;
