//! A body that can be sent again. It is streamed to the first attempt like any other, so that
//! nothing waits for its end, and what has passed is kept for the next, up to a bound.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};

/// A body and what has been read of it.
#[derive(Clone)]
pub(super) struct Replay(Arc<Mutex<Recording>>);

struct Recording {
    parts: Vec<Part>,
    source: Body,
    /// Bytes that may still be kept; none once there were more.
    room: Option<u64>,
    /// Whether the source broke off, after which it has nothing for anybody.
    broken: bool,
    /// The attempt that reads. An earlier one may not take parts away from it.
    attempt: u32,
}

#[derive(Clone)]
enum Part {
    Data(Bytes),
    Trailers(HeaderMap),
}

impl Replay {
    /// Keeps at most that many bytes of `source`.
    pub(super) fn new(source: Body, room: u64) -> Self {
        Self(Arc::new(Mutex::new(Recording {
            parts: Vec::new(),
            source,
            room: Some(room),
            broken: false,
            attempt: 0,
        })))
    }

    /// The body for another attempt. The one of the attempt before ends with this.
    pub(super) fn body(&self) -> Body {
        let mut recording = self.recording();
        recording.attempt += 1;
        Body::new(View {
            replay: self.clone(),
            attempt: recording.attempt,
            next: 0,
        })
    }

    /// Whether all that has been read was kept.
    pub(super) fn is_whole(&self) -> bool {
        let recording = self.recording();
        recording.room.is_some() && !recording.broken
    }

    fn recording(&self) -> MutexGuard<'_, Recording> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recording {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Part, axum::Error>>> {
        let polled = Pin::new(&mut self.source).poll_frame(context);
        polled.map(|polled| match polled? {
            Ok(frame) => Some(Ok(self.keep(frame))),
            Err(error) => {
                self.broken = true;
                Some(Err(error))
            }
        })
    }

    fn keep(&mut self, frame: Frame<Bytes>) -> Part {
        let part = match frame.into_data() {
            Ok(data) => Part::Data(data),
            Err(frame) => Part::Trailers(frame.into_trailers().unwrap_or_default()),
        };
        self.room = self.room.and_then(|room| room.checked_sub(part.bytes()));
        if self.room.is_some() {
            self.parts.push(part.clone());
        } else {
            self.parts = Vec::new();
        }
        part
    }
}

impl Part {
    fn bytes(&self) -> u64 {
        match self {
            Self::Data(data) => u64::try_from(data.len()).unwrap_or(u64::MAX),
            Self::Trailers(_) => 0,
        }
    }
}

/// The body as one attempt reads it.
struct View {
    replay: Replay,
    attempt: u32,
    next: usize,
}

impl HttpBody for View {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let replay = self.replay.clone();
        let mut recording = replay.recording();
        if recording.attempt != self.attempt {
            let error = axum::Error::new("another attempt has the body");
            return Poll::Ready(Some(Err(error)));
        }
        let part = match recording.parts.get(self.next) {
            Some(part) => Poll::Ready(Some(Ok(part.clone()))),
            None => recording.poll(context),
        };
        if part.is_ready() {
            self.next += 1;
        }
        part.map_ok(|part| match part {
            Part::Data(data) => Frame::data(data),
            Part::Trailers(trailers) => Frame::trailers(trailers),
        })
    }

    fn is_end_stream(&self) -> bool {
        let recording = self.replay.recording();
        self.next >= recording.parts.len() && recording.source.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let recording = self.replay.recording();
        let kept = recording.parts.iter().skip(self.next).map(Part::bytes);
        let kept = kept.fold(0, u64::saturating_add);
        let mut hint = recording.source.size_hint();
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(kept));
        }
        hint.set_lower(hint.lower().saturating_add(kept));
        hint
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt as _, StreamExt as _, stream};
    use http_body_util::BodyExt as _;

    use super::*;

    fn chunks(chunks: &'static [&'static str]) -> Body {
        Body::from_stream(stream::iter(
            chunks.iter().map(|it| Ok::<_, axum::Error>(*it)),
        ))
    }

    async fn read(body: Body) -> Option<Bytes> {
        Some(body.collect().await.ok()?.to_bytes())
    }

    #[tokio::test]
    async fn every_attempt_reads_all_of_it() {
        let replay = Replay::new(chunks(&["ab", "cd", "ef"]), 6);
        let mut first = replay.body();
        first.frame().await.expect("a frame").expect("a frame");
        assert_eq!(read(replay.body()).await.as_deref(), Some(&b"abcdef"[..]));
        assert!(first.frame().await.expect("an error").is_err());
        let third = replay.body();
        assert_eq!(third.size_hint().lower(), 6);
        assert!(!third.is_end_stream() && replay.is_whole());
        assert_eq!(read(third).await.as_deref(), Some(&b"abcdef"[..]));
    }

    #[tokio::test]
    async fn what_is_too_large_or_broken_is_read_once() {
        let replay = Replay::new(chunks(&["ab", "cd", "ef"]), 5);
        assert_eq!(read(replay.body()).await.as_deref(), Some(&b"abcdef"[..]));
        assert!(!replay.is_whole());
        let broken = stream::iter([Ok("x"), Err(axum::Error::new("gone"))]);
        let replay = Replay::new(Body::from_stream(broken), 5);
        assert_eq!(read(replay.body()).await, None);
        assert!(!replay.is_whole());
    }

    #[tokio::test]
    async fn nothing_waits_for_the_end() {
        let first = stream::iter([Ok::<_, axum::Error>("ab")]);
        let replay = Replay::new(Body::from_stream(first.chain(stream::pending())), 5);
        let mut body = replay.body();
        assert!(body.frame().now_or_never().is_some());
        assert!(body.frame().now_or_never().is_none());
        assert_eq!(
            Replay::new(Body::from("abc"), 1).body().size_hint().exact(),
            Some(3)
        );
        assert!(Replay::new(Body::empty(), 1).body().is_end_stream());
    }
}
