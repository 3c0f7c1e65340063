//! The plain answers of Traefik.

use std::fmt::Write as _;

use axum::body::Body;
use http::{HeaderValue, Method, Response, StatusCode, header};

/// An answer of plain text.
pub(super) fn plain(status: StatusCode, text: impl Into<String>) -> Response<Body> {
    let mut response = Response::new(Body::from(text.into()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// An answer whose text is its status's.
pub(super) fn of_status(status: StatusCode) -> Response<Body> {
    plain(status, status.canonical_reason().unwrap_or_default())
}

/// Sends a client to `location`: GET by 301 or 302, anything else by 308 or 307, so that a POST
/// stays one. What cannot stand in an address is encoded; nothing if it holds control characters.
pub(super) fn moved(method: &Method, location: &str, permanent: bool) -> Option<Response<Body>> {
    let status = match (method == Method::GET, permanent) {
        (true, true) => StatusCode::MOVED_PERMANENTLY,
        (true, false) => StatusCode::FOUND,
        (false, true) => StatusCode::PERMANENT_REDIRECT,
        (false, false) => StatusCode::TEMPORARY_REDIRECT,
    };
    if location.bytes().any(|byte| byte.is_ascii_control()) {
        return None;
    }
    let location = HeaderValue::try_from(printable(location)).ok()?;
    let mut response = of_status(status);
    response.headers_mut().insert(header::LOCATION, location);
    Some(response)
}

/// An address without what is not printable ASCII, and without spaces.
fn printable(address: &str) -> String {
    let mut out = String::with_capacity(address.len());
    for byte in address.bytes() {
        if byte.is_ascii_graphic() {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            write!(out, "%{byte:02X}").ok();
        }
    }
    out
}
