//! Records: create, read, update, delete and list, each write with its outbox event
//! (`collection` = the collection's name, `record` = the id, detail = `{"request_id"}`).
//!
//! | module | what it holds |
//! |---|---|
//! | [`access`] | rules: which condition a row must fulfil for whom |
//! | [`read`] | rows to records |
//! | [`write`](mod@write) | records to rows, checked and with their events |
//! | [`list`] | pages |
//! | [`expand`] | the records that records point at |

pub(crate) mod access;
pub(crate) mod expand;
mod list;
pub(crate) mod read;
pub(crate) mod write;

use mito_database::Tx;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    Collection, Error, Records, RequestInfo,
    accounts::{self, change, change::AccountChange},
    records::{access::Operation, read::Viewer, write::Origin},
};

/// A record as the API shows it: a flat object with `id`, `collectionId` and `collectionName`.
pub type Record = Map<String, Value>;

/// What to list.
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    /// From 1.
    pub page: u32,
    /// 1 to 1,000; 30 by default.
    pub per_page: u32,
    /// `-created,+name`.
    pub sort: String,
    /// The filter language.
    pub filter: String,
    /// Leave the totals out.
    pub skip_total: bool,
}

/// A page of records.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// From 1.
    pub page: u32,
    /// The asked-for page size.
    pub per_page: u32,
    /// −1 when totals were left out.
    pub total_items: i64,
    /// −1 when totals were left out.
    pub total_pages: i64,
    /// The records.
    pub items: Vec<Record>,
}

impl Records {
    /// Creates a record inside a transaction, without rules: for workers and imports. Validates,
    /// fills defaults and autodates, and emits the event.
    ///
    /// An account created here has no password (hashing one would hold the writer up) and so
    /// cannot sign in; [`Records::create`] makes accounts that can.
    pub fn create_in(
        &self,
        tx: &mut Tx<'_>,
        collection: &str,
        values: &Record,
    ) -> Result<Record, Error> {
        let collection = self.shared_collection_in(tx, collection)?;
        let origin = Origin {
            request_id: None,
            password_hash: None,
        };
        let id = self.insert(tx, &collection, values, origin)?;
        read::by_id(tx, &collection, &id, &Viewer::Worker)
    }

    /// [`Records::create_in`] for work that follows a request.
    pub fn create_for_request_in(
        &self,
        tx: &mut Tx<'_>,
        collection: &str,
        values: &Record,
        request_id: Option<&str>,
    ) -> Result<Record, Error> {
        let collection = self.shared_collection_in(tx, collection)?;
        let id = self.insert(
            tx,
            &collection,
            values,
            Origin {
                request_id,
                password_hash: None,
            },
        )?;
        read::by_id(tx, &collection, &id, &Viewer::Worker)
    }

