//! Files in: streamed into objects under their final key, before the write that gives them to a
//! record.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use mito_database::Tx;
use mito_objects::{Body, Put};

use super::{
    FileKey, Files,
    detect::{self, HEAD_BYTES},
    failure, names, object_key, pending,
};
use crate::{Error, FieldError};

/// An upload takes no longer than this.
const UPLOAD_LIFE: Duration = Duration::from_hours(24);
/// Between two looks at whether a file is gone that is being removed.
const REMOVAL_LOOK: Duration = Duration::from_millis(50);
/// A staged file waits no longer than this for its record.
const STAGED_LIFE: Duration = Duration::from_hours(1);

/// A file that is on its way in.
#[derive(Clone, Copy, Debug)]
pub struct Upload<'a> {
    /// The id of the collection.
    pub collection_id: &'a str,
    /// The id of the record, which need not exist yet.
    pub record_id: &'a str,
    /// The field that it is for, as errors name it.
    pub field: &'a str,
    /// What the client calls it; a path is cut to its last part.
    pub original_name: &'a str,
    /// A larger file is refused.
    pub max_bytes: u64,
}

/// A file that is stored and waits for its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedFile {
    /// Where it is; the name is what the record's field gets.
    pub key: FileKey,
    /// What the client calls it, without its path.
    pub original_name: String,
    /// Its size in bytes.
    pub size: u64,
    /// What it is by its first bytes, whatever the client says: `text/plain; charset=utf-8`.
    pub mime: String,
}

/// A file that is stored already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    /// Its size in bytes.
    pub(crate) bytes: u64,
    /// Whether no record has it yet.
    pub(crate) is_nobodys: bool,
}

impl Files<'_> {
    /// Stores a file that no record has yet. It is removed again unless a write claims it with
    /// [`Files::claim_in`] within an hour. A file that is too large is an error of its field.
    pub async fn stage(&self, upload: Upload<'_>, body: Body) -> Result<StagedFile, Error> {
        let bucket = self.bucket().await?;
        let original_name = names::base(upload.original_name).to_owned();
        let limited = Limited::new(body, upload.max_bytes);
        let exceeded = Arc::clone(&limited.exceeded);
        let (head, body) = peek(limited.into_body())
            .await
            .map_err(|error| too_large_or(&upload, &exceeded, failure_of_body(error)))?;
        let kind = detect::detect(&head);
        let key = FileKey {
            collection_id: upload.collection_id.to_owned(),
            record_id: upload.record_id.to_owned(),
            name: names::file_name(&self.records.inner.random, &original_name, kind.extension),
        };
        let object = key.object_key();
        self.announce(&object, UPLOAD_LIFE).await?;
        let put = Put {
            content_type: Some(kind.mime.to_owned()),
            ..Put::default()
        };
        let stored = match self.objects().put(bucket, &object, put, body).await {
            Ok(stored) => stored,
            Err(error) => {
                self.withdraw(&object).await;
                return Err(too_large_or(&upload, &exceeded, failure(error)));
            }
        };
        self.announce(&object, STAGED_LIFE).await?;
        Ok(StagedFile {
            key,
            original_name,
            size: stored.size,
            mime: kind.mime.to_owned(),
        })
    }

    /// Gives a staged file to another record than it was staged for: the body of a request may name
    /// the record after the files.
    pub async fn assign(
        &self,
        file: StagedFile,
        collection_id: &str,
        record_id: &str,
    ) -> Result<StagedFile, Error> {
        if file.key.collection_id == collection_id && file.key.record_id == record_id {
            return Ok(file);
        }
        let bucket = self.bucket().await?;
        let from = file.key.object_key();
        let to = object_key(collection_id, record_id, &file.key.name);
        self.announce(&to, STAGED_LIFE).await?;
        self.objects()
            .duplicate(bucket, &from, &to)
            .await
            .map_err(failure)?;
        self.withdraw(&from).await;
        Ok(StagedFile {
            key: FileKey {
                collection_id: collection_id.to_owned(),
                record_id: record_id.to_owned(),
                name: file.key.name,
            },
            ..file
        })
    }

    /// Lets go of files that no record will have, without waiting for their hour.
    pub async fn abandon(&self, files: &[StagedFile]) {
        for file in files {
            self.withdraw(&file.key.object_key()).await;
        }
    }

    /// Makes the file its record's: the write that stores the name in the record calls this.
    pub fn claim_in(&self, tx: &mut Tx<'_>, file: &FileKey) -> Result<(), Error> {
        if pending::claim(tx, &file.object_key())? {
            return Ok(());
        }
        let message = "The uploaded files are not available any more. Please upload them again.";
        Err(Error::Invalid(message.to_owned()))
    }

    /// Stores a file under the name that it has already, for an import. One that is new is nobody's
    /// until the write that follows claims it; one that a record has is replaced and stays its.
    pub(crate) async fn put_existing(
        &self,
        file: &FileKey,
        body: Body,
        is_new: bool,
    ) -> Result<u64, Error> {
        let bucket = self.bucket().await?;
        let object = file.object_key();
        if is_new {
            self.announce(&object, UPLOAD_LIFE).await?;
        }
        let (head, body) = peek(body).await.map_err(failure_of_body)?;
        let put = Put {
            content_type: Some(detect::detect(&head).mime.to_owned()),
            ..Put::default()
        };
        let stored = self.objects().put(bucket, &object, put, body).await;
        let stored = stored.map_err(failure)?;
        Ok(stored.size)
    }

    /// A file that is stored. If it is nobody's, it stays for the write that claims it; if it is just
    /// being removed, this waits until it is gone.
    pub(crate) async fn keep_stored(&self, file: &FileKey) -> Result<Option<Kept>, Error> {
        let inner = &self.records.inner;
        loop {
            let (object, boot) = (file.object_key(), inner.boot.clone());
            let renew = move |tx: &mut Tx<'_>| {
                let life_ms = i64::try_from(UPLOAD_LIFE.as_millis()).unwrap_or(i64::MAX);
                let due_ms = tx.now_ms().saturating_add(life_ms);
                let renewed = pending::renew(tx, &object, due_ms, &boot)?;
                let is_going = !renewed && pending::is_pending(tx, &object)?;
                Ok::<_, Error>((renewed, is_going))
            };
            let (is_nobodys, is_going) = inner.database.write(renew).await?;
            if !is_going {
                let bytes = self.stored_bytes(file).await?;
                return Ok(bytes.map(|bytes| Kept { bytes, is_nobodys }));
            }
            inner.clock.sleep(REMOVAL_LOOK).await;
        }
    }

    /// The size of a file that is stored, in bytes.
    async fn stored_bytes(&self, file: &FileKey) -> Result<Option<u64>, Error> {
        let bucket = self.bucket().await?;
        match self.objects().head(bucket, &file.object_key()).await {
            Ok(object) => Ok(Some(object.size)),
            Err(mito_objects::Error::NoSuchKey { .. }) => Ok(None),
            Err(error) => Err(failure(error)),
        }
    }

    /// Notes that the object is nobody's, before it is there and once it is.
    pub(super) async fn announce(&self, object: &str, life: Duration) -> Result<(), Error> {
        let inner = &self.records.inner;
        let life_ms = i64::try_from(life.as_millis()).unwrap_or(i64::MAX);
        let (object, boot) = (object.to_owned(), inner.boot.clone());
        let announce = move |tx: &mut Tx<'_>| {
            let due_ms = tx.now_ms().saturating_add(life_ms);
            pending::announce(tx, &object, due_ms, &boot)
        };
        if inner.database.write(announce).await? {
            return Ok(());
        }
        // The sweep has begun to remove it.
        let message = "The upload took too long. Please try again.";
        Err(Error::Invalid(message.to_owned()))
    }

    /// Has the object removed soon.
    pub(crate) async fn withdraw(&self, object: &str) {
        let (object, boot) = (object.to_owned(), self.records.inner.boot.clone());
        let withdraw = move |tx: &mut Tx<'_>| {
            let now_ms = tx.now_ms();
            pending::announce(tx, &object, now_ms, &boot)
        };
        match self.records.inner.database.write(withdraw).await {
            Ok::<_, Error>(_) => self.state().due.notify_one(),
            // It is removed later, as it stands there with a time.
            Err(error) => tracing::warn!(%error, "a file cannot be let go of"),
        }
    }
}

