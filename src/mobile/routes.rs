//! The role's routes.

use axum::{
    Extension, Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, Path, Query, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use mito_network::{ConnectionInfo, Problem};
use mito_objects::Error as ObjectsError;
use serde::{Deserialize, Serialize};

use crate::{
    Mobile, database_problem,
    protocol::{self, Answer, ManifestQuery},
    publish::{BUCKET, publish},
    store::{self, MobileUpdate},
    update::{content_type_of_path, with_base},
};

/// How many rows a page has unless asked otherwise.
const DEFAULT_LIMIT: u32 = 50;
/// The most rows of a page.
const MAX_LIMIT: u32 = 500;

/// What clients, publishers and health checks ask.
pub(crate) fn service(mobile: Mobile) -> Router {
    let limit = usize::try_from(mobile.inner.config.max_update_bytes).unwrap_or(usize::MAX);
    Router::new()
        .route("/status", get(status))
        .route("/api/manifest", get(manifest))
        .route("/api/assets/{sha256}/{content_type}", get(asset))
        .route(
            "/api/updates",
            post(publish).layer(DefaultBodyLimit::max(limit)),
        )
        .fallback(not_found)
        .with_state(mobile)
}

/// What the control panel asks.
pub(crate) fn panel(mobile: Mobile) -> Router {
    Router::new()
        .route("/updates", get(updates))
        .with_state(mobile)
}

/// Metro's health check: React Native compares the body to the letter.
async fn status() -> &'static str {
    "packager-status:running"
}

async fn not_found() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "mobile answers /status, /api/manifest, /api/assets and /api/updates",
    )
}

async fn manifest(
    State(mobile): State<Mobile>,
    Query(query): Query<ManifestQuery>,
    connection: Option<Extension<ConnectionInfo>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let request = protocol::parse(&headers, &query)
        .map_err(|(status, reason)| Problem::new(status, reason))?;
    let asked = request.clone();
    let newest = mobile
        .inner
        .database
        .read(move |tx| store::newest_manifest(tx, &asked))
        .await;
    let newest = newest.map_err(|error| database_problem(&error))?;
    let current = request.current_update.as_deref();
    let answer = match newest {
        Some(manifest) if manifest["id"].as_str() != current => {
            Answer::Manifest(with_base(manifest, &base(connection, &headers)?))
        }
        Some(_) | None => Answer::NoUpdate,
    };
    Ok(protocol::respond(&request, &answer))
}

/// Where this request came to, for absolute URLs.
fn base(
    connection: Option<Extension<ConnectionInfo>>,
    headers: &HeaderMap,
) -> Result<String, Problem> {
    let scheme = connection.map_or("http", |Extension(info)| info.scheme);
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let is_host = !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
    if !is_host {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "the Host header is missing or malformed",
        ));
    }
    Ok(format!("{scheme}://{host}"))
}

async fn asset(
    State(mobile): State<Mobile>,
    Path((sha256, content_type)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let absent = || Problem::new(StatusCode::NOT_FOUND, "there is no such asset");
    let content_type = content_type_of_path(&content_type).ok_or_else(absent)?;
    let row = mobile
        .inner
        .database
        .read(move |tx| store::asset(tx, &sha256, &content_type))
        .await;
    let asset = row
        .map_err(|error| database_problem(&error))?
        .ok_or_else(absent)?;
    let etag = format!("\"{}\"", asset.sha256);
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    let mut response = if known.is_some_and(|known| known.contains(&etag)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let opened = mobile
            .inner
            .objects
            .get(BUCKET, &asset.object_key, None)
            .await;
        let (_, body) = opened.map_err(|error| match error {
            ObjectsError::NoSuchKey { .. } | ObjectsError::NoSuchBucket(_) => absent(),
            error => {
                tracing::error!(%error, asset.sha256 = %asset.sha256, "could not read an asset");
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "object storage failed")
                    .retry_after(5)
            }
        })?;
        let mut response = Response::new(Body::from_stream(body));
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, HeaderValue::from(asset.size_bytes));
        response
    };
    let headers = response.headers_mut();
    let mut set = |name, value: &str| {
        // Hashes and checked content types are fit for headers.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, &asset.content_type);
    set(header::ETAG, &etag);
    set(header::CACHE_CONTROL, "public, max-age=31536000, immutable");
    // Whatever was published must not run as a page of this host.
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; sandbox",
    );
    Ok(response)
}

#[derive(Debug, Deserialize)]
struct PageQuery {
    limit: Option<u32>,
    before: Option<String>,
}

#[derive(Serialize)]
struct Page {
    items: Vec<MobileUpdate>,
    next: Option<String>,
}

async fn updates(
    State(mobile): State<Mobile>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page>, Problem> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let (before_ms, before_id) = match query.before {
        None => (i64::MAX, String::new()),
        Some(before) => place(&before).ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "before must be the next of another page",
            )
            .field("before")
        })?,
    };
    let read = mobile
        .inner
        .database
        .read(move |tx| store::updates(tx, before_ms, &before_id, limit));
    let items = read.await.map_err(|error| database_problem(&error))?;
    let is_full = items.len() >= limit as usize;
    let last = items.last().filter(|_| is_full);
    let next = last.map(|update| format!("{}_{}", update.created_ms, update.id));
    Ok(Json(Page { items, next }))
}

/// Reads what a page gave as `next`.
fn place(before: &str) -> Option<(i64, String)> {
    let (at_ms, id) = before.split_once('_')?;
    Some((at_ms.parse().ok()?, id.to_owned()))
}

#[cfg(test)]
mod tests;
