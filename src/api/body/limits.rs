//! How large bodies may be, and how long they may take.

use std::{io, time::Duration};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use http::{HeaderMap, StatusCode, header};
use mito_records::{Collection, Field};
use serde_json::Value;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use crate::{caller::text_of, envelope::Envelope};

/// What a record's values may take besides its larger fields, in bytes.
const BASE_BYTES: u64 = 32 * 1024 * 1024;
/// What a file or an editor may take where its field sets no limit, in bytes.
const FIELD_BYTES: u64 = 5 * 1024 * 1024;
/// What JSON may take where its field sets no limit, in bytes.
const JSON_BYTES: u64 = 1024 * 1024;

/// A body that is held in memory without asking, in bytes.
pub(crate) const SMALL_BYTES: usize = 1024 * 1024;
/// Larger bodies that are held in memory at one time.
const LARGE_AT_ONCE: usize = 4;
/// How long a body waits for its turn to be large.
const TURN: Duration = Duration::from_secs(10);
/// How long a client may be silent in the middle of a body.
const SILENCE: Duration = Duration::from_secs(30);
/// How long values may take to arrive. Files may take longer as long as they keep coming.
const VALUES: Duration = Duration::from_mins(2);

static LARGE: Semaphore = Semaphore::const_new(LARGE_AT_ONCE);

/// The largest body of a record of the collection, and how much of that is for files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) values: u64,
    pub(crate) files: u64,
}

impl Limits {
    /// The limits of the fields added up.
    pub(crate) fn of(collection: &Collection) -> Self {
        let mut limits = Self {
            values: BASE_BYTES,
            files: 0,
        };
        for field in &collection.fields {
            match field.kind.as_str() {
                "file" => limits.files += max_file_bytes(field) * max_select(field),
                "editor" => limits.values += option(field, "maxSize").unwrap_or(FIELD_BYTES),
                "json" => limits.values += option(field, "maxSize").unwrap_or(JSON_BYTES),
                _ => {}
            }
        }
        limits
    }

    pub(crate) fn total(self) -> u64 {
        self.values.saturating_add(self.files)
    }
}

fn option(field: &Field, name: &str) -> Option<u64> {
    let value = field.options.get(name).and_then(Value::as_u64);
    value.filter(|value| *value > 0)
}

/// How many files a field takes.
pub(crate) fn max_select(field: &Field) -> u64 {
    option(field, "maxSelect").unwrap_or(1)
}

/// How large a file of a field may be.
pub(crate) fn max_file_bytes(field: &Field) -> u64 {
    option(field, "maxSize").unwrap_or(FIELD_BYTES)
}

/// The answer to a body that is too large.
pub(crate) fn too_large() -> Envelope {
    Envelope::new(StatusCode::PAYLOAD_TOO_LARGE, "Request entity too large.")
}

/// The size that a body says it has.
pub(crate) fn announced(headers: &HeaderMap) -> Option<u64> {
    text_of(headers, header::CONTENT_LENGTH.as_str())
        .parse()
        .ok()
}

/// The leave to hold more in memory than a small body; given back when dropped.
#[derive(Debug, Default)]
pub(crate) struct Memory(Option<SemaphorePermit<'static>>);

impl Memory {
    /// Waits for the leave to hold `bytes`.
    pub(crate) async fn hold(&mut self, bytes: usize) -> Result<(), Envelope> {
        if bytes <= SMALL_BYTES || self.0.is_some() {
            return Ok(());
        }
        match timeout(TURN, LARGE.acquire()).await {
            Ok(Ok(permit)) => {
                self.0 = Some(permit);
                Ok(())
            }
            _ => Err(Envelope::busy()),
        }
    }
}

/// The chunks of a body: no more than `limit` bytes in all, and no long silence between them.
pub(crate) fn chunks(
    body: Body,
    limit: u64,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    chunks_within(body, limit, SILENCE)
}

fn chunks_within(
    body: Body,
    limit: u64,
    silence: Duration,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let state = (body.into_data_stream(), limit, false);
    futures_util::stream::unfold(state, move |(mut stream, left, ended)| async move {
        if ended {
            return None;
        }
        let fail = |kind: io::ErrorKind| Err(io::Error::from(kind));
        let chunk = match timeout(silence, stream.next()).await {
            Err(_) => fail(io::ErrorKind::TimedOut),
            Ok(None) => return None,
            Ok(Some(Err(_))) => fail(io::ErrorKind::ConnectionReset),
            Ok(Some(Ok(chunk))) => Ok(chunk),
        };
        match chunk {
            Err(error) => Some((Err(error), (stream, 0, true))),
            Ok(chunk) => match left.checked_sub(chunk.len() as u64) {
                Some(left) => Some((Ok(chunk), (stream, left, false))),
                None => Some((fail(io::ErrorKind::FileTooLarge), (stream, 0, true))),
            },
        }
    })
}

/// What the failure of a body means.
pub(crate) fn of_stream(error: &io::Error) -> Envelope {
    match error.kind() {
        io::ErrorKind::FileTooLarge => too_large(),
        io::ErrorKind::TimedOut => Envelope::new(
            StatusCode::REQUEST_TIMEOUT,
            "The request body took too long to arrive.",
        ),
        _ => Envelope::bad_request(Envelope::NO_REASON),
    }
}

/// The whole body, in memory. One that says that it is too large is not read at all.
pub(crate) async fn whole(
    headers: &HeaderMap,
    body: Body,
    limit: u64,
) -> Result<(Bytes, Memory), Envelope> {
    let announced = announced(headers);
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut memory = Memory::default();
    let read = async {
        let mut chunks = std::pin::pin!(chunks(body, limit));
        let mut whole = BytesMut::new();
        let mut first: Option<Bytes> = None;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| of_stream(&error))?;
            if first.is_none() && whole.is_empty() {
                first = Some(chunk);
                continue;
            }
            if let Some(first) = first.take() {
                whole.extend_from_slice(&first);
            }
            memory.hold(whole.len() + chunk.len()).await?;
            whole.extend_from_slice(&chunk);
        }
        Ok(first.unwrap_or_else(|| whole.freeze()))
    };
    let bytes = timeout(VALUES, read)
        .await
        .map_err(|_| of_stream(&io::ErrorKind::TimedOut.into()))??;
    Ok((bytes, memory))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn kinds(body: Body, limit: u64) -> Vec<Result<usize, io::ErrorKind>> {
        let chunks = chunks_within(body, limit, Duration::from_millis(20));
        let read = chunks.map(|chunk| chunk.map(|chunk| chunk.len()).map_err(|e| e.kind()));
        read.collect().await
    }

    fn body(chunks: &[&'static str]) -> impl Stream<Item = io::Result<Bytes>> + use<> {
        let chunks: Vec<_> = chunks.iter().map(|text| Ok(Bytes::from(*text))).collect();
        futures_util::stream::iter(chunks)
    }

    #[tokio::test]
    async fn bodies_end_when_they_are_too_large_or_silent() {
        let whole = Body::from_stream(body(&["ab", "cde"]));
        assert_eq!(kinds(whole, 5).await, [Ok(2), Ok(3)]);
        let large = Body::from_stream(body(&["ab", "cde", "f"]));
        assert_eq!(
            kinds(large, 4).await,
            [Ok(2), Err(io::ErrorKind::FileTooLarge)]
        );
        let silent = Body::from_stream(body(&["ab"]).chain(futures_util::stream::pending()));
        assert_eq!(
            kinds(silent, 4).await,
            [Ok(2), Err(io::ErrorKind::TimedOut)]
        );
    }
}
