//! Puts: bytes are received and made durable first, then one transaction makes them an object.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use mito_database::Tx;

use super::Objects;
use crate::{
    Body, Checksums, Error, Object, Put,
    blobs::{BlobWriter, blocking},
    checksums::{Algorithm, Digests},
    meta::{
        self,
        blobs::Stored,
        versions::{NewVersion, Preconditions},
    },
    names,
};

/// What is written at a time.
const PART_BYTES: usize = 1024 * 1024;
/// Hashing less than this is not worth a thread.
const HASH_HERE_BYTES: usize = 64 * 1024;
/// The free space is looked at again after this many bytes.
const SPACE_CHECK_BYTES: u64 = 16 * 1024 * 1024;
/// The most user metadata of an object, names and values together, as in S3.
const MAX_METADATA_BYTES: usize = 2 * 1024;

/// The checksums that the client sent or wants. Trailers are known only after the body, hence the
/// function.
pub(crate) struct Verify {
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) expected: Box<dyn FnOnce() -> Vec<(Algorithm, String)> + Send>,
}

impl Default for Verify {
    /// What S3 does without being asked.
    fn default() -> Self {
        Self {
            algorithms: vec![Algorithm::Crc64nvme],
            expected: Box::new(Vec::new),
        }
    }
}

/// What a body must be like.
pub(crate) struct Expected {
    pub(crate) length: Option<u64>,
    pub(crate) max_bytes: u64,
    pub(crate) md5: Option<[u8; 16]>,
    pub(crate) verify: Verify,
}

impl Objects {
    /// Stores an object; when it returns, the bytes and the metadata are on disk.
    pub async fn put(
        &self,
        bucket: &str,
        key: &str,
        options: Put,
        body: Body,
    ) -> Result<Object, Error> {
        self.put_verified(bucket, key, options, Verify::default(), body)
            .await
    }

    /// [`Objects::put`] with checksums.
    pub(crate) async fn put_verified(
        &self,
        bucket: &str,
        key: &str,
        options: Put,
        verify: Verify,
        body: Body,
    ) -> Result<Object, Error> {
        names::check_key(key)?;
        check_metadata(&options.metadata)?;
        let wanted = Preconditions {
            if_absent: options.if_absent,
            if_match: options.if_match.clone(),
        };
        self.check_early(bucket, key, &wanted).await?;
        let expected = Expected {
            length: options.length,
            max_bytes: self.inner.config.max_object_bytes,
            md5: options.content_md5,
            verify,
        };
        let stored = self.receive(body, expected).await?;
        let new = NewVersion {
            id: self.new_id(),
            key: key.to_owned(),
            size: stored.digests.size,
            etag: hex::encode(stored.digests.md5),
            content_type: options.content_type,
            headers: options.headers,
            metadata: options.metadata,
            checksums: Checksums {
                values: stored.digests.checksums.clone(),
                composite: false,
            },
            blob: Some(stored.id.clone()),
            pieces: Vec::new(),
            request_id: options.request_id,
        };
        let (bucket, blob) = (bucket.to_owned(), stored.clone());
        let commit = move |tx: &mut Tx<'_>| {
            let object = meta::versions::replace(tx, &bucket, &new, &wanted)?;
            meta::blobs::insert(tx, &blob)?;
            Ok(object)
        };
        self.commit(&stored, commit).await
    }

    /// Commits what names the blob; a refused commit removes the blob again.
    pub(crate) async fn commit<T, F>(&self, stored: &Stored, commit: F) -> Result<T, Error>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        let committed = self.release(commit).await;
        match &committed {
            // After a lost connection or a shutdown nobody knows whether it was committed. What was
            // refused for want of a turn was not.
            Err(Error::Database(mito_database::Error::Busy)) if stored.inline.is_none() => {
                self.discard(&stored.id).await;
            }
            Ok(_) | Err(Error::Database(_)) => {}
            Err(_) if stored.inline.is_none() => self.discard(&stored.id).await,
            Err(_) => {}
        }
        committed
    }

    async fn discard(&self, blob: &str) {
        if let Err(error) = self.inner.blobs.remove(blob).await {
            tracing::debug!(blob, %error, "a blob that was not committed stays for the sweep");
        }
    }

    /// Refuses before the body is read what the transaction would refuse after it.
    async fn check_early(
        &self,
        bucket: &str,
        key: &str,
        wanted: &Preconditions,
    ) -> Result<(), Error> {
        let (bucket, key, wanted) = (bucket.to_owned(), key.to_owned(), wanted.clone());
        let check = move |tx: &mut Tx<'_>| {
            let id = meta::buckets::id(tx, &bucket)?;
            if !wanted.if_absent && wanted.if_match.is_none() {
                return Ok(());
            }
            let present = meta::versions::find(tx, &bucket, &id, &key)?;
            meta::versions::check(present.as_ref(), &wanted, &bucket, &key)
        };
        self.inner.database.read(check).await
    }

    /// Receives a body into a durable blob that no row names yet.
    pub(crate) async fn receive(&self, body: Body, expected: Expected) -> Result<Stored, Error> {
        if expected
            .length
            .is_some_and(|length| length > expected.max_bytes)
        {
            return Err(Error::TooLarge(expected.max_bytes));
        }
        self.check_space(expected.length.unwrap_or(0)).await?;
        let mut sink = Sink {
            objects: self,
            id: self.new_id(),
            buffer: BytesMut::new(),
            writer: None,
            digests: Digests::new(&expected.verify.algorithms),
            received: 0,
            checked: 0,
        };
        match sink.fill(body, expected.length, expected.max_bytes).await {
            Ok(()) => sink.finish(expected).await,
            Err(error) => {
                sink.abort().await;
                Err(error)
            }
        }
    }

    async fn check_space(&self, wanted: u64) -> Result<(), Error> {
        let needed = self.inner.config.reserve_bytes.saturating_add(wanted);
        if self.inner.blobs.free_bytes().await? < needed {
            return Err(Error::StorageFull);
        }
        Ok(())
    }
}

