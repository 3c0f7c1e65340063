//! Headers that keep browsers safe. What a service says itself is left as it is.

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};

use super::chain::{Context, Layer, Next};

const STRICT_TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=31536000");

const ALWAYS: [(HeaderName, HeaderValue); 4] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("strict-origin-when-cross-origin"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("frame-ancestors 'none'"),
    ),
];

/// Adds the missing headers. `strict_transport` is for HTTPS on a real domain alone: on localhost
/// it would bar plain HTTP from every other program of the developer.
pub(crate) fn add(headers: &mut HeaderMap, strict_transport: bool) {
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(value);
    }
    if strict_transport {
        headers
            .entry(header::STRICT_TRANSPORT_SECURITY)
            .or_insert(STRICT_TRANSPORT);
    }
}

/// The same as a middleware that files can name.
pub(crate) struct SecurityHeaders {
    /// Browsers may be told to use HTTPS alone from now on.
    pub(crate) is_real_domain: bool,
}

impl Layer for SecurityHeaders {
    fn handle<'a>(
        &'a self,
        context: &'a Context,
        request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async move {
            let mut response = next.run(request).await;
            let strict = self.is_real_domain && context.connection.scheme == "https";
            add(response.headers_mut(), strict);
            response
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_headers_are_added_and_given_ones_kept() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::X_FRAME_OPTIONS,
            HeaderValue::from_static("SAMEORIGIN"),
        );
        add(&mut headers, false);
        assert_eq!(headers[header::X_FRAME_OPTIONS], "SAMEORIGIN");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(!headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
        add(&mut headers, true);
        assert!(headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
    }
}
