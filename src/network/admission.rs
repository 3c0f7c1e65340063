//! Which request heads are let in: what hyper accepts although RFC 9112 or RFC 9110 wants it
//! refused. Pure; the accept loop applies it to every request of HTTP/1 and HTTP/2 before any
//! handler sees it. What hyper has already thrown away by then is looked for in the raw head (see
//! `listener::head`).

use http::{
    HeaderMap, HeaderValue, Method, StatusCode, Uri, Version, header, request::Parts,
    uri::Authority,
};

/// The longest request target, in bytes.
pub const MAX_URI_BYTES: usize = 16 * 1024;

/// Lets a request head in, or says with which status it is answered at once. That status is an
/// error except for `OPTIONS *`, which asks this server itself and is answered 200.
pub fn admit(parts: &Parts) -> Result<(), StatusCode> {
    admit_target(&parts.method, &parts.uri)?;
    admit_host(parts)?;
    admit_headers(parts)
}

/// The host that a request is for, lower case and without port: the target's authority if it has
/// one (RFC 9112 §3.2.2), else the `Host` header; empty for HTTP/1.0 without either.
pub fn host(parts: &Parts) -> String {
    let from_header = || parts.headers.get(header::HOST)?.to_str().ok();
    let authority = parts.uri.authority().map(Authority::as_str);
    let authority = authority.or_else(from_header).unwrap_or_default();
    let Some(host) = host_of(authority) else {
        return String::new();
    };
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// The host of `host`, `host:port` or `[address]:port`, without user information; nothing for what
/// is none of these.
fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = match authority.rsplit_once(':') {
        // That colon belongs to an address of IPv6.
        Some((_, after)) if after.ends_with(']') => (authority, None),
        Some((host, digits)) => (host, Some(digits)),
        None => (authority, None),
    };
    // Rust's parser would take a sign.
    let is_port =
        |it: &str| it.bytes().all(|byte| byte.is_ascii_digit()) && it.parse::<u16>().is_ok();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let is_host = match host.strip_prefix('[') {
        Some(rest) => {
            let address = rest.strip_suffix(']');
            address.is_some_and(|it| it.parse::<std::net::Ipv6Addr>().is_ok())
        }
        None => !host.is_empty() && host.bytes().all(is_plain),
    };
    (is_host && port.is_none_or(is_port)).then_some(host)
}

/// Turns the target into origin form and its authority into the `Host` header, and puts the
/// crumbs of an HTTP/2 cookie together, so that handlers see one shape whatever the client and the
/// protocol version wrote.
pub fn to_origin_form(parts: &mut Parts) {
    if parts.version >= Version::HTTP_2 {
        join_cookies(&mut parts.headers);
    }
    let Some(authority) = parts.uri.authority() else {
        return;
    };
    if let Ok(host) = HeaderValue::from_str(authority.as_str()) {
        parts.headers.insert(header::HOST, host);
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    if let Ok(origin) = path.parse() {
        parts.uri = origin;
    }
}

/// RFC 9113 §8.2.3: crumbs must be one header again before they leave HTTP/2.
fn join_cookies(headers: &mut HeaderMap) {
    let crumbs: Vec<&[u8]> = headers
        .get_all(header::COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if crumbs.len() < 2 {
        return;
    }
    if let Ok(cookie) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])) {
        headers.insert(header::COOKIE, cookie);
    }
}

fn admit_target(method: &Method, uri: &Uri) -> Result<(), StatusCode> {
    if method == Method::CONNECT {
        return Err(StatusCode::NOT_IMPLEMENTED);
    }
    if method == Method::TRACE {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    let target = uri.path_and_query().map_or("", |path| path.as_str());
    if target.len() > MAX_URI_BYTES {
        return Err(StatusCode::URI_TOO_LONG);
    }
    if uri.path() == "*" {
        let asks_server = method == Method::OPTIONS;
        return Err(if asks_server {
            StatusCode::OK
        } else {
            StatusCode::BAD_REQUEST
        });
    }
    let printable = target
        .bytes()
        .all(|byte| (0x21..=0x7e).contains(&byte) && byte != b'#');
    if !target.starts_with('/') || !printable || !is_percent_encoded(target.as_bytes()) {
        return Err(StatusCode::BAD_REQUEST);
    }
    Ok(())
}

/// Whether every `%` begins two hexadecimal digits that are not `00`.
fn is_percent_encoded(target: &[u8]) -> bool {
    target
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'%')
        .all(|(at, _)| {
            let Some(digits) = target.get(at + 1..at + 3) else {
                return false;
            };
            digits.iter().all(u8::is_ascii_hexdigit) && digits != b"00"
        })
}