    /// All records of a collection that match `filter`, inside a transaction, without rules, after
    /// the record id `after`, at most `limit` (at most 500), by id.
    pub fn scan_in(
        &self,
        tx: &mut Tx<'_>,
        collection: &str,
        filter: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Record>, Error> {
        let collection = self.shared_collection_in(tx, collection)?;
        list::scan(self, tx, &collection, filter, after, limit)
    }

    /// One record inside a transaction, without rules.
    pub fn find_in(&self, tx: &mut Tx<'_>, collection: &str, id: &str) -> Result<Record, Error> {
        let collection = self.shared_collection_in(tx, collection)?;
        read::by_id(tx, &collection, id, &Viewer::Worker)
    }

    /// Changes the given fields of a record inside a transaction, without rules: for workers.
    /// Validates, sets autodates, and emits the event, with the request that the work follows.
    ///
    /// Not for accounts: what a change means for their sessions is decided outside of transactions,
    /// by [`Records::update`].
    pub fn update_in(
        &self,
        tx: &mut Tx<'_>,
        collection: &str,
        id: &str,
        values: &Record,
        request_id: Option<&str>,
    ) -> Result<Record, Error> {
        let collection = self.shared_collection_in(tx, collection)?;
        if collection.is_auth() {
            let message = "Accounts cannot be changed inside a transaction.";
            return Err(Error::Forbidden(message.to_owned()));
        }
        let origin = Origin {
            request_id,
            password_hash: None,
        };
        write::change(tx, &collection, id, values, origin)?;
        read::by_id(tx, &collection, id, &Viewer::Worker)
    }

    /// Lists with the collection's list rule applied for `identity`.
    pub async fn list(
        &self,
        collection: &str,
        query: ListQuery,
        info: &RequestInfo,
    ) -> Result<Page, Error> {
        let (records, name, info) = (self.clone(), collection.to_owned(), info.clone());
        let list = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &name)?;
            list::page(&records, tx, &collection, &query, &info)
        };
        self.inner.database.read(list).await
    }

    /// One record with the view rule applied.
    pub async fn view(
        &self,
        collection: &str,
        id: &str,
        info: &RequestInfo,
    ) -> Result<Record, Error> {
        let (records, name, id) = (self.clone(), collection.to_owned(), id.to_owned());
        let info = info.clone();
        let view = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &name)?;
            access::require(&records, tx, &collection, &id, Operation::View, &info)?;
            read::answer_by_id(tx, &records, &collection, &id, &info)
        };
        self.inner.database.read(view).await
    }

    /// Creates with the create rule applied.
    pub async fn create(
        &self,
        collection: &str,
        values: Record,
        info: &RequestInfo,
    ) -> Result<Record, Error> {
        let definition = self.collection(collection).await?;
        // Nobody has the server hash a password, or learns which values are taken, for a record
        // that they may not create whatever is in it.
        let rule = access::rule(&definition, Operation::Create, info)?;
        self.require_hope(&definition, rule, info).await?;
        let password = self
            .new_account_password(&definition, &values, info.identity.as_ref())
            .await?;
        let (records, name, info) = (self.clone(), collection.to_owned(), info.clone());
        let create = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &name)?;
            let origin = Origin {
                request_id: info.request_id.as_deref(),
                password_hash: password.as_deref(),
            };
            let id = records.insert(tx, &collection, &values, origin)?;
            // The rule speaks of the record as it would be; an error takes it back.
            match access::require(&records, tx, &collection, &id, Operation::Create, &info) {
                Err(Error::NotFound) => {
                    return Err(may_not_create());
                }
                other => other?,
            }
            read::answer_by_id(tx, &records, &collection, &id, &info)
        };
        self.inner.database.write(create).await
    }

    /// Changes the given fields with the update rule applied.
    pub async fn update(
        &self,
        collection: &str,
        id: &str,
        values: Record,
        info: &RequestInfo,
    ) -> Result<Record, Error> {
        let change = self.account_change(collection, id, &values, info).await?;
        let (records, name, id) = (self.clone(), collection.to_owned(), id.to_owned());
        let info = info.clone();
        let update = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &name)?;
            access::require(&records, tx, &collection, &id, Operation::Update, &info)?;
            let hash = match &change {
                Some(change) => change::apply(tx, &collection, &id, change)?,
                None => None,
            };
            let origin = Origin {
                request_id: info.request_id.as_deref(),
                password_hash: hash.as_deref(),
            };
            write::change(tx, &collection, &id, &values, origin)?;
            let ended = change::follow(tx, &collection, &id, hash.is_some())?;
            let record = read::answer_by_id(tx, &records, &collection, &id, &info)?;
            Ok::<_, Error>((record, ended, hash.is_some()))
        };
        let (record, sessions, ended) = self.inner.database.write(update).await?;
        if ended {
            self.mark_all_ended(&sessions);
        } else {
            self.forget_sessions(&sessions);
        }
        Ok(record)
    }

    /// Deletes with the delete rule applied.
    pub async fn delete(
        &self,
        collection: &str,
        id: &str,
        info: &RequestInfo,
    ) -> Result<(), Error> {
        let (records, name, id) = (self.clone(), collection.to_owned(), id.to_owned());
        let info = info.clone();
        let delete = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &name)?;
            access::require(&records, tx, &collection, &id, Operation::Delete, &info)?;
            accounts::protect_last_superuser(tx, &collection)?;
            write::remove(tx, &collection, &id, info.request_id.as_deref())?;
            records.forget_account(tx, &collection, &id)?;
            change::follow(tx, &collection, &id, true)
        };
        let ended = self.inner.database.write(delete).await?;
        self.mark_all_ended(&ended);
        Ok(())
    }

    async fn require_hope(
        &self,
        collection: &Collection,
        rule: Option<&str>,
        info: &RequestInfo,
    ) -> Result<(), Error> {
        let Some(rule) = rule.map(str::to_owned) else {
            return Ok(());
        };
        let (collection, info) = (collection.clone(), info.clone());
        let check = move |tx: &mut Tx<'_>| {
            if access::could_hold(tx, &collection, &rule, &info)? {
                Ok(())
            } else {
                Err(may_not_create())
            }
        };
        self.inner.database.read(check).await
    }

    async fn account_change(
        &self,
        collection: &str,
        id: &str,
        values: &Record,
        info: &RequestInfo,
    ) -> Result<Option<AccountChange>, Error> {
        let definition = self.collection(collection).await?;
        if !definition.is_auth() {
            return Ok(None);
        }
        // The rule comes first: an old password is not compared for somebody who may not change
        // the account.
        self.require_update(&definition, id, info).await?;
        self.check_change(&definition, id, values, info.identity.as_ref())
            .await
            .map(Some)
    }

    async fn require_update(
        &self,
        collection: &Collection,
        id: &str,
        info: &RequestInfo,
    ) -> Result<(), Error> {
        let (collection, id, info) = (collection.clone(), id.to_owned(), info.clone());
        let records = self.clone();
        let check = move |tx: &mut Tx<'_>| {
            access::require(&records, tx, &collection, &id, Operation::Update, &info)
        };
        self.inner.database.read(check).await
    }
}

fn may_not_create() -> Error {
    Error::Invalid("Failed to create record.".to_owned())
}

/// The text of a field, if it was given as text.
pub(crate) fn text<'a>(values: &'a Record, name: &str) -> Option<&'a str> {
    values.get(name).and_then(Value::as_str)
}

/// A secret that was given as text.
pub(crate) fn secret(values: &Record, name: &str) -> Option<SecretString> {
    text(values, name)
        .filter(|text| !text.is_empty())
        .map(SecretString::from)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod update_in_tests;
