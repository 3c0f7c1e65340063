//! `buffering`: how large requests and responses may be, and that a service sees a request when it
//! is there, not while a slow client sends it, and a client's slowness holds no service up. What does
//! not fit into memory goes to a file without a name in the data folder. A request that is there can
//! be sent again (`retryExpression`).

mod expression;
mod stored;

use std::path::PathBuf;

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Request, Response, StatusCode, header, request::Parts};

use super::{
    answers,
    bodies::{Bounded, declared_length, is_event_stream},
    chain::{Context, Layer, Next, Retried},
    kept::Kept,
};
use crate::dynamic::middlewares::Buffering as Options;
use expression::{Attempt, Expression};
use stored::{NotStored, Stored};

/// What is held in memory if nothing else was said, in bytes; as in Traefik.
const MEMORY_BYTES: u64 = 1_048_576;
/// The largest body that is stored where files set no limit.
const MAX_STORED_BYTES: u64 = 16 * 1024 * 1024 * 1024;
/// How often a request is sent again at most; as in Traefik.
const MAX_REPEATS: u32 = 10;

/// Bounds of requests and responses.
pub(super) struct Buffering {
    request: Bounds,
    response: Bounds,
    again: Option<Expression>,
    folder: PathBuf,
}

struct Bounds {
    /// The largest body.
    most: u64,
    /// How much of it is held in memory; nothing is held of one that is streamed.
    memory: Option<u64>,
}

impl Buffering {
    pub(super) fn build(options: &Options, kept: &Kept) -> Result<Self, String> {
        let again = match options.retry_expression.trim() {
            "" => None,
            text => {
                Some(Expression::parse(text).map_err(|error| format!("retryExpression: {error}"))?)
            }
        };
        if again.is_some() && options.disable_request_buffer {
            let error = "retryExpression: what is streamed cannot be sent again; take out \
                         disableRequestBuffer";
            return Err(error.to_owned());
        }
        Ok(Self {
            request: Bounds::new(
                options.max_request_body_bytes,
                options.mem_request_body_bytes,
                options.disable_request_buffer,
            ),
            response: Bounds::new(
                options.max_response_body_bytes,
                options.mem_response_body_bytes,
                options.disable_response_buffer,
            ),
            again,
            folder: kept.folder.clone(),
        })
    }
}

impl Bounds {
    fn new(most: u64, memory: Option<u64>, streamed: bool) -> Self {
        Self {
            most: if most == 0 { u64::MAX } else { most },
            // As in Traefik, 0 is what was not said.
            memory: (!streamed).then(|| memory.filter(|it| *it > 0).unwrap_or(MEMORY_BYTES)),
        }
    }
}

impl Layer for Buffering {
    fn handle<'a>(
        &'a self,
        _context: &'a Context,
        request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let Bounds { most, memory } = self.request;
            if declared_length(&parts.headers).is_some_and(|length| length > most) {
                return too_large();
            }
            let Some(memory) = memory else {
                let (body, exceeded) = Bounded::body(body, most);
                let response = next.run(Request::from_parts(parts, body)).await;
                if exceeded.is_true() {
                    return too_large();
                }
                return self.answer(response).await;
            };
            let most = most.min(MAX_STORED_BYTES);
            match Stored::of(body, most, memory, &self.folder).await {
                Ok(stored) => self.attempts(parts, &stored, next).await,
                Err(NotStored::TooLarge) => too_large(),
                Err(NotStored::Broken) => answers::of_status(StatusCode::BAD_REQUEST),
                Err(NotStored::Disk(error)) => {
                    tracing::error!(%error, "a request cannot be stored");
                    answers::of_status(StatusCode::INTERNAL_SERVER_ERROR)
                }
            }
        })
    }
}

impl Buffering {
    async fn attempts(&self, mut parts: Parts, stored: &Stored, next: Next<'_>) -> Response<Body> {
        // What came in pieces has a length by now, even if that is none (RFC 9110 §8.6).
        if stored.has_length() && parts.headers.remove(header::TRANSFER_ENCODING).is_some() {
            let length = HeaderValue::from(stored.length());
            parts.headers.insert(header::CONTENT_LENGTH, length);
        }
        let mut number = 1;
        loop {
            let request = Request::from_parts(parts.clone(), stored.body());
            let mut response = next.run(request).await;
            let attempt = Attempt {
                method: &parts.method,
                number,
                status: response.status(),
            };
            let again = self.again.as_ref().is_some_and(|it| it.holds(attempt));
            let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
            if !again || switched || number > MAX_REPEATS {
                if number > 1 {
                    response.extensions_mut().insert(Retried(number - 1));
                }
                return self.answer(response).await;
            }
            // Its connection may be of use to the next attempt.
            drop(response);
            tracing::debug!(number, path = parts.uri.path(), "a request is sent again");
            number += 1;
        }
    }

    async fn answer(&self, response: Response<Body>) -> Response<Body> {
        let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        if switched || is_event_stream(response.headers()) {
            return response;
        }
        let (parts, body) = response.into_parts();
        let Bounds { most, memory } = self.response;
        if declared_length(&parts.headers).is_some_and(|length| length > most) {
            return answers::of_status(StatusCode::INTERNAL_SERVER_ERROR);
        }
        let Some(memory) = memory else {
            return Response::from_parts(parts, Bounded::body(body, most).0);
        };
        let most = most.min(MAX_STORED_BYTES);
        match Stored::of(body, most, memory, &self.folder).await {
            Ok(stored) => Response::from_parts(parts, stored.body()),
            Err(NotStored::TooLarge) => answers::of_status(StatusCode::INTERNAL_SERVER_ERROR),
            Err(NotStored::Broken) => answers::of_status(StatusCode::BAD_GATEWAY),
            Err(NotStored::Disk(error)) => {
                tracing::error!(%error, "a response cannot be stored");
                answers::of_status(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

fn too_large() -> Response<Body> {
    // Traefik's words, which are older than those of RFC 9110.
    answers::plain(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
}

#[cfg(test)]
mod tests;
