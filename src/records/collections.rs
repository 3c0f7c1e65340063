//! Collections: what PocketBase calls them, each an ordinary SQL table.
//!
//! | module | what it holds |
//! |---|---|
//! | [`store`] | their definitions in `_mito_records_collections` |
//! | [`system`] | the fields that every collection, and every auth collection, has |
//! | [`schema`] | the tables behind them: created and added to, never narrowed |
//! | [`indexes`] | the `CREATE INDEX` statements, read and written anew |
//! | [`validate`] | what a definition must look like |

pub(crate) mod indexes;
pub(crate) mod schema;
pub(crate) mod store;
pub(crate) mod system;
pub(crate) mod validate;

use std::sync::Arc;

use mito_database::Tx;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Error, FieldError, Records, fields::FieldKind};

/// The most collections in one import.
const MAX_IMPORTED_COLLECTIONS: usize = 200;

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
    /// All collections by name.
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

    /// Creates a collection that must not exist yet.
    pub async fn create_collection(&self, collection: Collection) -> Result<Collection, Error> {
        let (records, name) = (self.clone(), collection.name.clone());
        let create = move |tx: &mut Tx<'_>| {
            if store::exists(tx, &collection.name)? {
                return Err(name_exists());
            }
            import_in(tx, std::slice::from_ref(&collection))?;
            records.collection_in(tx, &collection.name)
        };
        let created = self.inner.database.exclusive(create).await?;
        tracing::info!(collection = %name, "created a collection");
        Ok(created)
    }

    /// Creates the collections, or brings existing ones of the same name up to the given fields
    /// without losing data. Alone on the writer.
    pub async fn import_collections(&self, collections: Vec<Collection>) -> Result<(), Error> {
        if collections.len() > MAX_IMPORTED_COLLECTIONS {
            return Err(Error::Invalid(format!(
                "At most {MAX_IMPORTED_COLLECTIONS} collections can be imported at once."
            )));
        }
        let count = collections.len();
        self.inner
            .database
            .exclusive(move |tx| import_in(tx, &collections))
            .await?;
        tracing::info!(collections = count, "imported collections");
        Ok(())
    }
}

/// A collection is found by its id or its name, so neither may be another's id or name.
fn require_unused(tx: &mut Tx<'_>, collection: &Collection) -> Result<(), Error> {
    if store::exists(tx, &collection.name)? {
        return Err(name_exists());
    }
    if store::find(tx, &collection.id)?.is_some() {
        let message = "The collection id is the id or the name of another collection.";
        let error = FieldError::new("validation_collection_id_exists", message);
        return Err(Error::field("id", error));
    }
    Ok(())
}

fn name_exists() -> Error {
    let error = FieldError::new(
        "validation_collection_name_exists",
        "Collection name must be unique (case insensitive).",
    );
    Error::field("name", error)
}

/// Definitions come first, so that relations may point at collections of the same import.
fn import_in(tx: &mut Tx<'_>, collections: &[Collection]) -> Result<(), Error> {
    let mut planned = Vec::with_capacity(collections.len());
    for wanted in collections {
        let existing = store::find(tx, &wanted.name)?;
        if existing
            .as_ref()
            .is_some_and(|existing| existing.name != wanted.name)
        {
            return Err(name_exists());
        }
        let merged = system::complete(wanted.clone(), existing.as_ref());
        validate::collection(&merged, existing.as_ref())?;
        if existing.is_none() {
            require_unused(tx, &merged)?;
        }
        store::save(tx, &merged)?;
        planned.push((merged, existing));
    }
    for (merged, existing) in &mut planned {
        validate::relations(tx, merged)?;
        validate::rules(tx, merged)?;
        store::save(tx, merged)?;
        schema::bring_up(tx, merged, existing.as_ref())?;
    }
    Ok(())
}
