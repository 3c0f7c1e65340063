//! Collections: what PocketBase calls them, each an ordinary SQL table.
//!
//! | module | what it holds |
//! |---|---|
//! | [`store`] | their definitions in `_mito_records_collections` |
//! | [`read`] | definitions as they are sent, laid over what there is |
//! | [`options`] | the options of each type of field |
//! | [`system`] | the fields that every collection, and every auth collection, has |
//! | [`validate`], [`field_checks`] | what a definition must look like |
//! | [`change`] | made, changed, emptied and removed |
//! | [`import`] | many at once |
//! | [`schema`] | the tables behind them |
//! | [`indexes`] | the `CREATE INDEX` statements, read and written anew |
//! | [`views`] | collections that are queries |
//! | [`words`] | the words of SQL that somebody wrote |
//! | [`shown`] | pages of collections, scaffolds, and queries tried out |

pub(crate) mod change;
pub(crate) mod field_checks;
pub(crate) mod import;
pub(crate) mod indexes;
pub(crate) mod options;
pub(crate) mod read;
pub(crate) mod schema;
pub mod shown;
pub(crate) mod store;
pub(crate) mod system;
pub(crate) mod validate;
pub(crate) mod views;
pub(crate) mod words;

use std::sync::Arc;

use mito_database::Tx;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap as _};
use serde_json::{Map, Value};

use crate::{Error, Records, fields::FieldKind};

/// What a collection holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CollectionKind {
    /// Records.
    Base,
    /// Records that can sign in.
    Auth,
    /// What a query finds in other collections; nothing can be written.
    View,
}

/// A field of a collection.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Field {
    /// A stable id.
    #[serde(default)]
    pub id: String,
    /// The column.
    pub name: String,
    /// `text`, `number`, `bool`, `email`, `url`, `date`, `autodate`, `select`, `relation`, `json`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether an empty value is refused.
    #[serde(default)]
    pub required: bool,
    /// The options of the type.
    #[serde(flatten)]
    pub options: Map<String, Value>,
}

/// As PocketBase writes it: a date that is set by itself has no `required`.
impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("type", &self.kind)?;
        if self.kind_of() != Some(FieldKind::Autodate) {
            map.serialize_entry("required", &self.required)?;
        }
        for (name, value) in &self.options {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// A collection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Collection {
    /// 15 characters.
    #[serde(default)]
    pub id: String,
    /// The name, also of the table.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: CollectionKind,
    /// Its fields in order.
    #[serde(default)]
    pub fields: Vec<Field>,
    /// `CREATE INDEX` statements, as PocketBase writes them.
    #[serde(default)]
    pub indexes: Vec<String>,
    /// Who may list; `None` means administrators alone, empty everybody.
    #[serde(default)]
    pub list_rule: Option<String>,
    /// Who may view.
    #[serde(default)]
    pub view_rule: Option<String>,
    /// Who may create.
    #[serde(default)]
    pub create_rule: Option<String>,
    /// Who may update.
    #[serde(default)]
    pub update_rule: Option<String>,
    /// Who may delete.
    #[serde(default)]
    pub delete_rule: Option<String>,
    /// Belongs to the platform.
    #[serde(default)]
    pub system: bool,
    /// What else the definition says: `authRule`, `passwordAuth`, `created`, `updated`, …
    #[serde(flatten)]
    pub options: Map<String, Value>,
}

impl Collection {
    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The field of that id.
    pub(crate) fn field_by_id(&self, id: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.id == id)
    }

    /// The query of a view; empty for other collections.
    pub fn view_query(&self) -> &str {
        self.options
            .get("viewQuery")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    pub(crate) fn set_view_query(&mut self, query: String) {
        self.options
            .insert("viewQuery".to_owned(), Value::String(query));
    }

    /// Whether it holds no records of its own.
    pub fn is_view(&self) -> bool {
        self.kind == CollectionKind::View
    }

    /// Whether its records can sign in.
    pub fn is_auth(&self) -> bool {
        self.kind == CollectionKind::Auth
    }

    /// Whether its accounts may sign in with a password.
    pub fn allows_passwords(&self) -> bool {
        let enabled = self
            .options
            .get("passwordAuth")
            .and_then(|auth| auth.get("enabled"));
        self.is_auth() && enabled.and_then(Value::as_bool).unwrap_or(true)
    }

    /// Whether its records know when they were created.
    pub(crate) fn is_ordered_by_creation(&self) -> bool {
        self.field("created")
            .is_some_and(|field| field.kind_of() == Some(FieldKind::Autodate))
    }

    /// Who may have a session; `None` means nobody, empty every account.
    pub(crate) fn auth_rule(&self) -> Option<&str> {
        match self.options.get("authRule") {
            Some(rule) => rule.as_str(),
            None => Some(""),
        }
    }
}

impl Records {
    /// All collections in the order in which they were made.
    pub async fn collections(&self) -> Result<Vec<Collection>, Error> {
        self.inner.database.read(store::all).await
    }

    /// The collection with that id or name.
    pub async fn collection(&self, name: &str) -> Result<Collection, Error> {
        let (records, name) = (self.clone(), name.to_owned());
        self.inner
            .database
            .read(move |tx| records.collection_in(tx, &name))
            .await
    }

    /// The collection with that id or name, inside a transaction.
    pub fn collection_in(&self, tx: &mut Tx<'_>, name: &str) -> Result<Collection, Error> {
        self.shared_collection_in(tx, name)
            .map(|collection| (*collection).clone())
    }

    /// [`Records::collection_in`] without a copy.
    pub(crate) fn shared_collection_in(
        &self,
        tx: &mut Tx<'_>,
        name: &str,
    ) -> Result<Arc<Collection>, Error> {
        self.inner
            .definitions
            .find(tx, name)?
            .ok_or(Error::NotFound)
    }

    /// The collection that a request names: one that is not there is told as such.
    pub(crate) fn named_collection(
        &self,
        tx: &mut Tx<'_>,
        name: &str,
    ) -> Result<Arc<Collection>, Error> {
        let found = self.inner.definitions.find(tx, name)?;
        found.ok_or(Error::MissingCollection)
    }
}

#[cfg(test)]
mod tests;
