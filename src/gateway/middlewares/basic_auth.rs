//! `basicAuth`: name and password, checked against hashes as htpasswd writes them. Hashing is slow
//! on purpose, so it runs beside the requests, few at a time, and what was right is remembered.

mod hashes;
mod workers;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use mito_network::Problem;

use super::{
    answers,
    chain::{Context, Layer, Next, User},
    kept::Kept,
};
use crate::dynamic::middlewares::BasicAuth as Options;
use hashes::Hash;
use workers::Workers;

/// What browsers show if nothing else was said, as in Traefik.
const REALM: &str = "traefik";
/// The longest password that is looked at, in bytes.
const MAX_PASSWORD_BYTES: usize = 1_024;
/// The largest file of users, in bytes.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Who may sign in, and how it is asked.
pub(super) struct BasicAuth {
    users: HashMap<String, Hash>,
    challenge: HeaderValue,
    remove_header: bool,
    header_field: Option<HeaderName>,
    workers: Arc<Workers>,
    /// The key under which passwords are remembered.
    key: [u8; 32],
    /// The last right password of each user, by a keyed hash.
    remembered: Mutex<HashMap<String, blake3::Hash>>,
}

/// What a client says of itself.
struct Credentials {
    name: String,
    password: String,
}

impl BasicAuth {
    pub(super) fn build(options: &Options, kept: &Kept) -> Result<Self, String> {
        let mut users = HashMap::new();
        if !options.users_file.is_empty() {
            read_file(&options.users_file, &mut users)?;
        }
        for (at, line) in options.users.iter().enumerate() {
            let (name, hash) = read_user(line).map_err(|error| format!("users[{at}]: {error}"))?;
            users.insert(name, hash);
        }
        if users.is_empty() {
            let error = "users: there is none, so nobody could sign in; add `htpasswd -nB name`";
            return Err(error.to_owned());
        }
        let realm = match options.realm.as_str() {
            "" => REALM,
            realm => realm,
        };
        let quoted = realm.replace('\\', "\\\\").replace('"', "\\\"");
        let challenge = HeaderValue::try_from(format!("Basic realm=\"{quoted}\""))
            .map_err(|_| format!("realm: {realm:?} cannot stand in a header"))?;
        Ok(Self {
            users,
            challenge,
            remove_header: options.remove_header,
            header_field: header_field(&options.header_field)?,
            workers: kept.or_new("", &"workers of basicAuth", Workers::new),
            key: kept.random.bytes(),
            remembered: Mutex::default(),
        })
    }

    /// Whether they are right; nothing if too many wait to know that.
    async fn verify(&self, credentials: &Credentials) -> Option<bool> {
        if credentials.password.len() > MAX_PASSWORD_BYTES {
            return Some(false);
        }
        let known = self.users.get(&credentials.name);
        let keyed = blake3::keyed_hash(&self.key, credentials.password.as_bytes());
        // Compares in constant time.
        if known.is_some() && self.remembered(&credentials.name) == Some(keyed) {
            return Some(true);
        }
        // A name that nobody has takes as long as one that somebody has.
        let hash = known.or_else(|| self.users.values().next())?.clone();
        let password = credentials.password.clone();
        let fits = self.workers.run(move || hash.fits(&password)).await?;
        let right = fits && known.is_some();
        if right {
            let mut remembered = self
                .remembered
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            remembered.insert(credentials.name.clone(), keyed);
        }
        Some(right)
    }

    fn remembered(&self, name: &str) -> Option<blake3::Hash> {
        let remembered = self.remembered.lock();
        let remembered = remembered.unwrap_or_else(PoisonError::into_inner);
        remembered.get(name).copied()
    }

    fn challenge(&self) -> Response<Body> {
        let mut response = answers::plain(StatusCode::UNAUTHORIZED, "401 Unauthorized\n");
        let challenge = self.challenge.clone();
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, challenge);
        response
    }

    /// What the service sees of it.
    fn tell(&self, headers: &mut HeaderMap, name: &str) {
        if let Some(field) = &self.header_field {
            // What a client says there itself is not believed.
            headers.remove(field);
            if let Ok(name) = HeaderValue::try_from(name) {
                headers.insert(field, name);
            }
        }
        if self.remove_header {
            headers.remove(header::AUTHORIZATION);
        }
    }
}

impl Layer for BasicAuth {
    fn handle<'a>(
        &'a self,
        context: &'a Context,
        mut request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async move {
            let Some(credentials) = read_credentials(request.headers()) else {
                return self.challenge();
            };
            match self.verify(&credentials).await {
                Some(true) => {}
                Some(false) => return self.challenge(),
                None => {
                    let detail = "Too many passwords are being checked. Try again in a moment.";
                    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail);
                    return context.reader.answer(problem.retry_after(1));
                }
            }
            self.tell(request.headers_mut(), &credentials.name);
            let mut response = next.run(request).await;
            response
                .extensions_mut()
                .insert(User(credentials.name.into()));
            response
        })
    }
}

fn read_credentials(headers: &HeaderMap) -> Option<Credentials> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode(encoded.trim()).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (name, password) = decoded.split_once(':')?;
    Some(Credentials {
        name: name.to_owned(),
        password: password.to_owned(),
    })
}

/// Reads `name:hash`. The error shows neither.
fn read_user(line: &str) -> Result<(String, Hash), String> {
    let Some((name, hash)) = line.trim().split_once(':') else {
        return Err("it is not name:hash as `htpasswd -nB name` prints it".to_owned());
    };
    if name.is_empty() {
        return Err("the name before the colon is empty".to_owned());
    }
    Ok((name.to_owned(), Hash::parse(hash)?))
}

fn read_file(path: &str, users: &mut HashMap<String, Hash>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("usersFile: {path}: {error}");
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > MAX_FILE_BYTES {
        return Err(format!("usersFile: {path}: it is larger than 4 MiB"));
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    for (at, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, hash) = read_user(line)
            .map_err(|error| format!("usersFile: {path}, line {}: {error}", at + 1))?;
        users.insert(name, hash);
    }
    Ok(())
}

#[cfg(test)]
mod tests;

/// The header that tells the service who came in, if `headerField` names one.
pub(super) fn header_field(name: &str) -> Result<Option<HeaderName>, String> {
    if name.is_empty() {
        return Ok(None);
    }
    let header = name.parse().map(Some);
    header.map_err(|_| format!("headerField: {name:?} is not the name of a header"))
}
