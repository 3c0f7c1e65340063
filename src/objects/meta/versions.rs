//! Rows of `versions` and `pieces`: the objects themselves.

use mito_database::{Action, NewEvent, Row, Tx};

use super::{blobs, buckets, from_json, to_bigint, to_json};
use crate::{Checksums, Error, Headers, Object, blobs::reader::BlobInfo};

/// The columns that [`object`] reads.
pub(crate) const COLUMNS: &str = "id, key, seq, size, etag, modified_ms, content_type, headers, \
                                  metadata, checksums, blob";

/// What must hold of the present object for a change to take place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Preconditions {
    /// `If-None-Match: *`.
    pub(crate) if_absent: bool,
    /// `If-Match`: an ETag without quotes, or `*`.
    pub(crate) if_match: Option<String>,
}

/// A row with what only the store needs to know.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) seq: i64,
    pub(crate) object: Object,
    /// The blob; none if the bytes are in pieces.
    pub(crate) blob: Option<String>,
}

/// A range of an object's bytes that is one blob.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) blob: String,
    pub(crate) first_byte: u64,
    pub(crate) size: u64,
}

/// An object to add.
#[derive(Clone, Debug)]
pub(crate) struct NewVersion {
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) size: u64,
    pub(crate) etag: String,
    pub(crate) content_type: Option<String>,
    pub(crate) headers: Headers,
    pub(crate) metadata: std::collections::BTreeMap<String, String>,
    pub(crate) checksums: Checksums,
    pub(crate) blob: Option<String>,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) request_id: Option<String>,
}

/// Reads a row with [`COLUMNS`].
pub(crate) fn object(bucket: &str, row: &Row) -> Result<Object, Error> {
    Ok(Object {
        bucket: bucket.to_owned(),
        key: row.get("key")?,
        size: row.get("size")?,
        etag: row.get("etag")?,
        content_type: row.get("content_type")?,
        metadata: from_json(&row.get::<String>("metadata")?)?,
        modified_ms: row.get("modified_ms")?,
        headers: from_json(&row.get::<String>("headers")?)?,
        checksums: from_json(&row.get::<String>("checksums")?)?,
    })
}

/// The present version of a key.
pub(crate) fn find(
    tx: &mut Tx<'_>,
    bucket: &str,
    bucket_id: &str,
    key: &str,
) -> Result<Option<Version>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM _mito_objects_versions \
         WHERE bucket = $1 AND key = $2 AND latest = 1 AND marker = 0"
    );
    let Some(row) = tx.query_one(&sql, &[&bucket_id, &key])? else {
        return Ok(None);
    };
    Ok(Some(Version {
        id: row.get("id")?,
        seq: row.get("seq")?,
        object: object(bucket, &row)?,
        blob: row.get("blob")?,
    }))
}

/// The present version of a key, or `NoSuchKey`.
pub(crate) fn get(tx: &mut Tx<'_>, bucket: &str, key: &str) -> Result<Version, Error> {
    let bucket_id = buckets::id(tx, bucket)?;
    find(tx, bucket, &bucket_id, key)?.ok_or_else(|| Error::NoSuchKey {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
    })
}

/// The blobs of a version in the order of their bytes.
pub(crate) fn pieces(tx: &mut Tx<'_>, version: &Version) -> Result<Vec<Piece>, Error> {
    if let Some(blob) = &version.blob {
        let size = version.object.size;
        return Ok(vec![Piece {
            blob: blob.clone(),
            first_byte: 0,
            size,
        }]);
    }
    let sql = "SELECT blob, first_byte, size FROM _mito_objects_pieces \
               WHERE object = $1 ORDER BY number";
    tx.query(sql, &[&version.id])?
        .iter()
        .map(|row| {
            Ok(Piece {
                blob: row.get("blob")?,
                first_byte: row.get("first_byte")?,
                size: row.get("size")?,
            })
        })
        .collect()
}

/// What is known of those blobs of a version whose bytes are in the metadata file.
pub(crate) fn inline(tx: &mut Tx<'_>, version: &Version) -> Result<Vec<BlobInfo>, Error> {
    let ids = if let Some(blob) = &version.blob {
        vec![blob.clone()]
    } else {
        let sql = "SELECT i.blob FROM _mito_objects_pieces p \
                   JOIN _mito_objects_inline i ON i.blob = p.blob WHERE p.object = $1";
        let rows = tx.query(sql, &[&version.id])?;
        rows.iter()
            .map(|row| row.get("blob"))
            .collect::<Result<Vec<String>, _>>()?
    };
    let mut inline = Vec::new();
    for id in ids {
        inline.extend(blobs::info(tx, &id)?.filter(|info| info.inline.is_some()));
    }
    Ok(inline)
}

/// Whether the version is still there.
pub(crate) fn exists(tx: &mut Tx<'_>, id: &str) -> Result<bool, Error> {
    let sql = "SELECT 1 AS found FROM _mito_objects_versions WHERE id = $1";
    Ok(tx.query_one(sql, &[&id])?.is_some())
}

