//! A body that is there as a whole: its beginning in memory, the rest in a file that has no name and
//! goes with the last who reads it. It can be read more than once.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::Body;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::task::spawn_blocking;

/// How much of a file is read or written at once, in bytes.
const CHUNK_BYTES: usize = 256 * 1024;

/// A whole body.
pub(super) struct Stored {
    memory: Vec<Bytes>,
    file: Option<Arc<File>>,
    file_bytes: u64,
    memory_bytes: u64,
    trailers: Option<HeaderMap>,
}

/// Why a body is not there.
#[derive(Debug)]
pub(super) enum NotStored {
    /// It is larger than it may be.
    TooLarge,
    /// Whoever sends it broke off.
    Broken,
    /// There is no room for it.
    Disk(io::Error),
}

impl Stored {
    /// Reads `body` to its end: at most `most` bytes, of which about `memory` stay in memory and the
    /// rest goes to a file in `folder`.
    pub(super) async fn of(
        mut body: Body,
        most: u64,
        memory: u64,
        folder: &Path,
    ) -> Result<Self, NotStored> {
        let mut stored = Self {
            memory: Vec::new(),
            file: None,
            file_bytes: 0,
            memory_bytes: 0,
            trailers: None,
        };
        let mut waiting = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| NotStored::Broken)?;
            let data = match frame.into_data() {
                Ok(data) => data,
                Err(frame) => {
                    stored.trailers = frame.into_trailers().ok();
                    continue;
                }
            };
            let waits = u64::try_from(waiting.len()).unwrap_or(u64::MAX);
            let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
            if stored.length().saturating_add(waits).saturating_add(length) > most {
                return Err(NotStored::TooLarge);
            }
            if stored.file.is_none() && stored.memory_bytes.saturating_add(length) <= memory {
                stored.memory_bytes += length;
                stored.memory.push(data);
                continue;
            }
            if stored.file.is_none() {
                stored.file = Some(open(folder).await.map_err(NotStored::Disk)?);
            }
            waiting.extend_from_slice(&data);
            if waiting.len() >= CHUNK_BYTES {
                let chunk = std::mem::take(&mut waiting);
                stored.write(chunk).await.map_err(NotStored::Disk)?;
            }
        }
        stored.write(waiting).await.map_err(NotStored::Disk)?;
        Ok(stored)
    }

    /// How long it is, in bytes.
    pub(super) fn length(&self) -> u64 {
        self.memory_bytes.saturating_add(self.file_bytes)
    }

    /// Whether that can be told before: with a length there is no place for trailers in HTTP/1.
    pub(super) fn has_length(&self) -> bool {
        self.trailers.is_none()
    }

    /// It, from its beginning.
    pub(super) fn body(&self) -> Body {
        let memory = stream::iter(self.memory.clone().into_iter().map(Frame::data).map(Ok));
        let file = self.file.clone().map(|file| (file, 0, self.file_bytes));
        let file = stream::try_unfold(file, next_chunk);
        let trailers = self.trailers.clone().map(Frame::trailers).map(Ok);
        Body::new(View {
            frames: Box::pin(memory.chain(file).chain(stream::iter(trailers))),
            left: self.has_length().then(|| self.length()),
        })
    }

    async fn write(&mut self, chunk: Vec<u8>) -> io::Result<()> {
        let Some(file) = self.file.clone().filter(|_| !chunk.is_empty()) else {
            return Ok(());
        };
        let at = self.file_bytes;
        self.file_bytes += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        spawn_blocking(move || file.write_all_at(&chunk, at)).await?
    }
}

async fn open(folder: &Path) -> io::Result<Arc<File>> {
    let folder = folder.to_owned();
    // For its owner alone, and without a name from the beginning.
    spawn_blocking(move || tempfile::tempfile_in(folder))
        .await?
        .map(Arc::new)
}

type Place = Option<(Arc<File>, u64, u64)>;

