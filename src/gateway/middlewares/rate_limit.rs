//! Requests per second of one client: tower_governor's layer with our own key and answer. The key
//! is the network of the connection's address, never what a header claims. Loopback is limited
//! like everybody.

mod networks;

use std::{
    convert::Infallible,
    num::NonZeroU32,
    time::{Duration, Instant},
};

use axum::{body::Body, response::IntoResponse as _};
use governor::middleware::NoOpMiddleware;
use http::{HeaderValue, Request, Response, StatusCode};
use mito_network::Problem;
use tower::{Layer as _, Service, ServiceExt as _};
use tower_governor::{
    GovernorError, GovernorLayer,
    governor::{GovernorConfigBuilder, SharedRateLimiter},
};

use networks::{Bucket, Networks};

/// A limiter. Its buckets outlive a change of the routers.
pub(crate) struct RateLimit(Option<Limiter>);

struct Limiter {
    layer: GovernorLayer<Networks, NoOpMiddleware, Body>,
    buckets: SharedRateLimiter<Bucket, NoOpMiddleware>,
    networks: Networks,
}

impl RateLimit {
    /// `average` requests per second (0 means without limit), `burst` at once.
    pub(crate) fn new(average: u32, burst: u32) -> Self {
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        Self(NonZeroU32::new(average).and_then(|average| Limiter::new(average, burst)))
    }

    /// Sends `request`, which carries its connection's information, through the limit to `inner`.
    pub(crate) async fn run<S>(&self, inner: S, request: Request<Body>) -> Response<Body>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    {
        let answer = match &self.0 {
            Some(limiter) => {
                limiter.forget_idle();
                limiter.layer.layer(inner).oneshot(request).await
            }
            None => inner.oneshot(request).await,
        };
        match answer {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

impl Limiter {
    /// Nothing for a quota that tower_governor takes for none, which these types rule out.
    fn new(average: NonZeroU32, burst: NonZeroU32) -> Option<Self> {
        // Its `per_second(100)` would be one request in 100 s: what it takes is a period.
        let period = (Duration::from_secs(1) / average.get()).max(Duration::from_nanos(1));
        let networks = Networks::new(period.saturating_mul(burst.get().saturating_add(1)));
        let config = GovernorConfigBuilder::default()
            .period(period)
            .burst_size(burst.get())
            .key_extractor(networks.clone())
            .finish()?;
        Some(Self {
            buckets: config.limiter().clone(),
            layer: GovernorLayer::new(config).error_handler(refusal),
            networks,
        })
    }

    /// Gives up the buckets of networks that are idle, at most every second.
    fn forget_idle(&self) {
        if self.networks.forget_idle(Instant::now()) {
            self.buckets.retain_recent();
        }
    }
}

/// 429 with Traefik's two headers. The seconds that tower_governor tells are rounded down, so one
/// more is never too early.
fn refusal(error: GovernorError) -> Response<Body> {
    let GovernorError::TooManyRequests { wait_time, .. } = error else {
        let detail = "The gateway does not know by which connection this request came.";
        return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail).into_response();
    };
    metrics::counter!("mito_gateway_rate_limited_total").increment(1);
    let seconds = u32::try_from(wait_time)
        .unwrap_or(u32::MAX)
        .saturating_add(1);
    let detail = format!("Too many requests from this address. Try again in {seconds} s.");
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(seconds);
    let mut response = problem.into_response();
    if let Ok(value) = HeaderValue::try_from(format!("{seconds}s")) {
        response.headers_mut().insert("x-retry-in", value);
    }
    response
}

#[cfg(test)]
mod tests;
