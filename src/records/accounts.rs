//! Accounts: auth records, superusers, server-side sessions behind JWTs.
//!
//! | module | what it holds |
//! |---|---|
//! | [`passwords`] | argon2id, off the async threads and bounded |
//! | [`tokens`] | JWTs, keys for each purpose, hashes of codes |
//! | [`sessions`] | the rows behind the tokens: rotation, reuse, limits |
//! | [`codes`] | single-use codes: set-up links and session codes |
//! | [`common`] | passwords that no administrator may have |
//! | [`limits`] | how often a password may be tried |
//! | [`options`] | what an auth collection says about signing in |
//! | [`mails`] | what accounts are written |
//! | [`change`] | what an account's owner may change about it |

pub(crate) mod change;
pub(crate) mod codes;
pub(crate) mod common;
pub(crate) mod limits;
pub(crate) mod mails;
pub mod options;
pub(crate) mod passwords;
pub(crate) mod sessions;
pub(crate) mod tokens;

#[cfg(test)]
mod tests;

use async_trait::async_trait;
use mito_database::Tx;
use mito_network::{Authenticator, Identity};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::{
    Collection, Error, FieldError, Record, Records,
    fields::accept,
    names::quote,
    records::{
        read::{self, Viewer},
        write::Origin,
    },
};

/// The collection of administrators.
pub const SUPERUSERS: &str = "_superusers";
/// The longest identity that is looked up, in bytes.
const MAX_IDENTITY: usize = 254;

/// A credential check.
#[derive(Debug)]
pub struct SignIn {
    /// The auth collection.
    pub collection: String,
    /// The e-mail address or another identity field's value.
    pub identity: String,
    /// The password.
    pub password: SecretString,
    /// Shown in the list of sessions.
    pub user_agent: String,
    /// The address signed in from.
    pub client_ip: String,
}

/// A new or refreshed session.
#[derive(Clone, Debug)]
pub struct Session {
    /// The JWT.
    pub token: String,
    /// The account's record.
    pub record: Record,
    /// Who it is.
    pub identity: Identity,
    /// When the token expires, milliseconds since the Unix epoch.
    pub expires_ms: i64,
}

/// An account as sign-in needs it.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) password_hash: String,
}

impl Records {
    /// Whether at least one administrator exists.
    pub async fn has_superuser(&self) -> Result<bool, Error> {
        self.inner
            .database
            .read(|tx| Ok(count_superusers(tx)? > 0))
            .await
    }

    /// Creates an administrator.
    pub async fn create_superuser(
        &self,
        email: &str,
        password: SecretString,
    ) -> Result<Record, Error> {
        let hash = self.superuser_hash(email, &password).await?;
        let (records, email) = (self.clone(), email.to_owned());
        let create = move |tx: &mut Tx<'_>| records.insert_superuser(tx, &email, &hash);
        let record = self.inner.database.write(create).await?;
        tracing::info!("created an administrator");
        Ok(record)
    }

    /// Checks a password and starts a session. The answer and its time are the same for a wrong
    /// password and an unknown account.
    pub async fn sign_in(&self, sign_in: SignIn) -> Result<Session, Error> {
        let failed = || Error::Invalid("Failed to authenticate.".to_owned());
        let collection = self.auth_collection(&sign_in.collection).await?;
        if !collection.allows_passwords() {
            return Err(Error::Forbidden(
                "The collection is not configured to allow password authentication.".to_owned(),
            ));
        }
        let attempt = limits::Attempt {
            collection: &collection.id,
            identity: &sign_in.identity,
            client_ip: &sign_in.client_ip,
        };
        self.inner.limiter.check(&attempt)?;
        let account = self.find_account(&collection, &sign_in.identity).await?;
        let hash = account
            .as_ref()
            .map(|account| account.password_hash.clone());
        if !self.inner.passwords.verify(sign_in.password, hash).await? {
            tracing::info!(collection = %collection.name, client.ip = %sign_in.client_ip,
                "a sign-in failed");
            return Err(failed());
        }
        let account = account.ok_or_else(failed)?;
        self.inner.limiter.succeeded(&attempt);
        let start = sessions::Start {
            collection_id: collection.id.clone(),
            record: account.id,
            password_hash: Some(account.password_hash),
            user_agent: sign_in.user_agent,
            client_ip: sign_in.client_ip,
        };
        self.start_session(start).await?.ok_or_else(failed)
    }

