//! Gets: every chunk is verified before it is served, so a damaged disk ends a stream and never
//! changes a byte of it.

use std::{collections::VecDeque, io, ops::Range};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use mito_database::Tx;

use super::{Objects, reading::Reading};
use crate::{
    Body, Error, Object,
    blobs::reader::{BlobInfo, Fault, Reader},
    meta::{
        self,
        versions::{Piece, Version},
    },
};

/// Between the look at an object's row and the announcement that its blobs are read, a change and
/// then a sweep may take them.
const ATTEMPTS: usize = 5;

/// A part of the answer that comes from one blob.
struct Segment {
    blob: String,
    range: Range<u64>,
    /// Known already if the bytes were in the metadata file, which does not keep them for us.
    inline: Option<BlobInfo>,
}

/// An object as one snapshot has it.
pub(super) struct Found {
    pub(super) version: Version,
    pub(super) pieces: Vec<Piece>,
    inline: Vec<BlobInfo>,
}

struct Download {
    objects: Objects,
    bucket: String,
    key: String,
    segments: VecDeque<Segment>,
    current: Option<Reader>,
    _reading: Reading,
}

impl Objects {
    /// An object's bytes, or those of a range (first, last inclusive).
    pub async fn get(
        &self,
        bucket: &str,
        key: &str,
        range: Option<(u64, u64)>,
    ) -> Result<(Object, Body), Error> {
        self.get_with(bucket, key, move |object| match range {
            None => Ok(0..object.size),
            Some((first, last)) if first <= last && first < object.size => {
                Ok(first..last.saturating_add(1).min(object.size))
            }
            Some(_) => Err(Error::InvalidRange(object.size)),
        })
        .await
        .map(|(object, _, body)| (object, body))
    }

    /// The bytes of the range that `choose` finds right for the object; it may also refuse.
    pub async fn get_with<E, F>(
        &self,
        bucket: &str,
        key: &str,
        choose: F,
    ) -> Result<(Object, Range<u64>, Body), E>
    where
        F: Fn(&Object) -> Result<Range<u64>, E>,
        E: From<Error>,
    {
        for _ in 0..ATTEMPTS {
            let Found {
                version,
                pieces,
                inline,
            } = self.find(bucket, key).await?;
            let range = choose(&version.object)?;
            let mut segments = VecDeque::new();
            for piece in pieces {
                let end = piece.first_byte + piece.size;
                let from = range.start.max(piece.first_byte);
                let to = range.end.min(end);
                if from < to {
                    let inline = inline.iter().find(|info| info.id == piece.blob).cloned();
                    segments.push_back(Segment {
                        blob: piece.blob,
                        range: from - piece.first_byte..to - piece.first_byte,
                        inline,
                    });
                }
            }
            let files = segments.iter().filter(|segment| segment.inline.is_none());
            let files = files.map(|segment| segment.blob.clone()).collect();
            let Some(reading) = self.begin_reading(&version, files).await? else {
                continue;
            };
            let mut download = Download {
                objects: self.clone(),
                bucket: bucket.to_owned(),
                key: key.to_owned(),
                segments,
                current: None,
                _reading: reading,
            };
            // The first chunk is read before the answer begins: small objects fail cleanly.
            match download.next().await {
                Ok(first) => return Ok((version.object, range, download.into_body(first))),
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Database(mito_database::Error::Busy).into())
    }

    /// Keeps the sweep away from the files of a version; none if it may have been there already.
    pub(super) async fn begin_reading(
        &self,
        version: &Version,
        files: Vec<String>,
    ) -> Result<Option<Reading>, Error> {
        let reading = Reading::begin(&self.inner, files);
        if reading.blobs().is_empty() {
            return Ok(Some(reading));
        }
        // Whatever the sweep took before the announcement was let go of before this snapshot.
        let (id, files) = (version.id.clone(), reading.blobs().to_vec());
        let look = move |tx: &mut Tx<'_>| {
            if meta::versions::exists(tx, &id)? {
                return Ok(true);
            }
            for blob in &files {
                if !meta::blobs::is_kept(tx, blob)? {
                    return Ok::<_, Error>(false);
                }
            }
            Ok(true)
        };
        let kept = self.inner.database.read(look).await?;
        Ok(kept.then_some(reading))
    }

    pub(super) async fn find(&self, bucket: &str, key: &str) -> Result<Found, Error> {
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        let find = move |tx: &mut Tx<'_>| {
            let version = meta::versions::get(tx, &bucket, &key)?;
            let pieces = meta::versions::pieces(tx, &version)?;
            let inline = meta::versions::inline(tx, &version)?;
            Ok(Found {
                version,
                pieces,
                inline,
            })
        };
        self.inner.database.read(find).await
    }

    async fn blob(&self, id: &str) -> Result<Option<BlobInfo>, Error> {
        let id = id.to_owned();
        self.inner
            .database
            .read(move |tx| meta::blobs::info(tx, &id))
            .await
    }
}

impl Download {
    /// The next verified bytes.
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if let Some(reader) = &mut self.current {
                match reader.next().await {
                    Ok(Some(bytes)) => {
                        metrics::counter!("mito_objects_sent_bytes_total")
                            .increment(bytes.len() as u64);
                        return Ok(Some(bytes));
                    }
                    Ok(None) => self.current = None,
                    Err(Fault::Damaged) => {
                        let blob = reader.blob().to_owned();
                        return Err(self.damaged(blob).await);
                    }
                    Err(Fault::Failed(error)) => return Err(error),
                }
            }
            let Some(segment) = self.segments.pop_front() else {
                return Ok(None);
            };
            self.current = Some(self.open(segment).await?);
        }
    }

    async fn open(&self, segment: Segment) -> Result<Reader, Error> {
        let Segment {
            blob,
            range,
            inline,
        } = segment;
        let info = match inline {
            Some(info) => Some(info),
            None => self.objects.blob(&blob).await?,
        };
        if let Some(info) = info {
            if info.damaged {
                return Err(Error::Damaged {
                    bucket: self.bucket.clone(),
                    key: self.key.clone(),
                });
            }
            if let Some(reader) = self.objects.inner.blobs.open(info, range).await? {
                return Ok(reader);
            }
        }
        // Nobody removes what is read, so the disk has lost it; perhaps it comes back.
        tracing::error!(
            bucket = self.bucket,
            key = self.key,
            blob,
            "an object's file is missing"
        );
        Err(Error::Damaged {
            bucket: self.bucket.clone(),
            key: self.key.clone(),
        })
    }

    async fn damaged(&self, blob: String) -> Error {
        metrics::counter!("mito_objects_damaged_total").increment(1);
        tracing::error!(
            bucket = self.bucket,
            key = self.key,
            blob,
            "an object's bytes on disk are not those that were put; it is not served any more"
        );
        let mark = move |tx: &mut Tx<'_>| meta::blobs::mark_damaged(tx, &blob);
        if let Err(error) = self.objects.inner.database.write(mark).await {
            tracing::warn!(%error, "the damage could not be noted");
        }
        Error::Damaged {
            bucket: self.bucket.clone(),
            key: self.key.clone(),
        }
    }

    fn into_body(self, first: Option<Bytes>) -> Body {
        // Servers may ask once more after the end.
        let rest = stream::unfold(Some(self), |download| async move {
            let mut download = download?;
            match download.next().await {
                Ok(Some(bytes)) => Some((Ok(bytes), Some(download))),
                Ok(None) => None,
                Err(error) => Some((Err(io::Error::other(error)), None)),
            }
        });
        stream::iter(first.map(Ok)).chain(rest).fuse().boxed()
    }
}
