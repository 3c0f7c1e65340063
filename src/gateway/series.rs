//! The metrics of requests under Traefik's names, so that its dashboards work unmodified. The
//! handles of a series are looked up once and kept, because looking up seven of them costs more
//! than routing a request.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use metrics::{Counter, Histogram, Label, counter, histogram};

/// Series that are kept. Beyond that (which takes more routers than a platform has), requests look
/// theirs up each time.
const MAX_KEPT: usize = 8_192;

/// What tells series apart. Every part is from a bounded set, so clients cannot make series.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) code: u16,
    pub(crate) method: &'static str,
    pub(crate) protocol: &'static str,
    pub(crate) entrypoint: Arc<str>,
    /// Router and service, for requests that a router took.
    pub(crate) route: Option<(Arc<str>, Arc<str>)>,
}

/// The series of requests. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Series(Arc<RwLock<HashMap<Key, Arc<Handles>>>>);

struct Handles {
    requests: Vec<Counter>,
    durations: Vec<Histogram>,
    response_bytes: Counter,
}

impl Series {
    /// Counts a finished request.
    pub(crate) fn count(&self, key: Key, seconds: f64, bytes: u64) {
        let kept = self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned();
        let handles = kept.unwrap_or_else(|| self.look_up(key));
        for requests in &handles.requests {
            requests.increment(1);
        }
        for durations in &handles.durations {
            durations.record(seconds);
        }
        handles.response_bytes.increment(bytes);
    }

    fn look_up(&self, key: Key) -> Arc<Handles> {
        let handles = Arc::new(Handles::of(&key));
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MAX_KEPT {
            kept.insert(key, handles.clone());
        }
        handles
    }
}

impl Handles {
    fn of(key: &Key) -> Self {
        let labels = |more: &[(&'static str, &Arc<str>)]| {
            let mut labels = vec![
                Label::new("code", key.code.to_string()),
                Label::from_static_parts("method", key.method),
                Label::from_static_parts("protocol", key.protocol),
            ];
            labels.extend(
                more.iter()
                    .map(|(name, value)| Label::new(*name, value.to_string())),
            );
            labels
        };
        let entry = labels(&[("entrypoint", &key.entrypoint)]);
        let mut handles = Self {
            requests: vec![counter!("traefik_entrypoint_requests_total", entry.clone())],
            durations: vec![histogram!(
                "traefik_entrypoint_request_duration_seconds",
                entry.clone()
            )],
            response_bytes: counter!("traefik_entrypoint_responses_bytes_total", entry),
        };
        if let Some((router, service)) = &key.route {
            let by_router = labels(&[("router", router), ("service", service)]);
            let by_service = labels(&[("service", service)]);
            handles.requests.extend([
                counter!("traefik_router_requests_total", by_router.clone()),
                counter!("traefik_service_requests_total", by_service.clone()),
            ]);
            handles.durations.extend([
                histogram!("traefik_router_request_duration_seconds", by_router),
                histogram!("traefik_service_request_duration_seconds", by_service),
            ]);
        }
        handles
    }
}
