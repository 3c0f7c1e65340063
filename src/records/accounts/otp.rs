//! One-time passwords: digits that are mailed, good once, for a few minutes and five tries.
//!
//! Asking for one does the same for an account that does not exist: a record in `_otps` that belongs
//! to nobody, and a mail that is sent to nobody.

use std::time::Duration;

use mito_database::Tx;
use serde_json::json;

use crate::{
    Collection, Error, FieldError, Record, Records, RequestInfo,
    accounts::{
        auth::{AuthMethod, AuthOutcome, Proof, seconds},
        change,
        limits::{Attempt, Kind},
        mails::{Mail, Words},
        options::AuthOptions,
        purpose,
        sessions::millis,
        system::{OTPS, Owner},
        tokens::same,
    },
    error::FieldErrors,
    fields::{accept, dates},
    names::quote,
    records::{
        read::{self, Viewer},
        write::Origin,
    },
};

/// How often one code may be tried.
const MAX_TRIES: i64 = 5;
/// How long tries are remembered: longer than any code is valid.
const TRIES_TTL: Duration = Duration::from_hours(25);
/// The longest id and the longest code that are looked at, in bytes.
const MAX_INPUT: usize = 255;
/// Characters of a record's id.
const ID_LENGTH: usize = 15;

/// What a try came to. Failures are no errors of the transaction, since tries are counted in it.
enum Tried {
    /// With the sessions that ended on the way.
    Good(AuthOutcome, Vec<String>),
    Wrong,
    TooOften,
}

impl Records {
    /// Mails a code to the account with that address, if there is one; returns the id that goes
    /// with the code.
    pub async fn request_otp(
        &self,
        collection: &str,
        email: &str,
        info: &RequestInfo,
    ) -> Result<String, Error> {
        let definition = self.auth_collection(collection).await?;
        let options = AuthOptions::of(&definition);
        require_enabled(&options)?;
        check_email(email, "email")?;
        self.inner.limiter.check(&Attempt {
            kind: Kind::Mail,
            collection: &definition.id,
            identity: email,
            client_ip: &info.client_ip,
        })?;
        let (records, email, info) = (self.clone(), email.to_owned(), info.clone());
        let request = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &definition.id)?;
            records.send_otp(tx, &collection, &options, &email, &info)
        };
        self.inner.database.write(request).await
    }

    fn send_otp(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        options: &AuthOptions,
        email: &str,
        info: &RequestInfo,
    ) -> Result<String, Error> {
        let holder = purpose::holder_of_email(tx, collection, email)?;
        let nobody = self.inner.random.id(ID_LENGTH);
        let owner = Owner {
            collection: &collection.id,
            record: holder.as_ref().map_or(&nobody, |holder| &holder.id),
        };
        let code = self.digits(options.otp.length);
        // The hash has the account in it, so that a code is good for no other.
        let hash = self
            .inner
            .keys
            .code_hash(&format!("{}\n{code}", owner.record));
        let sent_to = holder.as_ref().map_or("", |_| email);
        let id = self.add_system_record(tx, OTPS, owner, &[("sentTo", sent_to)], Some(&hash))?;
        let account = match &holder {
            Some(holder) => Some(read::by_id(tx, collection, &holder.id, &Viewer::Worker)?),
            None => None,
        };
        let mail = Mail {
            template: &options.otp.email_template,
            to: holder.as_ref().map(|_| email),
            words: Words {
                otp: &code,
                otp_id: &id,
                record: account.as_ref(),
                ..Words::default()
            },
            request_id: info.request_id.as_deref(),
        };
        self.send_mail_in(tx, &mail)?;
        Ok(id)
    }

    /// Digits, each drawn alike.
    fn digits(&self, length: i64) -> String {
        let length = usize::try_from(length).unwrap_or(0);
        let mut digits = String::with_capacity(length);
        while digits.len() < length {
            let drawn = self.inner.random.bytes::<32>();
            // Bytes from 250 on would make the first digits likelier.
            let fair = drawn.iter().filter(|byte| **byte < 250);
            digits.extend(fair.map(|byte| char::from(b'0' + byte % 10)));
        }
        digits.truncate(length);
        digits
    }

    /// Signs in with a code.
    pub async fn sign_in_with_otp(
        &self,
        collection: &str,
        otp_id: &str,
        code: &str,
        info: &RequestInfo,
    ) -> Result<AuthOutcome, Error> {
        let definition = self.auth_collection(collection).await?;
        require_enabled(&AuthOptions::of(&definition))?;
        check_form(otp_id, code)?;
        let attempt = Attempt {
            kind: Kind::Password,
            collection: &definition.id,
            identity: otp_id,
            client_ip: &info.client_ip,
        };
        self.inner.limiter.check(&attempt)?;
        let (records, info) = (self.clone(), info.clone());
        let (id, otp_id, code) = (definition.id.clone(), otp_id.to_owned(), code.to_owned());
        let sign_in = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &id)?;
            records.try_otp(tx, &collection, (&otp_id, &code), &info)
        };
        match self.inner.database.write(sign_in).await? {
            Tried::Good(outcome, ended) => {
                self.mark_all_ended(&ended);
                self.inner.limiter.succeeded(&attempt);
                Ok(outcome)
            }
            Tried::Wrong => Err(Error::Invalid("Invalid or expired OTP.".to_owned())),
            Tried::TooOften => Err(Error::TooManyRequests {
                retry_after: Duration::from_secs(1),
            }),
        }
    }

    fn try_otp(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        (otp_id, code): (&str, &str),
        info: &RequestInfo,
    ) -> Result<Tried, Error> {
        // Ids that nobody was given are counted too, so that the answers tell nothing.
        if count_try(tx, otp_id)? > MAX_TRIES {
            return Ok(Tried::TooOften);
        }
        let options = AuthOptions::of(collection);
        let since = dates::format_ms(tx.now_ms() - millis(seconds(options.otp.duration)));
        let row = tx.query_one(
            "SELECT \"recordRef\" AS record, \"sentTo\" AS sent_to, password FROM \"_otps\" \
             WHERE id = $1 AND \"collectionRef\" = $2 AND created > $3",
            &[&otp_id, &collection.id, &since],
        )?;
        let (record, sent_to, hash): (String, String, String) = match &row {
            Some(row) => (
                row.get("record")?,
                row.get("sent_to")?,
                row.get("password")?,
            ),
            None => Default::default(),
        };
        let tried = self.inner.keys.code_hash(&format!("{record}\n{code}"));
        if !same(&tried, &hash) || sent_to.is_empty() {
            return Ok(Tried::Wrong);
        }
        let owner = Owner {
            collection: &collection.id,
            record: &record,
        };
        self.remove_system_records_of(tx, OTPS, owner)?;
        let keeps_password = options.mfa.enabled;
        let ended = verify_address(
            self,
            tx,
            collection,
            (&record, &sent_to),
            keeps_password,
            info,
        )?;
        let proof = Proof {
            method: AuthMethod::Otp,
            record,
            password_hash: None,
        };
        let outcome = self.sign_in_in(tx, collection, &proof, info)?;
        Ok(outcome.map_or(Tried::Wrong, |outcome| Tried::Good(outcome, ended)))
    }
}

