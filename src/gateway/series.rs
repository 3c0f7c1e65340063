//! The metrics of requests under Traefik's names, so that its dashboards work unmodified. The
//! handles of a series are looked up once and kept, because looking up a dozen of them costs more
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
    /// Version and cipher of an encrypted connection.
    pub(crate) tls: Option<(Arc<str>, Arc<str>)>,
}

/// What a finished request adds to its series.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) seconds: f64,
    pub(crate) request_bytes: u64,
    pub(crate) response_bytes: u64,
    /// How often it was sent again.
    pub(crate) retries: u32,
}

/// The series of requests. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Series(Arc<RwLock<HashMap<Key, Arc<Handles>>>>);

struct Handles {
    requests: Vec<Counter>,
    durations: Vec<Histogram>,
    request_bytes: Vec<Counter>,
    response_bytes: Vec<Counter>,
    retries: Option<Counter>,
}

impl Series {
    /// Counts a finished request.
    pub(crate) fn count(&self, key: Key, figures: Figures) {
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
            durations.record(figures.seconds);
        }
        for bytes in &handles.request_bytes {
            bytes.increment(figures.request_bytes);
        }
        for bytes in &handles.response_bytes {
            bytes.increment(figures.response_bytes);
        }
        if let Some(retries) = &handles.retries
            && figures.retries > 0
        {
            retries.increment(figures.retries.into());
        }
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
            request_bytes: vec![counter!(
                "traefik_entrypoint_requests_bytes_total",
                entry.clone()
            )],
            response_bytes: vec![counter!("traefik_entrypoint_responses_bytes_total", entry)],
            retries: None,
        };
        let tls = |more: &[(&'static str, &Arc<str>)]| {
            let (version, cipher) = key.tls.as_ref()?;
            // Traefik's dashboards know `1.3`.
            let version = version.trim_start_matches("TLSv").replace('_', ".").into();
            let named = [("tls_version", &version), ("tls_cipher", cipher)];
            let all = named.iter().chain(more);
            Some(
                all.map(|(name, value)| Label::new(*name, value.to_string()))
                    .collect::<Vec<_>>(),
            )
        };
        if let Some(labels) = tls(&[("entrypoint", &key.entrypoint)]) {
            let encrypted = counter!("traefik_entrypoint_requests_tls_total", labels);
            handles.requests.push(encrypted);
        }
        let Some((router, service)) = &key.route else {
            return handles;
        };
        let by_router = labels(&[("router", router), ("service", service)]);
        let by_service = labels(&[("service", service)]);
        handles.requests.extend([
            counter!("traefik_router_requests_total", by_router.clone()),
            counter!("traefik_service_requests_total", by_service.clone()),
        ]);
        if let Some(labels) = tls(&[("router", router), ("service", service)]) {
            handles
                .requests
                .push(counter!("traefik_router_requests_tls_total", labels));
        }
        if let Some(labels) = tls(&[("service", service)]) {
            handles
                .requests
                .push(counter!("traefik_service_requests_tls_total", labels));
        }
        handles.durations.extend([
            histogram!("traefik_router_request_duration_seconds", by_router.clone()),
            histogram!(
                "traefik_service_request_duration_seconds",
                by_service.clone()
            ),
        ]);
        handles.request_bytes.extend([
            counter!("traefik_router_requests_bytes_total", by_router.clone()),
            counter!("traefik_service_requests_bytes_total", by_service.clone()),
        ]);
        handles.response_bytes.extend([
            counter!("traefik_router_responses_bytes_total", by_router),
            counter!("traefik_service_responses_bytes_total", by_service),
        ]);
        let name = Label::new("service", service.to_string());
        handles.retries = Some(counter!("traefik_service_retries_total", vec![name]));
        handles
    }
}