/// Where a body goes: memory while it is small, a blob file from then on.
struct Sink<'a> {
    objects: &'a Objects,
    id: String,
    buffer: BytesMut,
    writer: Option<BlobWriter>,
    digests: Digests,
    received: u64,
    checked: u64,
}

impl Sink<'_> {
    async fn fill(
        &mut self,
        mut body: Body,
        length: Option<u64>,
        max_bytes: u64,
    ) -> Result<(), Error> {
        let inline = self.inline_bytes();
        while let Some(bytes) = body.next().await {
            let mut bytes = bytes.map_err(Error::Body)?;
            self.received += bytes.len() as u64;
            if self.received > max_bytes {
                return Err(Error::TooLarge(max_bytes));
            }
            if length.is_some_and(|length| self.received > length) {
                return Err(Error::IncompleteBody);
            }
            while !bytes.is_empty() {
                let room = PART_BYTES - self.buffer.len();
                self.buffer
                    .extend_from_slice(&bytes.split_to(room.min(bytes.len())));
                if self.buffer.len() == PART_BYTES {
                    self.flush().await?;
                }
            }
            if self.writer.is_none() && self.buffer.len() > inline {
                self.writer = Some(self.objects.inner.blobs.create(&self.id).await?);
            }
        }
        if length.is_some_and(|length| self.received != length) {
            return Err(Error::IncompleteBody);
        }
        Ok(())
    }

    fn inline_bytes(&self) -> usize {
        let configured = usize::try_from(self.objects.inner.config.inline_bytes);
        configured.unwrap_or(PART_BYTES).min(PART_BYTES - 1)
    }

    /// Hashes and writes what is buffered, at the same time.
    async fn flush(&mut self) -> Result<(), Error> {
        let objects = self.objects;
        if self.received - self.checked >= SPACE_CHECK_BYTES {
            self.checked = self.received;
            objects.check_space(0).await?;
        }
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => objects.inner.blobs.create(&self.id).await?,
        };
        let part = self.buffer.split().freeze();
        let (hashed, written) = tokio::join!(self.hash(part.clone()), writer.write(part));
        self.writer = Some(writer);
        hashed.and(written)
    }

    async fn hash(&mut self, part: Bytes) -> Result<(), Error> {
        if part.len() < HASH_HERE_BYTES {
            self.digests.update(&part);
            return Ok(());
        }
        let mut digests = std::mem::replace(&mut self.digests, Digests::new(&[]));
        self.digests = blocking(move || {
            digests.update(&part);
            Ok::<_, Error>(digests)
        })
        .await?;
        Ok(())
    }

    async fn finish(mut self, expected: Expected) -> Result<Stored, Error> {
        let inline = self.writer.is_none().then(|| self.buffer.clone().freeze());
        let last = match &inline {
            Some(bytes) => self.hash(bytes.clone()).await,
            None if self.buffer.is_empty() => Ok(()),
            None => self.flush().await,
        };
        let Self {
            id,
            writer,
            digests,
            ..
        } = self;
        let digests = digests.finish();
        let checked = last.and_then(|()| {
            if expected.md5.is_some_and(|md5| md5 != digests.md5) {
                return Err(Error::BadDigest("Content-MD5"));
            }
            let wrong = (expected.verify.expected)()
                .into_iter()
                .find(|(algorithm, value)| digests.checksums.get(algorithm) != Some(value));
            wrong.map_or(Ok(()), |(algorithm, _)| {
                Err(Error::BadDigest(algorithm.header()))
            })
        });
        match (checked, writer) {
            (Ok(()), Some(writer)) => writer.finish().await?,
            (Ok(()), None) => {}
            (Err(error), writer) => {
                if let Some(writer) = writer {
                    writer.abort().await;
                }
                return Err(error);
            }
        }
        metrics::counter!("mito_objects_received_bytes_total").increment(digests.size);
        Ok(Stored {
            id,
            inline,
            digests,
        })
    }

    async fn abort(self) {
        if let Some(writer) = self.writer {
            writer.abort().await;
        }
    }
}

pub(crate) fn check_metadata(metadata: &BTreeMap<String, String>) -> Result<(), Error> {
    let bytes = metadata
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if bytes > MAX_METADATA_BYTES {
        Err(Error::MetadataTooLarge(bytes))
    } else {
        Ok(())
    }
}
