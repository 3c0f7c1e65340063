//! Single-use codes, stored as hashes: the link that creates the first administrator, and the code
//! that carries a session to another page host.

use std::time::Duration;

use mito_database::Tx;
use mito_network::Identity;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    Error, Record, Records, RequestInfo, Session,
    accounts::{count_superusers, sessions, tokens::fingerprint},
};

/// How long a set-up link works.
const SETUP_TTL: Duration = Duration::from_hours(24);
/// How long a session code works.
const SESSION_CODE_TTL: Duration = Duration::from_mins(1);
/// Expired codes deleted with each new one.
const SWEEP: i64 = 100;
/// The longest code that is looked at, in bytes.
const MAX_CODE_BYTES: usize = 256;

/// The fingerprint of a foreign token that was ended before it expired.
pub(crate) const ENDED: &str = "ended";

const SETUP: &str = "setup";
const SESSION: &str = "session";

/// Whom a code is for.
#[derive(Debug, Default)]
pub(crate) struct Target {
    collection_id: String,
    record: String,
    session: String,
}

impl Target {
    pub(crate) fn nobody() -> Self {
        Self::default()
    }
}

impl Records {
    /// A new single-use token (valid 24 h, stored hashed) that allows creating the first
    /// administrator; the previous one ends. `None` when an administrator exists.
    pub async fn new_setup_token(&self) -> Result<Option<SecretString>, Error> {
        let token = self.inner.random.token();
        let hash = fingerprint(&token);
        let store = move |tx: &mut Tx<'_>| {
            if count_superusers(tx)? > 0 {
                return Ok(false);
            }
            tx.execute(
                "DELETE FROM _mito_records_codes WHERE purpose = $1",
                &[&SETUP],
            )?;
            insert(tx, SETUP, &hash, &Target::nobody(), SETUP_TTL)?;
            Ok::<_, Error>(true)
        };
        let stored = self.inner.database.write(store).await?;
        Ok(stored.then(|| SecretString::from(token)))
    }

    /// Creates the first administrator with a set-up token.
    pub async fn redeem_setup_token(
        &self,
        token: SecretString,
        email: &str,
        password: SecretString,
    ) -> Result<Record, Error> {
        // Tries are not counted: 256 bits are not guessed, and counting would let strangers lock
        // the owner out. Nothing slow is done for a wrong token.
        let hash = checked(token.expose_secret()).ok_or_else(link_is_over)?;
        let known = hash.clone();
        let check = move |tx: &mut Tx<'_>| {
            Ok::<_, Error>(count_superusers(tx)? == 0 && works(tx, SETUP, &known)?)
        };
        if !self.inner.database.read(check).await? {
            return Err(link_is_over());
        }
        let password_hash = self.superuser_hash(email, &password).await?;
        let (records, email) = (self.clone(), email.to_owned());
        let redeem = move |tx: &mut Tx<'_>| {
            if count_superusers(tx)? > 0 || take(tx, SETUP, &hash)?.is_none() {
                return Err(link_is_over());
            }
            records.insert_superuser(tx, &email, &password_hash)
        };
        let record = self.inner.database.write(redeem).await?;
        tracing::info!("created the first administrator");
        Ok(record)
    }

    /// A single-use code of 60 s by which another page host gets a session of its own for the same
    /// account.
    pub async fn new_session_code(&self, identity: &Identity) -> Result<String, Error> {
        let code = self.inner.random.token();
        let (hash, session) = (fingerprint(&code), identity.session_id.clone());
        let store = move |tx: &mut Tx<'_>| {
            let row = sessions::rows::find(tx, &session)?.ok_or_else(sessions::ended)?;
            let target = Target {
                collection_id: row.collection_id,
                record: row.record,
                session: session.clone(),
            };
            insert(tx, SESSION, &hash, &target, SESSION_CODE_TTL)
        };
        self.inner.database.write(store).await?;
        Ok(code)
    }

    /// Redeems a session code for a new session.
    pub async fn redeem_session_code(
        &self,
        code: &str,
        info: &RequestInfo,
    ) -> Result<Session, Error> {
        let over = || Error::Invalid("The code is not valid any more.".to_owned());
        let hash = checked(code).ok_or_else(over)?;
        let redeem = move |tx: &mut Tx<'_>| {
            let target = take(tx, SESSION, &hash)?;
            // A code does not outlive the session that it was drawn from.
            match target {
                Some(target) if sessions::rows::find(tx, &target.session)?.is_some() => {
                    Ok(Some(target))
                }
                _ => Ok::<_, Error>(None),
            }
        };
        let target = self.inner.database.write(redeem).await?.ok_or_else(over)?;
        let start = sessions::Start::of(&target.collection_id, &target.record, "panel", info);
        self.start_session(start, info).await?.ok_or_else(over)
    }
}

fn link_is_over() -> Error {
    Error::Invalid(
        "The set-up link is not valid any more. Restart mito or run `mito admin create`."
            .to_owned(),
    )
}

fn checked(code: &str) -> Option<String> {
    (!code.is_empty() && code.len() <= MAX_CODE_BYTES).then(|| fingerprint(code))
}

pub(crate) fn insert(
    tx: &mut Tx<'_>,
    purpose: &str,
    hash: &str,
    target: &Target,
    ttl: Duration,
) -> Result<(), Error> {
    let now_ms = tx.now_ms();
    tx.execute(
        "DELETE FROM _mito_records_codes WHERE hash IN \
         (SELECT hash FROM _mito_records_codes WHERE expires_at <= $1 LIMIT $2)",
        &[&now_ms, &SWEEP],
    )?;
    let expires_at = now_ms.saturating_add(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX));
    tx.execute(
        "INSERT INTO _mito_records_codes \
         (hash, purpose, collection_id, record, session, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            &hash,
            &purpose,
            &target.collection_id,
            &target.record,
            &target.session,
            &expires_at,
        ],
    )?;
    Ok(())
}

pub(crate) fn works(tx: &mut Tx<'_>, purpose: &str, hash: &str) -> Result<bool, Error> {
    let now_ms = tx.now_ms();
    let row = tx.query_one(
        "SELECT hash FROM _mito_records_codes \
         WHERE hash = $1 AND purpose = $2 AND expires_at > $3",
        &[&hash, &purpose, &now_ms],
    )?;
    Ok(row.is_some())
}

/// Takes a code out in one statement, so that of two who bring it one gets it.
fn take(tx: &mut Tx<'_>, purpose: &str, hash: &str) -> Result<Option<Target>, Error> {
    let now_ms = tx.now_ms();
    let row = tx.query_one(
        "DELETE FROM _mito_records_codes \
         WHERE hash = $1 AND purpose = $2 AND expires_at > $3 \
         RETURNING collection_id, record, session",
        &[&hash, &purpose, &now_ms],
    )?;
    row.map(|row| {
        Ok(Target {
            collection_id: row.get("collection_id")?,
            record: row.get("record")?,
            session: row.get("session")?,
        })
    })
    .transpose()
}
