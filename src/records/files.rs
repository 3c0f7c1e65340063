//! The files of records: objects of the bucket `mito-records` with the key
//! `<collection id>/<record id>/<name>`.
//!
//! A file is stored before the record that has it, and removed after. In between its key stands in
//! `_mito_records_files_pending`: staging puts it there, the write that gives the file to a record
//! takes it away, and the write that takes the file from its record puts it back. A task removes
//! what is due. So a crash never loses a file that a record has, and leaves none that no record has.
//!
//! | module | what it holds |
//! |---|---|
//! | [`names`] | what a file is called after it was uploaded |
//! | [`detect`] | what a file is, by its first bytes |
//! | [`stage`] | files in, before their records |
//! | [`pending`] | files that wait to be claimed or removed |
//! | [`sweep`] | the task that removes what is due |
//! | [`open`] | files out |
//! | [`thumbs`] | pictures made small |

mod detect;
mod names;
mod open;
mod pending;
mod stage;
mod sweep;
#[cfg(test)]
mod tests;
mod thumbs;

use mito_objects::Objects;
use tokio::sync::{Notify, OnceCell};

pub(crate) use self::stage::reclaim_in;
pub use self::{
    open::{Address, FoundFile},
    stage::{StagedFile, Upload},
};
pub use mito_objects::{Body, Checksums, Headers as StoredHeaders, Object};

use crate::{Error, Records};

/// Where the files of records are.
pub const BUCKET: &str = mito_objects::RECORDS_BUCKET;

/// The files of records.
#[derive(Clone, Copy)]
pub struct Files<'a> {
    records: &'a Records,
}

/// Where a file is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileKey {
    /// The id of the collection.
    pub collection_id: String,
    /// The id of the record.
    pub record_id: String,
    /// The name, as the record has it.
    pub name: String,
}

/// What all handles share.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Filled once the bucket is there.
    bucket: OnceCell<()>,
    /// Rung when there may be something to remove.
    due: Notify,
    workshop: thumbs::Workshop,
}

impl Records {
    /// The files of records.
    pub fn files(&self) -> Files<'_> {
        Files { records: self }
    }
}

impl Files<'_> {
    fn objects(&self) -> &Objects {
        &self.records.inner.objects
    }

    fn state(&self) -> &State {
        &self.records.inner.files
    }

    /// Makes the bucket unless it is known to be there.
    async fn bucket(&self) -> Result<&'static str, Error> {
        let make = || async {
            match self.objects().create_bucket(BUCKET).await {
                Ok(()) | Err(mito_objects::Error::BucketExists(_)) => Ok(()),
                Err(error) => Err(failure(error)),
            }
        };
        self.state().bucket.get_or_try_init(make).await?;
        Ok(BUCKET)
    }
}

impl FileKey {
    /// The key of the object.
    pub(crate) fn object_key(&self) -> String {
        object_key(&self.collection_id, &self.record_id, &self.name)
    }

    /// What the keys of its thumbnails begin with.
    pub(crate) fn thumbs_prefix(&self) -> String {
        let Self {
            collection_id,
            record_id,
            name,
        } = self;
        format!("{collection_id}/{record_id}/thumbs_{name}/")
    }

    /// The file that an object's key stands for.
    pub(crate) fn parse(key: &str) -> Option<Self> {
        let mut parts = key.splitn(3, '/');
        Some(Self {
            collection_id: parts.next()?.to_owned(),
            record_id: parts.next()?.to_owned(),
            name: parts.next()?.to_owned(),
        })
    }
}

fn object_key(collection_id: &str, record_id: &str, name: &str) -> String {
    format!("{collection_id}/{record_id}/{name}")
}

/// What an error of object storage means to whoever uses a record.
pub(crate) fn failure(error: mito_objects::Error) -> Error {
    match error {
        mito_objects::Error::NoSuchKey { .. } | mito_objects::Error::NoSuchBucket(_) => {
            Error::NotFound
        }
        mito_objects::Error::StorageFull => Error::Database(mito_database::Error::Full),
        mito_objects::Error::Database(error) => Error::Database(error),
        mito_objects::Error::Body(error) => {
            tracing::debug!(%error, "an upload ended early");
            Error::Invalid("Failed to read the submitted files.".to_owned())
        }
        error => Error::Internal(format!("a file of a record: {error}")),
    }
}
