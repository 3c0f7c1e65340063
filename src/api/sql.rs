//! `/api/sql`.

use std::sync::Arc;

use axum::{Json, extract::State};
use mito_records::{Error, FieldError};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Api, body::JsonBody, caller::Caller, collections::require_superuser, envelope::Envelope,
};

/// The body of a query.
#[derive(Debug, Deserialize)]
pub(crate) struct Sql {
    #[serde(default)]
    query: String,
}

/// `POST /sql`
pub(crate) async fn run(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Result<JsonBody<Sql>, Envelope>,
) -> Result<Json<Value>, Envelope> {
    require_superuser(&caller)?;
    let JsonBody(Sql { query }) = body.map_err(Envelope::loading)?;
    let refused = |error| Envelope::from_error(error, &caller);
    if query.trim().is_empty() {
        return Err(refused(Error::field("query", FieldError::required())));
    }
    let result = api.records.run_sql(&query).await.map_err(refused)?;
    Ok(Json(json!(result)))
}