/// Makes a file that is stored its record's; `has_it` says that it is that already.
pub(crate) fn reclaim_in(tx: &mut Tx<'_>, file: &FileKey, has_it: bool) -> Result<(), Error> {
    let object = file.object_key();
    if pending::claim(tx, &object)? || (has_it && !pending::is_pending(tx, &object)?) {
        return Ok(());
    }
    let message = format!("its file {} has just been removed; import again", file.name);
    Err(Error::Invalid(message))
}

/// A body that ends with an error when it is longer than it may be.
struct Limited {
    body: Body,
    left: u64,
    exceeded: Arc<AtomicBool>,
}

impl Limited {
    fn new(body: Body, max_bytes: u64) -> Self {
        Self {
            body,
            left: max_bytes,
            exceeded: Arc::default(),
        }
    }

    fn into_body(self) -> Body {
        stream::unfold(Some(self), |limited| async move {
            let mut limited = limited?;
            let bytes = match limited.body.next().await? {
                Ok(bytes) => bytes,
                Err(error) => return Some((Err(error), None)),
            };
            let Some(left) = limited.left.checked_sub(bytes.len() as u64) else {
                limited.exceeded.store(true, Ordering::Relaxed);
                return Some((Err(io::ErrorKind::FileTooLarge.into()), None));
            };
            limited.left = left;
            Some((Ok(bytes), Some(limited)))
        })
        .fuse()
        .boxed()
    }
}

fn too_large_or(upload: &Upload<'_>, exceeded: &AtomicBool, error: Error) -> Error {
    if exceeded.load(Ordering::Relaxed) {
        let name = names::base(upload.original_name);
        return Error::field(upload.field, too_large(name, upload.max_bytes));
    }
    error
}

/// The file is larger than its field allows.
pub(crate) fn too_large(name: &str, max_bytes: u64) -> FieldError {
    let message =
        format!("Failed to upload {name} - the maximum allowed file size is {max_bytes} bytes.");
    FieldError::new("validation_file_size_limit", message)
        .with("file", name)
        .with("maxSize", max_bytes)
}

fn failure_of_body(error: io::Error) -> Error {
    failure(mito_objects::Error::Body(error))
}

/// The first bytes of a body, and the whole of it.
async fn peek(mut body: Body) -> io::Result<(Vec<u8>, Body)> {
    let mut chunks: Vec<io::Result<Bytes>> = Vec::new();
    let mut head = Vec::with_capacity(HEAD_BYTES);
    while head.len() < HEAD_BYTES {
        let Some(chunk) = body.next().await else {
            break;
        };
        let chunk = chunk?;
        let wanted = chunk.len().min(HEAD_BYTES - head.len());
        head.extend_from_slice(&chunk[..wanted]);
        chunks.push(Ok(chunk));
    }
    Ok((head, stream::iter(chunks).chain(body).boxed()))
}