/// What comes next in a file, from a place to its end.
async fn next_chunk(place: Place) -> Result<Option<(Frame<Bytes>, Place)>, io::Error> {
    let Some((file, at, end)) = place.filter(|(_, at, end)| at < end) else {
        return Ok(None);
    };
    let length = usize::try_from(end - at)
        .unwrap_or(usize::MAX)
        .min(CHUNK_BYTES);
    let reading = Arc::clone(&file);
    let read = spawn_blocking(move || {
        let mut chunk = vec![0; length];
        reading.read_exact_at(&mut chunk, at).map(|()| chunk)
    });
    let chunk = read.await??;
    let at = at + u64::try_from(chunk.len()).unwrap_or(u64::MAX);
    Ok(Some((Frame::data(chunk.into()), Some((file, at, end)))))
}

/// A body as one reader sees it.
struct View {
    frames: Pin<Box<dyn Stream<Item = io::Result<Frame<Bytes>>> + Send>>,
    left: Option<u64>,
}

impl HttpBody for View {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let polled = self.frames.poll_next_unpin(context);
        if let (Poll::Ready(Some(Ok(frame))), Some(left)) = (&polled, self.left) {
            let length = frame.data_ref().map_or(0, Bytes::len);
            let length = u64::try_from(length).unwrap_or(u64::MAX);
            self.left = Some(left.saturating_sub(length));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(count: usize, length: usize) -> Body {
        let chunks =
            (0..count).map(move |at| Ok::<_, io::Error>(vec![at.to_le_bytes()[0]; length]));
        Body::from_stream(stream::iter(chunks))
    }

    async fn read(stored: &Stored) -> Bytes {
        let body = stored.body();
        assert_eq!(body.size_hint().exact(), Some(stored.length()));
        body.collect().await.expect("a body").to_bytes()
    }

    #[tokio::test]
    async fn what_memory_does_not_hold_goes_to_a_file_without_a_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let expected = chunks(40, 50_000)
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        for (memory, in_file) in [(0, 2_000_000), (120_000, 1_900_000), (2_000_000, 0)] {
            let stored = Stored::of(chunks(40, 50_000), 2_000_000, memory, folder.path()).await;
            let stored = stored.expect("a body");
            assert_eq!((stored.length(), stored.file_bytes), (2_000_000, in_file));
            assert_eq!(stored.file.is_some(), in_file > 0);
            assert_eq!(read(&stored).await, expected);
            assert_eq!(read(&stored).await, expected, "it can be read again");
            let left = std::fs::read_dir(folder.path()).expect("a folder").count();
            assert_eq!(left, 0, "nothing is left behind");
        }
    }

    #[tokio::test]
    async fn bodies_have_a_bound_and_places_for_them_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let larger = Stored::of(chunks(4, 50), 199, 10, folder.path()).await;
        assert!(matches!(larger, Err(NotStored::TooLarge)));
        let nowhere = folder.path().join("nowhere");
        let lost = Stored::of(chunks(4, 50), 200, 10, &nowhere).await;
        assert!(matches!(lost, Err(NotStored::Disk(_))));
        let broken = stream::iter([Ok("x"), Err(io::Error::other("gone"))]);
        let broken = Stored::of(Body::from_stream(broken), 200, 10, folder.path()).await;
        assert!(matches!(broken, Err(NotStored::Broken)));
    }

    #[tokio::test]
    async fn trailers_come_last() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut trailers = HeaderMap::new();
        trailers.insert("x-end", http::HeaderValue::from_static("here"));
        let with = Body::from("abc").with_trailers(std::future::ready(Some(Ok(trailers.clone()))));
        let stored = Stored::of(Body::new(with), 10, 0, folder.path()).await;
        let body = stored.expect("a body").body();
        assert_eq!(body.size_hint().exact(), None);
        let read = body.collect().await.expect("a body");
        assert_eq!(read.trailers(), Some(&trailers));
    }
}
