//! What may be changed about an account, and by whom: its owner needs the old password for a new
//! one and cannot verify or re-address themselves; administrators can.

use mito_database::Tx;
use mito_network::Identity;
use secrecy::SecretString;
use serde_json::Value;

use crate::{
    Collection, Error, FieldError, Record, Records,
    accounts::{
        limits::{Attempt, Kind},
        passwords, sessions,
        tokens::same,
    },
    error::FieldErrors,
    fields::accept,
    names::quote,
    records::{secret, text, write::TOKEN_KEY_LENGTH},
};

/// A checked change of an account.
#[derive(Clone, Debug)]
pub(crate) struct AccountChange {
    /// The hash that the old password was compared with; the change is off if it is another by
    /// then.
    expected: Option<String>,
    /// The new hash; none when the password stays.
    hash: Option<String>,
    /// Whether `email` and `verified` may be changed as well.
    manages: bool,
    /// What was sent for these two.
    email: Option<Value>,
    verified: Option<Value>,
}

impl Records {
    /// The hash of a new account's password, after the form's own checks.
    pub(crate) async fn new_account_password(
        &self,
        collection: &Collection,
        values: &Record,
        identity: Option<&Identity>,
    ) -> Result<Option<String>, Error> {
        if !collection.is_auth() {
            return Ok(None);
        }
        let mut errors = confirmation(values, true);
        let manages = identity.is_some_and(Identity::is_superuser);
        if !manages && values.get("verified").is_some_and(accept::is_true) {
            errors.insert("verified".to_owned(), FieldError::mismatch());
        }
        if errors.is_empty()
            && let Err(error) =
                passwords::check(collection, text(values, "password").unwrap_or_default())
        {
            errors.insert("password".to_owned(), error);
        }
        if !errors.is_empty() {
            return Err(Error::Fields(errors));
        }
        let password = secret(values, "password").unwrap_or_default();
        self.inner.passwords.hash(password).await.map(Some)
    }

    /// Checks what the caller wants to change about an account that they may update.
    pub(crate) async fn check_change(
        &self,
        collection: &Collection,
        id: &str,
        values: &Record,
        identity: Option<&Identity>,
    ) -> Result<AccountChange, Error> {
        let mut change = AccountChange {
            expected: None,
            hash: None,
            manages: identity.is_some_and(Identity::is_superuser),
            email: values.get("email").cloned(),
            verified: values.get("verified").cloned(),
        };
        if text(values, "password").is_none_or(str::is_empty)
            && text(values, "passwordConfirm").is_none_or(str::is_empty)
        {
            return Ok(change);
        }
        let mut errors = confirmation(values, false);
        if errors.is_empty()
            && let Err(error) =
                passwords::check(collection, text(values, "password").unwrap_or_default())
        {
            errors.insert("password".to_owned(), error);
        }
        let old = secret(values, "oldPassword");
        if !change.manages && old.is_none() {
            errors.insert("oldPassword".to_owned(), FieldError::required());
        }
        if !errors.is_empty() {
            return Err(Error::Fields(errors));
        }
        if let Some(old) = old.filter(|_| !change.manages) {
            change.expected = Some(
                self.check_old_password(collection, id, old, identity)
                    .await?,
            );
        }
        let password = secret(values, "password").unwrap_or_default();
        change.hash = Some(self.inner.passwords.hash(password).await?);
        Ok(change)
    }

    async fn check_old_password(
        &self,
        collection: &Collection,
        id: &str,
        old: SecretString,
        identity: Option<&Identity>,
    ) -> Result<String, Error> {
        let session = identity.map_or("", |identity| identity.session_id.as_str());
        let attempt = Attempt {
            kind: Kind::Password,
            collection: &collection.id,
            identity: id,
            client_ip: session,
        };
        self.inner.limiter.check(&attempt)?;
        let (definition, record) = (collection.clone(), id.to_owned());
        let read = move |tx: &mut Tx<'_>| stored_hash(tx, &definition, &record);
        let stored = self.inner.database.read(read).await?;
        if !self
            .inner
            .passwords
            .verify(old, Some(stored.clone()))
            .await?
        {
            let error = FieldError::new(
                "validation_invalid_old_password",
                "Missing or invalid old password.",
            );
            return Err(Error::field("oldPassword", error));
        }
        self.inner.limiter.succeeded(&attempt);
        Ok(stored)
    }
}

