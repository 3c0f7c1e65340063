//! Traefik's API, read-only, about this gateway: the same paths, shapes, filters and pages, for
//! Traefik's dashboard and for the control panel.

mod certificates;
mod files;
mod list;
pub(crate) mod traffic;
mod views;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, RawQuery, State as Extracted},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{Request, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::state::State;

/// The routes, relative to `/api` of Traefik and `/_mito/api/gateway` of the panel.
pub(crate) fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/version", get(version))
        .route("/overview", get(overview))
        .route("/rawdata", get(raw_data))
        .route("/entrypoints", get(entrypoints))
        .route("/entrypoints/{name}", get(entrypoint))
        .route("/http/routers", get(routers))
        .route("/http/routers/{name}", get(one_router))
        .route("/http/services", get(services))
        .route("/http/services/{name}", get(one_service))
        .route("/http/middlewares", get(middlewares))
        .route("/http/middlewares/{name}", get(one_middleware))
        .route("/certificates", get(all_certificates))
        .route("/certificates/{name}", get(one_certificate))
        .merge(unrouted("/tcp/routers", "router"))
        .merge(unrouted("/tcp/services", "service"))
        .merge(unrouted("/tcp/middlewares", "middleware"))
        .merge(unrouted("/udp/routers", "router"))
        .merge(unrouted("/udp/services", "service"))
        .fallback(async || (StatusCode::NOT_FOUND, "404 page not found\n"))
        .with_state(state)
}

/// What the panel calls: the same, and what changes something or shows requests.
pub(crate) fn panel(state: Arc<State>) -> Router {
    Router::new()
        .merge(files::router())
        .route("/traffic", get(traffic::stream))
        .route("/certificates/{host}/order", post(certificates::order))
        .with_state(state.clone())
        .fallback_service(router(state))
}

/// Answers a request below `/api`.
pub(crate) async fn answer(state: &Arc<State>, request: Request<Body>) -> Response {
    let router = Router::new().nest("/api", router(state.clone()));
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Traefik's error shape.
fn message(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({ "message": text }))).into_response()
}

type Shared = Extracted<Arc<State>>;

async fn version(Extracted(state): Shared) -> Response {
    Json(json!({
        "Version": env!("CARGO_PKG_VERSION"),
        "Codename": "mito",
        "startDate": state.started.to_string(),
        "disableDashboardAd": true,
    }))
    .into_response()
}

async fn overview(Extracted(state): Shared) -> Response {
    Json(views::overview(&state)).into_response()
}

async fn raw_data(Extracted(state): Shared) -> Response {
    let table = state.table.load_full();
    let by_name = |values: Vec<Value>| -> BTreeMap<String, Value> {
        values
            .into_iter()
            .map(|value| (name_of(&value).to_owned(), value))
            .collect()
    };
    Json(json!({
        "routers": by_name(values(&views::routers(&state, &table))),
        "services": by_name(values(&views::services(&state, &table))),
        "middlewares": by_name(values(&views::middlewares(&state, &table))),
    }))
    .into_response()
}

async fn entrypoints(Extracted(state): Shared, RawQuery(query): RawQuery) -> Response {
    list::answer(values(&views::entrypoints(&state)), query.as_deref())
}

async fn entrypoint(Extracted(state): Shared, Path(name): Path<String>) -> Response {
    one("entry point", &name, values(&views::entrypoints(&state)))
}

async fn routers(Extracted(state): Shared, RawQuery(query): RawQuery) -> Response {
    let table = state.table.load_full();
    list::answer(values(&views::routers(&state, &table)), query.as_deref())
}

async fn one_router(Extracted(state): Shared, Path(name): Path<String>) -> Response {
    let table = state.table.load_full();
    one("router", &name, values(&views::routers(&state, &table)))
}

async fn services(Extracted(state): Shared, RawQuery(query): RawQuery) -> Response {
    let table = state.table.load_full();
    list::answer(values(&views::services(&state, &table)), query.as_deref())
}

async fn one_service(Extracted(state): Shared, Path(name): Path<String>) -> Response {
    let table = state.table.load_full();
    one("service", &name, values(&views::services(&state, &table)))
}

async fn middlewares(Extracted(state): Shared, RawQuery(query): RawQuery) -> Response {
    let table = state.table.load_full();
    list::answer(
        values(&views::middlewares(&state, &table)),
        query.as_deref(),
    )
}

async fn one_middleware(Extracted(state): Shared, Path(name): Path<String>) -> Response {
    let table = state.table.load_full();
    one(
        "middleware",
        &name,
        values(&views::middlewares(&state, &table)),
    )
}

async fn all_certificates(Extracted(state): Shared, RawQuery(query): RawQuery) -> Response {
    list::answer(values(&certificates::views(&state)), query.as_deref())
}

async fn one_certificate(Extracted(state): Shared, Path(name): Path<String>) -> Response {
    one("certificate", &name, values(&certificates::views(&state)))
}

/// TCP and UDP are not routed, so their lists are empty.
fn unrouted(path: &str, kind: &'static str) -> Router<Arc<State>> {
    let nothing = async |RawQuery(query): RawQuery| list::answer(Vec::new(), query.as_deref());
    let nobody = move |Path(name): Path<String>| async move { one(kind, &name, Vec::new()) };
    Router::new()
        .route(path, get(nothing))
        .route(&format!("{path}/{{name}}"), get(nobody))
}

fn values<T: Serialize>(views: &[T]) -> Vec<Value> {
    views
        .iter()
        .map(|view| serde_json::to_value(view).expect("views have string keys and finite numbers"))
        .collect()
}

fn name_of(value: &Value) -> &str {
    value["name"].as_str().unwrap_or_default()
}

fn one(kind: &str, name: &str, values: Vec<Value>) -> Response {
    match values.into_iter().find(|value| name_of(value) == name) {
        Some(value) => Json(value).into_response(),
        None => message(StatusCode::NOT_FOUND, &format!("{kind} not found: {name}")),
    }
}
