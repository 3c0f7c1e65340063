//! What becomes of the answer of the server that decides.

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use super::{
    super::{answers, bodies::ReadAhead},
    ForwardAuth,
};
use crate::services;

/// Headers of an answer that say how long and how it is, not who the client is: a pattern such as
/// `.*` must not put them over those of the request.
const OF_THE_ANSWER: [HeaderName; 4] = [
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::TRANSFER_ENCODING,
    header::HOST,
];

impl ForwardAuth {
    /// The server's refusal as the client gets it: all of it, with an absolute `Location`.
    pub(super) fn refusal(&self, answer: Response<ReadAhead>) -> Response<Body> {
        if let Some(location) = &self.sign_in
            && answer.status() == StatusCode::UNAUTHORIZED
        {
            let mut response = answers::of_status(StatusCode::FOUND);
            let headers = response.headers_mut();
            headers.insert(header::LOCATION, location.clone());
            return response;
        }
        let (mut parts, body) = answer.into_parts();
        services::headers::strip_hop_by_hop(&mut parts.headers);
        if !self.options.preserve_location_header {
            self.resolve_location(&mut parts.headers);
        }
        Response::from_parts(parts, Body::new(body))
    }

    fn resolve_location(&self, headers: &mut HeaderMap) {
        let Some(location) = headers.get(header::LOCATION) else {
            return;
        };
        let absolute = location
            .to_str()
            .ok()
            .and_then(|location| self.address.join(location).ok())
            .and_then(|absolute| HeaderValue::try_from(absolute.as_str()).ok());
        if let Some(absolute) = absolute {
            headers.insert(header::LOCATION, absolute);
        }
    }

    /// Puts the headers that say who the client is in the place of what it says itself.
    pub(super) fn take_headers(&self, answer: &HeaderMap, request: &mut HeaderMap) {
        for name in &self.response_headers {
            replace(name, answer, request);
        }
        let Some(pattern) = &self.response_headers_pattern else {
            return;
        };
        let fits = |name: &&HeaderName| {
            !OF_THE_ANSWER.contains(name) && pattern.is_match(&canonical(name))
        };
        let said: Vec<HeaderName> = request.keys().filter(fits).cloned().collect();
        for name in said {
            request.remove(name);
        }
        let mut answer = answer.clone();
        services::headers::strip_hop_by_hop(&mut answer);
        for name in answer.keys().filter(fits) {
            replace(name, &answer, request);
        }
    }

    /// Adds the cookies that the client is to get, in the place of the service's of that name.
    pub(super) fn add_cookies(&self, answer: &HeaderMap, response: &mut HeaderMap) {
        let listed = &self.options.add_auth_cookies_to_response;
        if listed.is_empty() {
            return;
        }
        let is_listed = |cookie: &&HeaderValue| {
            cookie_name(cookie).is_some_and(|name| listed.iter().any(|it| it == name))
        };
        let added: Vec<&HeaderValue> = answer
            .get_all(header::SET_COOKIE)
            .iter()
            .filter(is_listed)
            .collect();
        let replaced: Vec<&str> = added.iter().filter_map(|it| cookie_name(it)).collect();
        let kept: Vec<HeaderValue> = response
            .get_all(header::SET_COOKIE)
            .iter()
            .filter(|cookie| cookie_name(cookie).is_none_or(|name| !replaced.contains(&name)))
            .cloned()
            .collect();
        response.remove(header::SET_COOKIE);
        for cookie in kept.into_iter().chain(added.into_iter().cloned()) {
            response.append(header::SET_COOKIE, cookie);
        }
    }
}

/// All values of `name` in `answer` and none of those in `request`.
fn replace(name: &HeaderName, answer: &HeaderMap, request: &mut HeaderMap) {
    request.remove(name);
    for value in answer.get_all(name) {
        request.append(name, value.clone());
    }
}

/// `X-Auth-User`, as Go spells names and people write patterns for them.
fn canonical(name: &HeaderName) -> String {
    let mut first = true;
    let upper = |letter: char| {
        let upper = if first {
            letter.to_ascii_uppercase()
        } else {
            letter
        };
        first = letter == '-';
        upper
    };
    name.as_str().chars().map(upper).collect()
}

fn cookie_name(cookie: &HeaderValue) -> Option<&str> {
    let (name, _) = cookie.to_str().ok()?.split_once('=')?;
    Some(name.trim())
}
