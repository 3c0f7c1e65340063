//! Which account is signed in by a person of another site: the one that is linked to the person; else
//! the one that the caller is signed in with; else the one with an address that the site vouches for;
//! else a new one.

use mito_database::Tx;
use serde_json::{Value, json};

use super::person::Person;
use crate::{
    Collection, Error, FieldError, Record, Records, RequestInfo,
    accounts::{
        sessions::rows,
        system::{EXTERNAL_AUTHS, Owner},
    },
    names::quote,
    records::write::Origin,
};

/// What was found for a person.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The account; none yet.
    pub(super) record: Option<String>,
    /// Sessions that have ended, since they may have been somebody else's.
    pub(super) ended: Vec<String>,
}

/// An account's row, as far as it matters here.
struct Account {
    id: String,
    email: String,
    verified: bool,
}

impl Records {
    /// Finds the person's account and links it.
    pub(super) fn find_linked(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        site: &str,
        person: &Person,
        info: &RequestInfo,
    ) -> Result<Found, Error> {
        if person.id.is_empty() {
            return Err(Error::field("providerId", FieldError::required()));
        }
        if let Some(record) = linked(tx, collection, site, &person.id)?
            && let Some(account) = account(tx, collection, "id", &record)?
        {
            self.take_over_email(tx, collection, &account, person)?;
            return Ok(Found::of(account.id));
        }
        let own = info.identity.as_ref();
        if let Some(own) = own.filter(|own| own.collection_id == collection.id)
            && let Some(account) = account(tx, collection, "id", &own.id)?
        {
            self.link(tx, collection, &account.id, site, person)?;
            self.take_over_email(tx, collection, &account, person)?;
            return Ok(Found::of(account.id));
        }
        if person.email.is_empty() || !person.owns_email {
            return Ok(Found::default());
        }
        let Some(account) = account(tx, collection, "email", &person.email)? else {
            return Ok(Found::default());
        };
        let mut found = Found::of(account.id.clone());
        if !account.verified {
            found.ended = self.take_unproved(tx, collection, &account)?;
        }
        self.link(tx, collection, &account.id, site, person)?;
        self.take_over_email(tx, collection, &account, person)?;
        Ok(found)
    }

    /// Links an account that was made for the person.
    pub(super) fn link_new(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        record: &str,
        site: &str,
        person: &Person,
    ) -> Result<(), Error> {
        let Some(account) = account(tx, collection, "id", record)? else {
            return Err(Error::NotFound);
        };
        self.link(tx, collection, record, site, person)?;
        self.take_over_email(tx, collection, &account, person)
    }

    fn link(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        record: &str,
        site: &str,
        person: &Person,
    ) -> Result<(), Error> {
        let owner = Owner {
            collection: &collection.id,
            record,
        };
        let values = [("provider", site), ("providerId", person.id.as_str())];
        self.add_system_record(tx, EXTERNAL_AUTHS, owner, &values, None)?;
        Ok(())
    }

    /// Makes an account that nobody has proved to own the person's. Whoever made it before may have
    /// meant to keep a way in: the password, the sessions and everything linked go.
    fn take_unproved(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        account: &Account,
    ) -> Result<Vec<String>, Error> {
        self.forget_account(tx, collection, &account.id)?;
        let origin = Origin {
            request_id: None,
            password_hash: Some(""),
        };
        self.change(tx, collection, &account.id, &Record::new(), origin)?;
        self.renew_token_key(tx, collection, &account.id)?;
        let ended = rows::of_account(tx, &collection.id, &account.id)?;
        rows::end_all(tx, &collection.id, &account.id)?;
        Ok(ended)
    }

    /// The person's address becomes the account's if it has none, and verified if it is the same.
    fn take_over_email(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        account: &Account,
        person: &Person,
    ) -> Result<(), Error> {
        if person.email.is_empty() || !person.owns_email {
            return Ok(());
        }
        let mut values = Record::new();
        if account.email.is_empty() {
            values.insert("email".to_owned(), json!(person.email));
        }
        let is_same = account.email.is_empty() || account.email == person.email;
        if is_same && !account.verified {
            values.insert("verified".to_owned(), Value::Bool(true));
        }
        if values.is_empty() {
            return Ok(());
        }
        let origin = Origin {
            request_id: None,
            password_hash: None,
        };
        self.change(tx, collection, &account.id, &values, origin)
    }
}

impl Found {
    fn of(record: String) -> Self {
        Self {
            record: Some(record),
            ended: Vec::new(),
        }
    }
}

/// The account that is linked to the site's.
fn linked(
    tx: &mut Tx<'_>,
    collection: &Collection,
    site: &str,
    person: &str,
) -> Result<Option<String>, Error> {
    let row = tx.query_one(
        "SELECT \"recordRef\" AS record FROM \"_externalAuths\" \
         WHERE \"collectionRef\" = $1 AND provider = $2 AND \"providerId\" = $3",
        &[&collection.id, &site, &person],
    )?;
    row.map(|row| Ok(row.get("record")?)).transpose()
}

fn account(
    tx: &mut Tx<'_>,
    collection: &Collection,
    column: &str,
    value: &str,
) -> Result<Option<Account>, Error> {
    let sql = format!(
        "SELECT id, email, verified FROM {} WHERE {} = $1",
        quote(&collection.name),
        quote(column)
    );
    let row = tx.query_one(&sql, &[&value])?;
    row.map(|row| {
        Ok(Account {
            id: row.get("id")?,
            email: row.get("email")?,
            verified: row.get("verified")?,
        })
    })
    .transpose()
}
