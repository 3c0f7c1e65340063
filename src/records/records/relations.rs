//! Relations: that the records which a field points at exist.

use mito_database::{Tx, Value as Stored};

use crate::{Error, Field, FieldError, Records, fields::convert, names::quote, sql::Sql};

/// What is wrong with a relation, if anything: records that it points at must exist.
pub(crate) fn check(
    records: &Records,
    tx: &mut Tx<'_>,
    field: &Field,
    stored: &Stored,
) -> Result<Option<FieldError>, Error> {
    let ids = convert::values(field, stored);
    if ids.is_empty() {
        return Ok(None);
    }
    let found = match records.shared_collection_in(tx, field.text_option("collectionId")) {
        Ok(target) => count_existing(tx, &target.name, &ids)?,
        Err(Error::NotFound | Error::MissingCollection) => 0,
        Err(error) => return Err(error),
    };
    if found == ids.len() {
        return Ok(None);
    }
    Ok(Some(FieldError::new(
        "validation_missing_rel_records",
        "Failed to find all relation records with the provided ids.",
    )))
}

fn count_existing(tx: &mut Tx<'_>, target: &str, ids: &[String]) -> Result<usize, Error> {
    let table = quote(target);
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
