//! `rateLimit`: requests of one source in a time, counted by governor under tower_governor's
//! notion of a key, with Traefik's meaning and answer. By default the source is the network of the
//! connection's address, never what a header claims. Loopback is limited like everybody.
//!
//! As in Traefik a limit shapes as well as refuses: a request that would pass after half the time
//! between two is held that long. One that is refused takes nothing from its bucket.

mod buckets;
mod time;

use std::{convert::Infallible, num::NonZeroU32, sync::Arc, time::Duration};

use axum::{body::Body, response::IntoResponse as _};
use futures_util::future::BoxFuture;
use governor::{
    Quota, RateLimiter, middleware::NoOpMiddleware, nanos::Nanos, state::keyed::DashMapStateStore,
};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use mito_network::{ConnectionInfo, Problem};
use tower::{Service, ServiceExt as _};
use tower_governor::{GovernorError, key_extractor::KeyExtractor as _};

use super::{
    answers,
    chain::{Context, Layer, Next},
    kept::Kept,
    source::Criterion,
};
use crate::dynamic::{duration::GoDuration, middlewares::RateLimit as Options};
use buckets::{Bucket, Buckets};
use time::Time;

/// The longest time that a request is held where less than one passes in a second.
const MAX_DELAY: Duration = Duration::from_millis(500);

/// A limiter, or none. Its buckets outlive a change of the routers. Clones share them.
#[derive(Clone)]
pub(crate) struct RateLimit(Option<Arc<Limiter>>);

struct Limiter {
    counted: Counted,
    buckets: Buckets,
    time: Time,
    max_delay: Duration,
}

type Counted = RateLimiter<Bucket, DashMapStateStore<Bucket>, Time, NoOpMiddleware<Nanos>>;

/// Why a request does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// It would pass after this time.
    In(Duration),
    /// Nobody knows whose it is.
    Unknown,
}

impl RateLimit {
    /// `average` requests per second (0 means without limit), `burst` at once, for each address.
    pub(crate) fn new(average: u32, burst: u32) -> Self {
        let options = Options {
            average: average.into(),
            burst: Some(burst.into()),
            ..Options::default()
        };
        let criterion = Criterion::by_address(None).ok();
        let new = |criterion| Limiter::new(&options, criterion, Time::system());
        Self(criterion.and_then(new).map(Arc::new))
    }

    /// The limiter of the middleware `name`, which goes on counting where it was.
    pub(super) fn build(name: &str, options: &Options, kept: &Kept) -> Result<Self, String> {
        if options.period.is_some_and(|period| period.0.is_zero()) {
            return Err("period: it is zero; take it out for a second".to_owned());
        }
        if options.redis.is_some() {
            return Err("redis: it is not supported yet; take it out to count here".to_owned());
        }
        let criterion = Criterion::by_address(options.source_criterion.as_ref())?;
        let Some(limiter) = Limiter::new(options, criterion, Time::system()) else {
            return Ok(Self(None));
        };
        Ok(Self(Some(kept.or_new(name, options, || limiter))))
    }