fn admit_host(parts: &Parts) -> Result<(), StatusCode> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    if second.is_some() || first.is_some_and(|host| !is_host(host)) {
        return Err(StatusCode::BAD_REQUEST);
    }
    if parts
        .uri
        .authority()
        .is_some_and(|authority| host_of(authority.as_str()).is_none())
    {
        return Err(StatusCode::BAD_REQUEST);
    }
    if parts.version >= Version::HTTP_2 {
        return admit_pseudo_host(parts, first);
    }
    if parts.version == Version::HTTP_11 && first.is_none() {
        return Err(StatusCode::BAD_REQUEST);
    }
    Ok(())
}

/// RFC 9113 §8.3.1: `:authority` and `Host` must name the same, and one of them must be there.
fn admit_pseudo_host(parts: &Parts, host: Option<&HeaderValue>) -> Result<(), StatusCode> {
    let agrees = match (parts.uri.authority(), host) {
        (Some(authority), Some(host)) => host
            .as_bytes()
            .eq_ignore_ascii_case(authority.as_str().as_bytes()),
        (None, None) => false,
        _ => true,
    };
    if agrees {
        Ok(())
    } else {
        Err(StatusCode::BAD_REQUEST)
    }
}

fn is_host(value: &HeaderValue) -> bool {
    value.to_str().is_ok_and(|text| host_of(text).is_some())
}

