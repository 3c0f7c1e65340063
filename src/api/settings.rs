//! `/api/settings`.

use std::sync::Arc;

use axum::{Json, extract::State};
use http::StatusCode;
use mito_records::settings::MailTrial;
use serde::Deserialize;
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

/// The body of a try of an external object storage.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct S3Trial {
    #[serde(default)]
    filesystem: String,
}

/// `POST /settings/test/email`
pub(crate) async fn try_mail(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Result<JsonBody<MailTrial>, Envelope>,
) -> Result<StatusCode, Envelope> {
    require_superuser(&caller)?;
    let JsonBody(trial) = body.map_err(Envelope::loading)?;
    api.records
        .try_mail(trial, &caller.info())
        .await
        .map_err(|error| Envelope::of(error, "Failed to send the test email.", &caller))?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /settings/test/s3`
pub(crate) async fn try_s3(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Result<JsonBody<S3Trial>, Envelope>,
) -> Result<StatusCode, Envelope> {
    require_superuser(&caller)?;
    let JsonBody(S3Trial { filesystem }) = body.map_err(Envelope::loading)?;
    api.records
        .try_s3(&filesystem)
        .map_err(|error| Envelope::of(error, "Failed to test the S3 filesystem.", &caller))?;
    Ok(StatusCode::NO_CONTENT)
}
