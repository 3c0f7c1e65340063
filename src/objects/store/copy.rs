//! Copies: a new row that names the blobs of another.

use std::collections::BTreeMap;

use mito_database::Tx;

use super::{Objects, put::check_metadata};
use crate::{
    Error, Headers, Object,
    meta::{
        self,
        versions::{NewVersion, Piece, Preconditions},
    },
    names,
};

/// What replaces the metadata of the source.
#[derive(Clone, Debug)]
pub(crate) struct Copied {
    pub(crate) content_type: Option<String>,
    pub(crate) headers: Headers,
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Objects {
    /// Makes an object of the same bytes, type and metadata under another key of the bucket; no
    /// byte is read.
    pub async fn duplicate(&self, bucket: &str, key: &str, to_key: &str) -> Result<Object, Error> {
        let etag = self.head(bucket, key).await?.etag;
        self.copy((bucket, key, &etag), (bucket, to_key), None, None)
            .await
    }

    /// Copies the object that has the given bucket, key and ETag; another ETag means that it was
    /// replaced since it was looked at.
    pub(crate) async fn copy(
        &self,
        (bucket, key, etag): (&str, &str, &str),
        (to_bucket, to_key): (&str, &str),
        replacement: Option<Copied>,
        request_id: Option<String>,
    ) -> Result<Object, Error> {
        names::check_key(to_key)?;
        if let Some(replacement) = &replacement {
            check_metadata(&replacement.metadata)?;
        }
        let (bucket, key, etag) = (bucket.to_owned(), key.to_owned(), etag.to_owned());
        let (to_bucket, to_key, id) = (to_bucket.to_owned(), to_key.to_owned(), self.new_id());
        let copy = move |tx: &mut Tx<'_>| {
            let source = meta::versions::get(tx, &bucket, &key)?;
            if source.object.etag != etag {
                return Err(Error::Precondition("x-amz-copy-source-if-match"));
            }
            let pieces: Vec<Piece> = meta::versions::pieces(tx, &source)?;
            for piece in &pieces {
                meta::blobs::share(tx, &piece.blob)?;
            }
            let Object {
                content_type,
                headers,
                metadata,
                checksums,
                ..
            } = source.object;
            let kept = Copied {
                content_type,
                headers,
                metadata,
            };
            let Copied {
                content_type,
                headers,
                metadata,
            } = replacement.clone().unwrap_or(kept);
            let new = NewVersion {
                id: id.clone(),
                key: to_key.clone(),
                size: source.object.size,
                etag: source.object.etag,
                content_type,
                headers,
                metadata,
                checksums,
                pieces: if source.blob.is_some() {
                    Vec::new()
                } else {
                    pieces
                },
                blob: source.blob,
                request_id: request_id.clone(),
            };
            meta::versions::replace(tx, &to_bucket, &new, &Preconditions::default())
        };
        self.release(copy).await
    }
}
