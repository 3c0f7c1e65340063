//! `/api/collections/{collection}/records`.

use std::{collections::HashMap, sync::Arc};

use axum::{Json, body::Body, extract::State};
use http::{HeaderMap, StatusCode};
use mito_records::{Error, ListQuery, Submitted, files::StagedFile};
use serde_json::Value;

use crate::{
    Api,
    body::submission::{self, Target},
    caller::Caller,
    envelope::Envelope,
    extract::{Path, Query, text},
    fields,
};

/// What is said of a record that cannot be created as it was submitted.
pub(crate) const CREATE_FAILED: &str = "Failed to create record.";
/// What is said of a record that cannot be changed as it was submitted.
pub(crate) const UPDATE_FAILED: &str = "Failed to update record.";

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
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Envelope> {
    let target = Target {
        collection: &collection,
        id: None,
    };
    let submitted = submission::read(&api, &caller, target, &headers, body).await?;
    let files = submitted.clone();
    let created = api
        .records
        .create(&collection, submitted, &caller.info())
        .await;
    let record = settle(&api, created, &files)
        .await
        .map_err(|error| of_write(error, CREATE_FAILED, &caller))?;
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
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Envelope> {
    let target = Target {
        collection: &collection,
        id: Some(&id),
    };
    let submitted = submission::read(&api, &caller, target, &headers, body).await?;
    let files = submitted.clone();
    let updated = api
        .records
        .update(&collection, &id, submitted, &caller.info())
        .await;
    let record = settle(&api, updated, &files)
        .await
        .map_err(|error| of_write(error, UPDATE_FAILED, &caller))?;
    Ok(Json(fields::pick(
        Value::Object(record),
        text(&parameters, "fields"),
    )))
}

/// A missing collection is told in other words than where records are read.
pub(crate) fn of_write(error: Error, operation: &str, caller: &Caller) -> Envelope {
    match error {
        Error::MissingCollection => Envelope::new(
            StatusCode::NOT_FOUND,
            "Missing or invalid collection context.",
        ),
        other => Envelope::of(other, operation, caller),
    }
}

/// Lets go of the files of a write that failed.
pub(crate) async fn settle<T, E>(
    api: &Api,
    written: Result<T, E>,
    submitted: &Submitted,
) -> Result<T, E> {
    if written.is_err() {
        let staged: Vec<StagedFile> = submitted.all_files().cloned().collect();
        if !staged.is_empty() {
            api.records.files().abandon(&staged).await;
        }
    }
    written
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

/// Negative and missing numbers mean the default; what is no number, or no flag, is an error.
pub(crate) fn list_query(parameters: &HashMap<String, String>) -> Result<ListQuery, Envelope> {
    let refused = || Envelope::bad_request("Something went wrong while processing your request.");
    let number = |name: &str| match text(parameters, name) {
        "" => Ok(0),
        given => {
            let number = given.parse::<i64>().map_err(|_| refused())?;
            Ok(u32::try_from(number.max(0)).unwrap_or(u32::MAX))
        }
    };
    let skip_total = match text(parameters, "skipTotal") {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => true,
        "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => false,
        _ => return Err(refused()),
    };
    Ok(ListQuery {
        page: number("page")?.max(1),
        per_page: number("perPage")?,
        sort: text(parameters, "sort").to_owned(),
        filter: text(parameters, "filter").to_owned(),
        skip_total,
    })
}
