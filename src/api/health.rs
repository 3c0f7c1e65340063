//! Whether the platform works: `/health` as the old API answered, `/live` and `/ready` for those who
//! restart and route, and PocketBase's `/api/health`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{Api, caller::Caller};

/// Without these nothing works.
const STORAGE: &[&str] = &["postgres", "redis", "minio"];

/// Headers by which proxies name the client. Nobody believes them here; that one is there tells an
/// administrator that a proxy is.
const PROXY_HEADERS: &[&str] = &[
    "Fly-Client-IP",
    "CF-Connecting-IP",
    "X-Forwarded-For",
    "X-Real-IP",
    "Forwarded",
];

#[derive(Debug, Serialize)]
struct Health {
    status: &'static str,
    timestamp: String,
    services: BTreeMap<String, Value>,
}

/// 200 while every storage role is healthy, 503 otherwise; with the state of each role.
pub(crate) async fn health(State(api): State<Arc<Api>>) -> Response {
    let good = storage_is_healthy(&api);
    let services = api
        .network
        .statuses()
        .into_iter()
        .map(|status| {
            let mut shown = json!({"status": status.state});
            if let Some(reason) = status.reason {
                shown["reason"] = Value::String(reason);
            }
            (status.name, shown)
        })
        .collect();
    let health = Health {
        status: if good { "ok" } else { "error" },
        timestamp: api.clock.now().to_string(),
        services,
    };
    (code(good), Json(health)).into_response()
}

/// The process answers.
pub(crate) async fn live() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// Requests may be sent here.
pub(crate) async fn ready(State(api): State<Arc<Api>>) -> Response {
    let good = storage_is_healthy(&api);
    let status = if good { "ok" } else { "starting" };
    (code(good), Json(json!({"status": status}))).into_response()
}

/// What PocketBase's clients ask. Administrators are told more.
pub(crate) async fn pocketbase(State(api): State<Arc<Api>>, caller: Caller) -> Json<Value> {
    let mut data = json!({});
    if caller.is_superuser() {
        let header = PROXY_HEADERS
            .iter()
            .find(|header| {
                let name = header.to_ascii_lowercase().replace('-', "_");
                caller.headers.contains_key(&name)
            })
            .unwrap_or(&"");
        data = json!({
            "canBackup": api.records.can_backup(),
            "realIP": caller.client_ip,
            "possibleProxyHeader": header,
        });
    }
    Json(json!({"code": 200, "message": "API is healthy.", "data": data}))
}

/// A storage role that is not registered here runs elsewhere and is not this process's to judge.
fn storage_is_healthy(api: &Api) -> bool {
    let healths = STORAGE.iter().filter_map(|name| api.network.health(name));
    healths.into_iter().all(|health| health.is_healthy())
}

fn code(good: bool) -> StatusCode {
    if good {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}
