//! Another path for a request. It stays absolute and canonical, and the query stays as it was.

use std::fmt::Write as _;

use http::{HeaderName, HeaderValue, Request, Uri};
use mito_network::paths;
use regex::Regex;

/// Where a service finds the path that a client asked for.
pub(super) const REPLACED_PATH: HeaderName = HeaderName::from_static("x-replaced-path");
/// Where a service finds what was taken away in front of its paths.
pub(super) const FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// The address with another path; nothing if that leads out of where it begins (`/a/../b`) or
/// cannot be one.
pub(super) fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let path = encoded(path);
    if path.split('/').any(is_dots) {
        return None;
    }
    let path = paths::canonical(&path).ok()?;
    let target = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.into_owned(),
    };
    let target: Uri = target.parse().ok()?;
    // `//host/path` alone would be read as an authority by whoever reads it next.
    target.authority().is_none().then_some(target)
}

/// A path of the configuration in the spelling that paths of requests have; `option` is its name
/// in the error.
pub(super) fn fixed(option: &str, text: &str) -> Result<String, String> {
    let path = (!text.is_empty()).then(|| with_path(&Uri::from_static("/"), text));
    path.flatten()
        .map(|uri| uri.path().to_owned())
        .ok_or_else(|| format!("{option}: {text:?} is not a path such as /foo"))
}

/// Puts `name: value` beside what is there.
pub(super) fn note<B>(request: &mut Request<B>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        request.headers_mut().append(name, value);
    }
}

/// Notes the path that is about to be replaced; what a client says of it is not believed.
pub(super) fn note_replaced<B>(request: &mut Request<B>) {
    if let Ok(path) = HeaderValue::try_from(request.uri().path()) {
        request.headers_mut().insert(REPLACED_PATH, path);
    }
}

/// A path with its slash in front and everything encoded that may not stand in one.
pub(super) fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 1);
    if !path.starts_with('/') {
        out.push('/');
    }
    for (at, byte) in path.bytes().enumerate() {
        let stays = match byte {
            b'%' => is_escape(&path.as_bytes()[at..]),
            b'?' | b'#' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => false,
            byte => byte.is_ascii_graphic(),
        };
        if stays {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            write!(out, "%{byte:02X}").ok();
        }
    }
    out
}

fn is_escape(rest: &[u8]) -> bool {
    rest.get(1..3)
        .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

/// Whether a segment is `.` or `..`, however it is spelled.
fn is_dots(segment: &str) -> bool {
    let plain = segment.replace("%2e", ".").replace("%2E", ".");
    matches!(plain.as_str(), "." | "..")
}

/// Reads a pattern; `option` names it in the error.
pub(super) fn pattern(option: &str, text: &str) -> Result<Regex, String> {
    if text.trim().is_empty() {
        return Err(format!("{option}: it is empty; write a regular expression"));
    }
    // What nobody can see at either end would only keep it from matching.
    Regex::new(text.trim()).map_err(|error| {
        let reason = error.to_string();
        let last = reason.lines().last().unwrap_or_default();
        let last = last.strip_prefix("error: ").unwrap_or(last);
        format!("{option}: {text:?} is not a regular expression: {last}")
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{
        super::testing::{Service, context, get, send, try_layer},
        *,
    };

    #[test]
    fn paths_are_absolute_and_the_query_stays() {
        let check = |path: &str, expected: Option<&str>| {
            let uri = with_path(&Uri::from_static("/old?a=%2Fb&c"), path);
            let expected = expected.map(|path| format!("{path}?a=%2Fb&c"));
            assert_eq!(uri.map(|uri| uri.to_string()), expected, "{path}");
        };
        check("/new", Some("/new"));
        check("new", Some("/new"));
        check("", Some("/"));
        check("/a b?c#d", Some("/a%20b%3Fc%23d"));
        check("/ä%zz%41%2f", Some("/%C3%A4%25zzA%2F"));
        check("/a/../b", None);
        check("/a/%2E./b", None);
        check("/%00", None);
        check("/..a", Some("/..a"));
        assert_eq!(
            with_path(&Uri::from_static("/a"), "/b").map(|it| it.to_string()),
            Some("/b".to_owned())
        );
    }

    proptest! {
        #[test]
        fn no_middleware_leads_out_or_to_something_that_is_no_path(
            path in "/[a-z./%2eE-]{0,24}",
            replacement in "[a-z./$1%2e?#-]{0,12}",
        ) {
            let Ok(path) = paths::canonical(&path) else {
                return Ok(());
            };
            let runtime = tokio::runtime::Builder::new_current_thread().build()?;
            for config in [
                json!({"stripPrefix": {"prefixes": ["/a", "/."]}}),
                json!({"stripPrefixRegex": {"regex": ["/[a-z]+"]}}),
                json!({"addPrefix": {"prefix": "/a."}}),
                json!({"replacePathRegex": {"regex": "(.*)", "replacement": replacement}}),
                json!({"replacePathRegex": {"regex": "/([a-z]*)", "replacement": replacement}}),
            ] {
                // A fixed prefix may be one that is refused already.
                let Ok(layer) = try_layer(config) else {
                    continue;
                };
                let service = Service::new();
                let request = get(&format!("{path}?q=1"));
                let answer = runtime.block_on(send(&layer, &context(), request, &service));
                let Some(seen) = service.all().pop() else {
                    prop_assert_eq!(answer.status(), 400);
                    continue;
                };
                let seen = seen.uri.strip_suffix("?q=1").expect("the query stays").to_owned();
                prop_assert!(seen.starts_with('/'), "{}", seen);
                prop_assert!(!seen.split('/').any(is_dots), "{}", seen);
            }
        }

        #[test]
        fn no_path_becomes_anything_but_a_path(path in ".{0,60}", query in "[a-z=&]{0,8}") {
            let uri: Uri = format!("/old?{query}").parse().expect("an address");
            if let Some(uri) = with_path(&uri, &path) {
                prop_assert!(uri.path().starts_with('/'));
                prop_assert!(uri.authority().is_none() && uri.scheme().is_none());
                prop_assert_eq!(uri.query(), Some(query.as_str()));
                let spelled = paths::canonical(uri.path());
                prop_assert_eq!(spelled.as_deref(), Ok(uri.path()));
            }
        }
    }
}
