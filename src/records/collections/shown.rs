//! What administrators are shown of collections: pages of them, empty ones to begin with, and what
//! a query would be as a view.

use std::collections::HashMap;

use mito_database::Tx;
use mito_network::Identity;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    Collection, CollectionKind, Error, Field, FieldError, ListQuery, Page, Record, Records,
    RequestInfo, SUPERUSERS,
    accounts::options::AuthOptions,
    collections::{
        options, read, store, system,
        views::{self, Query},
    },
    records::{list, read::Viewer},
};

/// Characters after the names of the indexes of a collection that has no id yet.
const SUFFIX_LENGTH: usize = 10;
/// Records that a query on trial shows.
const SAMPLES: usize = 10;

/// What a query would be as a view.
#[derive(Clone, Debug, Serialize)]
pub struct DryRun {
    /// The fields of its records.
    pub fields: Vec<Field>,
    /// Its first records.
    pub sample: Vec<Record>,
}

impl Collection {
    /// The definition as the API shows it: with every option of its type, without secrets.
    pub fn shown(&self) -> Value {
        let mut shown = Map::new();
        let mut set = |name: &str, value: Value| {
            shown.insert(name.to_owned(), value);
        };
        set("id", json!(self.id));
        set("listRule", json!(self.list_rule));
        set("viewRule", json!(self.view_rule));
        set("createRule", json!(self.create_rule));
        set("updateRule", json!(self.update_rule));
        set("deleteRule", json!(self.delete_rule));
        set("name", json!(self.name));
        set("type", json!(store::kind_name(self.kind)));
        set("fields", json!(self.fields));
        set("indexes", json!(self.indexes));
        for date in ["created", "updated"] {
            let value = self.options.get(date).cloned();
            set(date, value.unwrap_or_else(|| json!("")));
        }
        set("system", json!(self.system));
        match self.kind {
            CollectionKind::Base => {}
            CollectionKind::Auth => shown.extend(AuthOptions::of(self).shown()),
            CollectionKind::View => set("viewQuery", json!(self.view_query())),
        }
        Value::Object(shown)
    }
}

impl Records {
    /// A page of collections as the API shows them. They can be filtered and sorted by `id`,
    /// `name`, `type`, `system`, `created` and `updated`.
    pub async fn list_collections(&self, query: ListQuery) -> Result<Page, Error> {
        let records = self.clone();
        let list = move |tx: &mut Tx<'_>| {
            let mut query = query.clone();
            if query.sort.trim().is_empty() || query.sort.trim() == "@rowid" {
                "position".clone_into(&mut query.sort);
            }
            let table = table_of_definitions();
            let mut page = list::page(&records, tx, &table, &query, &administrator())?;
            let mut shown: HashMap<String, Value> = store::all(tx)?
                .into_iter()
                .map(|collection| (collection.id.clone(), collection.shown()))
                .collect();
            let of = |record: &Record| {
                let id = record.get("id").and_then(Value::as_str)?;
                match shown.remove(id)? {
                    Value::Object(collection) => Some(collection),
                    _ => None,
                }
            };
            page.items = page.items.iter().filter_map(of).collect();
            Ok(page)
        };
        self.inner.database.read(list).await
    }

    /// Collections of every type with nothing in them but what each has.
    pub fn scaffolds(&self) -> Value {
        let mut scaffolds = Map::new();
        for kind in [
            CollectionKind::Base,
            CollectionKind::Auth,
            CollectionKind::View,
        ] {
            let mut collection = read::blank(kind);
            system::imply(&mut collection);
            collection.id.clear();
            if kind == CollectionKind::Auth {
                collection.indexes.clear();
                let suffix = self.inner.random.id(SUFFIX_LENGTH);
                system::complete_auth_indexes(&mut collection, &suffix);
            }
            scaffolds.insert(store::kind_name(kind).to_owned(), collection.shown());
        }
        Value::Object(scaffolds)
    }

    /// What a query would be as a view, with its first records; nothing is created.
    pub async fn dry_run_view(&self, query: &str) -> Result<DryRun, Error> {
        if query.is_empty() {
            return Err(Error::field("query", FieldError::required()));
        }
        let (text, random) = (query.to_owned(), self.inner.random.clone());
        let run = move |tx: &mut Tx<'_>| {
            let invalid = |reason: String| {
                Error::Invalid(format!("Invalid view query. Raw error: {reason}."))
            };
            let fields = views::fields(tx, &text, &random)?.map_err(invalid)?;
            let query = Query::parse(&text, tx.dialect()).map_err(invalid)?;
            let mut view = read::blank(CollectionKind::View);
            view.name = format!("temp_view_{}", random.id(SUFFIX_LENGTH));
            system::imply(&mut view);
            view.fields.clone_from(&fields);
            let rows = query.rows(tx, &view, SAMPLES)?;
            let sample = rows
                .iter()
                .map(|row| crate::records::read::record(&view, row, &Viewer::Superuser))
                .collect();
            Ok(DryRun { fields, sample })
        };
        match self.inner.database.read(run).await {
            Err(Error::Database(mito_database::Error::TimedOut)) => Err(Error::Invalid(
                "Invalid view query. Raw error: the query takes too long.".to_owned(),
            )),
            other => other,
        }
    }
}

/// Definitions as records, for the language of filters.
fn table_of_definitions() -> Collection {
    let mut table = read::blank(CollectionKind::Base);
    "_mito_records_collections".clone_into(&mut table.name);
    "_mito_records_collections".clone_into(&mut table.id);
    for (name, kind) in [
        ("id", "text"),
        ("name", "text"),
        ("type", "text"),
        ("system", "bool"),
        ("created", "date"),
        ("updated", "date"),
        ("position", "number"),
    ] {
        let mut field = Field {
            id: name.to_owned(),
            name: name.to_owned(),
            kind: kind.to_owned(),
            required: false,
            options: Map::new(),
        };
        options::fill(&mut field);
        table.fields.push(field);
    }
    table
}

/// Whoever asks has been found to be an administrator before.
fn administrator() -> RequestInfo {
    RequestInfo::of(Some(Identity {
        id: String::new(),
        collection: SUPERUSERS.to_owned(),
        collection_id: String::new(),
        email: String::new(),
        session_id: String::new(),
    }))
}
