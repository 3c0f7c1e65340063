//! What is confirmed by a link in a mail: an address, a new password, a new address.
//!
//! | module | what it holds |
//! |---|---|
//! | [`verify`] | the address is the account's |
//! | [`reset`] | a new password for whoever has lost theirs |
//! | [`email`] | a new address |

pub(crate) mod email;
pub mod reset;
pub(crate) mod verify;

use std::time::Duration;

use mito_database::Tx;

use crate::{
    Collection, Error, FieldError, Record, Records, RequestInfo,
    accounts::{
        change,
        limits::{Attempt, Kind},
        mails::{Mail, Words},
        options::EmailTemplate,
        otp::check_email,
        purpose::{self, Holder, Purpose},
    },
    records::{
        read::{self, Viewer},
        write::Origin,
    },
};

/// How long a second request for the same mail is answered, but not followed.
const AGAIN_AFTER: Duration = Duration::from_mins(2);

/// Somebody who asks for a mail to an account, whose address they have typed.
struct Request<'a> {
    purpose: Purpose,
    collection: &'a str,
    email: &'a str,
}

impl Records {
    /// Sends the mail if there is such an account and `wanted` says so; does as much if not.
    async fn request_link(
        &self,
        request: Request<'_>,
        info: &RequestInfo,
        template: EmailTemplate,
        wanted: fn(&Holder) -> bool,
    ) -> Result<(), Error> {
        let Request {
            purpose,
            collection,
            email,
        } = request;
        let definition = self.auth_collection(collection).await?;
        check_email(email, "email")?;
        self.inner.limiter.check(&Attempt {
            kind: Kind::Mail,
            collection: &definition.id,
            identity: email,
            client_ip: &info.client_ip,
        })?;
        let name = format!("{} {} {email}", purpose.name(), definition.id);
        if !self.inner.limiter.first_within(&name, AGAIN_AFTER) {
            return Ok(());
        }
        let (records, email, info) = (self.clone(), email.to_owned(), info.clone());
        let send = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &definition.id)?;
            let holder = purpose::holder_of_email(tx, &collection, &email)?.filter(wanted);
            records.send_link(tx, &collection, purpose, &template, holder.as_ref(), &info)
        };
        self.inner.database.write(send).await
    }

    fn send_link(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        purpose: Purpose,
        template: &EmailTemplate,
        holder: Option<&Holder>,
        info: &RequestInfo,
    ) -> Result<(), Error> {
        let (token, account) = match holder {
            Some(holder) => (
                self.purpose_token(tx, collection, purpose, holder, None)?,
                Some(read::by_id(tx, collection, &holder.id, &Viewer::Worker)?),
            ),
            None => (String::new(), None),
        };
        let mail = Mail {
            template,
            to: holder.map(|holder| holder.email.as_str()),
            words: Words {
                token: &token,
                record: account.as_ref(),
                ..Words::default()
            },
            request_id: info.request_id.as_deref(),
        };
        self.send_mail_in(tx, &mail)
    }
}

/// What is confirmed about an account.
struct Confirmed<'a> {
    values: Record,
    password_hash: Option<&'a str>,
    /// Whether its sessions and links end.
    ends: bool,
}

impl Records {
    /// Writes what was confirmed; returns the sessions whose hot copies are out of date.
    fn confirm(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        id: &str,
        confirmed: &Confirmed<'_>,
        info: &RequestInfo,
    ) -> Result<Vec<String>, Error> {
        let origin = Origin {
            request_id: info.request_id.as_deref(),
            password_hash: confirmed.password_hash,
        };
        self.change(tx, collection, id, &confirmed.values, origin)?;
        if confirmed.ends {
            self.renew_token_key(tx, collection, id)?;
        }
        change::follow(tx, collection, id, confirmed.ends)
    }

    /// Takes up the end of sessions, or what has changed about them.
    fn followed(&self, sessions: &[String], ended: bool) {
        if ended {
            self.mark_all_ended(sessions);
        } else {
            self.forget_sessions(sessions);
        }
    }
}

fn invalid_token() -> FieldError {
    FieldError::new("validation_invalid_token", "Invalid or expired token.")
}
