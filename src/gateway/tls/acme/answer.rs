//! What stands at `/.well-known/acme-challenge/` (RFC 8555 §8.3).

use axum::body::Body;
use http::{HeaderValue, Response, header};

use crate::state::State;

/// Where tokens are looked for.
pub(super) const PREFIX: &str = "/.well-known/acme-challenge/";

/// The answer to the token in `path`; `None` when no challenge of that token is open.
pub(crate) fn answer(state: &State, path: &str) -> Option<Response<Body>> {
    let token = path.strip_prefix(PREFIX)?;
    let text = state.certificates.acme()?.challenges.text(token)?;
    let mut response = Response::new(Body::from(text));
    let kind = HeaderValue::from_static("application/octet-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Some(response)
}
