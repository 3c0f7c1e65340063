//! Records to rows: every value accepted by its field, relations checked, autodates set, and an
//! event with each change.

use mito_database::{Action, NewEvent, Row, Tx, Value as Stored};
use serde_json::{Value, json};

use crate::{
    Collection, Error, Field, FieldError, Record, Records,
    collections::{indexes::Index, store},
    error::FieldErrors,
    fields::{FieldKind, Storage, accept::accept, dates},
    names::quote,
    records::read,
    sql::Sql,
};

/// Characters of a record's id.
const ID_LENGTH: usize = 15;
/// Characters of an account's token key.
pub(crate) const TOKEN_KEY_LENGTH: usize = 50;

/// What comes with a write besides its values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    /// The request that it follows.
    pub(crate) request_id: Option<&'a str>,
    /// The hash of an account's new password.
    pub(crate) password_hash: Option<&'a str>,
}

impl Records {
    /// Inserts a record; returns its id.
    pub(crate) fn insert(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        values: &Record,
        origin: Origin<'_>,
    ) -> Result<String, Error> {
        let mut errors = FieldErrors::new();
        let mut columns = Vec::with_capacity(collection.fields.len());
        for field in &collection.fields {
            let value = match self.initial(tx, field, values, origin) {
                Some(stored) => Ok(stored),
                None => accept(field, values.get(&field.name).unwrap_or(&Value::Null)),
            };
            let value = value.and_then(|stored| related(tx, field, stored));
            match value {
                Ok(stored) => columns.push((field, stored)),
                Err(error) => {
                    errors.insert(field.name.clone(), error);
                }
            }
        }
        if !errors.is_empty() {
            return Err(Error::Fields(errors));
        }
        let id = columns
            .iter()
            .find_map(|(field, stored)| match stored {
                Stored::Text(id) if field.name == "id" => Some(id.clone()),
                _ => None,
            })
            .ok_or_else(|| Error::Internal("a record has no id".to_owned()))?;
        let names: Vec<String> = columns
            .iter()
            .map(|(field, _)| quote(&field.name))
            .collect();
        let table = quote(&collection.name);
        let mut sql = Sql::new(format!(
            "INSERT INTO {table} ({}) VALUES (",
            names.join(", ")
        ));
        for (position, (_, stored)) in columns.into_iter().enumerate() {
            if position > 0 {
                sql.push(", ");
            }
            sql.bind(stored);
        }
        sql.push(")");
        sql.execute(tx)
            .map_err(|error| not_unique(collection, error))?;
        emit(tx, collection, &id, Action::Create, origin.request_id)?;
        Ok(id)
    }

    /// What a new record has in a field whatever was sent, or where nothing was.
    fn initial(
        &self,
        tx: &Tx<'_>,
        field: &Field,
        values: &Record,
        origin: Origin<'_>,
    ) -> Option<Stored> {
        let text = match (field.kind_of(), field.name.as_str()) {
            (Some(FieldKind::Autodate), _) if field.flag("onCreate") => {
                dates::format_ms(tx.now_ms())
            }
            (Some(FieldKind::Autodate), _) => String::new(),
            (Some(FieldKind::Password), _) => origin.password_hash.unwrap_or_default().to_owned(),
            (_, "id") if is_blank(values.get("id")) => self.inner.random.id(ID_LENGTH),
            (_, "tokenKey") if field.is_secret() => self.inner.random.id(TOKEN_KEY_LENGTH),
            _ => return None,
        };
        Some(Stored::Text(text))
    }
}

/// Changes the given fields of a record.
pub(crate) fn change(
    tx: &mut Tx<'_>,
    collection: &Collection,
    id: &str,
    values: &Record,
    origin: Origin<'_>,
) -> Result<(), Error> {
    let current = read::row(tx, collection, id)?.ok_or(Error::NotFound)?;
    let changed = changes(tx, collection, &current, values, origin)?;
    let mut sql = Sql::new(format!("UPDATE {} SET ", quote(&collection.name)));
    for (position, (field, stored)) in changed.into_iter().enumerate() {
        if position > 0 {
            sql.push(", ");
        }
        sql.push(&quote(&field.name)).push(" = ").bind(stored);
    }
    if !sql.parameters.is_empty() {
        sql.push(" WHERE id = ").bind(Stored::Text(id.to_owned()));
        sql.execute(tx)
            .map_err(|error| not_unique(collection, error))?;
    }
    emit(tx, collection, id, Action::Update, origin.request_id)
}

