//! `/api/collections`, for administrators.

use std::sync::Arc;

use axum::{Json, extract::State};
use http::StatusCode;
use mito_records::Collection;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Api,
    body::JsonBody,
    caller::Caller,
    envelope::Envelope,
    extract::{Path, Query, text},
    fields,
};

/// Collections in a page that asked for no size.
const DEFAULT_PER_PAGE: usize = 30;
/// The most collections in a page.
const MAX_PER_PAGE: usize = 1_000;

/// The body of an import.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Import {
    collections: Vec<Collection>,
    #[serde(default)]
    delete_missing: bool,
}

/// `GET /collections`
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Query(parameters): Query,
    caller: Caller,
) -> Result<Json<Value>, Envelope> {
    require_superuser(&caller)?;
    let collections = api
        .records
        .collections()
        .await
        .map_err(|error| Envelope::from_error(error, &caller))?;
    let number = |name: &str| {
        text(&parameters, name)
            .parse::<usize>()
            .ok()
            .filter(|n| *n > 0)
    };
    let page = number("page").unwrap_or(1);
    let per_page = number("perPage")
        .unwrap_or(DEFAULT_PER_PAGE)
        .min(MAX_PER_PAGE);
    let total = collections.len();
    let items: Vec<Collection> = collections
        .into_iter()
        .skip((page - 1).saturating_mul(per_page))
        .take(per_page)
        .collect();
    let page = json!({
        "page": page,
        "perPage": per_page,
        "totalItems": total,
        "totalPages": total.div_ceil(per_page),
        "items": items,
    });
    Ok(Json(fields::pick_items(page, text(&parameters, "fields"))))
}

/// `GET /collections/{collection}`
pub(crate) async fn view(
    State(api): State<Arc<Api>>,
    Path(collection): Path<String>,
    Query(parameters): Query,
    caller: Caller,
) -> Result<Json<Value>, Envelope> {
    require_superuser(&caller)?;
    let collection = api
        .records
        .collection(&collection)
        .await
        .map_err(|error| Envelope::from_error(error, &caller))?;
    Ok(Json(fields::pick(
        json!(collection),
        text(&parameters, "fields"),
    )))
}

/// `POST /collections`
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    caller: Caller,
    JsonBody(collection): JsonBody<Collection>,
) -> Result<Json<Value>, Envelope> {
    require_superuser(&caller)?;
    let created = api
        .records
        .create_collection(collection)
        .await
        .map_err(|error| Envelope::of(error, "Failed to create collection.", &caller))?;
    Ok(Json(json!(created)))
}

/// `PUT /collections/import`
pub(crate) async fn import(
    State(api): State<Arc<Api>>,
    caller: Caller,
    JsonBody(import): JsonBody<Import>,
) -> Result<StatusCode, Envelope> {
    require_superuser(&caller)?;
    if import.delete_missing {
        return Err(Envelope::bad_request(
            "deleteMissing is not supported; nothing was imported.",
        ));
    }
    api.records
        .import_collections(import.collections)
        .await
        .map_err(|error| Envelope::of(error, "Failed to import collections.", &caller))?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) fn require_superuser(caller: &Caller) -> Result<(), Envelope> {
    if caller.identity.is_none() {
        return Err(Envelope::unauthorized());
    }
    if !caller.is_superuser() {
        let message = "The authorized record is not allowed to perform this action.";
        return Err(Envelope::forbidden(message));
    }
    Ok(())
}
