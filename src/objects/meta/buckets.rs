//! Rows of `buckets`.

use mito_database::Tx;

use crate::{Bucket, Error};

/// The id of a bucket.
pub(crate) fn id(tx: &mut Tx<'_>, name: &str) -> Result<String, Error> {
    let row = tx.query_one(
        "SELECT id FROM _mito_objects_buckets WHERE name = $1",
        &[&name],
    )?;
    let row = row.ok_or_else(|| Error::NoSuchBucket(name.to_owned()))?;
    Ok(row.get("id")?)
}

/// Makes a bucket.
pub(crate) fn create(tx: &mut Tx<'_>, id: &str, name: &str, region: &str) -> Result<(), Error> {
    let now_ms = tx.now_ms();
    let sql = "INSERT INTO _mito_objects_buckets (id, name, region, created_ms) \
               VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING";
    match tx.execute(sql, &[&id, &name, &region, &now_ms])? {
        0 => Err(Error::BucketExists(name.to_owned())),
        _ => Ok(()),
    }
}

/// Removes an empty bucket.
pub(crate) fn delete(tx: &mut Tx<'_>, name: &str) -> Result<(), Error> {
    let id = id(tx, name)?;
    for table in ["_mito_objects_versions", "_mito_objects_uploads"] {
        let sql = format!("SELECT 1 AS found FROM {table} WHERE bucket = $1 LIMIT 1");
        if tx.query_one(&sql, &[&id])?.is_some() {
            return Err(Error::BucketNotEmpty(name.to_owned()));
        }
    }
    tx.execute("DELETE FROM _mito_objects_buckets WHERE id = $1", &[&id])?;
    Ok(())
}

/// A bucket by name.
pub(crate) fn get(tx: &mut Tx<'_>, name: &str) -> Result<Bucket, Error> {
    let sql = "SELECT name, created_ms FROM _mito_objects_buckets WHERE name = $1";
    let row = tx.query_one(sql, &[&name])?;
    let row = row.ok_or_else(|| Error::NoSuchBucket(name.to_owned()))?;
    Ok(Bucket {
        name: row.get("name")?,
        created_ms: row.get("created_ms")?,
    })
}

/// Up to `limit` buckets by name, after `after`.
pub(crate) fn list(tx: &mut Tx<'_>, after: &str, limit: u32) -> Result<Vec<Bucket>, Error> {
    let sql = "SELECT name, created_ms FROM _mito_objects_buckets WHERE name > $1 \
               ORDER BY name LIMIT $2";
    let rows = tx.query(sql, &[&after, &limit])?;
    rows.iter()
        .map(|row| {
            Ok(Bucket {
                name: row.get("name")?,
                created_ms: row.get("created_ms")?,
            })
        })
        .collect()
}
