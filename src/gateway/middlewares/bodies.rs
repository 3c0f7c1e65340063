//! Bodies that are read ahead, and bodies that may not grow beyond a bound.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;

/// A body whose beginning, or all of it, is in memory.
pub(super) struct ReadAhead {
    frames: VecDeque<Frame<Bytes>>,
    bytes: u64,
    ended: bool,
    rest: Body,
}

impl ReadAhead {
    /// Reads until the end, or until there is more than `most`: then one frame of it.
    pub(super) async fn of(mut rest: Body, most: u64) -> Result<Self, axum::Error> {
        let mut frames = VecDeque::new();
        let (mut bytes, mut ended) = (0, false);
        while !ended && bytes <= most {
            match rest.frame().await {
                Some(frame) => {
                    let frame = frame?;
                    bytes += length(&frame);
                    frames.push_back(frame);
                }
                None => ended = true,
            }
        }
        Ok(Self {
            frames,
            bytes,
            ended,
            rest,
        })
    }

    /// How much of it is in memory.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What it begins with, unless it is empty.
    pub(super) fn first(&self) -> Option<&[u8]> {
        let mut data = self.frames.iter().filter_map(Frame::data_ref);
        data.find(|data| !data.is_empty()).map(|data| &data[..])
    }

    /// All of it, unless there is more, or trailers are.
    pub(super) fn all(&self) -> Option<Bytes> {
        if !self.ended {
            return None;
        }
        let mut all = BytesMut::new();
        for frame in &self.frames {
            all.extend_from_slice(frame.data_ref()?);
        }
        Some(all.freeze())
    }
}

impl HttpBody for ReadAhead {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Some(frame) = self.frames.pop_front() {
            self.bytes -= length(&frame);
            return Poll::Ready(Some(Ok(frame)));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.rest).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty() && (self.ended || self.rest.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = if self.ended {
            SizeHint::with_exact(0)
        } else {
            self.rest.size_hint()
        };
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(self.bytes));
        }
        hint.set_lower(hint.lower().saturating_add(self.bytes));
        hint
    }
}

/// A body that breaks off where it would become larger than it may.
pub(super) struct Bounded {
    body: Body,
    left: u64,
    exceeded: Exceeded,
}

/// Whether a [`Bounded`] body was larger than it may be.
#[derive(Clone, Default)]
pub(super) struct Exceeded(Arc<AtomicBool>);

impl Exceeded {
    /// What it was until now.
    pub(super) fn is_true(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Bounded {
    /// `body` of at most that many bytes.
    pub(super) fn body(body: Body, most: u64) -> (Body, Exceeded) {
        let exceeded = Exceeded::default();
        let bounded = Self {
            body,
            left: most,
            exceeded: exceeded.clone(),
        };
        (Body::new(bounded), exceeded)
    }
}

impl HttpBody for Bounded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = ready!(Pin::new(&mut self.body).poll_frame(context));
        let taken = match &polled {
            Some(Ok(frame)) => length(frame),
            _ => 0,
        };
        let Some(left) = self.left.checked_sub(taken) else {
            self.exceeded.0.store(true, Ordering::Relaxed);
            let error = axum::Error::new("the body is larger than it may be");
            return Poll::Ready(Some(Err(error)));
        };
        self.left = left;
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What `Content-Length` says.
pub(super) fn declared_length(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(header::CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}

/// Whether a body is a stream of events, which nothing may hold back.
pub(super) fn is_event_stream(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| {
            kind.trim_start()
                .to_ascii_lowercase()
                .starts_with("text/event-stream")
        })
}

fn length(frame: &Frame<Bytes>) -> u64 {
    let length = frame.data_ref().map_or(0, Bytes::len);
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn chunks(chunks: &[&'static str]) -> Body {
        let chunks: Vec<_> = chunks
            .iter()
            .map(|chunk| Ok::<_, axum::Error>(*chunk))
            .collect();
        Body::from_stream(stream::iter(chunks))
    }

    #[tokio::test]
    async fn what_was_read_ahead_is_part_of_the_body() {
        let check = async |most, bytes, all: Option<&str>| {
            let read = ReadAhead::of(chunks(&["ab", "cd", "ef"]), most)
                .await
                .expect("a body");
            assert_eq!(read.bytes(), bytes);
            assert_eq!(read.ended, all.is_some());
            assert_eq!(
                read.all(),
                all.map(|all| Bytes::copy_from_slice(all.as_bytes()))
            );
            let exact = all.map(|all| u64::try_from(all.len()).expect("small"));
            assert_eq!(read.size_hint().exact(), exact);
            let body = Body::new(read).collect().await.expect("a body");
            assert_eq!(body.to_bytes(), "abcdef");
        };
        check(0, 2, None).await;
        check(2, 4, None).await;
        check(5, 6, None).await;
        check(6, 6, Some("abcdef")).await;
        check(100, 6, Some("abcdef")).await;
    }

    #[tokio::test]
    async fn a_bounded_body_breaks_off() {
        let check = async |most, fits: bool| {
            let (body, exceeded) = Bounded::body(chunks(&["ab", "cd"]), most);
            assert_eq!(body.collect().await.is_ok(), fits);
            assert_eq!(exceeded.is_true(), !fits);
        };
        check(4, true).await;
        check(3, false).await;
        check(0, false).await;
    }
}