/// Deletes a record.
pub(crate) fn remove(
    tx: &mut Tx<'_>,
    collection: &Collection,
    id: &str,
    request_id: Option<&str>,
) -> Result<(), Error> {
    let sql = format!("DELETE FROM {} WHERE id = $1", quote(&collection.name));
    if tx.execute(&sql, &[&id])? == 0 {
        return Err(Error::NotFound);
    }
    emit(tx, collection, id, Action::Delete, request_id)
}

fn changes<'a>(
    tx: &mut Tx<'_>,
    collection: &'a Collection,
    current: &Row,
    values: &Record,
    origin: Origin<'_>,
) -> Result<Vec<(&'a Field, Stored)>, Error> {
    let mut errors = FieldErrors::new();
    let mut changed = Vec::new();
    for (field, before) in collection.fields.iter().zip(current.values()) {
        let value = match field.kind_of() {
            Some(FieldKind::Autodate) if field.flag("onUpdate") => {
                Ok(Stored::Text(dates::format_ms(tx.now_ms())))
            }
            Some(FieldKind::Autodate) => continue,
            Some(FieldKind::Password) => match origin.password_hash {
                Some(hash) => Ok(Stored::Text(hash.to_owned())),
                None => continue,
            },
            _ if field.is_secret() => continue,
            _ => match values.get(&field.name) {
                Some(given) => accept(field, given),
                None => continue,
            },
        };
        match value.and_then(|stored| related(tx, field, stored)) {
            Ok(stored) if stored == *before => {}
            Ok(_) if field.name == "id" => {
                let message = "The record primary key cannot be changed.";
                let error = FieldError::new("validation_pk_change", message);
                errors.insert(field.name.clone(), error);
            }
            Ok(stored) => changed.push((field, stored)),
            Err(error) => {
                errors.insert(field.name.clone(), error);
            }
        }
    }
    if errors.is_empty() {
        Ok(changed)
    } else {
        Err(Error::Fields(errors))
    }
}

fn is_blank(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(_) => false,
    }
}

/// Checks that the records a relation points at exist.
fn related(tx: &mut Tx<'_>, field: &Field, stored: Stored) -> Result<Stored, FieldError> {
    if field.kind_of() != Some(FieldKind::Relation) {
        return Ok(stored);
    }
    let ids: Vec<String> = match &stored {
        Stored::Text(text) if field.storage() == Storage::List => {
            serde_json::from_str(text).unwrap_or_default()
        }
        Stored::Text(text) if !text.is_empty() => vec![text.clone()],
        _ => Vec::new(),
    };
    if ids.is_empty() {
        return Ok(stored);
    }
    let missing = || {
        FieldError::new(
            "validation_missing_rel_records",
            "Failed to find all relation records with the provided ids.",
        )
    };
    let found = count_existing(tx, field.text_option("collectionId"), &ids);
    match found {
        Ok(found) if found == ids.len() => Ok(stored),
        Ok(_) => Err(missing()),
        Err(error) => {
            tracing::warn!(%error, field = %field.name, "a relation could not be checked");
            Err(missing())
        }
    }
}

fn count_existing(tx: &mut Tx<'_>, target: &str, ids: &[String]) -> Result<usize, Error> {
    let target = store::find(tx, target)?.ok_or(Error::NotFound)?;
    let table = quote(&target.name);
    let mut sql = Sql::new(format!(
        "SELECT COUNT(*) AS total FROM {table} WHERE id IN ("
    ));
    for (position, id) in ids.iter().enumerate() {
        if position > 0 {
            sql.push(", ");
        }
        sql.bind(Stored::Text(id.clone()));
    }
    sql.push(")");
    Ok(sql.query_one(tx)?.map_or(Ok(0), |row| row.get("total"))?)
}

fn emit(
    tx: &mut Tx<'_>,
    collection: &Collection,
    id: &str,
    action: Action,
    request_id: Option<&str>,
) -> Result<(), Error> {
    let detail = match request_id {
        Some(request_id) => json!({"request_id": request_id}).to_string(),
        None => "{}".to_owned(),
    };
    tx.emit(NewEvent {
        collection: &collection.name,
        record: id,
        action,
        detail: &detail,
    })?;
    Ok(())
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
