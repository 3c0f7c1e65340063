//! The row that settings are kept in. Secrets are sealed (AES-256-GCM) with a key derived from the
//! platform's secret, so that a copy of the database alone does not hold the mail server's password.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use mito_core::Random;
use mito_database::Tx;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde_json::{Map, Value, json};

use super::{Settings, patch::each_secret};
use crate::Error;

/// The one row.
const ROW: &str = "settings";
/// Begins a sealed secret; no secret that is typed begins so by accident.
const SEALED: &str = "\u{1}sealed:";

/// Seals and opens the secrets of settings.
pub(crate) struct Sealer {
    key: LessSafeKey,
    random: Random,
}

impl Sealer {
    pub(crate) fn new(key: &[u8; 32], random: Random) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key).expect("AES-256 takes keys of 32 bytes");
        Self {
            key: LessSafeKey::new(key),
            random,
        }
    }

    fn seal(&self, secret: &str) -> Result<String, Error> {
        // A key sees a few changes of settings; 96 random bits never repeat among those.
        let nonce: [u8; NONCE_LEN] = self.random.bytes();
        let mut sealed = secret.as_bytes().to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(ROW.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| Error::Internal("a secret cannot be sealed".to_owned()))?;
        let whole: Vec<u8> = nonce.into_iter().chain(sealed).collect();
        Ok(format!("{SEALED}{}", STANDARD_NO_PAD.encode(whole)))
    }

    /// The secret; none if it was sealed with another key or is damaged.
    fn open(&self, stored: &str) -> Option<String> {
        let Some(sealed) = stored.strip_prefix(SEALED) else {
            return Some(stored.to_owned());
        };
        let mut whole = STANDARD_NO_PAD.decode(sealed).ok()?;
        let (nonce, sealed) = whole.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let opened = self
            .key
            .open_in_place(nonce, Aad::from(ROW.as_bytes()), sealed)
            .ok()?;
        String::from_utf8(opened.to_vec()).ok()
    }
}

/// The stored settings; the defaults if there are none yet.
pub(super) fn load(tx: &mut Tx<'_>, sealer: &Sealer) -> Result<Settings, Error> {
    let row = tx.query_one(
        "SELECT value FROM _mito_records_settings WHERE id = $1",
        &[&ROW],
    )?;
    let Some(row) = row else {
        return Ok(Settings::default());
    };
    let unreadable =
        |error: serde_json::Error| Error::Internal(format!("the settings are damaged: {error}"));
    let text: String = row.get("value")?;
    let mut value: Value = serde_json::from_str(&text).map_err(unreadable)?;
    each_secret(&mut value, &mut |members, name| {
        change(members, name, |stored| {
            Ok(sealer.open(stored).unwrap_or_else(|| {
                tracing::warn!(
                    setting = name,
                    "a secret of the settings was sealed with another jwt_secret; set it again"
                );
                String::new()
            }))
        })
    })?;
    serde_json::from_value(value).map_err(unreadable)
}

/// Replaces the stored settings.
pub(super) fn save(tx: &mut Tx<'_>, sealer: &Sealer, settings: &Settings) -> Result<(), Error> {
    let mut value = json!(settings);
    each_secret(&mut value, &mut |members, name| {
        change(members, name, |secret| sealer.seal(secret))
    })?;
    let (text, now_ms) = (value.to_string(), tx.now_ms());
    tx.execute(
        "INSERT INTO _mito_records_settings (id, value, updated_ms) VALUES ($1, $2, $3) \
         ON CONFLICT (id) DO UPDATE SET value = excluded.value, updated_ms = excluded.updated_ms",
        &[&ROW, &text, &now_ms],
    )?;
    Ok(())
}

/// Replaces a secret that is set.
fn change(
    members: &mut Map<String, Value>,
    name: &str,
    work: impl FnOnce(&str) -> Result<String, Error>,
) -> Result<(), Error> {
    if let Some(Value::String(secret)) = members.get_mut(name)
        && !secret.is_empty()
    {
        *secret = work(secret)?;
    }
    Ok(())
}
