//! Tokens: JWTs (HS256) that PocketBase's clients can read, keys derived for each purpose, and
//! hashes of what is stored only as a hash.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{Error, Records, accounts::purpose::Purpose};

/// The most tokens whose good signatures are remembered.
const MAX_VERIFIED: usize = 10_000;
/// The longest token that is looked at, in bytes.
const MAX_TOKEN_BYTES: usize = 4_096;

/// What a token says. The names are PocketBase's, with the session's id and the token's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Claims {
    /// The account's record.
    pub(crate) id: String,
    /// Always `auth`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) collection_id: String,
    /// Seconds since the Unix epoch.
    pub(crate) exp: i64,
    pub(crate) refreshable: bool,
    /// The session.
    pub(crate) sid: String,
    /// Which of the session's tokens this is.
    pub(crate) jti: String,
}

impl Claims {
    pub(crate) fn has_expired(&self, now_ms: i64) -> bool {
        self.exp.saturating_mul(1_000) <= now_ms
    }
}

/// What a token that is good for one thing says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PurposeClaims {
    pub(crate) collection_id: String,
    /// The address that it was made for; of another purpose when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    /// Seconds since the Unix epoch.
    pub(crate) exp: i64,
    /// The account's record.
    pub(crate) id: String,
    /// The address that the account is to get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) new_email: Option<String>,
    /// Whether an `auth` token of another installation may be exchanged for a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refreshable: Option<bool>,
    /// What it is good for.
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

impl PurposeClaims {
    pub(crate) fn has_expired(&self, now_ms: i64) -> bool {
        self.exp.saturating_mul(1_000) <= now_ms
    }
}

/// What a token says, whoever signed it: only good for finding the key to check it with.
pub(crate) fn peek(token: &str) -> Option<PurposeClaims> {
    if token.len() > MAX_TOKEN_BYTES {
        return None;
    }
    let mut parts = token.split('.');
    let (Some(_), Some(payload), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

/// Whether a token was signed with this key (HS256), expired or not.
pub(crate) fn is_signed_with(token: &str, key: &str) -> bool {
    is_signed(token, key.as_bytes())
}

fn is_signed(token: &str, key: &[u8]) -> bool {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.validate_aud = false;
    token.len() <= MAX_TOKEN_BYTES
        && jsonwebtoken::decode::<PurposeClaims>(token, &DecodingKey::from_secret(key), &validation)
            .is_ok()
}

/// Keys of the platform's tokens, derived from the one secret so that none serves two purposes.
pub(crate) struct Keys {
    encoding: EncodingKey,
    decoding: DecodingKey,
    csrf: [u8; 32],
    purposes: [u8; 32],
    codes: [u8; 32],
    /// Tokens that were verified, since a client sends the same one with every request.
    verified: Mutex<HashMap<String, Arc<Claims>>>,
}

impl Keys {
    pub(crate) fn new(secret: &SecretString) -> Self {
        let session = derive(secret, b"mito session token");
        Self {
            encoding: EncodingKey::from_secret(&session),
            decoding: DecodingKey::from_secret(&session),
            csrf: derive(secret, b"mito csrf token"),
            purposes: derive(secret, b"mito single-purpose token"),
            codes: derive(secret, b"mito one-time password"),
            verified: Mutex::default(),
        }
    }

    /// Signs claims.
    pub(crate) fn sign(&self, claims: &Claims) -> Result<String, Error> {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.encoding)
            .map_err(|error| Error::Internal(format!("a token cannot be signed: {error}")))
    }

    /// Signs claims for one purpose. `own` is what the key has of the account and its collection.
    pub(crate) fn sign_for(
        &self,
        purpose: Purpose,
        own: &str,
        claims: &PurposeClaims,
    ) -> Result<String, Error> {
        let key = EncodingKey::from_secret(&self.purpose_key(purpose, own));
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key)
            .map_err(|error| Error::Internal(format!("a token cannot be signed: {error}")))
    }

    /// Whether [`Keys::sign_for`] has signed the token.
    pub(crate) fn is_signed_for(&self, purpose: Purpose, own: &str, token: &str) -> bool {
        is_signed(token, &self.purpose_key(purpose, own))
    }

    fn purpose_key(&self, purpose: Purpose, own: &str) -> [u8; 32] {
        mac(
            &self.purposes,
            format!("{}\n{own}", purpose.name()).as_bytes(),
        )
    }

    /// What is stored of a one-time password: few digits, so that a plain hash would tell them to
    /// whoever reads the database.
    pub(crate) fn code_hash(&self, code: &str) -> String {
        hex::encode(mac(&self.codes, code.as_bytes()))
    }

    /// [`Keys::verify`] for the tokens of requests: a signature is computed once.
    pub(crate) fn verify_again(&self, token: &str) -> Option<Arc<Claims>> {
        let verified = || self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = verified().get(token) {
            return Some(Arc::clone(known));
        }
        let claims = Arc::new(self.verify(token)?);
        let mut verified = verified();
        // A full table begins anew, which costs each client one more signature.
        if verified.len() >= MAX_VERIFIED {
            verified.clear();
        }
        verified.insert(token.to_owned(), Arc::clone(&claims));
        Some(claims)
    }

    /// The claims of a token with a good signature, whether expired or not: the clock is the
    /// caller's.
    pub(crate) fn verify(&self, token: &str) -> Option<Claims> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        validation.validate_aud = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &validation)
            .ok()?
            .claims;
        (claims.kind == "auth").then_some(claims)
    }
}