    /// Sends `request`, which carries its connection's information, through the limit to `inner`.
    pub(crate) async fn run<S>(&self, inner: S, request: Request<Body>) -> Response<Body>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    {
        let bucket = self.bucket(&request);
        if let Err(refusal) = self.admit(bucket).await {
            return problem(refusal);
        }
        match inner.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// Whose request it is. A request with its body cannot be waited with, so this comes first.
    fn bucket(&self, request: &Request<Body>) -> Option<Result<Bucket, Refusal>> {
        let limiter = self.0.as_ref()?;
        limiter.forget_idle();
        Some(match limiter.buckets.extract(request) {
            Ok(bucket) => Ok(bucket),
            Err(GovernorError::UnableToExtractKey | GovernorError::Other { .. }) => {
                Err(Refusal::Unknown)
            }
            Err(GovernorError::TooManyRequests { wait_time, .. }) => {
                Err(Refusal::In(Duration::from_secs(wait_time)))
            }
        })
    }

    /// Lets a request pass, perhaps after a moment.
    async fn admit(&self, bucket: Option<Result<Bucket, Refusal>>) -> Result<(), Refusal> {
        let admitted = match (&self.0, bucket) {
            (Some(limiter), Some(Ok(bucket))) => limiter.admit(bucket).await,
            (Some(_), Some(Err(refusal))) => Err(refusal),
            (None, _) | (_, None) => Ok(()),
        };
        if admitted.is_err() {
            metrics::counter!("mito_gateway_rate_limited_total").increment(1);
        }
        admitted
    }
}

impl Limiter {
    /// Nothing where there is no limit.
    fn new(options: &Options, criterion: Criterion, time: Time) -> Option<Self> {
        let average = u128::from(options.average);
        let period = options.period.map_or(Duration::from_secs(1), |it| it.0);
        // governor takes the time between two requests, of which a nanosecond is the least.
        let between = period.as_nanos().checked_div(average)?.max(1);
        let between = Duration::from_nanos(u64::try_from(between).unwrap_or(u64::MAX));
        let burst = u32::try_from(options.burst.unwrap_or(1)).unwrap_or(u32::MAX);
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(between)?.allow_burst(burst);
        let refill = between.saturating_mul(burst.get().saturating_add(1));
        Some(Self {
            counted: RateLimiter::dashmap_with_clock(quota, time.clone()),
            buckets: Buckets::new(criterion, refill, time.clone()),
            time,
            max_delay: (between / 2).min(MAX_DELAY),
        })
    }

    async fn admit(&self, bucket: Bucket) -> Result<(), Refusal> {
        let mut held = Duration::ZERO;
        loop {
            let Err(until) = self.counted.check_key(&bucket) else {
                return Ok(());
            };
            let wait = until.wait_time_from(self.time.now());
            // Of many that are held one passes; the others would have to wait longer than that.
            if held + wait > self.max_delay {
                return Err(Refusal::In(wait));
            }
            let wait = wait.max(Duration::from_nanos(1));
            self.time.sleep(wait).await;
            held += wait;
        }
    }

    /// Gives up the buckets of sources that are idle, at most every second.
    fn forget_idle(&self) {
        if self.buckets.forget_idle() {
            self.counted.retain_recent();
        }
    }
}

impl Layer for RateLimit {
    fn handle<'a>(
        &'a self,
        context: &'a Context,
        mut request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        let known = || ConnectionInfo::clone(&context.connection);
        request.extensions_mut().get_or_insert_with(known);
        let bucket = self.bucket(&request);
        Box::pin(async move {
            match self.admit(bucket).await {
                Ok(()) => next.run(request).await,
                Err(refusal) => plain(refusal),
            }
        })
    }
}

/// Traefik's answer.
fn plain(refusal: Refusal) -> Response<Body> {
    match refusal {
        Refusal::In(wait) => {
            let mut response = answers::of_status(StatusCode::TOO_MANY_REQUESTS);
            tell_wait(response.headers_mut(), wait);
            response
        }
        Refusal::Unknown => {
            let text = "could not extract source of request\n";
            answers::plain(StatusCode::INTERNAL_SERVER_ERROR, text)
        }
    }
}

/// The answer for programs, with Traefik's two headers.
fn problem(refusal: Refusal) -> Response<Body> {
    let Refusal::In(wait) = refusal else {
        let detail = "The gateway does not know by which connection this request came.";
        return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail).into_response();
    };
    let seconds = whole_seconds(wait);
    let detail = format!("Too many requests from this address. Try again in {seconds} s.");
    let mut response = Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).into_response();
    tell_wait(response.headers_mut(), wait);
    response
}

/// `Retry-After` and, exactly, `X-Retry-In`.
fn tell_wait(headers: &mut HeaderMap, wait: Duration) {
    headers.insert(header::RETRY_AFTER, whole_seconds(wait).into());
    if let Ok(value) = HeaderValue::try_from(GoDuration(wait).to_string()) {
        headers.insert("x-retry-in", value);
    }
}

/// Rounded up, so that it is never too early.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests;