/// Whoever has read the mail has shown that the address is theirs. Somebody else may have made the
/// account with it before, to keep a way in: unless the password is one of two factors, it goes, with
/// the sessions and links that it led to. Returns the sessions that ended.
fn verify_address(
    records: &Records,
    tx: &mut Tx<'_>,
    collection: &Collection,
    (record, sent_to): (&str, &str),
    keeps_password: bool,
    info: &RequestInfo,
) -> Result<Vec<String>, Error> {
    let table = quote(&collection.name);
    let sql = format!("SELECT email, verified FROM {table} WHERE id = $1");
    let Some(row) = tx.query_one(&sql, &[&record])? else {
        return Ok(Vec::new());
    };
    let (email, verified): (String, bool) = (row.get("email")?, row.get("verified")?);
    if verified || email != sent_to {
        return Ok(Vec::new());
    }
    let mut values = Record::new();
    values.insert("verified".to_owned(), json!(true));
    let origin = Origin {
        request_id: info.request_id.as_deref(),
        password_hash: (!keeps_password).then_some(""),
    };
    records.change(tx, collection, record, &values, origin)?;
    if keeps_password {
        return Ok(Vec::new());
    }
    records.renew_token_key(tx, collection, record)?;
    change::follow(tx, collection, record, true)
}

fn count_try(tx: &mut Tx<'_>, otp_id: &str) -> Result<i64, Error> {
    let forgotten_at = tx.now_ms().saturating_add(millis(TRIES_TTL));
    let row = tx.query_one(
        "INSERT INTO _mito_records_otp_tries (otp, tries, expires_at) VALUES ($1, 1, $2) \
         ON CONFLICT (otp) DO UPDATE SET tries = _mito_records_otp_tries.tries + 1 \
         RETURNING tries",
        &[&otp_id, &forgotten_at],
    )?;
    Ok(row.map_or(Ok(0), |row| row.get("tries"))?)
}

fn require_enabled(options: &AuthOptions) -> Result<(), Error> {
    if options.otp.enabled {
        return Ok(());
    }
    let message = "The collection is not configured to allow OTP authentication.";
    Err(Error::Forbidden(message.to_owned()))
}

/// An address that something is asked to be sent to.
pub(crate) fn check_email(email: &str, field: &str) -> Result<(), Error> {
    if email.is_empty() {
        return Err(Error::field(field, FieldError::required()));
    }
    if email.chars().count() > MAX_INPUT {
        return Err(Error::field(
            field,
            FieldError::length_out_of_range(1, MAX_INPUT),
        ));
    }
    if accept::is_email(email) {
        return Ok(());
    }
    let message = "Must be a valid email address.";
    let error = FieldError::new("validation_is_email", message);
    Err(Error::field(field, error))
}

fn check_form(otp_id: &str, code: &str) -> Result<(), Error> {
    let mut errors = FieldErrors::new();
    for (name, value, max) in [("otpId", otp_id, MAX_INPUT), ("password", code, 71)] {
        if value.is_empty() {
            errors.insert(name.to_owned(), FieldError::required());
        } else if value.chars().count() > max {
            errors.insert(name.to_owned(), FieldError::length_out_of_range(1, max));
        }
    }
    if !errors.is_empty() {
        return Err(Error::Fields(errors));
    }
    // PostgreSQL takes no NUL in a text.
    if otp_id.contains('\0') {
        return Err(Error::Invalid("Invalid or expired OTP.".to_owned()));
    }
    Ok(())
}
