//! From plain HTTP to HTTPS, with Traefik's codes.

use axum::body::Body;
use http::{HeaderValue, Method, Response, StatusCode, Uri, header};

/// Where HTTPS listens when it is not said in the address.
const HTTPS_PORT: u16 = 443;

/// The answer that sends a client to HTTPS on `port`: 301 to a GET, 308 to everything else, so
/// that a POST stays one.
pub(crate) fn to_https(method: &Method, host: &str, uri: &Uri, port: u16) -> Response<Body> {
    let port = if port == HTTPS_PORT {
        String::new()
    } else {
        format!(":{port}")
    };
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let status = match *method {
        Method::GET => StatusCode::MOVED_PERMANENTLY,
        _ => StatusCode::PERMANENT_REDIRECT,
    };
    let text = status.canonical_reason().unwrap_or_default();
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    if let Ok(location) = HeaderValue::try_from(format!("https://{host}{port}{path}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_keep_host_path_and_method() {
        let check = |method: Method, port, uri: &'static str, code: u16, location: &str| {
            let response = to_https(&method, "a.example", &Uri::from_static(uri), port);
            assert_eq!(response.status().as_u16(), code);
            assert_eq!(response.headers()[header::LOCATION], location);
        };
        check(Method::GET, 443, "/x?y=1", 301, "https://a.example/x?y=1");
        check(Method::POST, 443, "/x", 308, "https://a.example/x");
        check(Method::HEAD, 8443, "/", 308, "https://a.example:8443/");
        check(
            Method::GET,
            443,
            "//evil.example",
            301,
            "https://a.example//evil.example",
        );
    }
}
