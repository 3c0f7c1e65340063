//! The tables behind collections. Changes only ever add: a column that is not wanted any more stays
//! where it is, and a column never changes its type.

use mito_database::Tx;

use crate::{
    Collection, Error, Field, FieldError,
    collections::{indexes::Index, system},
    fields::Storage,
    names::quote,
};

/// Creates the table of `collection`, or adds the columns and indexes that `existing` lacks.
pub(crate) fn bring_up(
    tx: &mut Tx<'_>,
    collection: &Collection,
    existing: Option<&Collection>,
) -> Result<(), Error> {
    match existing {
        None => {
            let columns: Vec<String> = collection.fields.iter().map(column).collect();
            let table = quote(&collection.name);
            tx.execute(
                &format!("CREATE TABLE {table} ({})", columns.join(", ")),
                &[],
            )?;
        }
        Some(existing) => add_columns(tx, collection, existing)?,
    }
    let known = existing.map_or(&[][..], |existing| &existing.indexes);
    for statement in collection
        .indexes
        .iter()
        .filter(|index| !known.contains(index))
    {
        let index = Index::parse(statement).map_err(Error::Internal)?;
        let sql = index.sql(tx.dialect());
        tx.execute(&sql, &[])
            .map_err(|error| cannot_create(&index.name, error))?;
    }
    index_creation(tx, collection)
}

/// Lists come in the order of creation unless they ask for another, so that order has an index. It
/// is the platform's own: the definition does not show it.
fn index_creation(tx: &mut Tx<'_>, collection: &Collection) -> Result<(), Error> {
    if !collection.is_ordered_by_creation() {
        return Ok(());
    }
    // Ids may be as long as an identifier can be.
    let name = format!(
        "_mito_records_created_{:08x}",
        system::crc32(&collection.id)
    );
    let sql = format!(
        "CREATE INDEX IF NOT EXISTS {} ON {} (created, id)",
        quote(&name),
        quote(&collection.name)
    );
    tx.execute(&sql, &[])?;
    Ok(())
}

/// Either its name is taken, or it is unique and records have the same value.
fn cannot_create(index: &str, error: mito_database::Error) -> Error {
    if error.is_transient() {
        return Error::Database(error);
    }
    let message = format!("The index {index:?} cannot be created: {error}.");
    Error::field(
        "indexes",
        FieldError::new("validation_invalid_index_expression", message),
    )
}

fn add_columns(
    tx: &mut Tx<'_>,
    collection: &Collection,
    existing: &Collection,
) -> Result<(), Error> {
    let table = quote(&collection.name);
    for field in &collection.fields {
        if existing.field(&field.name).is_none() {
            tx.execute(
                &format!("ALTER TABLE {table} ADD COLUMN {}", column(field)),
                &[],
            )?;
        }
    }
    Ok(())
}

/// The column of a field, with PocketBase's defaults: empty text, zero, false and no null.
fn column(field: &Field) -> String {
    let name = quote(&field.name);
    if field.name == "id" {
        return format!("{name} TEXT PRIMARY KEY NOT NULL");
    }
    match field.storage() {
        Storage::Text => format!("{name} TEXT NOT NULL DEFAULT ''"),
        Storage::Number => format!("{name} DOUBLE PRECISION NOT NULL DEFAULT 0"),
        Storage::Bool => format!("{name} BIGINT NOT NULL DEFAULT 0"),
        Storage::List => format!("{name} TEXT NOT NULL DEFAULT '[]'"),
        Storage::Json => format!("{name} TEXT"),
    }
}
