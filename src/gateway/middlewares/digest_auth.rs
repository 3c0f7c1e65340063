//! `digestAuth`: name and password by challenge and response (RFC 7616 with MD5, as Traefik speaks
//! it). MD5 is what clients of this old scheme know; basicAuth by HTTPS is better.

mod nonces;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc, time::Instant};

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;

use super::{
    answers,
    basic_auth::header_field,
    chain::{Context, Layer, Next, User},
    kept::Kept,
};
use crate::dynamic::middlewares::DigestAuth as Options;
use nonces::{Nonces, Seen};

/// What browsers show if nothing else was said, as in Traefik.
const REALM: &str = "traefik";
/// The largest file of users, in bytes.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;
/// The longest header of credentials that is looked at, in bytes.
const MAX_HEADER_BYTES: usize = 4 * 1024;

/// Who may sign in, and how it is asked.
pub(super) struct DigestAuth {
    /// The hashes of this realm by names, in lower-case hexadecimal digits.
    users: HashMap<String, String>,
    realm: String,
    remove_header: bool,
    header_field: Option<HeaderName>,
    nonces: Arc<Nonces>,
}

/// Whether a client is who it says.
enum Verdict {
    Right(String),
    Wrong,
    /// It was right for a challenge that has had its time.
    Stale,
}

impl DigestAuth {
    pub(super) fn build(name: &str, options: &Options, kept: &Kept) -> Result<Self, String> {
        let realm = match options.realm.as_str() {
            "" => REALM,
            realm => realm,
        };
        if !realm.bytes().all(|it| it.is_ascii_graphic() || it == b' ')
            || realm.contains(['"', '\\'])
        {
            return Err(format!("realm: {realm:?} cannot stand in a header"));
        }
        let mut users = HashMap::new();
        let mut add = |line: &str| {
            let (name, of_realm, hash) = read_user(line)?;
            if of_realm == realm {
                users.insert(name, hash);
            }
            Ok::<_, String>(())
        };
        for line in read_file(&options.users_file)?.lines() {
            if !line.trim().is_empty() && !line.starts_with('#') {
                add(line).map_err(|error| format!("usersFile: {}: {error}", options.users_file))?;
            }
        }
        for (at, line) in options.users.iter().enumerate() {
            add(line).map_err(|error| format!("users[{at}]: {error}"))?;
        }
        if users.is_empty() {
            return Err(format!(
                "users: there is none of the realm {realm:?}, so nobody could sign in"
            ));
        }
        Ok(Self {
            users,
            realm: realm.to_owned(),
            remove_header: options.remove_header,
            header_field: header_field(&options.header_field)?,
            nonces: kept.or_new(name, options, || Nonces::new(kept.random.clone())),
        })
    }

    fn judge(&self, request: &Request<Body>) -> Verdict {
        let Some(told) = request.headers().get(header::AUTHORIZATION) else {
            return Verdict::Wrong;
        };
        let told = told.to_str().ok().filter(|it| it.len() <= MAX_HEADER_BYTES);
        let Some(told) = told.and_then(parameters) else {
            return Verdict::Wrong;
        };
        let get = |name: &str| told.get(name).map_or("", String::as_str);
        let is_md5 = matches!(get("algorithm"), "" | "MD5");
        let target = request.uri().path_and_query().map_or("/", |it| it.as_str());
        let Some(first) = self.users.get(get("username")) else {
            return Verdict::Wrong;
        };
        if !is_md5 || get("qop") != "auth" || get("uri") != target {
            return Verdict::Wrong;
        }
        let second = hash(&[request.method().as_str(), get("uri")]);
        let parts = [
            first,
            get("nonce"),
            get("nc"),
            get("cnonce"),
            "auth",
            &second,
        ];
        let expected = hash(&parts);
        if !bool::from(expected.as_bytes().ct_eq(get("response").as_bytes())) {
            return Verdict::Wrong;
        }
        let count = u64::from_str_radix(get("nc"), 16).unwrap_or(0);
        match self.nonces.use_once(get("nonce"), count, Instant::now()) {
            Seen::First => Verdict::Right(get("username").to_owned()),
            Seen::Before | Seen::Never => Verdict::Stale,
        }
    }

    fn challenge(&self, is_stale: bool) -> Response<Body> {
        let stale = if is_stale { ", stale=true" } else { "" };
        let (realm, nonce) = (&self.realm, self.nonces.issue(Instant::now()));
        let challenge = format!(
            "Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm=MD5, qop=\"auth\"{stale}"
        );
        let mut response = answers::plain(StatusCode::UNAUTHORIZED, "401 Unauthorized\n");
        if let Ok(challenge) = HeaderValue::try_from(challenge) {
            let name = header::WWW_AUTHENTICATE;
            response.headers_mut().insert(name, challenge);
        }
        response
    }
}

impl Layer for DigestAuth {
    fn handle<'a>(
        &'a self,
        _context: &'a Context,
        mut request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async move {
            let name = match self.judge(&request) {
                Verdict::Right(name) => name,
                Verdict::Wrong => return self.challenge(false),
                Verdict::Stale => return self.challenge(true),
            };
            let headers = request.headers_mut();
            if let Some(field) = &self.header_field {
                // What a client says there itself is not believed.
                headers.remove(field);
                if let Ok(name) = HeaderValue::try_from(&name) {
                    headers.insert(field, name);
                }
            }
            if self.remove_header {
                headers.remove(header::AUTHORIZATION);
            }
            let mut response = next.run(request).await;
            response.extensions_mut().insert(User(name.into()));
            response
        })
    }
}

/// MD5 of texts with colons between them.
fn hash(texts: &[&str]) -> String {
    hex::encode(Md5::digest(texts.join(":")))
}

/// Reads `Digest name="value", name=value`.
fn parameters(header: &str) -> Option<HashMap<String, String>> {
    let (scheme, mut rest) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("digest") {
        return None;
    }
    let mut found = HashMap::new();
    loop {
        rest = rest.trim_start_matches([' ', ',', '\t']);
        if rest.is_empty() {
            return Some(found);
        }
        let (name, after) = rest.split_once('=')?;
        let value = if let Some(quoted) = after.strip_prefix('"') {
            let (value, after) = quoted.split_once('"')?;
            rest = after;
            value
        } else {
            let end = after.find(',').unwrap_or(after.len());
            rest = &after[end..];
            after[..end].trim_end()
        };
        found.insert(name.trim().to_ascii_lowercase(), value.to_owned());
    }
}

/// Reads `name:realm:hash`. The error shows none of them.
fn read_user(line: &str) -> Result<(String, String, String), String> {
    let wrong = || "it is not name:realm:hash as htdigest writes it".to_owned();
    let mut parts = line.trim().split(':');
    let (Some(name), Some(realm), Some(hash), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(wrong());
    };
    if name.is_empty() || hash.len() != 32 || !hash.bytes().all(|it| it.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    Ok((name.to_owned(), realm.to_owned(), hash.to_ascii_lowercase()))
}

fn read_file(path: &str) -> Result<String, String> {
    if path.is_empty() {
        return Ok(String::new());
    }
    let failed = |error: std::io::Error| format!("usersFile: {path}: {error}");
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > MAX_FILE_BYTES {
        return Err(format!("usersFile: {path}: it is larger than 4 MiB"));
    }
    std::fs::read_to_string(path).map_err(failed)
}
