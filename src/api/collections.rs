//! `/api/collections`, for administrators.

use std::sync::Arc;

use axum::{Json, extract::State};
use http::StatusCode;
use mito_records::{Error, FieldError, ListQuery, Record};
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

/// The body of an import.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Import {
    collections: Option<Vec<Record>>,
    delete_missing: bool,
}

/// The body of a trial of a query.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Trial {
    query: Option<String>,
}

/// `GET /collections`
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Query(parameters): Query,
    caller: Caller,
) -> Result<Json<Value>, Envelope> {
    require_superuser(&caller)?;
    let malformed = || Envelope::bad_request("Something went wrong while processing your request.");
    let number = |name: &str| match text(&parameters, name) {
        "" => Ok(0),
        number => number
            .parse::<i64>()
            .map(|number| u32::try_from(number.max(0)).unwrap_or(u32::MAX))
            .map_err(|_| malformed()),
    };
    let query = ListQuery {
        page: number("page")?,
        per_page: number("perPage")?,
        sort: text(&parameters, "sort").to_owned(),
        filter: text(&parameters, "filter").to_owned(),
        skip_total: matches!(
            text(&parameters, "skipTotal"),
            "1" | "true" | "TRUE" | "t" | "T"
        ),
    };
    let page = api.records.list_collections(query).await;
    let page = page.map_err(|error| Envelope::from_error(error, &caller))?;
    Ok(Json(fields::pick_items(
        json!(page),
        text(&parameters, "fields"),
    )))
}

/// `GET /collections/{collection}`
pub(crate) async fn view(
    State(api): State<Arc<Api>>,
    Path(collection): Path<String>,
    Query(parameters): Query,
    caller: Caller,
) -> Result<Json<Value>, Envelope> {
    require_superuser(&caller)?;
    let collection = api.records.collection(&collection).await;
    let collection = collection.map_err(|error| Envelope::from_error(error, &caller))?;
    Ok(Json(fields::pick(
        collection.shown(),
        text(&parameters, "fields"),
    )))
}

/// `POST /collections`
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    Query(parameters): Query,
    caller: Caller,
    body: Result<JsonBody<Record>, Envelope>,
) -> Result<Json<Value>, Envelope> {
    require_superuser(&caller)?;
    let message = "Failed to load the collection type data due to invalid formatting.";
    let JsonBody(definition) = body.map_err(|error| error.reworded(message))?;
    let created = api.records.create_collection(definition).await;
    let created =
        created.map_err(|error| Envelope::of(error, "Failed to create collection.", &caller))?;
    Ok(Json(fields::pick(
        created.shown(),
        text(&parameters, "fields"),
    )))
}

/// `PATCH /collections/{collection}`
pub(crate) async fn update(
    State(api): State<Arc<Api>>,
    Path(collection): Path<String>,
    Query(parameters): Query,
    caller: Caller,
    body: Result<JsonBody<Record>, Envelope>,
) -> Result<Json<Value>, Envelope> {
    require_superuser(&caller)?;
    let JsonBody(definition) = body?;
    let updated = api.records.update_collection(&collection, definition).await;
    let updated =
        updated.map_err(|error| Envelope::of(error, "Failed to update collection.", &caller))?;
    Ok(Json(fields::pick(
        updated.shown(),
        text(&parameters, "fields"),
    )))
}

/// `DELETE /collections/{collection}`
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    Path(collection): Path<String>,
    caller: Caller,
) -> Result<StatusCode, Envelope> {
    require_superuser(&caller)?;
    let deleted = api.records.delete_collection(&collection).await;
    deleted.map_err(|error| Envelope::of(error, "Failed to delete collection.", &caller))?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /collections/{collection}/truncate`
pub(crate) async fn truncate(
    State(api): State<Arc<Api>>,
    Path(collection): Path<String>,
    caller: Caller,
) -> Result<StatusCode, Envelope> {
    require_superuser(&caller)?;
    let truncated = api.records.truncate_collection(&collection).await;
    truncated.map_err(|error| Envelope::of(error, "Failed to truncate collection.", &caller))?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /collections/import`
pub(crate) async fn import(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Result<JsonBody<Import>, Envelope>,
) -> Result<StatusCode, Envelope> {
    require_superuser(&caller)?;
    let JsonBody(import) = body.map_err(|error| error.reworded(NOT_LOADED))?;
    let Some(collections) = import.collections.filter(|given| !given.is_empty()) else {
        return Err(required("collections", &caller));
    };
    let imported = api
        .records
        .import_definitions(collections, import.delete_missing)
        .await;
    imported.map_err(|error| Envelope::of(error, "Failed to import collections.", &caller))?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /collections/meta/scaffolds`
pub(crate) async fn scaffolds(
    State(api): State<Arc<Api>>,
    caller: Caller,
) -> Result<Json<Value>, Envelope> {
    require_superuser(&caller)?;
    Ok(Json(api.records.scaffolds()))
}

/// `POST /collections/meta/dry-run-view`
pub(crate) async fn dry_run_view(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Result<JsonBody<Trial>, Envelope>,
) -> Result<Json<Value>, Envelope> {
    require_superuser(&caller)?;
    let JsonBody(trial) = body.map_err(|error| error.reworded(NOT_LOADED))?;
    let Some(query) = trial.query.filter(|query| !query.is_empty()) else {
        return Err(required("query", &caller));
    };
    let run = api.records.dry_run_view(&query).await;
    let run = run.map_err(|error| Envelope::from_error(error, &caller))?;
    Ok(Json(json!(run)))
}

const NOT_LOADED: &str = "An error occurred while loading the submitted data.";

fn required(name: &str, caller: &Caller) -> Envelope {
    Envelope::from_error(Error::field(name, FieldError::required()), caller)
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
