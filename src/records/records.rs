//! Records: create, read, update, delete and list, each write with its outbox event
//! (`collection` = the collection's name, `record` = the id, detail = `{"request_id"}`).

use mito_database::Tx;
use mito_network::Identity;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Error, Records};

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
    pub fn create_in(
        &self,
        tx: &mut Tx<'_>,
        collection: &str,
        values: &Record,
    ) -> Result<Record, Error> {
        let _ = (tx, collection, values);
        todo!("records helper")
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
        let _ = (tx, collection, filter, after, limit);
        todo!("records helper")
    }

    /// One record inside a transaction, without rules.
    pub fn find_in(
        &self,
        tx: &mut Tx<'_>,
        collection: &str,
        id: &str,
    ) -> Result<Record, Error> {
        let _ = (tx, collection, id);
        todo!("records helper")
    }

    /// Lists with the collection's list rule applied for `identity`.
    pub async fn list(
        &self,
        collection: &str,
        query: ListQuery,
        identity: Option<Identity>,
    ) -> Result<Page, Error> {
        let _ = (collection, query, identity);
        todo!("records helper")
    }

    /// One record with the view rule applied.
    pub async fn view(
        &self,
        collection: &str,
        id: &str,
        identity: Option<Identity>,
    ) -> Result<Record, Error> {
        let _ = (collection, id, identity);
        todo!("records helper")
    }

    /// Creates with the create rule applied.
    pub async fn create(
        &self,
        collection: &str,
        values: Record,
        identity: Option<Identity>,
        request_id: Option<String>,
    ) -> Result<Record, Error> {
        let _ = (collection, values, identity, request_id);
        todo!("records helper")
    }

    /// Changes the given fields with the update rule applied.
    pub async fn update(
        &self,
        collection: &str,
        id: &str,
        values: Record,
        identity: Option<Identity>,
        request_id: Option<String>,
    ) -> Result<Record, Error> {
        let _ = (collection, id, values, identity, request_id);
        todo!("records helper")
    }

    /// Deletes with the delete rule applied.
    pub async fn delete(
        &self,
        collection: &str,
        id: &str,
        identity: Option<Identity>,
        request_id: Option<String>,
    ) -> Result<(), Error> {
        let _ = (collection, id, identity, request_id);
        todo!("records helper")
    }
}