/// Fails unless the present version is as `wanted`.
pub(crate) fn check(
    present: Option<&Version>,
    wanted: &Preconditions,
    bucket: &str,
    key: &str,
) -> Result<(), Error> {
    if wanted.if_absent && present.is_some() {
        return Err(Error::Precondition("If-None-Match"));
    }
    match (&wanted.if_match, present) {
        (None, _) => Ok(()),
        // S3 answers NoSuchKey, not PreconditionFailed, where there is nothing to match.
        (Some(_), None) => Err(Error::NoSuchKey {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        }),
        (Some(etag), Some(version)) if etag == "*" || *etag == version.object.etag => Ok(()),
        (Some(_), Some(_)) => Err(Error::Precondition("If-Match")),
    }
}

/// Puts `new` in the place of what the key held, if that is as `wanted`, and says so in the
/// outbox. The blob of `new` gets its row afterwards, in the room that this may make.
pub(crate) fn replace(
    tx: &mut Tx<'_>,
    bucket: &str,
    new: &NewVersion,
    wanted: &Preconditions,
) -> Result<Object, Error> {
    let bucket_id = buckets::id(tx, bucket)?;
    let present = find(tx, bucket, &bucket_id, &new.key)?;
    check(present.as_ref(), wanted, bucket, &new.key)?;
    if let Some(present) = &present {
        remove(tx, present)?;
    }
    let seq = present.as_ref().map_or(1, |present| present.seq + 1);
    insert(tx, &bucket_id, new, seq)?;
    let object = Object {
        bucket: bucket.to_owned(),
        key: new.key.clone(),
        size: new.size,
        etag: new.etag.clone(),
        content_type: new.content_type.clone(),
        metadata: new.metadata.clone(),
        modified_ms: tx.now_ms(),
        headers: new.headers.clone(),
        checksums: new.checksums.clone(),
    };
    let action = if present.is_some() {
        Action::Update
    } else {
        Action::Create
    };
    emit(tx, &object, action, new.request_id.as_deref())?;
    Ok(object)
}

/// Removes what the key holds, if that is as `wanted`. Nothing there is no error.
pub(crate) fn delete(
    tx: &mut Tx<'_>,
    bucket: &str,
    key: &str,
    wanted: &Preconditions,
    request_id: Option<&str>,
) -> Result<(), Error> {
    let bucket_id = buckets::id(tx, bucket)?;
    let present = find(tx, bucket, &bucket_id, key)?;
    check(present.as_ref(), wanted, bucket, key)?;
    let Some(present) = present else {
        return Ok(());
    };
    tx.frees_space();
    remove(tx, &present)?;
    emit(tx, &present.object, Action::Delete, request_id)
}

fn insert(tx: &mut Tx<'_>, bucket_id: &str, new: &NewVersion, seq: i64) -> Result<(), Error> {
    let now_ms = tx.now_ms();
    tx.execute(
        "INSERT INTO _mito_objects_versions \
         (id, bucket, key, seq, version, latest, marker, size, etag, modified_ms, content_type, \
          headers, metadata, checksums, blob) \
         VALUES ($1, $2, $3, $4, 'null', 1, 0, $5, $6, $7, $8, $9, $10, $11, $12)",
        &[
            &new.id,
            &bucket_id,
            &new.key,
            &seq,
            &to_bigint(new.size),
            &new.etag,
            &now_ms,
            &new.content_type,
            &to_json(&new.headers),
            &to_json(&new.metadata),
            &to_json(&new.checksums),
            &new.blob,
        ],
    )?;
    for (index, piece) in new.pieces.iter().enumerate() {
        let number = to_bigint(index as u64 + 1);
        tx.execute(
            "INSERT INTO _mito_objects_pieces (object, number, first_byte, size, blob) \
             VALUES ($1, $2, $3, $4, $5)",
            &[
                &new.id,
                &number,
                &to_bigint(piece.first_byte),
                &to_bigint(piece.size),
                &piece.blob,
            ],
        )?;
    }
    Ok(())
}

fn remove(tx: &mut Tx<'_>, version: &Version) -> Result<(), Error> {
    for piece in pieces(tx, version)? {
        blobs::release(tx, &piece.blob)?;
    }
    tx.execute(
        "DELETE FROM _mito_objects_pieces WHERE object = $1",
        &[&version.id],
    )?;
    tx.execute(
        "DELETE FROM _mito_objects_versions WHERE id = $1",
        &[&version.id],
    )?;
    Ok(())
}

fn emit(
    tx: &mut Tx<'_>,
    object: &Object,
    action: Action,
    request_id: Option<&str>,
) -> Result<(), Error> {
    let detail = serde_json::json!({
        "etag": object.etag,
        "size": object.size,
        "content_type": object.content_type,
        "request_id": request_id,
    });
    tx.emit(NewEvent {
        collection: &format!("objects/{}", object.bucket),
        record: &object.key,
        action,
        detail: &detail.to_string(),
    })?;
    Ok(())
}
