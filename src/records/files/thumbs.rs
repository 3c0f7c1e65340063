//! Small versions of pictures: made when they are first asked for, once, and kept beside the
//! original. A picture that cannot be made small is served as it is.

mod picture;
mod size;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use mito_objects::{Object, Put};
use tokio::sync::Semaphore;

pub(crate) use self::size::ThumbSize;
use super::{BUCKET, FileKey, Files, failure};
use crate::Error;

/// A larger file is not made small, in bytes.
const MAX_SOURCE_BYTES: u64 = 32 * 1024 * 1024;
/// Pictures that are made small at a time; each may need 160 MB.
const AT_ONCE: usize = 2;
/// How long a picture that cannot be made small is not tried again.
const RETRY_AFTER: Duration = Duration::from_mins(10);
/// How long a new thumbnail may go without being checked against its original.
const CHECKED_WITHIN: Duration = Duration::from_mins(5);

/// What bounds the making of thumbnails.
#[derive(Debug)]
pub(super) struct Workshop(Semaphore);

impl Default for Workshop {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

impl Files<'_> {
    /// The key of the object with the thumbnail, made if it is not there yet; `None` where the
    /// original has to do.
    pub(super) async fn thumb(
        &self,
        file: &FileKey,
        size: &ThumbSize,
    ) -> Result<Option<String>, Error> {
        let key = format!("{}{size}_{}", file.thumbs_prefix(), file.name);
        if self.exists(&key).await? {
            return Ok(Some(key));
        }
        let cache = &self.records.inner.cache;
        let failed = format!("records:no-thumb:{key}");
        if cache.get(&failed).is_some() {
            return Ok(None);
        }
        let permit = self.state().workshop.0.acquire().await;
        let _permit = permit.map_err(|_| Error::Internal("no thumbnails are made".to_owned()))?;
        // Somebody else may have made it meanwhile.
        if self.exists(&key).await? {
            return Ok(Some(key));
        }
        if let Some((picture, mime)) = self.make(file, size).await? {
            self.keep(file, &key, picture, mime).await?;
            return Ok(Some(key));
        }
        if let Err(error) = cache.set_if_absent(&failed, Bytes::new(), Some(RETRY_AFTER)) {
            tracing::debug!(%error, "a picture without thumbnail is not remembered");
        }
        Ok(None)
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        match self.objects().head(BUCKET, key).await.map_err(failure) {
            Ok(_) => Ok(true),
            Err(Error::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn make(
        &self,
        file: &FileKey,
        size: &ThumbSize,
    ) -> Result<Option<(Bytes, &'static str)>, Error> {
        let key = file.object_key();
        let original = self.objects().head(BUCKET, &key).await.map_err(failure)?;
        let Some(format) = picture::Format::of(original.content_type.as_deref()) else {
            return Ok(None);
        };
        if original.size > MAX_SOURCE_BYTES {
            return Ok(None);
        }
        let bounded = |object: &Object| Ok::<_, Error>(0..object.size.min(MAX_SOURCE_BYTES));
        let (object, _, body) = self.open_object(&key, bounded).await?;
        let mut source = BytesMut::with_capacity(usize::try_from(object.size).unwrap_or_default());
        let mut body = body;
        while let Some(chunk) = body.try_next().await.map_err(unreadable)? {
            source.extend_from_slice(&chunk);
        }
        let size = size.clone();
        let work = move || picture::shrink(&source, format, &size);
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(picture)) => Ok(Some((Bytes::from(picture), format.thumb_mime()))),
            Ok(Err(error)) => {
                tracing::debug!(key, %error, "a picture cannot be made small");
                Ok(None)
            }
            Err(error) => {
                tracing::warn!(key, %error, "making a picture small failed");
                Ok(None)
            }
        }
    }

    /// Stores a thumbnail. If its original went meanwhile, or a crash comes between, the sweep
    /// takes it.
    async fn keep(
        &self,
        file: &FileKey,
        key: &str,
        picture: Bytes,
        mime: &'static str,
    ) -> Result<(), Error> {
        self.announce(key, CHECKED_WITHIN).await?;
        let put = Put {
            content_type: Some(mime.to_owned()),
            ..Put::default()
        };
        let body = stream::once(async move { Ok(picture) }).boxed();
        let stored = self.objects().put(BUCKET, key, put, body).await;
        stored.map_err(failure)?;
        if !self.exists(&file.object_key()).await? {
            self.withdraw(key).await;
            return Err(Error::NotFound);
        }
        let key = key.to_owned();
        let claim = move |tx: &mut mito_database::Tx<'_>| super::pending::claim(tx, &key);
        self.records.inner.database.write(claim).await?;
        Ok(())
    }
}

fn unreadable(error: std::io::Error) -> Error {
    Error::Internal(format!("a picture cannot be read: {error}"))
}
