//! Compression of answers whose type is worth it; never of a stream of events, of images, or of
//! what is compressed already.

use std::convert::Infallible;

use axum::body::Body;
use http::{HeaderMap, Request, Response, header};
use tower::{ServiceExt as _, service_fn};
use tower_http::{
    CompressionLevel,
    compression::{Compression, Predicate as _, predicate},
};

/// Answers smaller than this are not compressed, in bytes. As in Traefik.
const MIN_SIZE_BYTES: u64 = 1_024;

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
    let mut request = Request::new(());
    *request.headers_mut() = accepted;
    let worth_it = predicate::SizeAbove::new(MIN_SIZE_BYTES)
        .and(predicate::NotForContentType::GRPC)
        .and(predicate::NotForContentType::IMAGES)
        .and(predicate::NotForContentType::SSE)
        .and(predicate::NotForContentType::const_new("video/"))
        .and(predicate::NotForContentType::const_new("audio/"))
        .and(predicate::NotForContentType::const_new("font/woff"))
        .and(predicate::NotForContentType::const_new("application/zip"))
        .and(predicate::NotForContentType::const_new(
            "application/octet-stream",
        ));
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

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn check(content_type: &str, length: usize, accept: &'static str, encoded: bool) {
        let response = Response::builder()
            .header(header::CONTENT_TYPE, content_type)
            .body(Body::from("a".repeat(length)))
            .expect("a response");
        let mut headers = HeaderMap::new();
        headers.insert(
            header::ACCEPT_ENCODING,
            http::HeaderValue::from_static(accept),
        );
        let response = compress(accepted(&headers), response).await;
        let shown = response.headers().get(header::CONTENT_ENCODING).is_some();
        assert_eq!(shown, encoded, "{content_type} {length} {accept}");
        let body = response
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        assert_eq!(
            body.len() < length,
            encoded,
            "{content_type} {length} {accept}"
        );
    }

    #[tokio::test]
    async fn only_what_is_worth_it_is_compressed() {
        check("text/html", 5_000, "gzip, br", true).await;
        check("text/html", 5_000, "identity", false).await;
        check("text/html", 100, "gzip", false).await;
        check("text/event-stream", 5_000, "gzip", false).await;
        check("image/png", 5_000, "gzip", false).await;
        check("application/zip", 5_000, "gzip", false).await;
    }
}
