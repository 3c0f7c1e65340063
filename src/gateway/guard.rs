//! Who may look at the gateway's own API and metrics: this machine by the loopback entry point,
//! administrators everywhere.

use std::net::IpAddr;

use http::{HeaderMap, StatusCode, header};
use mito_network::{ConnectionInfo, Problem};

use crate::state::{State, is_local};

/// The session cookies of page hosts, on HTTPS and on plain HTTP.
const COOKIES: [&str; 2] = ["__Host-mito_session", "mito_session"];
/// Credentials that are tried for one request.
const MAX_CREDENTIALS: usize = 3;

/// Whether the sender of a request may look.
pub(crate) async fn may_look(
    state: &State,
    info: &ConnectionInfo,
    headers: &HeaderMap,
) -> Result<(), Problem> {
    if is_this_machine(state, info) {
        return Ok(());
    }
    for credential in credentials(headers, info.scheme).take(MAX_CREDENTIALS) {
        let identity = state.authenticator.authenticate(credential).await;
        if identity.is_some_and(|identity| identity.is_superuser()) {
            return Ok(());
        }
    }
    Err(Problem::new(
        StatusCode::UNAUTHORIZED,
        "This shows the inside of the platform: sign in as an administrator, or send a bearer \
         token of one.",
    ))
}

/// Whether the request came by the entry point `traefik` while that listens on loopback alone,
/// under a name of this machine: a web page elsewhere could let its own name resolve to loopback
/// and read the answer.
fn is_this_machine(state: &State, info: &ConnectionInfo) -> bool {
    let loopback_only = state
        .listening()
        .iter()
        .filter(|entry| entry.name == "traefik")
        .all(|entry| entry.address.ip().is_loopback());
    &*info.entrypoint == "traefik"
        && loopback_only
        && info.peer.ip().to_canonical().is_loopback()
        && is_local_name(&info.host)
}

fn is_local_name(host: &str) -> bool {
    let address = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    is_local(host) || address.is_ok_and(|address| address.is_loopback())
}

/// The bearer token and the session cookies of a request.
fn credentials<'a>(headers: &'a HeaderMap, scheme: &str) -> impl Iterator<Item = &'a str> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    // The plain name is a promise of plain-HTTP localhost; on HTTPS anybody below the domain
    // could have set it.
    let allowed = if scheme == "https" {
        &COOKIES[..1]
    } else {
        &COOKIES[..]
    };
    let cookies = headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(move |(name, _)| allowed.contains(name))
        .map(|(_, value)| value);
    bearer.into_iter().chain(cookies)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn credentials_come_from_the_bearer_and_the_right_cookies() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::AUTHORIZATION,
            HeaderValue::from_static("bearer abc"),
        );
        let cookie = "a=b; mito_session=plain; __Host-mito_session=strict";
        headers.insert(header::COOKIE, HeaderValue::from_static(cookie));
        let read = |scheme| credentials(&headers, scheme).collect::<Vec<_>>();
        assert_eq!(read("http"), ["abc", "plain", "strict"]);
        assert_eq!(read("https"), ["abc", "strict"]);
    }

    #[test]
    fn only_names_of_this_machine_are_local() {
        for host in [
            "localhost",
            "traefik.localhost",
            "127.0.0.1",
            "127.1.2.3",
            "[::1]",
        ] {
            assert!(is_local_name(host), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "10.0.0.1",
            "",
            "notlocalhost",
        ] {
            assert!(!is_local_name(host), "{host}");
        }
    }
}
