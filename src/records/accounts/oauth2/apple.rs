//! Apple's client secrets: tokens that are signed with the developer's key and live half a year at
//! most.

use std::sync::LazyLock;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use regex::Regex;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use crate::{Error, FieldError, Records, error::FieldErrors};

/// Who the secrets are for, and where Apple's keys are.
pub(super) const ISSUER: &str = "https://appleid.apple.com";
pub(super) const KEYS: &str = "https://appleid.apple.com/auth/keys";
/// The longest that a secret may live, in seconds.
const MAX_DURATION: i64 = 15_777_000;
/// Characters of the ids of teams and keys.
const ID_LENGTH: usize = 10;

static PRIVATE_KEY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?s)-----BEGIN PRIVATE KEY-----.+-----END PRIVATE KEY-----")
        .expect("the expression is valid")
});

/// What a secret is made of.
#[derive(Debug)]
pub struct AppleSecret {
    /// The id of the service.
    pub client_id: String,
    /// The id of the team.
    pub team_id: String,
    /// The id of the key.
    pub key_id: String,
    /// The key (PEM).
    pub private_key: SecretString,
    /// How long the secret lives, in seconds.
    pub duration: i64,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: [&'a str; 1],
    exp: i64,
    iat: i64,
}

impl Records {
    /// A client secret for Apple.
    pub fn apple_secret(&self, wanted: &AppleSecret) -> Result<String, Error> {
        check(wanted)?;
        let now = self.inner.clock.now_ms() / 1_000;
        let claims = Claims {
            iss: &wanted.team_id,
            sub: &wanted.client_id,
            aud: [ISSUER],
            exp: now + wanted.duration,
            iat: now,
        };
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(wanted.key_id.clone());
        let pem = wanted.private_key.expose_secret().trim();
        EncodingKey::from_ec_pem(pem.as_bytes())
            .and_then(|key| jsonwebtoken::encode(&header, &claims, &key))
            .map_err(|error| {
                Error::Invalid(format!(
                    "Failed to generate client secret. Raw error: \n{error}."
                ))
            })
    }
}

fn check(wanted: &AppleSecret) -> Result<(), Error> {
    let mut errors = FieldErrors::new();
    let exactly = |text: &str| match text.chars().count() {
        0 => Some(FieldError::required()),
        ID_LENGTH => None,
        _ => {
            let message = format!("The length must be exactly {ID_LENGTH}.");
            let mut error = FieldError::new("validation_length_invalid", message);
            error.params = Some(serde_json::json!({"max": ID_LENGTH, "min": ID_LENGTH}));
            Some(error)
        }
    };
    let key = match wanted.private_key.expose_secret() {
        "" => Some(FieldError::required()),
        key if PRIVATE_KEY.is_match(key) => None,
        _ => Some(FieldError::new(
            "validation_match_invalid",
            "Must be in a valid format.",
        )),
    };
    let duration = match wanted.duration {
        0 => Some(FieldError::required()),
        ..0 => Some(threshold(
            "validation_min_greater_equal_than_required",
            "less",
            1,
        )),
        1..=MAX_DURATION => None,
        _ => Some(threshold(
            "validation_max_less_equal_than_required",
            "greater",
            MAX_DURATION,
        )),
    };
    let client = wanted.client_id.is_empty().then(FieldError::required);
    for (name, error) in [
        ("clientId", client),
        ("teamId", exactly(&wanted.team_id)),
        ("keyId", exactly(&wanted.key_id)),
        ("privateKey", key),
        ("duration", duration),
    ] {
        errors.extend(error.map(|error| (name.to_owned(), error)));
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Error::Fields(errors))
    }
}

fn threshold(code: &'static str, than: &str, limit: i64) -> FieldError {
    FieldError::new(code, format!("Must be no {than} than {limit}.")).with("threshold", limit)
}