/// The key that secrets of settings are sealed with.
pub(crate) fn settings_key(secret: &SecretString) -> [u8; 32] {
    derive(secret, b"mito settings secrets")
}

fn derive(secret: &SecretString, purpose: &[u8]) -> [u8; 32] {
    mac(secret.expose_secret().as_bytes(), purpose)
}

fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length (RFC 2104 §2)");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// What is stored of a secret that has enough entropy not to need a slow hash.
pub(crate) fn fingerprint(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// Whether two texts are the same, in time that does not tell where they differ.
pub(crate) fn same(left: &str, right: &str) -> bool {
    left.as_bytes().ct_eq(right.as_bytes()).into()
}

impl Records {
    /// The CSRF token of a session (its id), or of a page that has none yet.
    pub fn csrf_token(&self, session: &str) -> String {
        URL_SAFE_NO_PAD.encode(mac(&self.inner.keys.csrf, session.as_bytes()))
    }

    /// The session that a token of ours names, whether or not it still lives: good for telling
    /// sessions apart, not for letting anybody in.
    pub fn named_session(&self, token: &str) -> Option<String> {
        self.inner.keys.verify(token).map(|claims| claims.sid)
    }

    /// Whether `token` is the CSRF token of the session.
    pub fn is_csrf_token(&self, session: &str, token: &str) -> bool {
        same(&self.csrf_token(session), token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims {
            id: "abc".to_owned(),
            kind: "auth".to_owned(),
            collection_id: "c".to_owned(),
            exp: 1,
            refreshable: true,
            sid: "s".to_owned(),
            jti: "j".to_owned(),
        }
    }

    #[test]
    fn only_own_tokens_of_the_right_kind_are_read() {
        let keys = Keys::new(&SecretString::from("secret"));
        let token = keys.sign(&claims()).unwrap();
        assert_eq!(keys.verify(&token), Some(claims()));
        assert_eq!(Keys::new(&SecretString::from("other")).verify(&token), None);
        let other = Claims {
            kind: "file".to_owned(),
            ..claims()
        };
        assert_eq!(keys.verify(&keys.sign(&other).unwrap()), None);
        for altered in [
            "",
            "a.b.c",
            &token[1..],
            &token[..token.len() - 1],
            &"x".repeat(9_999),
        ] {
            assert_eq!(keys.verify(altered), None);
        }
    }

    #[test]
    fn unsigned_tokens_are_refused() {
        let keys = Keys::new(&SecretString::from("secret"));
        let token = keys.sign(&claims()).unwrap();
        let payload = token.split('.').nth(1).unwrap();
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        assert_eq!(keys.verify(&format!("{header}.{payload}.")), None);
    }
}