/// Compares with what is stored now; returns the new hash.
pub(crate) fn apply(
    tx: &mut Tx<'_>,
    collection: &Collection,
    id: &str,
    change: &AccountChange,
) -> Result<Option<String>, Error> {
    if let Some(expected) = &change.expected
        && !same(expected, &stored_hash(tx, collection, id)?)
    {
        return Err(Error::Invalid(
            "The password has been changed meanwhile.".to_owned(),
        ));
    }
    if change.manages {
        return Ok(change.hash.clone());
    }
    let sql = format!(
        "SELECT email, verified FROM {} WHERE id = $1",
        quote(&collection.name)
    );
    let row = tx.query_one(&sql, &[&id])?.ok_or(Error::NotFound)?;
    let mut errors = FieldErrors::new();
    let email: String = row.get("email")?;
    if change
        .email
        .as_ref()
        .is_some_and(|wanted| wanted.as_str() != Some(email.as_str()))
    {
        errors.insert("email".to_owned(), FieldError::mismatch());
    }
    let verified: bool = row.get("verified")?;
    if change
        .verified
        .as_ref()
        .is_some_and(|wanted| *wanted != Value::Bool(verified))
    {
        errors.insert("verified".to_owned(), FieldError::mismatch());
    }
    if errors.is_empty() {
        Ok(change.hash.clone())
    } else {
        Err(Error::Fields(errors))
    }
}

impl Records {
    /// Draws another token key, which ends all links and imported tokens of the account.
    pub(crate) fn renew_token_key(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        id: &str,
    ) -> Result<(), Error> {
        let sql = format!(
            "UPDATE {} SET \"tokenKey\" = $1 WHERE id = $2",
            quote(&collection.name)
        );
        tx.execute(&sql, &[&self.inner.random.id(TOKEN_KEY_LENGTH), &id])?;
        Ok(())
    }
}

/// Ends the sessions of an account whose password has changed or that is gone. Returns all
/// sessions whose hot copies are out of date.
pub(crate) fn follow(
    tx: &mut Tx<'_>,
    collection: &Collection,
    id: &str,
    ends: bool,
) -> Result<Vec<String>, Error> {
    if !collection.is_auth() {
        return Ok(Vec::new());
    }
    let affected = sessions::rows::of_account(tx, &collection.id, id)?;
    if ends {
        sessions::rows::end_all(tx, &collection.id, id)?;
    }
    Ok(affected)
}

/// `passwordConfirm` must be there and the same.
fn confirmation(values: &Record, required: bool) -> FieldErrors {
    let mut errors = FieldErrors::new();
    let password = text(values, "password").unwrap_or_default();
    let confirmed = text(values, "passwordConfirm").unwrap_or_default();
    if required && password.is_empty() {
        errors.insert("password".to_owned(), FieldError::required());
    }
    if confirmed.is_empty() {
        errors.insert("passwordConfirm".to_owned(), FieldError::required());
    } else if confirmed != password {
        errors.insert("passwordConfirm".to_owned(), FieldError::mismatch());
    }
    errors
}

fn stored_hash(tx: &mut Tx<'_>, collection: &Collection, id: &str) -> Result<String, Error> {
    let sql = format!(
        "SELECT password FROM {} WHERE id = $1",
        quote(&collection.name)
    );
    Ok(tx
        .query_one(&sql, &[&id])?
        .ok_or(Error::NotFound)?
        .get("password")?)
}
