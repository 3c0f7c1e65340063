//! The tables behind collections. What a definition keeps, by the ids of its fields, keeps its data.

use mito_database::{Dialect, Tx};

use crate::{
    Collection, CollectionKind, Error, Field, FieldError,
    collections::{indexes::Index, system},
    fields::{FieldKind, Storage},
    names::quote,
};

/// Creates the table of `collection`, or makes what `existing` was into what it is now.
pub(crate) fn bring_up(
    tx: &mut Tx<'_>,
    collection: &Collection,
    existing: Option<&Collection>,
) -> Result<(), Error> {
    if collection.kind == CollectionKind::View {
        return Ok(());
    }
    let Some(existing) = existing else {
        let columns: Vec<String> = collection.fields.iter().map(column).collect();
        let table = quote(&collection.name);
        let sql = format!("CREATE TABLE {table} ({})", columns.join(", "));
        tx.execute(&sql, &[])?;
        for (position, index) in parsed(collection) {
            create_index(tx, position, &index)?;
        }
        return index_creation(tx, collection);
    };
    let kept = keep_indexes(tx, collection, existing)?;
    drop_columns(tx, collection, existing)?;
    rename_columns(tx, collection, existing)?;
    add_columns(tx, collection, existing)?;
    rename_table(tx, &existing.name, &collection.name)?;
    for (position, index) in parsed(collection) {
        if !kept.contains(&position) {
            create_index(tx, position, &index)?;
        }
    }
    index_creation(tx, collection)
}

/// Whether the change takes away or renames what views may speak of.
pub(crate) fn moves_names(collection: &Collection, existing: &Collection) -> bool {
    let moved = |old: &Field| {
        let new = collection.field_by_id(&old.id);
        new.is_none_or(|new| new.name != old.name)
    };
    collection.name != existing.name || existing.fields.iter().any(moved)
}

/// Drops the table with all that is in it.
pub(crate) fn remove(tx: &mut Tx<'_>, collection: &Collection) -> Result<(), Error> {
    let table = quote(&collection.name);
    tx.execute(&format!("DROP TABLE {table}"), &[])?;
    Ok(())
}

/// The indexes with their places in the definition, on the collection's own table.
fn parsed(collection: &Collection) -> Vec<(usize, Index)> {
    let parse = |(position, statement): (usize, &String)| {
        let mut index = Index::parse(statement).ok()?;
        index.table.clone_from(&collection.name);
        Some((position, index))
    };
    let statements = collection.indexes.iter().enumerate();
    statements.filter_map(parse).collect()
}

/// Drops the indexes that are not wanted as they are; returns the places of those that stay.
fn keep_indexes(
    tx: &mut Tx<'_>,
    collection: &Collection,
    existing: &Collection,
) -> Result<Vec<usize>, Error> {
    let renamed = |name: &str| {
        let old = existing
            .fields
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name))?;
        let new = collection.field_by_id(&old.id)?;
        (new.name != old.name).then(|| new.name.clone())
    };
    // A column whose form changes is written anew, and its indexes with it.
    let stays = |name: &str| {
        let old = existing
            .fields
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name));
        old.is_some_and(|old| {
            let new = collection.field_by_id(&old.id);
            new.is_some_and(|new| new.storage() == old.storage())
        })
    };
    let wanted = parsed(collection);
    let mut kept = Vec::new();
    for (_, old) in parsed(existing) {
        let mut moved = old.with_columns_renamed(renamed);
        moved.table.clone_from(&collection.name);
        let same = wanted.iter().find(|(_, new)| *new == moved);
        let whole = old.columns.iter().all(|column| {
            if column.name.is_empty() {
                column
                    .expression
                    .iter()
                    .chain(&old.condition)
                    .filter_map(|word| word.name())
                    .filter(|name| existing.field(name).is_some())
                    .all(stays)
            } else {
                stays(&column.name)
            }
        });
        match same.filter(|_| whole) {
            Some((position, _)) => kept.push(*position),
            None => {
                tx.execute(&format!("DROP INDEX IF EXISTS {}", quote(&old.name)), &[])?;
            }
        }
    }
    let created = |collection: &Collection| {
        let field = collection.field("created");
        field
            .filter(|_| collection.is_ordered_by_creation())
            .map(|field| field.id.clone())
    };
    if created(existing) != created(collection) {
        let name = quote(&creation_index(collection));
        tx.execute(&format!("DROP INDEX IF EXISTS {name}"), &[])?;
    }
    Ok(kept)
}

/// Lists come in the order of creation unless they ask for another, so that order has an index. It
/// is the platform's own: the definition does not show it.
fn index_creation(tx: &mut Tx<'_>, collection: &Collection) -> Result<(), Error> {
    if !collection.is_ordered_by_creation() {
        return Ok(());
    }
    let sql = format!(
        "CREATE INDEX IF NOT EXISTS {} ON {} (created, id)",
        quote(&creation_index(collection)),
        quote(&collection.name)
    );
    tx.execute(&sql, &[])?;
    Ok(())
}

