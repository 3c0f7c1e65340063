//! A new address: asked for by whoever is signed in, confirmed from the new mailbox with the
//! password.

use mito_database::Tx;
use mito_network::Identity;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::{Confirmed, invalid_token};
use crate::{
    Error, FieldError, Record, Records, RequestInfo,
    accounts::{
        limits::{Attempt, Kind},
        mails::{Mail, Words},
        options::AuthOptions,
        otp::check_email,
        purpose::{self, Holder, Purpose},
        sessions,
        tokens::{self, PurposeClaims, same},
    },
    error::FieldErrors,
    records::read::{self, Viewer},
};

/// The longest password that the form takes, in characters.
const MAX_CHARACTERS: usize = 100;

impl Records {
    /// Mails a link to the new address.
    pub async fn request_email_change(
        &self,
        identity: &Identity,
        new_email: &str,
        info: &RequestInfo,
    ) -> Result<(), Error> {
        let definition = self.auth_collection(&identity.collection_id).await?;
        check_email(new_email, "newEmail")?;
        if new_email == identity.email {
            let message = "Must not be in list.";
            let error = FieldError::new("validation_not_in_invalid", message);
            return Err(Error::field("newEmail", error));
        }
        self.inner.limiter.check(&Attempt {
            kind: Kind::Mail,
            collection: &definition.id,
            identity: &identity.id,
            client_ip: &info.client_ip,
        })?;
        let (records, info) = (self.clone(), info.clone());
        let (id, new_email) = (identity.id.clone(), new_email.to_owned());
        let send = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &definition.id)?;
            let options = AuthOptions::of(&collection);
            let holder = purpose::holder(tx, &collection, &id)?.ok_or_else(sessions::ended)?;
            if purpose::holder_of_email(tx, &collection, &new_email)?.is_some() {
                let message = "Invalid new email address.";
                let error = FieldError::new("validation_invalid_new_email", message);
                return Err(Error::field("newEmail", error));
            }
            let purpose = Purpose::EmailChange;
            let token =
                records.purpose_token(tx, &collection, purpose, &holder, Some(&new_email))?;
            let account = read::by_id(tx, &collection, &holder.id, &Viewer::Worker)?;
            let mail = Mail {
                template: &options.confirm_email_change_template,
                to: Some(&new_email),
                words: Words {
                    token: &token,
                    record: Some(&account),
                    ..Words::default()
                },
                request_id: info.request_id.as_deref(),
            };
            records.send_mail_in(tx, &mail)
        };
        self.inner.database.write(send).await
    }

    /// Gives the account the address that the token was made for, which is verified by that.
    pub async fn confirm_email_change(
        &self,
        collection: &str,
        token: &str,
        password: SecretString,
        info: &RequestInfo,
    ) -> Result<(), Error> {
        let definition = self.auth_collection(collection).await?;
        let found = self.change_of(&definition.id, token).await?;
        let holder = found.as_ref().ok().map(|(holder, _)| holder.clone());
        let mut errors = FieldErrors::new();
        if let Err(error) = &found {
            errors.insert("token".to_owned(), error.clone());
        }
        let length = password.expose_secret().chars().count();
        if length == 0 {
            errors.insert("password".to_owned(), FieldError::required());
        } else if length > MAX_CHARACTERS {
            errors.insert(
                "password".to_owned(),
                FieldError::length_out_of_range(1, MAX_CHARACTERS),
            );
        } else {
            let attempt = Attempt {
                kind: Kind::Password,
                collection: &definition.id,
                identity: holder.as_ref().map_or(token, |holder| &holder.id),
                client_ip: &info.client_ip,
            };
            self.inner.limiter.check(&attempt)?;
            let hash = holder.as_ref().map(|holder| holder.password_hash.clone());
            if self.inner.passwords.verify(password, hash).await? {
                self.inner.limiter.succeeded(&attempt);
            } else {
                let message = "Missing or invalid auth record password.";
                let error = FieldError::new("validation_invalid_password", message);
                errors.insert("password".to_owned(), error);
            }
        }
        let (Some(holder), true) = (holder, errors.is_empty()) else {
            return Err(Error::Fields(errors));
        };
        let (records, token, info) = (self.clone(), token.to_owned(), info.clone());
        let confirm = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &definition.id)?;
            let found = records.check_email_change(tx, &collection.id, &token)?;
            let (now, claims) = found.map_err(|error| Error::field("token", error))?;
            if !same(&now.password_hash, &holder.password_hash) {
                return Err(Error::field("token", invalid_token()));
            }
            let mut values = Record::new();
            values.insert("email".to_owned(), json!(claims.new_email));
            values.insert("verified".to_owned(), json!(true));
            let confirmed = Confirmed {
                values,
                password_hash: None,
                ends: true,
            };
            records.confirm(tx, &collection, &now.id, &confirmed, &info)
        };
        let sessions = self.inner.database.write(confirm).await?;
        self.followed(&sessions, true);
        Ok(())
    }

    async fn change_of(
        &self,
        collection: &str,
        token: &str,
    ) -> Result<Result<(Holder, PurposeClaims), FieldError>, Error> {
        let (records, id, token) = (self.clone(), collection.to_owned(), token.to_owned());
        let check = move |tx: &mut Tx<'_>| records.check_email_change(tx, &id, &token);
        self.inner.database.read(check).await
    }

    fn check_email_change(
        &self,
        tx: &mut Tx<'_>,
        collection: &str,
        token: &str,
    ) -> Result<Result<(Holder, PurposeClaims), FieldError>, Error> {
        if token.is_empty() {
            return Ok(Err(FieldError::required()));
        }
        let names_address = tokens::peek(token)
            .and_then(|claims| claims.new_email)
            .is_some_and(|email| !email.is_empty());
        if !names_address {
            let message = "Invalid token payload - newEmail must be set.";
            let error = FieldError::new("validation_invalid_token_payload", message);
            return Ok(Err(error));
        }
        let found = self.check_purpose_token(tx, Purpose::EmailChange, token)?;
        let found = found.filter(|(_, claims)| same(&claims.collection_id, collection));
        Ok(found.ok_or_else(invalid_token))
    }
}
