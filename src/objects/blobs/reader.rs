//! Reads verified chunks of a blob.

use std::{fs::File, io, ops::Range, os::unix::fs::FileExt as _, sync::Arc};

use bytes::Bytes;
use object_store::{GetResultPayload, ObjectStore, ObjectStoreExt as _};

use super::{Blobs, blocking, location};
use crate::{Error, checksums};

/// What a row says of a blob.
#[derive(Clone, Debug)]
pub(crate) struct BlobInfo {
    pub(crate) id: String,
    pub(crate) size: u64,
    pub(crate) chunk_bytes: u64,
    /// CRC-32C of every chunk, four bytes each.
    pub(crate) chunk_sums: Vec<u8>,
    /// The bytes, where they are kept in the metadata file.
    pub(crate) inline: Option<Bytes>,
    pub(crate) damaged: bool,
}

/// Why a chunk cannot be served.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The bytes are not those that were put.
    Damaged,
    /// They cannot be read now.
    Failed(Error),
}

/// An open blob.
pub(crate) struct Reader {
    source: Source,
    info: BlobInfo,
    position: u64,
    end: u64,
}

enum Source {
    Inline(Bytes),
    File(Arc<File>),
    Remote(Arc<dyn ObjectStore>),
}

impl Blobs {
    /// Opens a blob to read `range` of it. None when its file is gone.
    pub(crate) async fn open(
        &self,
        info: BlobInfo,
        range: Range<u64>,
    ) -> Result<Option<Reader>, Error> {
        let source = match &info.inline {
            Some(bytes) => Source::Inline(bytes.clone()),
            None => match self.store()?.get(&location(&info.id)).await {
                Ok(found) => match found.payload {
                    GetResultPayload::File(file, _) => Source::File(Arc::new(file)),
                    GetResultPayload::Stream(_) => Source::Remote(self.store()?.clone()),
                },
                Err(object_store::Error::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(error.into()),
            },
        };
        Ok(Some(Reader {
            source,
            info,
            position: range.start,
            end: range.end,
        }))
    }
}

impl Reader {
    /// The id of the blob.
    pub(crate) fn blob(&self) -> &str {
        &self.info.id
    }

    /// The next bytes of the range, verified; none at its end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        if self.position >= self.end {
            return Ok(None);
        }
        let index = self.position / self.info.chunk_bytes;
        let start = index * self.info.chunk_bytes;
        let chunk = start..(start + self.info.chunk_bytes).min(self.info.size);
        let bytes = self.read(chunk.clone()).await?;
        if Some(checksums::chunk_sum(&bytes).as_slice()) != self.sum(index) {
            return Err(Fault::Damaged);
        }
        let from = offset(self.position - chunk.start);
        let to = offset(self.end.min(chunk.end) - chunk.start);
        self.position = chunk.end;
        Ok(Some(bytes.slice(from..to)))
    }

    fn sum(&self, index: u64) -> Option<&[u8]> {
        let start = offset(index) * 4;
        self.info.chunk_sums.get(start..start + 4)
    }

    async fn read(&self, chunk: Range<u64>) -> Result<Bytes, Fault> {
        let length = offset(chunk.end - chunk.start);
        match &self.source {
            Source::Inline(bytes) => {
                let start = offset(chunk.start);
                if bytes.len() < start + length {
                    return Err(Fault::Damaged);
                }
                Ok(bytes.slice(start..start + length))
            }
            Source::File(file) => {
                let file = file.clone();
                let read = blocking(move || {
                    let mut buffer = vec![0; length];
                    match file.read_exact_at(&mut buffer, chunk.start) {
                        Ok(()) => Ok(Some(Bytes::from(buffer))),
                        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
                        Err(error) => Err(error),
                    }
                });
                read.await.map_err(Fault::Failed)?.ok_or(Fault::Damaged)
            }
            Source::Remote(store) => {
                let location = location(&self.info.id);
                let read = store.get_range(&location, chunk).await;
                read.map_err(|error| Fault::Failed(error.into()))
            }
        }
    }
}

/// Offsets stay within a chunk or a row's bytes, which fit memory.
fn offset(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
