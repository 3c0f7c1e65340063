//! Drafts to rows: inserted or updated, with their files and an event for each change. Rules are
//! not asked here.

use mito_database::{Action, NewEvent, Tx, Value as Stored};
use serde_json::{Value, json};

use crate::{
    Collection, Error, FieldError, Record, Records,
    collections::indexes::Index,
    names::quote,
    records::{
        draft::Draft,
        read::{self, Viewer},
        submitted::Submitted,
    },
    sql::Sql,
};

/// What comes with a write besides its values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    /// The request that it follows.
    pub(crate) request_id: Option<&'a str>,
    /// The hash of an account's new password.
    pub(crate) password_hash: Option<&'a str>,
}

impl Records {
    /// Inserts a record without rules; returns its id.
    pub(crate) fn insert(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        values: &Record,
        origin: Origin<'_>,
    ) -> Result<String, Error> {
        let submitted = Submitted::from(values.clone());
        let mut draft = Draft::new(collection);
        draft.load(&submitted, true, &self.inner.random);
        draft.fill(tx.now_ms(), &self.inner.random);
        if let Some(hash) = origin.password_hash {
            draft.set("password", Stored::Text(hash.to_owned()));
        }
        draft.check(&submitted);
        draft.check_in(self, tx)?;
        let draft = draft.checked()?;
        self.insert_draft(tx, &draft, &submitted, origin.request_id)?;
        Ok(draft.id().to_owned())
    }

    /// Writes a new record.
    pub(crate) fn insert_draft(
        &self,
        tx: &mut Tx<'_>,
        draft: &Draft<'_>,
        submitted: &Submitted,
        request_id: Option<&str>,
    ) -> Result<(), Error> {
        let collection = draft.collection;
        let mut sql = String::with_capacity(64 + 24 * collection.fields.len());
        sql.push_str("INSERT INTO ");
        sql.push_str(&quote(&collection.name));
        sql.push_str(" (");
        for (position, field) in collection.fields.iter().enumerate() {
            if position > 0 {
                sql.push_str(", ");
            }
            sql.push_str(&quote(&field.name));
        }
        sql.push_str(") VALUES (");
        let mut parameters: Vec<&dyn mito_database::ToValue> =
            Vec::with_capacity(draft.columns.len());
        for (position, stored) in draft.columns.iter().enumerate() {
            sql.push_str(if position > 0 { ", $" } else { "$" });
            sql.push_str(&(position + 1).to_string());
            parameters.push(stored);
        }
        sql.push(')');
        tx.execute(&sql, &parameters)
            .map_err(|error| not_unique(collection, error))?;
        self.move_files(tx, draft, submitted)?;
        emit(tx, collection, draft.id(), Action::Create, request_id)
    }

    /// Changes the given fields of a record without rules.
    pub(crate) fn change(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        id: &str,
        values: &Record,
        origin: Origin<'_>,
    ) -> Result<(), Error> {
        let current = read::row(tx, collection, id)?.ok_or(Error::NotFound)?;
        let submitted = Submitted::from(values.clone());
        let mut draft = Draft::of(collection, current.values());
        draft.load(&submitted, true, &self.inner.random);
        draft.fill(tx.now_ms(), &self.inner.random);
        if let Some(hash) = origin.password_hash {
            draft.set("password", Stored::Text(hash.to_owned()));
        }
        draft.check(&submitted);
        draft.check_in(self, tx)?;
        let draft = draft.checked()?;
        self.update_draft(tx, &draft, &submitted, origin.request_id)
    }

    /// Writes what a draft changes of its record.
    pub(crate) fn update_draft(
        &self,
        tx: &mut Tx<'_>,
        draft: &Draft<'_>,
        submitted: &Submitted,
        request_id: Option<&str>,
    ) -> Result<(), Error> {
        let collection = draft.collection;
        store_changes(tx, draft).map_err(|error| not_unique(collection, error))?;
        self.move_files(tx, draft, submitted)?;
        emit(tx, collection, draft.id(), Action::Update, request_id)
    }
}

/// Writes the columns that a draft changes, if there are any.
pub(crate) fn store_changes(
    tx: &mut Tx<'_>,
    draft: &Draft<'_>,
) -> Result<(), mito_database::Error> {
    let collection = draft.collection;
    let mut sql = Sql::new(format!("UPDATE {} SET ", quote(&collection.name)));
    let before = draft.before.as_deref().unwrap_or_default();
    for ((field, stored), before) in collection.fields.iter().zip(&draft.columns).zip(before) {
        if stored == before {
            continue;
        }
        if !sql.parameters.is_empty() {
            sql.push(", ");
        }
        sql.push(&quote(&field.name))
            .push(" = ")
            .bind(stored.clone());
    }
    if sql.parameters.is_empty() {
        return Ok(());
    }
    sql.push(" WHERE id = ")
        .bind(Stored::Text(draft.id().to_owned()));
    sql.execute(tx).map(drop)
}

fn detail_of(request_id: Option<&str>) -> String {
    match request_id {
        Some(request_id) => json!({"request_id": request_id}).to_string(),
        None => "{}".to_owned(),
    }
}

fn emit(
    tx: &mut Tx<'_>,
    collection: &Collection,
    id: &str,
    action: Action,
    request_id: Option<&str>,
) -> Result<(), Error> {
    tx.emit(NewEvent {
        collection: &collection.name,
        record: id,
        action,
        detail: &detail_of(request_id),
    })?;
    Ok(())
}

/// The event of a record that is gone carries it, since nobody can look it up any more.
pub(crate) fn emit_deleted(
    tx: &mut Tx<'_>,
    draft: &Draft<'_>,
    request_id: Option<&str>,
) -> Result<(), Error> {
    let record = read::shown(draft.collection, &draft.columns, &Viewer::Worker);
    let mut detail = serde_json::Map::new();
    if let Some(request_id) = request_id {
        detail.insert("request_id".to_owned(), Value::from(request_id));
    }
    detail.insert("record".to_owned(), Value::Object(record));
    tx.emit(NewEvent {
        collection: &draft.collection.name,
        record: draft.id(),
        action: Action::Delete,
        detail: &Value::Object(detail).to_string(),
    })?;
    Ok(())
}

/// The event of a record that lost a reference.
pub(crate) fn emit_updated(
    tx: &mut Tx<'_>,
    draft: &Draft<'_>,
    request_id: Option<&str>,
) -> Result<(), Error> {
    emit(tx, draft.collection, draft.id(), Action::Update, request_id)
}

/// Turns a violated uniqueness constraint into errors of the fields that it is about. SQLite names
/// the columns, PostgreSQL the constraint; both are recognised.
fn not_unique(collection: &Collection, error: mito_database::Error) -> Error {
    let mito_database::Error::Unique(what) = &error else {
        return Error::Database(error);
    };
    let words: Vec<&str> = what
        .split(|character: char| !character.is_ascii_alphanumeric() && character != '_')
        .collect();
    let named = collection
        .indexes
        .iter()
        .filter_map(|statement| Index::parse(statement).ok())
        .find(|index| index.unique && words.contains(&index.name.as_str()));
    let fields: Vec<String> = match named {
        Some(index) => index
            .columns
            .into_iter()
            .map(|column| column.name)
            .collect(),
        None => collection
            .fields
            .iter()
            .filter(|field| words.contains(&field.name.as_str()))
            .map(|field| field.name.clone())
            .collect(),
    };
    let fields = if fields.is_empty() {
        vec!["id".to_owned()]
    } else {
        fields
    };
    Error::Fields(
        fields
            .into_iter()
            .map(|name| (name, FieldError::not_unique()))
            .collect(),
    )
}
