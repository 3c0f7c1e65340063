//! What is around every handler, as tower layers. [`around`] is the one place that says in which
//! order.

use std::{
    convert::Infallible,
    future::Future,
    marker::PhantomData,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::FutureExt as _;
use mito_core::{Shutdown, supervisor::record_panic};
use tower::{Service, ServiceBuilder, ServiceExt as _, layer::layer_fn, util::BoxCloneSyncService};
use tracing::Instrument as _;

use crate::{
    Completed, Failure, Job, Policy, Queue, Running, progress::Progress, store::claim::Claimed,
    worker::millis,
};

/// One attempt at a job.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) queue: Queue,
    pub(crate) claimed: Claimed,
    pub(crate) stop: Shutdown,
    pub(crate) progress: Arc<Progress>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The handler has committed its effect.
    Completed,
    /// Another attempt is due then.
    Retry { due_ms: i64, reason: String },
    /// The same attempt is due then.
    Snooze { due_ms: i64, reason: String },
    /// There is no further attempt.
    Discard { reason: String },
}

/// A handler with all that is around it.
pub(crate) type Layered = BoxCloneSyncService<Call, Outcome, Infallible>;

/// A future of a layer.
type Ended<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// Puts the layers around a service, the outermost first.
pub(crate) fn around<J, S>(policy: &Policy, service: S) -> Layered
where
    J: Job,
    S: Service<Running<J>, Response = Completed, Error = Failure> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let (rules, limit) = (policy.clone(), policy.timeout);
    let service = ServiceBuilder::new()
        // What is logged below names the job and the request that caused it.
        .layer(layer_fn(|service| Trace { service }))
        // Failures, those of the layers below too, become what is to be done about them.
        .layer(layer_fn(move |service| Classify {
            service,
            policy: rules.clone(),
        }))
        .layer(layer_fn(move |service| LimitTime { service, limit }))
        // Within the time limit, which a panic has not escaped.
        .layer(layer_fn(|service| ContainPanics { service }))
        // A payload that cannot be read is discarded: the next attempt could not read it either.
        .layer(layer_fn(|service| Decode {
            service,
            job: PhantomData::<fn() -> J>,
        }))
        .service(service);
    BoxCloneSyncService::new(service)
}

/// Names the job in what is logged.
pub(crate) fn span(claimed: &Claimed) -> tracing::Span {
    tracing::info_span!(
        "job",
        job.id = claimed.lease.id,
        job.kind = claimed.kind,
        job.attempt = claimed.attempt,
        request.id = claimed.request_id,
    )
}

/// Gives an attempt its span.
#[derive(Clone)]
struct Trace<S> {
    service: S,
}

impl<S> Service<Call> for Trace<S>
where
    S: Service<Call> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Ended<S::Response, S::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let span = span(&call.claimed);
        Box::pin(self.service.clone().oneshot(call).instrument(span))
    }
}

/// Decides what is done about a failure.
#[derive(Clone)]
struct Classify<S> {
    service: S,
    policy: Policy,
}

impl<S> Service<Call> for Classify<S>
where
    S: Service<Call, Response = Completed, Error = Failure> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Outcome;
    type Error = Infallible;
    type Future = Ended<Outcome, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let (service, policy) = (self.service.clone(), self.policy.clone());
        Box::pin(async move {
            let (queue, claimed) = (call.queue.clone(), call.claimed.clone());
            Ok(match service.oneshot(call).await {
                Ok(Completed(())) => Outcome::Completed,
                Err(failure) => judge(&queue, &policy, &claimed, failure),
            })
        })
    }
}

fn judge(queue: &Queue, policy: &Policy, claimed: &Claimed, failure: Failure) -> Outcome {
    let due_ms = |wait: Duration| queue.clock().now_ms().saturating_add(millis(wait));
    let is_last = claimed.attempt >= claimed.max_attempts;
    match failure {
        Failure::Snooze { reason, wait } => Outcome::Snooze {
            due_ms: due_ms(wait),
            reason,
        },
        Failure::Discard(reason) => Outcome::Discard { reason },
        Failure::Retry(reason) | Failure::RetryAfter { reason, .. } if is_last => {
            Outcome::Discard { reason }
        }
        Failure::RetryAfter { reason, wait } => Outcome::Retry {
            due_ms: due_ms(wait),
            reason,
        },
        Failure::Retry(reason) => {
            let wait = match (claimed.overrides.backoff, &policy.custom_backoff) {
                (Some(backoff), _) => backoff.wait(claimed.attempt, queue.random()),
                (None, Some(custom)) => {
                    let asked = || custom.wait(claimed.attempt, &reason);
                    // A panic here would leave the job to its lease.
                    std::panic::catch_unwind(AssertUnwindSafe(asked)).unwrap_or_else(|panic| {
                        record_panic("queue/backoff", panic.as_ref());
                        policy.backoff.wait(claimed.attempt, queue.random())
                    })
                }
                (None, None) => policy.backoff.wait(claimed.attempt, queue.random()),
            };
            Outcome::Retry {
                due_ms: due_ms(wait),
                reason,
            }
        }
    }
}

/// Ends an attempt that takes too long.
#[derive(Clone)]
struct LimitTime<S> {
    service: S,
    limit: Duration,
}

impl<S> Service<Call> for LimitTime<S>
where
    S: Service<Call, Response = Completed, Error = Failure> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Completed;
    type Error = Failure;
    type Future = Ended<Completed, Failure>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let (service, clock) = (self.service.clone(), call.queue.clock().clone());
        let limit = call.claimed.overrides.timeout.unwrap_or(self.limit);
        Box::pin(async move {
            tokio::select! {
                biased;
                ended = service.oneshot(call) => ended,
                () = clock.sleep(limit) => {
                    Err(Failure::Retry(format!("it did not finish within {limit:?}")))
                }
            }
        })
    }
}

/// Makes a failure of a panic.
#[derive(Clone)]
struct ContainPanics<S> {
    service: S,
}

impl<S> Service<Call> for ContainPanics<S>
where
    S: Service<Call, Response = Completed, Error = Failure> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Completed;
    type Error = Failure;
    type Future = Ended<Completed, Failure>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let service = self.service.clone();
        Box::pin(async move {
            // The service is called within, so that a panic before its first await is contained.
            let ended = AssertUnwindSafe(async { service.oneshot(call).await }).catch_unwind();
            ended.await.unwrap_or_else(|panic| {
                let said = record_panic("queue/job", panic.as_ref());
                Err(Failure::Retry(format!("it {said}")))
            })
        })
    }
}

/// Reads the payload.
struct Decode<S, J> {
    service: S,
    job: PhantomData<fn() -> J>,
}

impl<S: Clone, J> Clone for Decode<S, J> {
    fn clone(&self) -> Self {
        Self {
            service: self.service.clone(),
            job: PhantomData,
        }
    }
}

impl<S, J> Service<Call> for Decode<S, J>
where
    J: Job,
    S: Service<Running<J>, Response = Completed, Error = Failure> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Completed;
    type Error = Failure;
    type Future = Ended<Completed, Failure>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let service = self.service.clone();
        Box::pin(async move {
            let payload = serde_json::from_str::<J>(&call.claimed.payload).map_err(|error| {
                let error = crate::Error::Payload {
                    kind: J::KIND.to_owned(),
                    reason: error.to_string(),
                };
                Failure::Discard(error.to_string())
            })?;
            service.oneshot(Running::new(call, payload)).await
        })
    }
}
