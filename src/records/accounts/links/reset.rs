//! A new password for whoever has lost theirs. It ends all sessions, and it does not spare anybody
//! the second method.

use mito_database::Tx;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::{Confirmed, Request, invalid_token};
use crate::{
    Error, FieldError, Record, Records, RequestInfo,
    accounts::{options::AuthOptions, passwords, purpose::Purpose, tokens::same},
    error::FieldErrors,
};

/// The longest password that the form takes, in characters.
const MAX_CHARACTERS: usize = 255;
/// The shortest password that the form takes, in characters.
const MIN_CHARACTERS: usize = 8;

/// A new password.
#[derive(Debug)]
pub struct NewPassword {
    /// The token of the mail.
    pub token: String,
    /// The password.
    pub password: SecretString,
    /// The password again.
    pub confirmation: SecretString,
}

impl Records {
    /// Mails a link to the account with that address, if there is one.
    pub async fn request_password_reset(
        &self,
        collection: &str,
        email: &str,
        info: &RequestInfo,
    ) -> Result<(), Error> {
        let definition = self.auth_collection(collection).await?;
        let options = AuthOptions::of(&definition);
        if !options.password_auth.enabled {
            let message = "The collection is not configured to allow password authentication.";
            return Err(Error::Invalid(message.to_owned()));
        }
        let request = Request {
            purpose: Purpose::PasswordReset,
            collection,
            email,
        };
        self.request_link(request, info, options.reset_password_template, |_| true)
            .await
    }

    /// Sets the password of the account that the token was made for. Its address is verified by
    /// that, and everybody who was signed in is signed out.
    pub async fn confirm_password_reset(
        &self,
        collection: &str,
        form: NewPassword,
        info: &RequestInfo,
    ) -> Result<(), Error> {
        let definition = self.auth_collection(collection).await?;
        let mut errors = wrong_passwords(&form);
        if form.token.is_empty() {
            errors.insert("token".to_owned(), FieldError::required());
        } else if !self.is_good_token(&definition.id, &form.token).await? {
            errors.insert("token".to_owned(), invalid_token());
        }
        if !errors.is_empty() {
            return Err(Error::Fields(errors));
        }
        passwords::check(&definition, form.password.expose_secret())
            .map_err(|error| Error::field("password", error))?;
        let hash = self.inner.passwords.hash(form.password).await?;
        let (records, token, info) = (self.clone(), form.token, info.clone());
        let confirm = move |tx: &mut Tx<'_>| {
            let refused = || Error::field("token", invalid_token());
            let collection = records.shared_collection_in(tx, &definition.id)?;
            let (holder, claims) = records
                .check_purpose_token(tx, Purpose::PasswordReset, &token)?
                .filter(|(_, claims)| same(&claims.collection_id, &collection.id))
                .ok_or_else(refused)?;
            let mut values = Record::new();
            // Only a token that names the address says that the mail was read there.
            if !holder.verified && claims.email.is_some() {
                values.insert("verified".to_owned(), json!(true));
            }
            let confirmed = Confirmed {
                values,
                password_hash: Some(&hash),
                ends: true,
            };
            records.confirm(tx, &collection, &holder.id, &confirmed, &info)
        };
        let sessions = self.inner.database.write(confirm).await?;
        self.followed(&sessions, true);
        Ok(())
    }

    async fn is_good_token(&self, collection: &str, token: &str) -> Result<bool, Error> {
        let (records, id, token) = (self.clone(), collection.to_owned(), token.to_owned());
        let check = move |tx: &mut Tx<'_>| {
            let found = records.check_purpose_token(tx, Purpose::PasswordReset, &token)?;
            Ok::<_, Error>(found.is_some_and(|(_, claims)| claims.collection_id == id))
        };
        self.inner.database.read(check).await
    }
}

fn wrong_passwords(form: &NewPassword) -> FieldErrors {
    let mut errors = FieldErrors::new();
    let (password, again) = (
        form.password.expose_secret(),
        form.confirmation.expose_secret(),
    );
    let length = password.chars().count();
    if length == 0 {
        errors.insert("password".to_owned(), FieldError::required());
    } else if !(MIN_CHARACTERS..=MAX_CHARACTERS).contains(&length) {
        let error = FieldError::length_out_of_range(MIN_CHARACTERS, MAX_CHARACTERS);
        errors.insert("password".to_owned(), error);
    }
    if again.is_empty() {
        errors.insert("passwordConfirm".to_owned(), FieldError::required());
    } else if again != password {
        errors.insert("passwordConfirm".to_owned(), FieldError::mismatch());
    }
    errors
}
