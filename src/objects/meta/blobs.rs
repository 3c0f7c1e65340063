//! Rows of `blobs`, `inline` and `gc`.

use std::time::Duration;

use bytes::Bytes;
use mito_database::{Tx, Value};

use super::to_bigint;
use crate::{
    Error,
    blobs::reader::BlobInfo,
    checksums::{CHUNK_BYTES, Finished},
};

/// How long a blob file stays after the last row that named it is gone. Readers announce the blobs
/// they read and then look again, so it only spares them a second attempt.
pub(crate) const GC_GRACE: Duration = Duration::from_millis(500);

/// Bytes that have been received and digested.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) id: String,
    /// The bytes, if they go into the metadata file.
    pub(crate) inline: Option<Bytes>,
    pub(crate) digests: Finished,
}

/// Adds a blob that one row names.
pub(crate) fn insert(tx: &mut Tx<'_>, blob: &Stored) -> Result<(), Error> {
    let now_ms = tx.now_ms();
    let place = if blob.inline.is_some() {
        "inline"
    } else {
        "file"
    };
    let digests = &blob.digests;
    tx.execute(
        "INSERT INTO _mito_objects_blobs \
         (id, place, size, blake3, chunk_bytes, chunk_sums, refs, created_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, 1, $7)",
        &[
            &blob.id,
            &place,
            &to_bigint(digests.size),
            &digests.blake3.as_slice(),
            &to_bigint(CHUNK_BYTES as u64),
            &digests.chunk_sums,
            &now_ms,
        ],
    )?;
    if let Some(bytes) = &blob.inline {
        let sql = "INSERT INTO _mito_objects_inline (blob, data) VALUES ($1, $2)";
        tx.execute(sql, &[&blob.id, &&bytes[..]])?;
    }
    Ok(())
}

/// Notes that one more row names the blob.
pub(crate) fn share(tx: &mut Tx<'_>, id: &str) -> Result<(), Error> {
    tx.execute(
        "UPDATE _mito_objects_blobs SET refs = refs + 1 WHERE id = $1",
        &[&id],
    )?;
    Ok(())
}

/// Notes that one row less names the blob. The last one hands its file to the sweep; bytes in the
/// metadata file go at once, since readers took them together with the row.
pub(crate) fn release(tx: &mut Tx<'_>, id: &str) -> Result<(), Error> {
    tx.execute(
        "UPDATE _mito_objects_blobs SET refs = refs - 1 WHERE id = $1",
        &[&id],
    )?;
    let sql = "SELECT refs, place FROM _mito_objects_blobs WHERE id = $1";
    let Some(row) = tx.query_one(sql, &[&id])? else {
        return Ok(());
    };
    if row.get::<i64>("refs")? > 0 {
        return Ok(());
    }
    if row.get::<String>("place")? == "inline" {
        forget(tx, id)
    } else {
        let due_ms = tx.now_ms() + i64::try_from(GC_GRACE.as_millis()).unwrap_or(0);
        let sql = "INSERT INTO _mito_objects_gc (blob, due_ms) VALUES ($1, $2) \
                   ON CONFLICT (blob) DO NOTHING";
        tx.execute(sql, &[&id, &due_ms])?;
        Ok(())
    }
}

/// Whether the sweep cannot have taken the blob yet.
pub(crate) fn is_kept(tx: &mut Tx<'_>, id: &str) -> Result<bool, Error> {
    let now_ms = tx.now_ms();
    let sql = "SELECT g.due_ms FROM _mito_objects_blobs b \
               LEFT JOIN _mito_objects_gc g ON g.blob = b.id WHERE b.id = $1";
    let Some(row) = tx.query_one(sql, &[&id])? else {
        return Ok(false);
    };
    Ok(row
        .get::<Option<i64>>("due_ms")?
        .is_none_or(|due_ms| due_ms > now_ms))
}

/// What is known of a blob, with its bytes if they are in the metadata file.
pub(crate) fn info(tx: &mut Tx<'_>, id: &str) -> Result<Option<BlobInfo>, Error> {
    let sql = "SELECT b.place, b.size, b.chunk_bytes, b.chunk_sums, b.damaged, i.data \
               FROM _mito_objects_blobs b LEFT JOIN _mito_objects_inline i ON i.blob = b.id \
               WHERE b.id = $1";
    let Some(row) = tx.query_one(sql, &[&id])? else {
        return Ok(None);
    };
    let inline = match row.get::<String>("place")?.as_str() {
        "inline" => Some(Bytes::from(
            row.get::<Option<Vec<u8>>>("data")?.unwrap_or_default(),
        )),
        _ => None,
    };
    Ok(Some(BlobInfo {
        id: id.to_owned(),
        size: row.get("size")?,
        chunk_bytes: row.get("chunk_bytes")?,
        chunk_sums: row.get("chunk_sums")?,
        inline,
        damaged: row.get("damaged")?,
    }))
}

/// Notes that a blob's bytes are not those that were put; it is not served again.
pub(crate) fn mark_damaged(tx: &mut Tx<'_>, id: &str) -> Result<(), Error> {
    tx.execute(
        "UPDATE _mito_objects_blobs SET damaged = 1 WHERE id = $1",
        &[&id],
    )?;
    Ok(())
}

/// A blob that nobody names, with when its grace is over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Garbage {
    pub(crate) blob: String,
    pub(crate) due_ms: i64,
}

/// Blobs that nobody names and whose grace is over, in order, after the given one.
pub(crate) fn due(tx: &mut Tx<'_>, after: &Garbage, limit: u32) -> Result<Vec<Garbage>, Error> {
    let now_ms = tx.now_ms();
    let sql = "SELECT blob, due_ms FROM _mito_objects_gc \
               WHERE due_ms <= $1 AND (due_ms > $2 OR (due_ms = $2 AND blob > $3)) \
               ORDER BY due_ms, blob LIMIT $4";
    tx.query(sql, &[&now_ms, &after.due_ms, &after.blob, &limit])?
        .iter()
        .map(|row| {
            Ok(Garbage {
                blob: row.get("blob")?,
                due_ms: row.get("due_ms")?,
            })
        })
        .collect()
}

/// Forgets a blob that has no file, or none any more.
pub(crate) fn forget(tx: &mut Tx<'_>, id: &str) -> Result<(), Error> {
    tx.execute("DELETE FROM _mito_objects_inline WHERE blob = $1", &[&id])?;
    tx.execute("DELETE FROM _mito_objects_blobs WHERE id = $1", &[&id])?;
    tx.execute("DELETE FROM _mito_objects_gc WHERE blob = $1", &[&id])?;
    Ok(())
}

/// Those of `ids` that no row knows.
pub(crate) fn unknown(tx: &mut Tx<'_>, ids: &[String]) -> Result<Vec<String>, Error> {
    let mut unknown = Vec::new();
    for id in ids {
        let sql = "SELECT id FROM _mito_objects_blobs WHERE id = $1";
        if tx.query_one(sql, &[&Value::Text(id.clone())])?.is_none() {
            unknown.push(id.clone());
        }
    }
    Ok(unknown)
}
