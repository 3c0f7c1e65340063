//! `/api/collections/{collection}/records`.

use std::{collections::HashMap, sync::Arc};

use axum::{Json, extract::State};
use http::StatusCode;
use mito_records::{ListQuery, Record};
use serde_json::Value;

use crate::{
    Api,
    body::JsonBody,
    caller::Caller,
    envelope::Envelope,
    extract::{Path, Query, text},
    fields,
};

/// `GET …/records`
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Path(collection): Path<String>,
    Query(parameters): Query,
    caller: Caller,
) -> Result<Json<Value>, Envelope> {
    let query = list_query(&parameters)?;
    let page = api
        .records
        .list(&collection, query, &caller.info())
        .await
        .map_err(|error| Envelope::from_error(error, &caller))?;
    let page = serde_json::to_value(page).map_err(|_| Envelope::internal())?;
    Ok(Json(fields::pick_items(page, text(&parameters, "fields"))))
}

/// `GET …/records/{id}`
pub(crate) async fn view(
    State(api): State<Arc<Api>>,
    Path((collection, id)): Path<(String, String)>,
    Query(parameters): Query,
    caller: Caller,
) -> Result<Json<Value>, Envelope> {
    let record = api
        .records
        .view(&collection, &id, &caller.info())
        .await
        .map_err(|error| Envelope::from_error(error, &caller))?;
    Ok(Json(fields::pick(
        Value::Object(record),
        text(&parameters, "fields"),
    )))
}

/// `POST …/records`
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    Path(collection): Path<String>,
    Query(parameters): Query,
    caller: Caller,
    JsonBody(values): JsonBody<Record>,
) -> Result<Json<Value>, Envelope> {
    let record = api
        .records
        .create(&collection, values, &caller.info())
        .await
        .map_err(|error| Envelope::of(error, "Failed to create record.", &caller))?;
    Ok(Json(fields::pick(
        Value::Object(record),
        text(&parameters, "fields"),
    )))
}

/// `PATCH …/records/{id}`
pub(crate) async fn update(
    State(api): State<Arc<Api>>,
    Path((collection, id)): Path<(String, String)>,
    Query(parameters): Query,
    caller: Caller,
    JsonBody(values): JsonBody<Record>,
) -> Result<Json<Value>, Envelope> {
    let record = api
        .records
        .update(&collection, &id, values, &caller.info())
        .await
        .map_err(|error| Envelope::of(error, "Failed to update record.", &caller))?;
    Ok(Json(fields::pick(
        Value::Object(record),
        text(&parameters, "fields"),
    )))
}

/// `DELETE …/records/{id}`
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    Path((collection, id)): Path<(String, String)>,
    caller: Caller,
) -> Result<StatusCode, Envelope> {
    api.records
        .delete(&collection, &id, &caller.info())
        .await
        .map_err(|error| Envelope::from_error(error, &caller))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Negative and missing numbers mean the default; what is no number is an error.
pub(crate) fn list_query(parameters: &HashMap<String, String>) -> Result<ListQuery, Envelope> {
    let number = |name: &str| match text(parameters, name) {
        "" => Ok(0),
        given => {
            let number = given.parse::<i64>();
            let number = number.map_err(|_| {
                Envelope::bad_request(&format!("The parameter {name} is no number."))
            })?;
            Ok(u32::try_from(number.max(0)).unwrap_or(u32::MAX))
        }
    };
    Ok(ListQuery {
        page: number("page")?.max(1),
        per_page: number("perPage")?,
        sort: text(parameters, "sort").to_owned(),
        filter: text(parameters, "filter").to_owned(),
        skip_total: matches!(
            text(parameters, "skipTotal"),
            "1" | "true" | "t" | "T" | "TRUE"
        ),
    })
}
