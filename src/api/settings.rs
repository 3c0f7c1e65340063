//! `/api/settings`.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::Value;

use crate::{
    Api,
    body::JsonBody,
    caller::Caller,
    collections::require_superuser,
    envelope::Envelope,
    extract::{Query, text},
    fields,
};

/// `GET /settings`
pub(crate) async fn view(
    State(api): State<Arc<Api>>,
    Query(parameters): Query,
    caller: Caller,
) -> Result<Json<Value>, Envelope> {
    require_superuser(&caller)?;
    let shown = api.records.settings().shown();
    Ok(Json(fields::pick(shown, text(&parameters, "fields"))))
}

/// `PATCH /settings`
pub(crate) async fn update(
    State(api): State<Arc<Api>>,
    Query(parameters): Query,
    caller: Caller,
    body: Result<JsonBody<Value>, Envelope>,
) -> Result<Json<Value>, Envelope> {
    require_superuser(&caller)?;
    let JsonBody(patch) = body.map_err(Envelope::loading)?;
    let address = caller.client_ip.parse().ok();
    let operation = "An error occurred while saving the new settings.";
    let settings = api
        .records
        .change_settings(patch, address)
        .await
        .map_err(|error| Envelope::of(error, operation, &caller))?;
    Ok(Json(fields::pick(
        settings.shown(),
        text(&parameters, "fields"),
    )))
}