fn admit_headers(parts: &Parts) -> Result<(), StatusCode> {
    let headers = &parts.headers;
    let lengths = headers.get_all(header::CONTENT_LENGTH).iter().count();
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let (coding, second_coding) = (codings.next(), codings.next());
    if lengths > 1 || second_coding.is_some() || (lengths == 1 && coding.is_some()) {
        return Err(StatusCode::BAD_REQUEST);
    }
    if let Some(coding) = coding {
        if parts.version < Version::HTTP_11 {
            return Err(StatusCode::BAD_REQUEST);
        }
        if !coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
            return Err(StatusCode::NOT_IMPLEMENTED);
        }
    }
    let expectations = headers.get_all(header::EXPECT);
    let known = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    if !expectations.iter().all(known) {
        return Err(StatusCode::EXPECTATION_FAILED);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(version: Version, method: &str, target: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder()
            .version(version)
            .method(method)
            .uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request
            .body(())
            .expect("a request that hyper would hand over")
            .into_parts()
            .0
    }

    #[track_caller]
    fn check(method: &str, target: &str, headers: &[(&str, &str)], expected: u16) {
        let answer = admit(&parts(Version::HTTP_11, method, target, headers));
        let status = answer.map_or_else(|status| status.as_u16(), |()| 0);
        assert_eq!(status, expected, "{method} {target} {headers:?}");
    }

    #[test]
    fn hosts() {
        let host = |value: &str, expected| check("GET", "/", &[("host", value)], expected);
        for good in [
            "a",
            "api.localhost:8000",
            "127.0.0.1",
            "[::1]:80",
            "A.Example.",
            "my_host",
        ] {
            host(good, 0);
        }
        for bad in [
            "", "a b", "a@evil", "a:99999", "a:", "a:x", ":80", "a/b", "[::1", "[x]", "a,b",
        ] {
            host(bad, 400);
        }
        check("GET", "/", &[], 400);
        check("GET", "/", &[("host", "a"), ("host", "a")], 400);
        check("GET", "http://user@b/", &[("host", "a")], 400);
        check("GET", "http://b/", &[("host", "a")], 0);
        check("GET", "http://b/", &[], 400);
        assert_eq!(admit(&parts(Version::HTTP_10, "GET", "/", &[])), Ok(()));
    }

    #[test]
    fn authorities_of_http_2() {
        let check = |target: &str, headers: &[(&str, &str)], fits: bool| {
            let answer = admit(&parts(Version::HTTP_2, "GET", target, headers));
            assert_eq!(answer.is_ok(), fits, "{target} {headers:?}");
        };
        check("https://a/", &[], true);
        check("https://a/", &[("host", "A")], true);
        check("https://a/", &[("host", "b")], false);
        check("/", &[("host", "a")], true);
        check("/", &[], false);
    }

    #[test]
    fn crumbs_of_a_cookie_are_put_together() {
        let check = |version, crumbs: &[&str], expected: &[&str]| {
            let headers: Vec<_> = crumbs.iter().map(|crumb| ("cookie", *crumb)).collect();
            let mut parts = parts(version, "GET", "https://a/", &headers);
            to_origin_form(&mut parts);
            let cookies: Vec<_> = parts.headers.get_all(header::COOKIE).iter().collect();
            assert_eq!(cookies, expected, "{version:?} {crumbs:?}");
        };
        check(
            Version::HTTP_2,
            &["a=1", "b=2; c=3", "d=4"],
            &["a=1; b=2; c=3; d=4"],
        );
        check(Version::HTTP_2, &["a=1"], &["a=1"]);
        check(Version::HTTP_2, &[], &[]);
        check(Version::HTTP_11, &["a=1", "b=2"], &["a=1", "b=2"]);
    }

    #[test]
    fn targets_and_methods() {
        let target = |target: &str, expected| check("GET", target, &[("host", "a")], expected);
        target("/a%20b?q=%41", 0);
        target("/a/../b", 0);
        target("/%00", 400);
        target("/%zz", 400);
        target("/%4", 400);
        target("/?q=%", 400);
        target("/\u{e9}", 400);
        target("*", 400);
        target(&format!("/{}", "x".repeat(MAX_URI_BYTES)), 414);
        check("OPTIONS", "*", &[("host", "a")], 200);
        check("OPTIONS", "/", &[("host", "a")], 0);
        check("TRACE", "/", &[("host", "a")], 405);
        check("CONNECT", "a:443", &[("host", "a")], 501);
    }

    #[test]
    fn framing_and_expectations() {
        let with = |headers: &[(&str, &str)], expected| {
            let all = [&[("host", "a")], headers].concat();
            check("POST", "/", &all, expected);
        };
        with(&[("transfer-encoding", "chunked")], 0);
        with(&[("transfer-encoding", "Chunked")], 0);
        with(&[("transfer-encoding", "gzip, chunked")], 501);
        with(&[("transfer-encoding", "xchunked")], 501);
        with(
            &[
                ("transfer-encoding", "chunked"),
                ("transfer-encoding", "identity"),
            ],
            400,
        );
        with(
            &[("content-length", "3"), ("transfer-encoding", "chunked")],
            400,
        );
        with(&[("content-length", "3"), ("content-length", "3")], 400);
        with(&[("expect", "100-continue")], 0);
        with(&[("expect", "200-ok")], 417);
        let old = parts(
            Version::HTTP_10,
            "POST",
            "/",
            &[("transfer-encoding", "chunked")],
        );
        assert_eq!(admit(&old), Err(StatusCode::BAD_REQUEST));
    }

    #[test]
    fn the_target_decides_the_host() {
        let check = |target: &str, headers: &[(&str, &str)], expected: &str| {
            let mut parts = parts(Version::HTTP_11, "GET", target, headers);
            assert_eq!(host(&parts), expected, "{target} {headers:?}");
            to_origin_form(&mut parts);
            assert_eq!(
                host(&parts),
                expected,
                "{target} {headers:?} in origin form"
            );
            assert!(parts.uri.authority().is_none());
        };
        check("/", &[("host", "API.Localhost:8000")], "api.localhost");
        check("/", &[("host", "api.localhost.")], "api.localhost");
        check("/", &[("host", "[::1]:80")], "[::1]");
        check("http://B:81/x?y", &[("host", "a")], "b");
        check("/", &[], "");
    }
}
