//! Options that nobody has written, as Traefik's API shows them: its dashboard and programs that
//! read the API rely on them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// How requests are spread where nothing is said.
const STRATEGY: &str = "wrr";

/// Completes the options of a middleware, which stand under its kind.
pub(super) fn of_middleware(kind: &str, options: &mut Value) {
    let defaults = match kind {
        "compress" => json!({ "encodings": ["gzip", "br", "zstd"] }),
        "forwardAuth" => json!({ "maxBodySize": -1 }),
        "rateLimit" => json!({ "period": "1s" }),
        "retry" => json!({ "maxRequestBodyBytes": 2_097_152 }),
        _ => return,
    };
    fill(options, defaults);
}

/// Completes the options of a load balancer.
pub(super) fn of_load_balancer(options: &mut BTreeMap<String, Value>) {
    options
        .entry("strategy".to_owned())
        .or_insert_with(|| json!(STRATEGY));
    if let Some(check) = options.get_mut("healthCheck") {
        fill(check, json!({ "mode": "http" }));
    }
    if let Some(sticky) = options.get_mut("sticky") {
        of_sticky(sticky);
    }
}

/// Completes how clients are kept.
pub(super) fn of_sticky(sticky: &mut Value) {
    if let Some(cookie) = sticky.get_mut("cookie") {
        fill(cookie, json!({ "path": "/" }));
    }
}

/// What Traefik observes of a router unless it is told otherwise.
pub(super) fn observability() -> Value {
    json!({
        "accessLogs": true,
        "metrics": true,
        "tracing": true,
        "traceVerbosity": "minimal",
    })
}

fn fill(options: &mut Value, defaults: Value) {
    let (Value::Object(options), Value::Object(defaults)) = (options, defaults) else {
        return;
    };
    let missing: Map<String, Value> = defaults
        .into_iter()
        .filter(|(name, _)| !options.contains_key(name))
        .collect();
    options.extend(missing);
}
