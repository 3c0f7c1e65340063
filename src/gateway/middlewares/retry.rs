//! `retry`: a request is sent again where no server took it, or where that does no harm. Its body
//! is kept for that while it passes; one that is too large to be kept is sent once.

mod replay;

use std::time::Duration;

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{Method, Request, Response, StatusCode};
use tokio::time::Instant;

use super::{
    chain::{Context, Layer, Next, Retried, Unreached},
    statuses::Statuses,
};
use crate::{dynamic::middlewares::Retry as Options, services};
use replay::Replay;

/// The largest body that is kept if nothing else was said, in bytes.
const KEPT_BYTES: u64 = 2 * 1024 * 1024;
/// What "without limit" means.
const MAX_KEPT_BYTES: u64 = 64 * 1024 * 1024;

/// When a request is sent again.
pub(super) struct Retry {
    attempts: u32,
    first_wait: Duration,
    timeout: Option<Duration>,
    kept_bytes: u64,
    statuses: Statuses,
    on_network_error: bool,
    any_method: bool,
}

impl Retry {
    pub(super) fn build(options: &Options) -> Result<Self, String> {
        if options.attempts == 0 {
            return Err("attempts: it must be 1 or more; 2 tries again once".to_owned());
        }
        let kept_bytes = match options.max_request_body_bytes {
            None => KEPT_BYTES,
            Some(bytes) => u64::try_from(bytes).unwrap_or(u64::MAX),
        };
        let statuses = Statuses::read_all("status", &options.status)?;
        if options.disable_retry_on_network_error && options.status.is_empty() {
            let error = "status: without it and without network errors nothing is tried again";
            return Err(error.to_owned());
        }
        Ok(Self {
            attempts: options.attempts,
            first_wait: options.initial_interval.unwrap_or_default().0,
            timeout: options.timeout.map(|timeout| timeout.0),
            kept_bytes: kept_bytes.min(MAX_KEPT_BYTES),
            statuses,
            on_network_error: !options.disable_retry_on_network_error,
            any_method: options.retry_non_idempotent_method,
        })
    }

    /// Whether the request may be sent again after this answer.
    fn again(&self, method: &Method, response: &Response<Body>) -> bool {
        let harmless = self.any_method || is_idempotent(method);
        if let Some(Unreached { sent }) = response.extensions().get() {
            return self.on_network_error && (harmless || !sent);
        }
        let status = response.status();
        harmless && status != StatusCode::SWITCHING_PROTOCOLS && self.statuses.hold(status)
    }

    /// The wait after that many attempts: it grows to twice the first until the last.
    fn wait(&self, attempts: u32) -> Duration {
        let (done, most) = (attempts.saturating_sub(1), self.attempts.saturating_sub(1));
        let growth = f64::from(done) / f64::from(most.max(1));
        self.first_wait.mul_f64(growth.exp2())
    }

    async fn attempts(&self, request: Request<Body>, next: Next<'_>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let replay = Replay::new(body, self.kept_bytes);
        let until = self.timeout.map(|timeout| Instant::now() + timeout);
        let mut attempts = 1;
        loop {
            let request = Request::from_parts(parts.clone(), replay.body());
            let mut response = next.run(request).await;
            let wait = self.wait(attempts);
            let too_late = until.is_some_and(|until| Instant::now() + wait >= until);
            let again = attempts < self.attempts && !too_late && replay.is_whole();
            if !again || !self.again(&parts.method, &response) {
                response.extensions_mut().insert(Retried(attempts - 1));
                return response;
            }
            // Its connection may be of use to the next attempt.
            drop(response);
            tracing::debug!(attempts, path = parts.uri.path(), "a request is sent again");
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            attempts += 1;
        }
    }
}

impl Layer for Retry {
    fn handle<'a>(
        &'a self,
        _context: &'a Context,
        request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        let upgrade = services::headers::wanted_upgrade(request.headers()).is_some();
        if self.attempts == 1 || upgrade {
            return next.run(request);
        }
        Box::pin(self.attempts(request, next))
    }
}

/// RFC 9110 §9.2.2.
fn is_idempotent(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE | Method::PUT | Method::DELETE
    )
}

#[cfg(test)]
mod tests;
