//! What may be changed about an account, and by whom: its owner needs the old password for a new
//! one and cannot verify or re-address themselves; administrators and those whom the collection's
//! `manageRule` names can.

use mito_database::{Tx, Value as Stored};
use mito_network::Identity;
use secrecy::SecretString;
use serde_json::Value;

use crate::{
    Collection, Error, FieldError, Record, Records, RequestInfo,
    accounts::{
        SUPERUSERS,
        limits::{Attempt, Kind},
        passwords, sessions,
        tokens::same,
    },
    error::FieldErrors,
    fields::cast,
    names::quote,
    records::{
        access::{self, Target},
        draft::{Draft, text_in},
    },
};

/// Characters of an account's token key.
const TOKEN_KEY_LENGTH: usize = 50;

/// A new password that a request asks for.
#[derive(Debug)]
pub(crate) struct PasswordChange {
    /// Given where the caller has to know it.
    old: Option<SecretString>,
    /// The hash that is stored.
    current: String,
    new: SecretString,
}

/// What was worked out about passwords before the write, since it takes long.
#[derive(Clone, Debug)]
pub(crate) struct Secrets {
    /// The hash that the old password was compared with; the change is off if it is another by
    /// then.
    expected: Option<String>,
    /// The new hash.
    hash: String,
}

impl Secrets {
    /// Secrets that fit the change in a transaction that is not kept.
    pub(crate) fn placeholder(change: &PasswordChange) -> Self {
        Self {
            expected: Some(change.current.clone()),
            hash: String::new(),
        }
    }
}

/// Whether the caller may change what an account's owner may not.
pub(crate) fn manages(
    records: &Records,
    tx: &mut Tx<'_>,
    collection: &Collection,
    target: Target<'_>,
    info: &RequestInfo,
) -> Result<bool, Error> {
    if info.is_superuser() {
        return Ok(true);
    }
    let rule = collection.options.get("manageRule").and_then(Value::as_str);
    match rule.filter(|rule| !rule.trim().is_empty()) {
        Some(rule) => access::check(records, tx, collection, rule, target, info),
        None => Ok(false),
    }
}

/// Checks the form around an account: what the caller may change, and that a new password is
/// repeated. Returns the new password if there is one.
pub(crate) fn check_form(
    draft: &Draft<'_>,
    values: &Record,
    manages: bool,
) -> Result<Option<PasswordChange>, Error> {
    let mut errors = FieldErrors::new();
    let is_new = draft.is_new();
    if !is_new && !manages && draft.changes("email") {
        errors.insert("email".to_owned(), FieldError::mismatch());
    }
    let verifies = if is_new {
        draft.flag("verified")
    } else {
        draft.changes("verified")
    };
    if !manages && verifies {
        errors.insert("verified".to_owned(), FieldError::mismatch());
    }
    let given = |name: &str| values.get(name).map(cast::text).unwrap_or_default();
    let (password, confirmed) = (given("password"), given("passwordConfirm"));
    let old = given("oldPassword");
    let mut require = |name: &str| errors.insert(name.to_owned(), FieldError::required());
    let asks = is_new || !confirmed.is_empty() || !old.is_empty();
    if password.is_empty() && (asks || values.contains_key("password")) {
        require("password");
    }
    let asks = is_new || !password.is_empty() || !old.is_empty();
    if confirmed.is_empty() && asks {
        require("passwordConfirm");
    }
    let sets_one = !password.is_empty() || !confirmed.is_empty();
    let needs_old = sets_one && !is_new && !manages;
    if needs_old && old.is_empty() {
        require("oldPassword");
    }
    if !confirmed.is_empty() && confirmed != password {
        errors.insert("passwordConfirm".to_owned(), FieldError::mismatch());
    }
    if !errors.is_empty() {
        return Err(Error::Fields(errors));
    }
    if password.is_empty() {
        return Ok(None);
    }
    let before = draft.before.as_deref().unwrap_or_default();
    Ok(Some(PasswordChange {
        old: needs_old.then(|| SecretString::from(old.into_owned())),
        current: text_in(draft.collection, before, "password").to_owned(),
        new: SecretString::from(password.into_owned()),
    }))
}

/// What is wrong with a new password, if anything.
pub(crate) fn check_strength(draft: &mut Draft<'_>, change: Option<&PasswordChange>) {
    use secrecy::ExposeSecret as _;
    let Some(change) = change else { return };
    if let Err(mut error) = passwords::check(draft.collection, change.new.expose_secret()) {
        // PocketBase tells no parameters here.
        error.params = None;
        draft.errors.insert("password".to_owned(), error);
    }
}

/// Puts a new password into the draft. A new password or address also gets a new token key, as the
/// old one vouches for what is no longer so.
pub(crate) fn apply(
    records: &Records,
    draft: &mut Draft<'_>,
    change: Option<&PasswordChange>,
    secrets: Option<&Secrets>,
) -> Result<(), Error> {
    if draft.collection.name == SUPERUSERS {
        draft.set("verified", Stored::Integer(1));
    }
    if let Some(change) = change {
        let meanwhile = || Error::Invalid("The password has been changed meanwhile.".to_owned());
        let secrets = secrets.ok_or_else(meanwhile)?;
        let expected = secrets.expected.as_deref().unwrap_or_default();
        if change.old.is_some() && !same(expected, &change.current) {
            return Err(meanwhile());
        }
        draft.set("password", Stored::Text(secrets.hash.clone()));
    }
    if !draft.is_new() && (change.is_some() || draft.changes("email")) && !draft.changes("tokenKey")
    {
        let key = records.inner.random.id(TOKEN_KEY_LENGTH);
        draft.set("tokenKey", Stored::Text(key));
    }
    Ok(())
}

impl Records {
    /// Compares the old password and hashes the new one, outside of transactions.
    pub(crate) async fn secrets(
        &self,
        collection_id: &str,
        id: &str,
        change: PasswordChange,
        identity: Option<&Identity>,
    ) -> Result<Secrets, Error> {
        let mut expected = None;
        if let Some(old) = change.old {
            let session = identity.map_or("", |identity| identity.session_id.as_str());
            let attempt = Attempt {
                kind: Kind::Password,
                collection: collection_id,
                identity: id,
                client_ip: session,
            };
            self.inner.limiter.check(&attempt)?;
            let stored = Some(change.current.clone()).filter(|stored| !stored.is_empty());
            if !self.inner.passwords.verify(old, stored).await? {
                let error = FieldError::new(
                    "validation_invalid_old_password",
                    "Missing or invalid old password.",
                );
                return Err(Error::field("oldPassword", error));
            }
            self.inner.limiter.succeeded(&attempt);
            expected = Some(change.current);
        }
        Ok(Secrets {
            expected,
            hash: self.inner.passwords.hash(change.new).await?,
        })
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
        let table = quote(&collection.name);
        let sql = format!("UPDATE {table} SET \"tokenKey\" = $1 WHERE id = $2");
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
