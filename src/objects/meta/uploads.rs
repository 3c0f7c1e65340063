//! Rows of `uploads` and `upload_parts`: multipart uploads in progress. Every part is a blob of
//! its own, so completing an upload moves no bytes.

use mito_database::{Row, Tx};

use super::{blobs, buckets, from_json, to_bigint, to_json};
use crate::{Checksums, Error, Headers, checksums::Algorithm};

/// An upload in progress.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) content_type: Option<String>,
    pub(crate) headers: Headers,
    pub(crate) metadata: std::collections::BTreeMap<String, String>,
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) full_object: bool,
    pub(crate) created_ms: i64,
}

/// A part that has been uploaded.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) number: u32,
    pub(crate) blob: String,
    pub(crate) size: u64,
    pub(crate) etag: String,
    pub(crate) checksums: Checksums,
    pub(crate) modified_ms: i64,
}

const COLUMNS: &str = "id, key, content_type, headers, metadata, checksum_algorithm, \
                       checksum_type, created_ms";

fn upload(row: &Row) -> Result<Upload, Error> {
    let algorithm: Option<String> = row.get("checksum_algorithm")?;
    Ok(Upload {
        id: row.get("id")?,
        key: row.get("key")?,
        content_type: row.get("content_type")?,
        headers: from_json(&row.get::<String>("headers")?)?,
        metadata: from_json(&row.get::<String>("metadata")?)?,
        algorithm: algorithm.as_deref().and_then(Algorithm::parse),
        full_object: row.get::<Option<String>>("checksum_type")?.as_deref() == Some("FULL_OBJECT"),
        created_ms: row.get("created_ms")?,
    })
}

fn part(row: &Row) -> Result<Part, Error> {
    Ok(Part {
        number: row.get("number")?,
        blob: row.get("blob")?,
        size: row.get("size")?,
        etag: row.get("etag")?,
        checksums: from_json(&row.get::<String>("checksums")?)?,
        modified_ms: row.get("modified_ms")?,
    })
}

/// Begins an upload.
pub(crate) fn create(tx: &mut Tx<'_>, bucket: &str, new: &Upload) -> Result<(), Error> {
    let bucket_id = buckets::id(tx, bucket)?;
    let kind = new.algorithm.map(|_| {
        if new.full_object {
            "FULL_OBJECT"
        } else {
            "COMPOSITE"
        }
    });
    let now_ms = tx.now_ms();
    tx.execute(
        "INSERT INTO _mito_objects_uploads (id, bucket, key, content_type, headers, metadata, \
         checksum_algorithm, checksum_type, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            &new.id,
            &bucket_id,
            &new.key,
            &new.content_type,
            &to_json(&new.headers),
            &to_json(&new.metadata),
            &new.algorithm.map(Algorithm::name),
            &kind,
            &now_ms,
        ],
    )?;
    Ok(())
}

/// The upload of that id for that key.
pub(crate) fn get(tx: &mut Tx<'_>, bucket: &str, key: &str, id: &str) -> Result<Upload, Error> {
    let bucket_id = buckets::id(tx, bucket)?;
    let sql = format!(
        "SELECT {COLUMNS} FROM _mito_objects_uploads WHERE id = $1 AND bucket = $2 AND key = $3"
    );
    let row = tx.query_one(&sql, &[&id, &bucket_id, &key])?;
    upload(&row.ok_or_else(|| Error::NoSuchUpload(id.to_owned()))?)
}

/// Uploads of a bucket by key and id, after the given ones.
pub(crate) fn list(
    tx: &mut Tx<'_>,
    bucket: &str,
    prefix: &str,
    after: (&str, &str),
    limit: u32,
) -> Result<Vec<Upload>, Error> {
    let bucket_id = buckets::id(tx, bucket)?;
    let sql = format!(
        "SELECT {COLUMNS} FROM _mito_objects_uploads \
         WHERE bucket = $1 AND (key > $2 OR (key = $2 AND id > $3)) AND key >= $4 \
         ORDER BY key, id LIMIT $5"
    );
    let rows = tx.query(&sql, &[&bucket_id, &after.0, &after.1, &prefix, &limit])?;
    let uploads: Result<Vec<Upload>, Error> = rows.iter().map(upload).collect();
    Ok(uploads?
        .into_iter()
        .take_while(|upload| upload.key.starts_with(prefix))
        .collect())
}

/// Uploads that began before `before_ms`, with the names of their buckets.
pub(crate) fn stale(
    tx: &mut Tx<'_>,
    before_ms: i64,
    limit: u32,
) -> Result<Vec<(String, Upload)>, Error> {
    let sql = "SELECT u.id, u.key, u.content_type, u.headers, u.metadata, u.checksum_algorithm, \
               u.checksum_type, u.created_ms, b.name FROM _mito_objects_uploads u \
               JOIN _mito_objects_buckets b ON b.id = u.bucket \
               WHERE u.created_ms < $1 LIMIT $2";
    let rows = tx.query(sql, &[&before_ms, &limit])?;
    rows.iter()
        .map(|row| Ok((row.get("name")?, upload(row)?)))
        .collect()
}

/// Adds a part, in the place of one with the same number.
pub(crate) fn put_part(tx: &mut Tx<'_>, upload: &str, part: &Part) -> Result<(), Error> {
    let number = part.number;
    let sql = "SELECT blob FROM _mito_objects_upload_parts WHERE upload = $1 AND number = $2";
    if let Some(row) = tx.query_one(sql, &[&upload, &number])? {
        blobs::release(tx, &row.get::<String>("blob")?)?;
        let sql = "DELETE FROM _mito_objects_upload_parts WHERE upload = $1 AND number = $2";
        tx.execute(sql, &[&upload, &number])?;
    }
    tx.execute(
        "INSERT INTO _mito_objects_upload_parts \
         (upload, number, blob, size, etag, checksums, modified_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            &upload,
            &number,
            &part.blob,
            &to_bigint(part.size),
            &part.etag,
            &to_json(&part.checksums),
            &part.modified_ms,
        ],
    )?;
    Ok(())
}

/// Parts by number, after `after`.
pub(crate) fn parts(
    tx: &mut Tx<'_>,
    upload: &str,
    after: u32,
    limit: u32,
) -> Result<Vec<Part>, Error> {
    let sql = "SELECT number, blob, size, etag, checksums, modified_ms \
               FROM _mito_objects_upload_parts WHERE upload = $1 AND number > $2 \
               ORDER BY number LIMIT $3";
    tx.query(sql, &[&upload, &after, &limit])?
        .iter()
        .map(part)
        .collect()
}

/// Forgets an upload. Its parts' blobs belong to nobody afterwards but those of `kept`.
pub(crate) fn remove(tx: &mut Tx<'_>, upload: &str, kept: &[Part]) -> Result<(), Error> {
    let kept: std::collections::HashSet<&str> =
        kept.iter().map(|part| part.blob.as_str()).collect();
    for part in parts(tx, upload, 0, super::super::store::MAX_PARTS)? {
        if !kept.contains(part.blob.as_str()) {
            blobs::release(tx, &part.blob)?;
        }
    }
    tx.execute(
        "DELETE FROM _mito_objects_upload_parts WHERE upload = $1",
        &[&upload],
    )?;
    tx.execute(
        "DELETE FROM _mito_objects_uploads WHERE id = $1",
        &[&upload],
    )?;
    Ok(())
}
