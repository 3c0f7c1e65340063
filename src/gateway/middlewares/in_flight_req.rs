//! `inFlightReq`: how many requests of one source are served at the same time. A request counts
//! until the last part of its answer has been taken, or until its connection ends if that was
//! upgraded.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};
use mito_network::connection::Lifetime;

use super::{
    answers,
    chain::{Context, Layer, Next},
    kept::Kept,
    source::{Criterion, Source},
};
use crate::{dynamic::middlewares::InFlightReq as Options, services::room};

/// The limit with its counts.
pub(super) struct InFlightReq {
    amount: u64,
    counts: Arc<Counts>,
}

/// How many requests there are of each source. A source without any is not in it, so that it
/// holds no more than there are requests.
struct Counts {
    criterion: Criterion,
    counts: Mutex<HashMap<Source, u64>>,
}

/// One request that counts, until it is dropped.
struct Counting {
    counts: Arc<Counts>,
    source: Source,
}

impl InFlightReq {
    /// The limit of the middleware `name`, which goes on counting where it was.
    pub(super) fn build(name: &str, options: &Options, kept: &Kept) -> Result<Self, String> {
        if options.amount == 0 {
            return Err("amount: it must be 1 or more".to_owned());
        }
        let criterion = Criterion::by_host(options.source_criterion.as_ref())?;
        let new = || Counts {
            criterion,
            counts: Mutex::default(),
        };
        Ok(Self {
            amount: options.amount,
            counts: kept.or_new(name, options, new),
        })
    }

    fn enter(&self, source: Source) -> Option<Counting> {
        let mut counts = self.counts.lock();
        let count = counts.entry(source).or_default();
        if *count >= self.amount {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Counting {
            counts: self.counts.clone(),
            source,
        })
    }
}

impl Counts {
    fn lock(&self) -> MutexGuard<'_, HashMap<Source, u64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        if let Some(count) = counts.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.source);
            }
        }
    }
}

impl Layer for InFlightReq {
    fn handle<'a>(
        &'a self,
        context: &'a Context,
        request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        let criterion = &self.counts.criterion;
        let source = criterion.source(&context.connection, request.headers());
        Box::pin(async move {
            let Some(counting) = self.enter(source) else {
                let text = format!("max connections reached: {}", self.amount);
                return answers::plain(StatusCode::TOO_MANY_REQUESTS, text);
            };
            let lifetime = request.extensions().get::<Lifetime>().cloned();
            let response = next.run(request).await;
            match lifetime {
                Some(lifetime) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
                    lifetime.hold(counting);
                    response
                }
                _ => response.map(|body| room::holding(body, counting)),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::{
            chain,
            testing::{Service, context, get, kept, layer, refused, send, text},
        },
        *,
    };

    #[tokio::test]
    async fn a_request_counts_until_its_answer_is_taken() {
        let layer = layer(json!({"inFlightReq": {"amount": 2}}));
        let (service, context) = (Service::status(200), context());
        let send = async || send(&layer, &context, get("/"), &service).await;
        let (first, second) = (send().await, send().await);
        let third = send().await;
        assert_eq!(third.status(), 429);
        assert_eq!(text(third).await, "max connections reached: 2");
        assert_eq!(text(first).await, "service 200");
        assert_eq!(send().await.status(), 200);
        drop(second);
        assert_eq!(send().await.status(), 200);
    }

    #[tokio::test]
    async fn counts_outlive_a_reload_and_take_no_room_when_nobody_is_there() {
        let kept = kept();
        let options = json!({"amount": 1, "sourceCriterion": {"requestHeaderName": "X-User"}});
        let config = serde_json::from_value(json!({"inFlightReq": options})).expect("options");
        let build = || chain::build("one", &config, &|_| None, &kept).expect("a limit");
        let (service, context) = (Service::status(200), context());
        let of = |user: &str| {
            let mut request = get("/");
            let user = user.parse().expect("a value");
            request.headers_mut().insert("x-user", user);
            request
        };
        let inside = send(&build(), &context, of("a"), &service).await;
        kept.retain();
        assert_eq!(
            send(&build(), &context, of("a"), &service).await.status(),
            429
        );
        assert_eq!(
            send(&build(), &context, of("b"), &service).await.status(),
            200
        );
        drop(inside);
        let Some(options) = &config.in_flight_req else {
            panic!("options");
        };
        let limit = InFlightReq::build("one", options, &kept).expect("a limit");
        assert!(limit.counts.lock().is_empty());
    }

    #[test]
    fn mistakes_are_named() {
        refused(
            json!({"inFlightReq": {}}),
            "inFlightReq.amount: it must be 1 or more",
        );
    }
}
