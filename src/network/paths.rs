//! The one spelling of a path that is matched and forwarded: unreserved characters decoded,
//! escapes in upper case, dot segments resolved, `\` escaped, which servers elsewhere take for `/`.
//! Reserved characters stay as they came, and `//`
//! stays too, because an object's key may hold it.

use std::borrow::Cow;

use http::Uri;

/// Why a request target is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The target does not begin with a slash.
    #[error("the path does not begin with /")]
    NotAbsolute,
    /// A percent sign without two hexadecimal digits.
    #[error("the path holds a % that is not followed by two hexadecimal digits")]
    Escape,
    /// An escaped NUL.
    #[error("the path holds a NUL byte")]
    Nul,
    /// It is too long to be spelled anew.
    #[error("it cannot be read")]
    Unreadable,
}

/// The address with the canonical spelling of its path, where that is another one. The address has
/// no authority.
pub fn respelled(uri: &Uri) -> Result<Option<Uri>, PathError> {
    let path = canonical(uri.path())?;
    if path == uri.path() {
        return Ok(None);
    }
    let spelled = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.into_owned(),
    };
    let spelled = spelled.parse().map_err(|_| PathError::Unreadable)?;
    Ok(Some(spelled))
}

/// The canonical spelling of `path`.
pub fn canonical(path: &str) -> Result<Cow<'_, str>, PathError> {
    if !path.starts_with('/') {
        return Err(PathError::NotAbsolute);
    }
    let decoded = if path.contains(['%', '\\']) {
        Cow::Owned(decode(path)?.replace('\\', "%5C"))
    } else {
        Cow::Borrowed(path)
    };
    if decoded
        .split('/')
        .any(|segment| segment == "." || segment == "..")
    {
        return Ok(Cow::Owned(resolve(&decoded)));
    }
    Ok(decoded)
}

/// The canonical path as rules see it, which is how Traefik does: everything is decoded but reserved
/// characters (RFC 3986 §2.2) and `%` itself. What is no UTF-8 stays as it is.
pub fn routed(canonical: &str) -> Cow<'_, str> {
    if !canonical.contains('%') {
        return Cow::Borrowed(canonical);
    }
    let mut out = Vec::with_capacity(canonical.len());
    let mut rest = canonical.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, ..] => std::str::from_utf8(&[*high, *low])
                .ok()
                .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                .filter(|byte| !b":/?#[]@!$&'()*+,;=%".contains(byte)),
            _ => None,
        };
        out.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &rest[3..] } else { after };
    }
    String::from_utf8(out).map_or(Cow::Borrowed(canonical), Cow::Owned)
}

/// Decodes unreserved characters (RFC 3986 §2.3) and upper-cases what stays encoded.
fn decode(path: &str) -> Result<String, PathError> {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let digits = rest.get(at + 1..at + 3).ok_or(PathError::Escape)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(PathError::Escape);
        }
        let byte = u8::from_str_radix(digits, 16).map_err(|_| PathError::Escape)?;
        match byte {
            0 => return Err(PathError::Nul),
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                out.push(char::from(byte));
            }
            _ => {
                out.push('%');
                out.push_str(&digits.to_ascii_uppercase());
            }
        }
        rest = &rest[at + 3..];
    }
    out.push_str(rest);
    Ok(out)
}

/// Removes dot segments (RFC 3986 §5.2.4) from a path that begins with `/`.
fn resolve(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    let mut ends_open = false;
    for segment in path[1..].split('/') {
        ends_open = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => {
                segments.pop();
            }
            plain => segments.push(plain),
        }
    }
    let mut out = format!("/{}", segments.join("/"));
    if ends_open && !out.ends_with('/') {
        out.push('/');
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{PathError, canonical, routed};

    #[track_caller]
    fn check(path: &str, expected: Result<&str, PathError>) {
        assert_eq!(
            canonical(path).as_deref(),
            expected.as_ref().map(|path| *path),
            "{path}"
        );
    }

    #[test]
    fn paths_have_one_spelling() {
        check("/", Ok("/"));
        check("/a/b", Ok("/a/b"));
        check("/%61%2e%2D%7e", Ok("/a.-~"));
        check("/a%2fb", Ok("/a%2Fb"));
        check("/a%20b%25", Ok("/a%20b%25"));
        check("/a/../b", Ok("/b"));
        check("/a/%2e%2e/b", Ok("/b"));
        check("/a/.%2E/../../b", Ok("/b"));
        check("/a/..", Ok("/"));
        check("/a/b/.", Ok("/a/b/"));
        check("/a//b/", Ok("/a//b/"));
        check("/..a/b..", Ok("/..a/b.."));
        check("/a\\..\\b%5c", Ok("/a%5C..%5Cb%5C"));
        assert_eq!(routed("/caf%C3%A9/a%20b"), "/café/a b");
        assert_eq!(routed("/a%2Fb%25%3B%5C"), "/a%2Fb%25%3B\\");
        assert_eq!(routed("/%C3/%E2%82"), "/%C3/%E2%82");
        check("a", Err(PathError::NotAbsolute));
        check("*", Err(PathError::NotAbsolute));
        check("/%", Err(PathError::Escape));
        check("/%4", Err(PathError::Escape));
        check("/%zz", Err(PathError::Escape));
        check("/%+1", Err(PathError::Escape));
        check("/%00", Err(PathError::Nul));
        check("/%ü", Err(PathError::Escape));
    }

    proptest! {
        #[test]
        fn canonical_paths_stay_as_they_are(path in "/[a./%0-9A-Fa-f]{0,24}") {
            if let Ok(once) = canonical(&path) {
                let again = canonical(&once);
                prop_assert_eq!(again.as_deref(), Ok(&*once));
                prop_assert!(!once.split('/').any(|segment| segment == ".."));
            }
        }
    }
}
