//! Identity tokens (OpenID Connect Core §3.1.3.7): signed by the provider's keys, for us, by the
//! provider that is meant, and not expired.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use serde_json::Value;

/// How far the provider's clock may be off, in seconds.
const LEEWAY_SECONDS: i64 = 60;
/// The longest token that is looked at, in bytes.
const MAX_BYTES: usize = 32 * 1024;

/// What a token must fulfil.
pub(super) struct Expected<'a> {
    /// What the provider calls us.
    pub(super) client_id: &'a str,
    /// Who may have issued it; empty means anybody.
    pub(super) issuers: &'a [String],
    /// Milliseconds since the Unix epoch.
    pub(super) now_ms: i64,
}

/// The claims of a token. Without keys the signature is not looked at: the token came from the
/// provider itself, over the connection that its code was sent by.
pub(super) fn claims(
    token: &str,
    keys: Option<&JwkSet>,
    expected: &Expected<'_>,
) -> Result<Value, String> {
    if token.len() > MAX_BYTES {
        return Err("the identity token is too long".to_owned());
    }
    let claims = match keys {
        Some(keys) => verified(token, keys)?,
        None => unverified(token)?,
    };
    check(&claims, expected)?;
    Ok(claims)
}

/// The id of the key that a token says it is signed with.
pub(super) fn key_id(token: &str) -> Option<String> {
    jsonwebtoken::decode_header(token).ok()?.kid
}

fn verified(token: &str, keys: &JwkSet) -> Result<Value, String> {
    let header = jsonwebtoken::decode_header(token).map_err(|error| error.to_string())?;
    // A key that everybody may read must never be taken for a secret.
    if matches!(
        header.alg,
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512
    ) {
        return Err("the identity token is signed with a shared secret".to_owned());
    }
    let key = match &header.kid {
        Some(kid) => keys.find(kid),
        None if keys.keys.len() == 1 => keys.keys.first(),
        None => None,
    };
    let key = key.ok_or("the provider has no key of the identity token's")?;
    let key = DecodingKey::from_jwk(key).map_err(|error| error.to_string())?;
    let mut validation = Validation::new(header.alg);
    // The clock and the audience are checked below.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let decoded = jsonwebtoken::decode::<Value>(token, &key, &validation);
    Ok(decoded.map_err(|error| error.to_string())?.claims)
}

fn unverified(token: &str) -> Result<Value, String> {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).unwrap_or_default();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload);
    let bytes = bytes.map_err(|_| "the identity token cannot be read".to_owned())?;
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

fn check(claims: &Value, expected: &Expected<'_>) -> Result<(), String> {
    let is_ours = match claims.get("aud") {
        Some(Value::String(audience)) => audience == expected.client_id,
        Some(Value::Array(audiences)) => {
            let named = audiences
                .iter()
                .any(|audience| audience == expected.client_id);
            let party = claims
                .get("azp")
                .is_none_or(|party| party == expected.client_id);
            named && party
        }
        _ => false,
    };
    if !is_ours {
        return Err("the identity token is for somebody else".to_owned());
    }
    let issuer = claims
        .get("iss")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let known = expected.issuers.is_empty() || expected.issuers.iter().any(|known| known == issuer);
    if !known {
        return Err(format!("the identity token was issued by {issuer:?}"));
    }
    let second = |name: &str| claims.get(name).and_then(Value::as_f64);
    #[expect(clippy::cast_precision_loss, reason = "seconds fit")]
    let now = (expected.now_ms / 1_000) as f64;
    #[expect(clippy::cast_precision_loss, reason = "a minute")]
    let leeway = LEEWAY_SECONDS as f64;
    let expires = second("exp").ok_or("the identity token does not expire")?;
    if expires + leeway <= now {
        return Err("the identity token has expired".to_owned());
    }
    if second("nbf").is_some_and(|begins| begins > now + leeway) {
        return Err("the identity token is not valid yet".to_owned());
    }
    Ok(())
}
