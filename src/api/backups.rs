//! `/api/backups`.

use std::{path::Path as FilePath, sync::Arc};

use axum::{
    Json,
    body::Body,
    extract::{FromRequest as _, Multipart, State, multipart::Field},
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, Request, StatusCode, header};
use mito_records::{Error, FieldError};
use serde::Deserialize;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use tower_http::services::ServeFile;

use crate::{
    Api,
    body::JsonBody,
    caller::Caller,
    collections::require_superuser,
    envelope::Envelope,
    extract::{Path, Query, text},
    fields,
};

/// What browsers may do with an archive that they show by mistake: nothing.
const CONTENT_POLICY: &str = "default-src 'none'; sandbox";

/// How much of a refused file is read and thrown away, in bytes.
const MAX_IGNORED_BYTES: usize = 16 * 1024 * 1024;

/// The body of a creation.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Create {
    #[serde(default)]
    name: String,
}

/// `GET /backups`
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Query(parameters): Query,
    caller: Caller,
) -> Result<Json<Value>, Envelope> {
    require_superuser(&caller)?;
    let files = api
        .records
        .backup_files()
        .await
        .map_err(|error| Envelope::from_error(error, &caller))?;
    Ok(Json(fields::pick(
        json!(files),
        text(&parameters, "fields"),
    )))
}

/// `POST /backups`
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Result<JsonBody<Create>, Envelope>,
) -> Result<StatusCode, Envelope> {
    require_superuser(&caller)?;
    let JsonBody(Create { name }) = body.map_err(Envelope::loading)?;
    api.records
        .make_backup(&name)
        .await
        .map_err(|error| Envelope::from_error(error, &caller))?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /backups/upload`: the part `file` goes to the disk as it comes in.
pub(crate) async fn upload(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request<Body>,
) -> Result<StatusCode, Envelope> {
    require_superuser(&caller)?;
    let refused = |error| Envelope::from_error(error, &caller);
    let missing = || refused(Error::field("file", FieldError::required()));
    let mut parts = Multipart::from_request(request, &())
        .await
        .map_err(|_| missing())?;
    while let Some(mut part) = parts.next_field().await.map_err(|_| missing())? {
        let Some(name) = part.file_name().map(str::to_owned) else {
            continue;
        };
        if part.name() != Some("file") {
            continue;
        }
        let received = receive(&api, &mut part, &name).await;
        // A client that is still sending would not read why it was refused.
        let mut left = MAX_IGNORED_BYTES;
        while left > 0
            && let Ok(Some(bytes)) = part.chunk().await
        {
            left = left.saturating_sub(bytes.len());
        }
        drop(part);
        if left > 0 {
            let _ = parts.next_field().await;
        }
        received.map_err(|error| Envelope::from_error(error, &caller))?;
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(missing())
}

async fn receive(api: &Api, part: &mut Field<'_>, name: &str) -> Result<(), Error> {
    let mut upload = api.records.upload_backup(name).await?;
    let broken = |_| Error::Invalid("Failed to read the submitted file.".to_owned());
    while let Some(bytes) = part.chunk().await.map_err(broken)? {
        upload.write(&bytes).await?;
    }
    upload.finish().await
}

/// `GET /backups/{key}`: a download by a browser, whose administrator shows a file token.
pub(crate) async fn download(
    State(api): State<Arc<Api>>,
    Path(key): Path<String>,
    Query(parameters): Query,
    caller: Caller,
    request: Request<Body>,
) -> Result<Response, Envelope> {
    let token = text(&parameters, "token");
    let by_token = async {
        let found = api.records.file_token_identity(token).await;
        matches!(found, Ok(Some(identity)) if identity.is_superuser())
    };
    if !(caller.is_superuser() || !token.is_empty() && by_token.await) {
        let message = "Insufficient permissions to access the resource.";
        return Err(Envelope::forbidden(message));
    }
    let path = api
        .records
        .backup_path(&key)
        .map_err(|error| Envelope::from_error(error, &caller))?;
    serve(&path, &key, request).await
}

async fn serve(path: &FilePath, key: &str, request: Request<Body>) -> Result<Response, Envelope> {
    let served = ServeFile::new(path)
        .oneshot(request)
        .await
        .map_err(|_| Envelope::internal())?;
    let mut response = served.map(Body::new).into_response();
    if response.status() == StatusCode::NOT_FOUND {
        return Err(Envelope::not_found());
    }
    let shown: String = key
        .chars()
        .map(|character| match character {
            '"' | '\\' => '_',
            other if other.is_ascii_graphic() || other == ' ' => other,
            _ => '_',
        })
        .collect();
    let headers = response.headers_mut();
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{shown}\""));
    headers.insert(
        header::CONTENT_DISPOSITION,
        disposition.map_err(|_| Envelope::internal())?,
    );
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/zip"),
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(CONTENT_POLICY),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    Ok(response)
}

/// `DELETE /backups/{key}`
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    Path(key): Path<String>,
    caller: Caller,
) -> Result<StatusCode, Envelope> {
    require_superuser(&caller)?;
    api.records
        .delete_backup(&key)
        .await
        .map_err(|error| Envelope::from_error(error, &caller))?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /backups/{key}/restore`: answers when the archive is checked; the platform then starts anew.
pub(crate) async fn restore(
    State(api): State<Arc<Api>>,
    Path(key): Path<String>,
    caller: Caller,
) -> Result<StatusCode, Envelope> {
    require_superuser(&caller)?;
    let path = api
        .records
        .backup_path(&key)
        .map_err(|_| Envelope::bad_request("Missing or invalid backup file."))?;
    api.records
        .restore_backup(&path)
        .await
        .map_err(|error| Envelope::from_error(error, &caller))?;
    Ok(StatusCode::NO_CONTENT)
}
