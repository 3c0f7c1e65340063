//! Gets: every chunk is verified before it is served, so a damaged disk ends a stream and never
//! changes a byte of it.

use std::{collections::VecDeque, io, ops::Range};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use mito_database::Tx;

use super::{Objects, Reading};
use crate::{
    Body, Error, Object,
    blobs::reader::{BlobInfo, Fault, Reader},
    meta::{self, versions::Version},
};

/// A put may replace the object between the look at its row and the opening of its file.
const ATTEMPTS: usize = 3;

/// A part of the answer that comes from one blob.
struct Segment {
    blob: String,
    range: Range<u64>,
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
    pub(crate) async fn get_with<E, F>(
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
            let (version, pieces) = self.find(bucket, key).await?;
            let range = choose(&version.object)?;
            let mut segments = VecDeque::new();
            for piece in pieces {
                let end = piece.first_byte + piece.size;
                let from = range.start.max(piece.first_byte);
                let to = range.end.min(end);
                if from < to {
                    let range = from - piece.first_byte..to - piece.first_byte;
                    segments.push_back(Segment {
                        blob: piece.blob,
                        range,
                    });
                }
            }
            let blobs = segments
                .iter()
                .map(|segment| segment.blob.clone())
                .collect();
            let mut download = Download {
                objects: self.clone(),
                bucket: bucket.to_owned(),
                key: key.to_owned(),
                segments,
                current: None,
                _reading: Reading::begin(&self.inner, blobs),
            };
            // The first chunk is read before the answer begins: small objects fail cleanly.
            match download.next().await {
                Ok(first) => return Ok((version.object, range, download.into_body(first))),
                Err(Error::NoSuchKey { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Damaged {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        }
        .into())
    }

    async fn find(
        &self,
        bucket: &str,
        key: &str,
    ) -> Result<(Version, Vec<meta::versions::Piece>), Error> {
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        let find = move |tx: &mut Tx<'_>| {
            let version = meta::versions::get(tx, &bucket, &key)?;
            let pieces = meta::versions::pieces(tx, &version)?;
            Ok((version, pieces))
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
    /// The next verified bytes. `NoSuchKey` means that the object was replaced meanwhile.
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
        let gone = || Error::NoSuchKey {
            bucket: self.bucket.clone(),
            key: self.key.clone(),
        };
        let info = self.objects.blob(&segment.blob).await?.ok_or_else(gone)?;
        if info.damaged {
            return Err(Error::Damaged {
                bucket: self.bucket.clone(),
                key: self.key.clone(),
            });
        }
        self.objects
            .inner
            .blobs
            .open(info, segment.range)
            .await?
            .ok_or_else(gone)
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
        let rest = stream::unfold(Some(self), |download| async move {
            let mut download = download?;
            match download.next().await {
                Ok(Some(bytes)) => Some((Ok(bytes), Some(download))),
                Ok(None) => None,
                Err(error) => Some((Err(io::Error::other(error)), None)),
            }
        });
        stream::iter(first.map(Ok)).chain(rest).boxed()
    }
}
