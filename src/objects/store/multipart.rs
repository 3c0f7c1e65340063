//! Multipart uploads: every part is a blob of its own, and completing only names them in order.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::Digest as _;
use mito_database::Tx;

use super::{
    Objects,
    put::{Expected, Verify, check_metadata},
};
use crate::{
    Body, Checksums, Error, Headers, Object,
    checksums::{self, Algorithm},
    meta::{
        self,
        uploads::{Part, Upload},
        versions::{NewVersion, Piece, Preconditions},
    },
    names,
};

/// The most parts of an object, as in S3.
pub(crate) const MAX_PARTS: u32 = 10_000;
/// The largest part, as in S3.
const MAX_PART_BYTES: u64 = 5 * 1024 * 1024 * 1024;
/// The smallest part that is not the last one, as in S3.
const MIN_PART_BYTES: u64 = 5 * 1024 * 1024;

/// What the object will be like.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewUpload {
    pub(crate) content_type: Option<String>,
    pub(crate) headers: Headers,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) full_object: bool,
}

/// A part as the client names it on completion.
#[derive(Clone, Debug)]
pub(crate) struct Completed {
    pub(crate) number: u32,
    /// Without quotes; none is not checked.
    pub(crate) etag: Option<String>,
}

impl Objects {
    /// Begins an upload; returns its id.
    pub(crate) async fn create_upload(
        &self,
        bucket: &str,
        key: &str,
        new: NewUpload,
    ) -> Result<String, Error> {
        names::check_key(key)?;
        check_metadata(&new.metadata)?;
        let upload = Upload {
            id: self.new_id(),
            key: key.to_owned(),
            content_type: new.content_type,
            headers: new.headers,
            metadata: new.metadata,
            algorithm: new.algorithm,
            full_object: new.full_object,
            created_ms: 0,
        };
        let (id, bucket) = (upload.id.clone(), bucket.to_owned());
        self.inner
            .database
            .write(move |tx| meta::uploads::create(tx, &bucket, &upload))
            .await?;
        Ok(id)
    }

    /// The upload of that id.
    pub(crate) async fn upload(&self, bucket: &str, key: &str, id: &str) -> Result<Upload, Error> {
        let (bucket, key, id) = (bucket.to_owned(), key.to_owned(), id.to_owned());
        self.inner
            .database
            .read(move |tx| meta::uploads::get(tx, &bucket, &key, &id))
            .await
    }

    /// Stores a part.
    pub(crate) async fn put_part(
        &self,
        (bucket, key, id): (&str, &str, &str),
        number: u32,
        expected: (Option<u64>, Option<[u8; 16]>, Verify),
        body: Body,
    ) -> Result<Part, Error> {
        self.upload(bucket, key, id).await?;
        let (length, md5, verify) = expected;
        let max_bytes = self.inner.config.max_object_bytes.min(MAX_PART_BYTES);
        let stored = self
            .receive(
                body,
                Expected {
                    length,
                    max_bytes,
                    md5,
                    verify,
                },
            )
            .await?;
        let part = Part {
            number,
            blob: stored.id.clone(),
            size: stored.digests.size,
            etag: hex::encode(stored.digests.md5),
            checksums: Checksums {
                values: stored.digests.checksums.clone(),
                composite: false,
            },
            modified_ms: self.inner.clock.now_ms(),
        };
        let (bucket, key, id) = (bucket.to_owned(), key.to_owned(), id.to_owned());
        let (blob, added) = (stored.clone(), part.clone());
        let commit = move |tx: &mut Tx<'_>| {
            meta::uploads::get(tx, &bucket, &key, &id)?;
            meta::blobs::insert(tx, &blob)?;
            meta::uploads::put_part(tx, &id, &added)
        };
        self.commit(&stored, commit).await?;
        Ok(part)
    }

    /// Makes the named parts an object, in one transaction whatever their number: it is all of
    /// them or none.
    pub(crate) async fn complete_upload(
        &self,
        (bucket, key, id): (&str, &str, &str),
        named: Vec<Completed>,
        wanted: Preconditions,
        request_id: Option<String>,
    ) -> Result<Object, Error> {
        let (bucket, key, id) = (bucket.to_owned(), key.to_owned(), id.to_owned());
        let max_bytes = self.inner.config.max_object_bytes;
        let version = self.new_id();
        let complete = move |tx: &mut Tx<'_>| {
            let upload = meta::uploads::get(tx, &bucket, &key, &id)?;
            let present = meta::uploads::parts(tx, &id, 0, MAX_PARTS)?;
            let parts = choose(&present, &named)?;
            let size = parts.iter().map(|part| part.size).sum();
            if size > max_bytes {
                return Err(Error::TooLarge(max_bytes));
            }
            let mut first_byte = 0;
            let mut pieces = Vec::with_capacity(parts.len());
            for part in &parts {
                pieces.push(Piece {
                    blob: part.blob.clone(),
                    first_byte,
                    size: part.size,
                });
                first_byte += part.size;
            }
            let new = NewVersion {
                id: version.clone(),
                key: key.clone(),
                size,
                etag: etag_of(&parts)?,
                content_type: upload.content_type,
                headers: upload.headers,
                metadata: upload.metadata,
                checksums: checksums_of(upload.algorithm, upload.full_object, &parts)?,
                blob: None,
                pieces,
                request_id: request_id.clone(),
            };
            let object = meta::versions::replace(tx, &bucket, &new, &wanted)?;
            meta::uploads::remove(tx, &id, &parts)?;
            Ok(object)
        };
        self.release(complete).await
    }

    /// Forgets an upload and its parts.
    pub(crate) async fn abort_upload(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
    ) -> Result<(), Error> {
        let (bucket, key, id) = (bucket.to_owned(), key.to_owned(), id.to_owned());
        let abort = move |tx: &mut Tx<'_>| {
            tx.frees_space();
            meta::uploads::get(tx, &bucket, &key, &id)?;
            meta::uploads::remove(tx, &id, &[])
        };
        self.release(abort).await
    }

    /// An upload with its parts after `after`.
    pub(crate) async fn parts(
        &self,
        (bucket, key, id): (&str, &str, &str),
        after: u32,
        limit: u32,
    ) -> Result<(Upload, Vec<Part>), Error> {
        let (bucket, key, id) = (bucket.to_owned(), key.to_owned(), id.to_owned());
        let find = move |tx: &mut Tx<'_>| {
            let upload = meta::uploads::get(tx, &bucket, &key, &id)?;
            Ok((upload, meta::uploads::parts(tx, &id, after, limit)?))
        };
        self.inner.database.read(find).await
    }

    /// Uploads in progress by key and id.
    pub(crate) async fn uploads(
        &self,
        bucket: &str,
        prefix: String,
        after: (String, String),
        limit: u32,
    ) -> Result<Vec<Upload>, Error> {
        let bucket = bucket.to_owned();
        let find = move |tx: &mut Tx<'_>| {
            meta::uploads::list(tx, &bucket, &prefix, (&after.0, &after.1), limit)
        };
        self.inner.database.read(find).await
    }
}

