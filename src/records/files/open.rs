//! Files out.

use std::ops::Range;

use mito_objects::{Body, Object};

use super::{BUCKET, FileKey, Files, failure};
use crate::Error;

impl Files<'_> {
    /// What is known of a file without its bytes.
    pub async fn head(&self, file: &FileKey) -> Result<Object, Error> {
        let object = self.objects().head(BUCKET, &file.object_key()).await;
        object.map_err(failure)
    }

    /// The bytes of the range that `choose` finds right for the file; it may also refuse. They
    /// stream: however large the file is, little of it is in memory.
    pub async fn open<E, F>(
        &self,
        file: &FileKey,
        choose: F,
    ) -> Result<(Object, Range<u64>, Body), E>
    where
        F: Fn(&Object) -> Result<Range<u64>, E>,
        E: From<Error>,
    {
        self.open_object(&file.object_key(), choose).await
    }

    pub(super) async fn open_object<E, F>(
        &self,
        key: &str,
        choose: F,
    ) -> Result<(Object, Range<u64>, Body), E>
    where
        F: Fn(&Object) -> Result<Range<u64>, E>,
        E: From<Error>,
    {
        let chosen = |object: &Object| choose(object).map_err(Refused::ByCaller);
        match self.objects().get_with(BUCKET, key, chosen).await {
            Ok(opened) => Ok(opened),
            Err(Refused::ByCaller(error)) => Err(error),
            Err(Refused::ByStorage(error)) => Err(failure(error).into()),
        }
    }
}

/// Why a file is not read.
enum Refused<E> {
    ByCaller(E),
    ByStorage(mito_objects::Error),
}

impl<E> From<mito_objects::Error> for Refused<E> {
    fn from(error: mito_objects::Error) -> Self {
        Self::ByStorage(error)
    }
}
