//! `/api/crons`.

use std::sync::Arc;

use axum::{Json, extract::State};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    Api,
    caller::Caller,
    collections::require_superuser,
    envelope::Envelope,
    extract::{Path, Query, text},
    fields,
};

/// `GET /crons`
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Query(parameters): Query,
    caller: Caller,
) -> Result<Json<Value>, Envelope> {
    require_superuser(&caller)?;
    let crons = json!(api.records.crons());
    Ok(Json(fields::pick(crons, text(&parameters, "fields"))))
}

/// `POST /crons/{id}`
pub(crate) async fn run(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<StatusCode, Envelope> {
    require_superuser(&caller)?;
    let missing = "Missing or invalid cron job.";
    api.records
        .run_cron(&id)
        .map_err(|_| Envelope::new(StatusCode::NOT_FOUND, missing))?;
    Ok(StatusCode::NO_CONTENT)
}
