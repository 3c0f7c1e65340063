//! Collections: what PocketBase calls them, each an ordinary SQL table.

use mito_database::Tx;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Error, Records};

/// What a collection holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CollectionKind {
    /// Records.
    Base,
    /// Records that can sign in.
    Auth,
}

/// A field of a collection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
}

impl Records {
    /// All collections by name.
    pub async fn collections(&self) -> Result<Vec<Collection>, Error> {
        todo!("records helper")
    }

    /// The collection with that id or name, inside a transaction.
    pub fn collection_in(&self, tx: &mut Tx<'_>, name: &str) -> Result<Collection, Error> {
        let _ = (tx, name);
        todo!("records helper")
    }

    /// Creates the collections, or brings existing ones of the same name up to the given fields
    /// without losing data. Alone on the writer.
    pub async fn import_collections(&self, collections: Vec<Collection>) -> Result<(), Error> {
        let _ = collections;
        todo!("records helper")
    }
}