/// Ids may be as long as an identifier can be.
fn creation_index(collection: &Collection) -> String {
    format!(
        "_mito_records_created_{:08x}",
        system::crc32(&collection.id)
    )
}

/// Either its name is taken, or it is unique and records have the same value.
fn create_index(tx: &mut Tx<'_>, position: usize, index: &Index) -> Result<(), Error> {
    let sql = index.sql(tx.dialect());
    let Err(error) = tx.execute(&sql, &[]) else {
        return Ok(());
    };
    if error.is_transient() {
        return Err(Error::Database(error));
    }
    let message = format!("Failed to create index {} - {error}.", index.name);
    Err(Error::field(
        &format!("indexes.{position}"),
        FieldError::new("validation_invalid_index_expression", message),
    ))
}

fn drop_columns(
    tx: &mut Tx<'_>,
    collection: &Collection,
    existing: &Collection,
) -> Result<(), Error> {
    let table = quote(&existing.name);
    for field in &existing.fields {
        if collection.field_by_id(&field.id).is_none() {
            let name = quote(&field.name);
            tx.execute(&format!("ALTER TABLE {table} DROP COLUMN {name}"), &[])?;
        }
    }
    Ok(())
}

/// Two fields may exchange their names, so every one first gets a name that nobody has.
fn rename_columns(
    tx: &mut Tx<'_>,
    collection: &Collection,
    existing: &Collection,
) -> Result<(), Error> {
    let mut renamed = Vec::new();
    for old in &existing.fields {
        if let Some(new) = collection.field_by_id(&old.id)
            && new.name != old.name
        {
            renamed.push((old.name.clone(), new.name.clone()));
        }
    }
    let between = |position: usize| format!("_mito_renamed_{position}");
    for (position, (old, _)) in renamed.iter().enumerate() {
        rename_column(tx, &existing.name, old, &between(position))?;
    }
    for (position, (_, new)) in renamed.iter().enumerate() {
        rename_column(tx, &existing.name, &between(position), new)?;
    }
    Ok(())
}

fn rename_column(tx: &mut Tx<'_>, table: &str, old: &str, new: &str) -> Result<(), Error> {
    let (table, old, new) = (quote(table), quote(old), quote(new));
    let sql = format!("ALTER TABLE {table} RENAME COLUMN {old} TO {new}");
    tx.execute(&sql, &[])?;
    Ok(())
}

fn add_columns(
    tx: &mut Tx<'_>,
    collection: &Collection,
    existing: &Collection,
) -> Result<(), Error> {
    let table = quote(&existing.name);
    for field in &collection.fields {
        match existing.field_by_id(&field.id) {
            None => {
                let sql = format!("ALTER TABLE {table} ADD COLUMN {}", column(field));
                tx.execute(&sql, &[])?;
            }
            Some(old) if old.storage() != field.storage() => convert(tx, &table, field)?,
            Some(_) => {}
        }
    }
    Ok(())
}

/// One value becomes a list of it; of a list the last value stays.
fn convert(tx: &mut Tx<'_>, table: &str, field: &Field) -> Result<(), Error> {
    let name = quote(&field.name);
    let to_list = field.storage() == Storage::List;
    let value = match (tx.dialect(), to_list) {
        (Dialect::Sqlite, true) => {
            format!("CASE WHEN {name} = '' THEN '[]' ELSE json_array({name}) END")
        }
        (Dialect::Postgres, true) => {
            format!("CASE WHEN {name} = '' THEN '[]' ELSE json_build_array({name})::text END")
        }
        (Dialect::Sqlite, false) => format!(
            "CASE WHEN json_valid({name}) THEN COALESCE(json_extract({name}, '$[#-1]'), '') \
             ELSE {name} END"
        ),
        (Dialect::Postgres, false) => format!("COALESCE({name}::json ->> -1, '')"),
    };
    tx.execute(&format!("UPDATE {table} SET {name} = {value}"), &[])?;
    if tx.dialect() == Dialect::Postgres {
        let default = if to_list { "'[]'" } else { "''" };
        let sql = format!("ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {default}");
        tx.execute(&sql, &[])?;
    }
    Ok(())
}

/// SQLite does not rename a table to the same name in other letters, so the way leads over a third.
fn rename_table(tx: &mut Tx<'_>, old: &str, new: &str) -> Result<(), Error> {
    if old == new {
        return Ok(());
    }
    for (old, new) in [
        (old, "_mito_records_renamed"),
        ("_mito_records_renamed", new),
    ] {
        let (old, new) = (quote(old), quote(new));
        tx.execute(&format!("ALTER TABLE {old} RENAME TO {new}"), &[])?;
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
        Storage::Json if field.kind_of() == Some(FieldKind::GeoPoint) => {
            format!("{name} TEXT NOT NULL DEFAULT '{{\"lon\":0,\"lat\":0}}'")
        }
        Storage::Json => format!("{name} TEXT"),
    }
}
