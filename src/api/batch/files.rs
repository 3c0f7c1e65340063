//! A batch with files: `@jsonPayload`, and parts called `requests.N.field`.
//!
//! PocketBase's SDK sends the payload after the files, so where a file goes is known only at the end
//! of the body. The body is kept in a file without a name meanwhile and read twice.

use std::{
    collections::BTreeMap,
    io::{self, SeekFrom},
    time::Duration,
};

use axum::body::Body;
use futures_util::StreamExt as _;
use http::{HeaderMap, StatusCode, header};
use mito_records::{Record, records::BatchOperation};
use tokio::{
    fs::File,
    io::{AsyncSeekExt as _, AsyncWriteExt as _},
    sync::Semaphore,
    time::timeout,
};
use tokio_util::io::ReaderStream;

use crate::{
    Api,
    batch::{
        UNREADABLE,
        asked::{Asked, Batch},
    },
    body::{
        limits::{self, Limits},
        multipart::{Files, Part, Parts, Place},
        submission::{Target, place},
        values::FormValues,
    },
    caller::{Caller, text_of},
    envelope::Envelope,
};

/// Bodies that are kept on disk at one time.
const KEPT_AT_ONCE: usize = 16;
/// How long a body waits for its turn to be kept.
const TURN: Duration = Duration::from_secs(10);

static KEPT: Semaphore = Semaphore::const_new(KEPT_AT_ONCE);

/// Reads a batch and stores its files.
pub(crate) async fn read(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    body: Body,
    limits: Limits,
    max_requests: usize,
) -> Result<Batch, Envelope> {
    let content_type = text_of(headers, header::CONTENT_TYPE.as_str());
    let Ok(Ok(_turn)) = timeout(TURN, KEPT.acquire()).await else {
        return Err(Envelope::busy());
    };
    let mut kept = keep(body, limits).await?;
    let payload = values(parts(content_type, &mut kept, limits).await?).await?;
    let batch = Batch::parse(payload, max_requests)?;
    let mut parts = parts(content_type, &mut kept, limits).await?;
    let mut reading = Reading {
        api,
        caller,
        batch,
        records: BTreeMap::new(),
    };
    let read = reading.read(&mut parts).await;
    match read {
        Ok(()) => reading.finish().await,
        Err(error) => {
            for (_, files) in reading.records.into_values() {
                files.abandon(api).await;
            }
            Err(error)
        }
    }
}

/// The body in a file without a name, which is gone with its last handle.
async fn keep(body: Body, limits: Limits) -> Result<File, Envelope> {
    let mut kept = File::from_std(tempfile::tempfile().map_err(not_kept)?);
    let mut chunks = std::pin::pin!(limits::chunks(body, limits.total()));
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| limits::of_stream(&error))?;
        kept.write_all(&chunk).await.map_err(not_kept)?;
    }
    kept.flush().await.map_err(not_kept)?;
    Ok(kept)
}

fn not_kept(error: io::Error) -> Envelope {
    tracing::error!(%error, "a batch cannot be kept on disk");
    if error.kind() == io::ErrorKind::StorageFull {
        return Envelope::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "The disk is full. Nothing was written.",
        );
    }
    Envelope::internal()
}

/// The parts of a body from its beginning.
async fn parts(content_type: &str, kept: &mut File, limits: Limits) -> Result<Parts, Envelope> {
    kept.seek(SeekFrom::Start(0)).await.map_err(not_kept)?;
    let handle = kept.try_clone().await.map_err(not_kept)?;
    let body = Body::from_stream(ReaderStream::new(handle));
    let parts = Parts::new(content_type, body, limits);
    parts.ok_or_else(|| Envelope::bad_request(UNREADABLE))
}

/// The values of a body, wherever they are in it.
async fn values(mut parts: Parts) -> Result<Record, Envelope> {
    let mut values = FormValues::default();
    while let Some(part) = parts.next().await? {
        if let Part::Value { name, text } = part
            && !values.add(&name, &text)
        {
            return Err(Envelope::bad_request(UNREADABLE));
        }
    }
    Ok(values.finish())
}

/// A batch whose files are being stored.
struct Reading<'a> {
    api: &'a Api,
    caller: &'a Caller,
    batch: Batch,
    records: BTreeMap<usize, (Place, Files)>,
}

impl Reading<'_> {
    async fn read(&mut self, parts: &mut Parts) -> Result<(), Envelope> {
        while let Some(part) = parts.next().await? {
            let Part::File { name, part } = part else {
                continue;
            };
            let Some((position, field)) = position_of(&name) else {
                continue;
            };
            if !self.open(position).await? {
                continue;
            }
            if let Some((place, files)) = self.records.get_mut(&position) {
                let file = (field.to_owned(), part);
                files.take(self.api, self.caller, place, file).await?;
            }
        }
        Ok(())
    }

    /// Finds out where the files of a request go; `false` when it takes none.
    async fn open(&mut self, position: usize) -> Result<bool, Envelope> {
        if self.records.contains_key(&position) {
            return Ok(true);
        }
        let asked = self.batch.asked.get(position);
        let Some((asked, (collection, operation))) =
            asked.and_then(|asked| Some((asked, asked.operation()?)))
        else {
            return Ok(false);
        };
        let submitted = submitted_id(asked);
        let id = match &operation {
            BatchOperation::Delete(_) => return Ok(false),
            BatchOperation::Update(id) => Some(id.as_str()),
            BatchOperation::Create | BatchOperation::Upsert => None,
        };
        let target = Target { collection, id };
        let (mut place, _) = place(self.api, self.caller, target)
            .await
            .map_err(|error| super::failed(position, &error))?;
        if id.is_none()
            && !submitted.is_empty()
            && crate::body::multipart::is_part_of_a_key(submitted)
        {
            submitted.clone_into(&mut place.record_id);
        }
        self.records.insert(position, (place, Files::default()));
        Ok(true)
    }

    async fn finish(self) -> Result<Batch, Envelope> {
        let mut batch = self.batch;
        for (position, (place, files)) in self.records {
            let submitted = files
                .submitted(self.api, self.caller, &place, Record::new())
                .await?;
            batch.staged.extend(submitted.all_files().cloned());
            if let Some(asked) = batch.asked.get_mut(position) {
                asked.attach(submitted);
            }
        }
        Ok(batch)
    }
}

fn submitted_id(asked: &Asked) -> &str {
    asked
        .submitted
        .values
        .get("id")
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default()
}

/// `requests.3.photo+` or `requests[3].photo+`.
fn position_of(name: &str) -> Option<(usize, &str)> {
    let rest = name.strip_prefix("requests")?;
    let (number, field) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once("].")?,
        None => rest.strip_prefix('.')?.split_once('.')?,
    };
    Some((number.parse().ok()?, field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_name_their_request() {
        assert_eq!(position_of("requests.3.photo+"), Some((3, "photo+")));
        assert_eq!(position_of("requests[12].a.b"), Some((12, "a.b")));
        for wrong in [
            "requests",
            "requests.x.a",
            "requests.1",
            "requests[1]a",
            "x.1.a",
        ] {
            assert_eq!(position_of(wrong), None, "{wrong}");
        }
    }
}
