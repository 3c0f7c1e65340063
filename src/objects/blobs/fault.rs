//! A disk that fails on demand, for tests: object_store's trait wrapped around the real store.

use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart, path::Path,
};

/// A switch that makes writes of blobs fail as a full or dying disk would. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct BlobFault(Arc<Mutex<Option<Plan>>>);

#[derive(Clone, Copy, Debug)]
struct Plan {
    kind: io::ErrorKind,
    writes_left: u32,
}

impl BlobFault {
    /// From now on writes fail with `kind` (`StorageFull` is a full disk).
    pub fn fail(&self, kind: io::ErrorKind) {
        self.fail_after(0, kind);
    }

    /// The next `writes` parts of 1 MiB succeed, then writes fail with `kind`.
    pub fn fail_after(&self, writes: u32, kind: io::ErrorKind) {
        *self.plan() = Some(Plan {
            kind,
            writes_left: writes,
        });
    }

    /// Writes succeed again.
    pub fn clear(&self) {
        *self.plan() = None;
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Option<Plan>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self) -> Result<()> {
        match &mut *self.plan() {
            None => Ok(()),
            Some(plan) if plan.writes_left > 0 => {
                plan.writes_left -= 1;
                Ok(())
            }
            Some(plan) => Err(object_store::Error::Generic {
                store: "fault",
                source: Box::new(io::Error::new(plan.kind, "injected by a test")),
            }),
        }
    }
}

/// The wrapped store.
#[derive(Debug)]
pub(crate) struct FaultyStore<S> {
    store: S,
    fault: BlobFault,
}

impl<S> FaultyStore<S> {
    pub(crate) fn new(store: S, fault: BlobFault) -> Self {
        Self { store, fault }
    }
}

impl<S> fmt::Display for FaultyStore<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a store that fails on demand")
    }
}

#[async_trait]
impl<S: ObjectStore> ObjectStore for FaultyStore<S> {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.fault.check()?;
        self.store.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let upload = self.store.put_multipart_opts(location, options).await?;
        Ok(Box::new(FaultyUpload {
            upload,
            fault: self.fault.clone(),
        }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.store.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.fault.check()?;
        self.store.copy_opts(from, to, options).await
    }
}

#[derive(Debug)]
struct FaultyUpload {
    upload: Box<dyn MultipartUpload>,
    fault: BlobFault,
}

#[async_trait]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        match self.fault.check() {
            Ok(()) => self.upload.put_part(data),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.fault.check()?;
        self.upload.complete().await
    }

    async fn abort(&mut self) -> Result<()> {
        self.upload.abort().await
    }
}
