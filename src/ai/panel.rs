//! What the control panel reads: runs and pipelines.

use axum::{
    Json, Router,
    extract::{Query, State},
    routing::get,
};
use http::StatusCode;
use mito_database::{Database, Error};
use mito_network::Problem;
use serde::{Deserialize, Serialize};

use crate::store::{self, PipelineRow, Run};

/// How many rows a page has unless asked otherwise.
const DEFAULT_LIMIT: u32 = 50;
/// The most rows of a page.
const MAX_LIMIT: u32 = 500;

#[derive(Debug, Deserialize)]
struct PageQuery {
    limit: Option<u32>,
    before: Option<String>,
}

#[derive(Serialize)]
struct Page<T> {
    items: Vec<T>,
    next: Option<String>,
}

pub(crate) fn routes(database: Database) -> Router {
    Router::new()
        .route("/runs", get(runs))
        .route("/pipelines", get(pipelines))
        .with_state(database)
}

async fn runs(
    State(database): State<Database>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Run>>, Problem> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let before = query.before.as_deref().map(place).transpose()?;
    let items = store::runs(&database, before, limit).await;
    let items = items.map_err(problem)?;
    let is_full = items.len() >= limit as usize;
    let next = items
        .last()
        .filter(|_| is_full)
        .map(|run| format!("{}-{}", run.created_ms, run.id));
    Ok(Json(Page { items, next }))
}

/// Reads what a page gave as `next`.
fn place(before: &str) -> Result<(i64, String), Problem> {
    let parts = before.split_once('-');
    parts
        .and_then(|(at_ms, id)| Some((at_ms.parse().ok()?, id.to_owned())))
        .ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "before must be the next of another page",
            )
            .field("before")
        })
}

async fn pipelines(State(database): State<Database>) -> Result<Json<Page<PipelineRow>>, Problem> {
    let items = store::pipelines(&database).await.map_err(problem)?;
    Ok(Json(Page { items, next: None }))
}

fn problem(error: Error) -> Problem {
    if error.is_transient() {
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()).retry_after(1);
    }
    tracing::error!(%error, "could not read pipelines for the panel");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "the database failed; the log has the cause",
    )
}