    pub(crate) async fn auth_collection(&self, name: &str) -> Result<Collection, Error> {
        let collection = self.collection(name).await?;
        if collection.is_auth() {
            Ok(collection)
        } else {
            Err(Error::NotFound)
        }
    }

    /// The account of that address. An address in lower case is found too, since some keyboards
    /// begin with a capital; the exact one wins.
    async fn find_account(
        &self,
        collection: &Collection,
        identity: &str,
    ) -> Result<Option<Account>, Error> {
        if identity.is_empty() || identity.len() > MAX_IDENTITY || identity.contains('\0') {
            return Ok(None);
        }
        let table = quote(&collection.name);
        let sql = format!(
            "SELECT id, email, password FROM {table} WHERE email = $1 OR email = $2 LIMIT 2"
        );
        let exact = identity.to_owned();
        let find = move |tx: &mut Tx<'_>| {
            let rows = tx.query(&sql, &[&exact, &exact.to_lowercase()])?;
            let is_exact = |row: &&mito_database::Row| {
                row.get::<String>("email").is_ok_and(|email| email == exact)
            };
            let Some(row) = rows.iter().find(is_exact).or(rows.first()) else {
                return Ok(None);
            };
            Ok(Some(Account {
                id: row.get("id")?,
                password_hash: row.get("password")?,
            }))
        };
        self.inner.database.read(find).await
    }

    pub(crate) async fn superuser_hash(
        &self,
        email: &str,
        password: &SecretString,
    ) -> Result<String, Error> {
        if !accept::is_email(email) {
            let message = "Must be a valid email address.";
            return Err(Error::field(
                "email",
                FieldError::new("validation_is_email", message),
            ));
        }
        let collection = self.auth_collection(SUPERUSERS).await?;
        passwords::check(&collection, password.expose_secret())
            .map_err(|error| Error::field("password", error))?;
        self.inner.passwords.hash(password.clone()).await
    }

    pub(crate) fn insert_superuser(
        &self,
        tx: &mut Tx<'_>,
        email: &str,
        hash: &str,
    ) -> Result<Record, Error> {
        let collection = self.shared_collection_in(tx, SUPERUSERS)?;
        let values: Record = [
            ("email".to_owned(), Value::String(email.to_owned())),
            ("verified".to_owned(), Value::Bool(true)),
        ]
        .into_iter()
        .collect();
        let origin = Origin {
            request_id: None,
            password_hash: Some(hash),
        };
        let id = self.insert(tx, &collection, &values, origin)?;
        read::by_id(tx, &collection, &id, &Viewer::Superuser)
    }
}

/// Keeps the platform from locking everybody out.
pub(crate) fn protect_last_superuser(
    tx: &mut Tx<'_>,
    collection: &Collection,
) -> Result<(), Error> {
    if collection.name == SUPERUSERS && count_superusers(tx)? <= 1 {
        let message = "You can't delete the only existing superuser.";
        return Err(Error::Invalid(message.to_owned()));
    }
    Ok(())
}

pub(crate) fn count_superusers(tx: &mut Tx<'_>) -> Result<i64, Error> {
    let row = tx.query_one("SELECT COUNT(*) AS total FROM \"_superusers\"", &[])?;
    Ok(row.map_or(Ok(0), |row| row.get("total"))?)
}

#[async_trait]
impl Authenticator for Records {
    async fn authenticate(&self, token: &str) -> Option<Identity> {
        match self.session_of(token).await {
            Ok(identity) => identity,
            Err(error) => {
                tracing::warn!(%error, "a session could not be looked up");
                None
            }
        }
    }
}
