//! Files that wait to be claimed or removed: the rows of `_mito_records_files_pending`.

use mito_database::{Tx, Value as Stored};

use super::{Files, object_key};
use crate::{
    Collection, Error, Field,
    fields::{FieldKind, Storage},
    names::quote,
    sql::{Sql, elements},
};

/// Notes that nobody has the object until `due_ms`, when it is removed; false when it is being
/// removed already.
pub(super) fn announce(
    tx: &mut Tx<'_>,
    object: &str,
    due_ms: i64,
    boot: &str,
) -> Result<bool, Error> {
    let noted = tx.execute(
        "INSERT INTO _mito_records_files_pending (key, due_ms, boot) VALUES ($1, $2, $3)
         ON CONFLICT (key) DO UPDATE SET due_ms = excluded.due_ms, boot = excluded.boot
         WHERE _mito_records_files_pending.taken = 0",
        &[&object, &due_ms, &boot],
    )?;
    Ok(noted == 1)
}

/// Takes the object out of the sweep's reach; false when it is not there to be taken.
pub(super) fn claim(tx: &mut Tx<'_>, object: &str) -> Result<bool, Error> {
    let claimed = tx.execute(
        "DELETE FROM _mito_records_files_pending WHERE key = $1 AND taken = 0",
        &[&object],
    )?;
    Ok(claimed == 1)
}

/// Has an object that is nobody's stay until `due_ms`; false when it is not, or being removed.
pub(super) fn renew(tx: &mut Tx<'_>, object: &str, due_ms: i64, boot: &str) -> Result<bool, Error> {
    let renewed = tx.execute(
        "UPDATE _mito_records_files_pending SET due_ms = $1, boot = $2 \
         WHERE key = $3 AND taken = 0",
        &[&due_ms, &boot, &object],
    )?;
    Ok(renewed == 1)
}

/// Whether the object is nobody's.
pub(super) fn is_pending(tx: &mut Tx<'_>, object: &str) -> Result<bool, Error> {
    let sql = "SELECT key FROM _mito_records_files_pending WHERE key = $1";
    Ok(tx.query_one(sql, &[&object])?.is_some())
}

/// The objects that are due, now the sweep's: nobody can claim them any more. Those that another
/// process staged are due at once where `alone` says that no other process can live.
pub(super) fn take_due(
    tx: &mut Tx<'_>,
    boot: &str,
    alone: bool,
    limit: u32,
) -> Result<Vec<String>, Error> {
    let mut sql = Sql::new("SELECT key FROM _mito_records_files_pending WHERE due_ms <= ");
    sql.bind(Stored::Integer(tx.now_ms()));
    if alone {
        sql.push(" OR boot <> ").bind(Stored::Text(boot.to_owned()));
    }
    sql.push(" ORDER BY due_ms LIMIT ")
        .bind(Stored::Integer(limit.into()));
    let rows = sql.query(tx)?;
    let mut keys = Vec::with_capacity(rows.len());
    for row in &rows {
        let key: String = row.get("key")?;
        tx.execute(
            "UPDATE _mito_records_files_pending SET taken = 1 WHERE key = $1 AND taken = 0",
            &[&key],
        )?;
        keys.push(key);
    }
    Ok(keys)
}

/// Whether something is due.
pub(super) fn is_due(tx: &mut Tx<'_>, boot: &str, alone: bool) -> Result<bool, Error> {
    let mut sql = Sql::new("SELECT key FROM _mito_records_files_pending WHERE due_ms <= ");
    sql.bind(Stored::Integer(tx.now_ms()));
    if alone {
        sql.push(" OR boot <> ").bind(Stored::Text(boot.to_owned()));
    }
    sql.push(" LIMIT 1");
    Ok(sql.query_one(tx)?.is_some())
}

/// Forgets objects that are gone.
pub(super) fn forget(tx: &mut Tx<'_>, keys: &[String]) -> Result<(), Error> {
    for key in keys {
        tx.execute(
            "DELETE FROM _mito_records_files_pending WHERE key = $1 AND taken = 1",
            &[key],
        )?;
    }
    Ok(())
}

impl Files<'_> {
    /// Lets go of files of a record: the write that takes the names from the record, or removes it,
    /// calls this. They are removed after the commit, with their thumbnails.
    pub fn discard_in<'n>(
        &self,
        tx: &mut Tx<'_>,
        collection_id: &str,
        record_id: &str,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<(), Error> {
        let now_ms = tx.now_ms();
        for name in names.into_iter().filter(|name| !name.is_empty()) {
            let object = object_key(collection_id, record_id, name);
            announce(tx, &object, now_ms, &self.records.inner.boot)?;
        }
        Ok(())
    }

    /// Lets go of all files that the records of a collection have in `fields`: before these fields,
    /// or the collection, or all of its records go. Runs inside of the database, whatever their
    /// number.
    pub fn discard_all_in(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        fields: &[&Field],
    ) -> Result<(), Error> {
        let now_ms = tx.now_ms();
        let files = fields
            .iter()
            .filter(|field| field.kind_of() == Some(FieldKind::File));
        for field in files {
            let (table, column) = (quote(&collection.name), quote(&field.name));
            let (name, from) = match field.storage() {
                Storage::List => {
                    let each = elements(tx.dialect(), &format!("r.{column}"), "f");
                    ("f.value", format!("{table} r, {each}"))
                }
                _ => (
                    "r.name",
                    format!("(SELECT id, {column} AS name FROM {table}) r"),
                ),
            };
            let mut sql = Sql::new(
                "INSERT INTO _mito_records_files_pending (key, due_ms, boot) SELECT CAST(",
            );
            sql.bind(Stored::Text(format!("{}/", collection.id)))
                .push(&format!(" AS TEXT) || r.id || '/' || {name}, CAST("))
                .bind(Stored::Integer(now_ms))
                .push(" AS BIGINT), CAST(")
                .bind(Stored::Text(self.records.inner.boot.clone()))
                .push(&format!(" AS TEXT) FROM {from} WHERE {name} <> ''"))
                .push(" ON CONFLICT (key) DO NOTHING");
            sql.execute(tx)?;
        }
        Ok(())
    }
}
