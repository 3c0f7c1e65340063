//! Cookies that keep a client with the server, or the part of a service, that it met first.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderValue, header};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::dynamic::document::{Cookie, Sticky};

/// How many hexadecimal digits of a hash stand for a server.
const DIGITS: usize = 16;

/// How a service keeps its clients.
#[derive(Clone, Debug)]
pub(crate) struct StickyCookie {
    name: String,
    attributes: String,
}

impl StickyCookie {
    /// Reads the options of the service of that name; the error says which is wrong.
    pub(crate) fn new(service: &str, options: &Sticky) -> Result<Option<Self>, String> {
        let Some(cookie) = &options.cookie else {
            return Ok(None);
        };
        let name = match cookie.name.as_str() {
            // Traefik's default: it does not tell the name of the service.
            "" => {
                let hash = Sha1::digest(format!("_TRAEFIK_BACKEND_{service}"));
                format!("_{}", &hex::encode(hash)[..5])
            }
            name => name.to_owned(),
        };
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if !name.bytes().all(is_token) {
            return Err(format!(
                "sticky.cookie.name: {name:?} is no name of a cookie"
            ));
        }
        Ok(Some(Self {
            name,
            attributes: attributes(cookie)?,
        }))
    }

    /// What the client's cookie says.
    pub(crate) fn read<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        headers
            .get_all(header::COOKIE)
            .into_iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, _)| *name == self.name)
            .map(|(_, value)| value)
    }

    /// Lets the client come back to where it was.
    pub(crate) fn set(&self, headers: &mut HeaderMap, to: &str) {
        let cookie = format!("{}={to}{}", self.name, self.attributes);
        if let Ok(cookie) = HeaderValue::try_from(cookie) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
}

/// What stands for a server in cookies: nobody learns its address.
pub(crate) fn mark(server: &str) -> String {
    let mut mark = hex::encode(Sha256::digest(server));
    mark.truncate(DIGITS);
    mark
}

fn attributes(cookie: &Cookie) -> Result<String, String> {
    let mut attributes = String::new();
    let plain = |name: &str, text: &str| {
        let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b';' && byte != b',';
        if text.bytes().all(allowed) {
            return Ok(());
        }
        Err(format!(
            "sticky.cookie.{name}: {text:?} cannot stand in a cookie"
        ))
    };
    let path = cookie.path.as_deref().unwrap_or("/");
    plain("path", path)?;
    plain("domain", &cookie.domain)?;
    let _ = write!(attributes, "; Path={path}");
    if !cookie.domain.is_empty() {
        let _ = write!(attributes, "; Domain={}", cookie.domain);
    }
    match cookie.max_age {
        None | Some(0) => {}
        Some(seconds) => {
            let _ = write!(attributes, "; Max-Age={}", seconds.max(0));
        }
    }
    if cookie.http_only {
        attributes.push_str("; HttpOnly");
    }
    if cookie.secure {
        attributes.push_str("; Secure");
    }
    attributes.push_str(match cookie.same_site.to_ascii_lowercase().as_str() {
        "" => "",
        "none" => "; SameSite=None",
        "lax" => "; SameSite=Lax",
        "strict" => "; SameSite=Strict",
        other => {
            return Err(format!(
                "sticky.cookie.sameSite: {other:?} is none of none, lax and strict"
            ));
        }
    });
    Ok(attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_say_which_server() {
        let options = Sticky {
            cookie: Some(Cookie {
                name: "lb".to_owned(),
                secure: true,
                same_site: "Lax".to_owned(),
                max_age: Some(60),
                ..Cookie::default()
            }),
        };
        let cookie = StickyCookie::new("shop@file", &options).unwrap().unwrap();
        let mut headers = HeaderMap::new();
        cookie.set(&mut headers, &mark("http://a"));
        let set = headers[header::SET_COOKIE].to_str().unwrap().to_owned();
        assert!(
            set.ends_with("; Path=/; Max-Age=60; Secure; SameSite=Lax"),
            "{set}"
        );
        let pair = format!("x=1; {}", set.split(';').next().unwrap());
        headers.insert(header::COOKIE, pair.parse().unwrap());
        assert_eq!(cookie.read(&headers), Some(mark("http://a").as_str()));
        assert_ne!(mark("http://a"), mark("http://b"));
    }

    #[test]
    fn options_that_cannot_be_are_told() {
        let with = |cookie: Cookie| {
            let options = Sticky {
                cookie: Some(cookie),
            };
            StickyCookie::new("shop@file", &options).map(|cookie| cookie.unwrap().name)
        };
        let unnamed = with(Cookie::default()).unwrap();
        assert_eq!(unnamed.len(), 6, "{unnamed}");
        let named = |name: &str| Cookie {
            name: name.to_owned(),
            ..Cookie::default()
        };
        assert!(
            with(named("a b"))
                .unwrap_err()
                .contains("sticky.cookie.name")
        );
        let site = Cookie {
            same_site: "x".to_owned(),
            ..Cookie::default()
        };
        assert!(with(site).unwrap_err().contains("sameSite"));
        let path = Cookie {
            path: Some("/;x".to_owned()),
            ..Cookie::default()
        };
        assert!(with(path).unwrap_err().contains("path"));
    }
}
