//! Who may call the panel's endpoints. Cookies are honoured here and nowhere else, so everything
//! that changes something is checked twice against other sites: by where the browser says that the
//! request comes from, and by a token that only a page of ours can read.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, Request, StatusCode, header};
use mito_network::{Authenticator as _, Problem};

use crate::{
    Api,
    caller::{Caller, Known, text_of},
    panel::cookie,
};

/// The header with the CSRF token.
pub(crate) const CSRF_HEADER: &str = "x-mito-csrf";
/// What a page's CSRF token belongs to while nobody is signed in.
pub(crate) const NO_SESSION: &str = "no session";

/// Reads the cookie and checks unsafe requests. A session whose token has expired gets a new one on
/// the way.
pub(crate) async fn by_cookie(
    State(api): State<Arc<Api>>,
    mut request: Request<Body>,
    next: Next,
) -> Response {
    let mut caller = Known::anonymous(&api, &request);
    let token = cookie::read(request.headers(), caller.scheme);
    let subject = token
        .as_deref()
        .and_then(|token| api.records.named_session(token));
    if !is_safe(request.method()) {
        let subject = subject.as_deref().unwrap_or(NO_SESSION);
        if let Err(problem) = same_site(&api, subject, request.headers()) {
            return problem.into_response();
        }
    }
    let mut renewed = None;
    if let Some(token) = &token {
        caller.identity = api.records.authenticate(token).await;
        if caller.identity.is_none()
            && let Ok(session) = api.records.renew(token).await
        {
            caller.identity = Some(session.identity);
            renewed = cookie::set(&session.token, caller.scheme, api.records.session_idle());
        }
    }
    if let Err(refused) = caller.check_address(&api) {
        return Problem::from(refused).into_response();
    }
    caller.token = token;
    request.extensions_mut().insert(Caller::from(caller));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    // An answer that sets or clears the cookie itself has the last word.
    if let Some(renewed) = renewed
        && !headers.contains_key(header::SET_COOKIE)
    {
        headers.insert(header::SET_COOKIE, renewed);
    }
    response
}

/// Lets administrators through.
pub(crate) async fn administrators_only(request: Request<Body>, next: Next) -> Response {
    let caller = request.extensions().get::<Caller>();
    let (known, superuser) = caller.map_or((false, false), |caller| {
        (caller.identity.is_some(), caller.is_superuser())
    });
    if !known {
        return Problem::new(StatusCode::UNAUTHORIZED, "Sign in first.").into_response();
    }
    if !superuser {
        let detail = "Only administrators may do this.";
        return Problem::new(StatusCode::FORBIDDEN, detail).into_response();
    }
    next.run(request).await
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn same_site(api: &Api, subject: &str, headers: &HeaderMap) -> Result<(), Problem> {
    if !comes_from_here(headers) {
        let detail = "The request comes from another site.";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    if !api
        .records
        .is_csrf_token(subject, text_of(headers, CSRF_HEADER))
    {
        let detail = "The header X-Mito-Csrf is missing or belongs to another session. \
             Load the page again.";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    Ok(())
}

/// Browsers say where a request comes from in `Sec-Fetch-Site`, older ones in `Origin`. What says
/// neither is no browser, and has no cookies that somebody else could use.
fn comes_from_here(headers: &HeaderMap) -> bool {
    match text_of(headers, "sec-fetch-site") {
        "same-origin" => return true,
        "" => {}
        _ => return false,
    }
    if !headers.contains_key(header::ORIGIN) {
        return true;
    }
    let origin = text_of(headers, header::ORIGIN.as_str());
    let host = text_of(headers, header::HOST.as_str());
    let authority = origin
        .split_once("://")
        .map_or("", |(_, authority)| authority);
    !host.is_empty() && authority.eq_ignore_ascii_case(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_sites_are_told_apart() {
        let check = |given: &[(&'static str, &'static str)], expected: bool| {
            let headers: HeaderMap = given
                .iter()
                .map(|(name, value)| {
                    (
                        http::HeaderName::from_static(name),
                        http::HeaderValue::from_static(value),
                    )
                })
                .collect();
            assert_eq!(comes_from_here(&headers), expected, "{given:?}");
        };
        check(&[], true);
        check(&[("sec-fetch-site", "same-origin")], true);
        check(&[("sec-fetch-site", "same-site")], false);
        check(&[("sec-fetch-site", "cross-site")], false);
        check(&[("sec-fetch-site", "none")], false);
        check(
            &[
                ("origin", "http://a.localhost:8000"),
                ("host", "a.localhost:8000"),
            ],
            true,
        );
        check(
            &[
                ("origin", "http://a.localhost"),
                ("host", "a.localhost:8000"),
            ],
            false,
        );
        check(&[("origin", "null"), ("host", "a.localhost")], false);
        check(
            &[("origin", "http://evil.example"), ("host", "a.localhost")],
            false,
        );
        check(&[("origin", "http://evil.example")], false);
    }
}