/// The parts that the client names, in its order, which must be ascending.
fn choose(present: &[Part], named: &[Completed]) -> Result<Vec<Part>, Error> {
    if !named.is_sorted_by(|earlier, later| earlier.number < later.number) {
        return Err(Error::InvalidPartOrder);
    }
    let mut chosen: Vec<Part> = Vec::with_capacity(named.len());
    for (index, name) in named.iter().enumerate() {
        let part = present
            .binary_search_by_key(&name.number, |part| part.number)
            .map(|index| &present[index])
            .map_err(|_| Error::InvalidPart(name.number))?;
        if name.etag.as_ref().is_some_and(|etag| *etag != part.etag) {
            return Err(Error::InvalidPart(name.number));
        }
        if part.size < MIN_PART_BYTES && index + 1 < named.len() {
            return Err(Error::PartTooSmall(name.number));
        }
        chosen.push(part.clone());
    }
    Ok(chosen)
}

/// S3's ETag of a multipart object: the MD5 of the parts' MD5s, and how many there were.
fn etag_of(parts: &[Part]) -> Result<String, Error> {
    let mut md5 = md5::Md5::new();
    for part in parts {
        let digest = hex::decode(&part.etag);
        md5.update(digest.map_err(|error| Error::Io(format!("a part's ETag: {error}")))?);
    }
    Ok(format!("{}-{}", hex::encode(md5.finalize()), parts.len()))
}

/// The checksum over the parts: of the whole bytes where CRCs can be combined, else of the parts'
/// checksums.
fn checksums_of(
    algorithm: Option<Algorithm>,
    full_object: bool,
    parts: &[Part],
) -> Result<Checksums, Error> {
    let Some(algorithm) = algorithm else {
        return Ok(Checksums::default());
    };
    let mut values = Vec::with_capacity(parts.len());
    for part in parts {
        let value = part.checksums.values.get(&algorithm);
        let bytes = value.and_then(|value| STANDARD.decode(value).ok());
        values.push((bytes.ok_or(Error::InvalidPart(part.number))?, part.size));
    }
    let combined = algorithm.combine(&values).filter(|_| full_object);
    let value = combined.unwrap_or_else(|| {
        let joined: Vec<u8> = values.into_iter().flat_map(|(bytes, _)| bytes).collect();
        format!(
            "{}-{}",
            checksums::checksum(algorithm, &joined),
            parts.len()
        )
    });
    let composite = value.contains('-');
    Ok(Checksums {
        values: BTreeMap::from([(algorithm, value)]),
        composite,
    })
}
