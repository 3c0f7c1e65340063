//! Accounts: auth records, superusers, server-side sessions behind JWTs.
//!
//! | module | what it holds |
//! |---|---|
//! | [`options`] | what an auth collection says about signing in |
//! | [`auth`] | from a good credential to a session |
//! | [`identities`] | accounts by their identity fields |
//! | [`passwords`] | argon2id, off the async threads and bounded |
//! | [`otp`] | one-time passwords by mail |
//! | [`mfa`] | sign-ins that need two methods |
//! | [`origins`] | where accounts have signed in from, and alerts |
//! | [`links`] | verification, lost passwords, new addresses |
//! | [`impersonate`] | administrators who act as an account |
//! | [`tokens`] | JWTs, keys for each purpose, hashes of codes |
//! | [`purpose`] | tokens that are good for one thing |
//! | [`imported`] | tokens that another PocketBase has signed |
//! | [`sessions`] | the rows behind the tokens: rotation, reuse, limits |
//! | [`codes`] | single-use codes: set-up links and session codes |
//! | [`common`] | passwords that no administrator may have |
//! | [`limits`] | how often a password may be tried |
//! | [`change`] | what an account's owner may change about it |
//! | [`mails`] | what accounts are written |
//! | [`system`] | the system collections of accounts |
//! | [`cleanup`] | the task that deletes what is over |

pub mod auth;
pub(crate) mod change;
pub(crate) mod cleanup;
pub(crate) mod codes;
pub(crate) mod common;
mod identities;
mod impersonate;
pub(crate) mod imported;
pub(crate) mod limits;
pub mod links;
pub mod mails;
mod mfa;
pub mod oauth2;
pub mod options;
mod origins;
mod otp;
pub(crate) mod passwords;
pub(crate) mod purpose;
pub mod sessions;
pub(crate) mod system;
pub(crate) mod tokens;

#[cfg(test)]
mod flows;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use mito_database::Tx;
use mito_network::{Authenticator, Identity};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::{
    Collection, Error, FieldError, Record, Records, RequestInfo,
    accounts::{
        auth::{AuthMethod, AuthOutcome, Proof},
        options::AuthOptions,
    },
    fields::accept,
    names::quote,
    records::{
        read::{self, Viewer},
        write::Origin,
    },
};

/// The collection of administrators.
pub const SUPERUSERS: &str = "_superusers";

/// A credential check.
#[derive(Debug)]
pub struct SignIn {
    /// The auth collection.
    pub collection: String,
    /// The e-mail address or another identity field's value.
    pub identity: String,
    /// The only field that is compared with it; `None` means each of the collection's.
    pub identity_field: Option<String>,
    /// The password.
    pub password: SecretString,
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
    /// What the other site says of an account that signed in by it.
    pub meta: Option<Value>,
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
    pub async fn sign_in(&self, sign_in: SignIn, info: &RequestInfo) -> Result<AuthOutcome, Error> {
        let failed = || Error::Invalid("Failed to authenticate.".to_owned());
        let collection = self.auth_collection(&sign_in.collection).await?;
        let options = AuthOptions::of(&collection).password_auth;
        if !options.enabled {
            return Err(Error::Forbidden(
                "The collection is not configured to allow password authentication.".to_owned(),
            ));
        }
        let fields = identities::wanted(&options, sign_in.identity_field.as_deref())?;
        let attempt = limits::Attempt {
            kind: limits::Kind::Password,
            collection: &collection.id,
            identity: &sign_in.identity,
            client_ip: &info.client_ip,
        };
        self.inner.limiter.check(&attempt)?;
        let account = self
            .find_account(&collection, fields, &sign_in.identity)
            .await?;
        let hash = account
            .as_ref()
            .map(|account| account.password_hash.clone());
        let passwords = &self.inner.passwords;
        if !passwords.verify(sign_in.password.clone(), hash).await? {
            tracing::info!(collection = %collection.name, client.ip = %info.client_ip,
                "a sign-in failed");
            return Err(failed());
        }
        let mut account = account.ok_or_else(failed)?;
        self.inner.limiter.succeeded(&attempt);
        if passwords::is_imported(&account.password_hash) {
            self.rehash(&collection, &mut account, sign_in.password)
                .await?;
        }
        let proof = Proof {
            method: AuthMethod::Password,
            record: account.id,
            password_hash: Some(account.password_hash),
        };
        let (records, info) = (self.clone(), info.clone());
        let begin = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &collection.id)?;
            records.sign_in_in(tx, &collection, &proof, &info)
        };
        self.inner.database.write(begin).await?.ok_or_else(failed)
    }

    /// Replaces the imported hash of a password that has just been compared with it.
    async fn rehash(
        &self,
        collection: &Collection,
        account: &mut Account,
        password: SecretString,
    ) -> Result<(), Error> {
        let hash = self.inner.passwords.hash(password).await?;
        let table = quote(&collection.name);
        let sql = format!("UPDATE {table} SET password = $1 WHERE id = $2 AND password = $3");
        let (new, id, old) = (
            hash.clone(),
            account.id.clone(),
            account.password_hash.clone(),
        );
        let replace = move |tx: &mut Tx<'_>| Ok::<_, Error>(tx.execute(&sql, &[&new, &id, &old])?);
        if self.inner.database.write(replace).await? > 0 {
            account.password_hash = hash;
        }
        Ok(())
    }

    pub(crate) async fn auth_collection(&self, name: &str) -> Result<Collection, Error> {
        let collection = self.collection(name).await?;
        if collection.is_auth() {
            Ok(collection)
        } else {
            Err(Error::NotFound)
        }
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
