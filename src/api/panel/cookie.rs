//! The session cookie. Over HTTPS its name begins with `__Host-`, so that no other host can set it
//! (RFC 6265bis §4.1.3.2); plain HTTP, which is for localhost alone, cannot have that.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};

const PLAIN: &str = "mito_session";
const SECURE: &str = "__Host-mito_session";

fn name(scheme: &str) -> &'static str {
    if scheme == "https" { SECURE } else { PLAIN }
}

/// The cookie's value, if the request has exactly one such cookie. Two mean that somebody has
/// planted one.
pub(crate) fn read(headers: &HeaderMap, scheme: &str) -> Option<String> {
    let name = name(scheme);
    let mut values = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(given, _)| *given == name)
        .map(|(_, value)| value);
    let value = values.next().filter(|value| !value.is_empty())?;
    values.next().is_none().then(|| value.to_owned())
}

/// `Set-Cookie` with a session's token.
pub(crate) fn set(token: &str, scheme: &str, lives: Duration) -> Option<HeaderValue> {
    write(token, scheme, lives.as_secs())
}

/// `Set-Cookie` that takes the cookie away.
pub(crate) fn clear(scheme: &str) -> Option<HeaderValue> {
    write("", scheme, 0)
}

fn write(value: &str, scheme: &str, max_age_seconds: u64) -> Option<HeaderValue> {
    let name = name(scheme);
    let secure = if scheme == "https" { "; Secure" } else { "" };
    HeaderValue::from_str(&format!(
        "{name}={value}; Path=/; Max-Age={max_age_seconds}; HttpOnly; SameSite=Strict{secure}"
    ))
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_of_the_scheme_is_read() {
        let check = |cookies: &[&str], scheme: &str, expected: Option<&str>| {
            let mut headers = HeaderMap::new();
            for cookie in cookies {
                headers.append(header::COOKIE, cookie.parse().unwrap());
            }
            assert_eq!(
                read(&headers, scheme).as_deref(),
                expected,
                "{cookies:?} {scheme}"
            );
        };
        check(&["a=b; mito_session=t"], "http", Some("t"));
        check(&["mito_session=t"], "https", None);
        check(&["__Host-mito_session=t"], "https", Some("t"));
        check(&["__Host-mito_session=t"], "http", None);
        check(&["mito_session=a; mito_session=b"], "http", None);
        check(&["mito_session=a", "mito_session=b"], "http", None);
        check(&["mito_session="], "http", None);
        check(&["mito_session"], "http", None);
        check(&[], "http", None);
    }

    #[test]
    fn attributes() {
        let set = |scheme| set("t", scheme, Duration::from_secs(9)).unwrap();
        assert_eq!(
            set("http"),
            "mito_session=t; Path=/; Max-Age=9; HttpOnly; SameSite=Strict"
        );
        assert_eq!(
            set("https"),
            "__Host-mito_session=t; Path=/; Max-Age=9; HttpOnly; SameSite=Strict; Secure"
        );
    }
}
