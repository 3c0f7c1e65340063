//! Records: create, read, update, delete and list, each write with its outbox event
//! (`collection` = the collection's name, `record` = the id, detail = `{"request_id"}`).
//!
//! | module | what it holds |
//! |---|---|
//! | [`access`] | rules: which condition a row must fulfil for whom |
//! | [`read`] | rows to records |
//! | [`submitted`] | what a request sends: values and files |
//! | [`draft`] | a record as it would be, checked |
//! | [`plan`] | writes of requests: rules asked, then values checked |
//! | [`requests`] | create, update and delete as requests |
//! | [`batch`] | several of them in one transaction |
//! | [`write`](mod@write) | drafts to rows, with their events |
//! | [`remove`](mod@remove) | deleting, with what depends on it |
//! | [`files`], [`relations`] | what such fields may hold |
//! | [`list`] | pages |
//! | [`expand`] | the records that records point at |

pub(crate) mod access;
pub(crate) mod batch;
pub(crate) mod draft;
pub(crate) mod expand;
mod files;
pub(crate) mod list;
pub(crate) mod plan;
pub(crate) mod read;
mod relations;
mod remove;
mod requests;
mod submitted;
mod uploads;
pub(crate) mod write;

use mito_database::Tx;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    Error, Records, RequestInfo,
    records::{access::Operation, read::Viewer, write::Origin},
};

pub use batch::{BatchFailure, BatchOperation, BatchOutcome, BatchRequest};
pub use submitted::Submitted;

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
        self.change(tx, &collection, id, values, origin)?;
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
            let collection = records.named_collection(tx, &name)?;
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
            let collection = records.named_collection(tx, &name)?;
            access::require(&records, tx, &collection, &id, Operation::View, &info)?;
            read::answer_by_id(tx, &records, &collection, &id, &info)
        };
        self.inner.database.read(view).await
    }
}

/// The text of a field, if it was given as text.
pub(crate) fn text<'a>(values: &'a Record, name: &str) -> Option<&'a str> {
    values.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod update_in_tests;
#[cfg(test)]
mod write_tests;
