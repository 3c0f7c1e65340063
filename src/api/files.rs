//! `/api/files`: the files of records, streamed, with ranges and conditions, so that no byte of
//! theirs ever runs as a page of ours.

mod conditions;
mod headers;

use std::{collections::HashMap, ops::Range, sync::Arc};

use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use mito_records::{
    Error, RequestInfo,
    files::{Address, FoundFile, Object},
};
use serde_json::{Value, json};

use self::conditions::Verdict;
use crate::{
    Api,
    caller::Caller,
    envelope::Envelope,
    extract::{Path, Query, text},
};

/// The collection, the record and the name of a file.
type FilePath = Path<(String, String, String)>;

/// `POST /api/files/token`
pub(crate) async fn token(
    State(api): State<Arc<Api>>,
    caller: Caller,
) -> Result<Json<Value>, Envelope> {
    let identity = caller.identity.as_ref();
    let identity = identity.ok_or_else(Envelope::unauthorized)?;
    let token = api.records.new_file_token(identity).await;
    let token = token.map_err(|error| Envelope::from_error(error, &caller))?;
    Ok(Json(json!({"token": token})))
}

/// `GET /api/files/{collection}/{record}/{filename}`: a protected file is shown to whom the token
/// in the address names. Headers prove nothing here, as pictures in pages come without them.
pub(crate) async fn serve(
    State(api): State<Arc<Api>>,
    path: FilePath,
    Query(parameters): Query,
    headers: HeaderMap,
    caller: Caller,
) -> Result<Response, Envelope> {
    let mut info = caller.info();
    info.identity = match text(&parameters, "token") {
        "" => None,
        token => api
            .records
            .file_token_identity(token)
            .await
            .map_err(|error| Envelope::from_error(error, &caller))?,
    };
    let asked = Asked {
        path,
        parameters,
        headers,
    };
    asked
        .answer(&api, &info, &caller, headers::Site::Public)
        .await
}

/// [`serve`] for the panel, whose cookie comes with pictures in pages too.
pub(crate) async fn serve_to_panel(
    State(api): State<Arc<Api>>,
    path: FilePath,
    Query(parameters): Query,
    headers: HeaderMap,
    caller: Caller,
) -> Result<Response, Envelope> {
    let asked = Asked {
        path,
        parameters,
        headers,
    };
    let info = caller.info();
    asked
        .answer(&api, &info, &caller, headers::Site::Panel)
        .await
}

/// What a client asks for.
struct Asked {
    path: FilePath,
    parameters: HashMap<String, String>,
    headers: HeaderMap,
}

/// Why a file is not sent, or not the whole of it.
enum Unsent {
    Verdict(Verdict, Box<Object>),
    Error(Error),
}

impl From<Error> for Unsent {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Asked {
    async fn answer(
        &self,
        api: &Api,
        info: &RequestInfo,
        caller: &Caller,
        site: headers::Site,
    ) -> Result<Response, Envelope> {
        let Path((collection, record, name)) = &self.path;
        let address = Address {
            collection,
            record,
            name,
            thumb: text(&self.parameters, "thumb"),
        };
        let files = api.records.files();
        let found = files.find(address, info).await;
        let found = found.map_err(|error| match error {
            Error::MissingCollection => {
                let message = "Missing or invalid collection context.";
                Envelope::new(StatusCode::NOT_FOUND, message)
            }
            error => Envelope::from_error(error, caller),
        })?;
        let choose = |object: &Object| match conditions::judge(&self.headers, object) {
            Verdict::Whole => Ok(0..object.size),
            Verdict::Part(range) => Ok(range),
            verdict => Err(Unsent::Verdict(verdict, Box::new(object.clone()))),
        };
        let (object, range, body) = match files.open(&found, choose).await {
            Ok(opened) => opened,
            Err(Unsent::Verdict(verdict, object)) => {
                return Ok(self.refuse(&verdict, &found, &object, site));
            }
            Err(Unsent::Error(error)) => return Err(Envelope::from_error(error, caller)),
        };
        let mut response = Response::new(Body::from_stream(body));
        self.describe(&mut response, &found, &object, site);
        let length = range.end - range.start;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        if conditions::judge(&self.headers, &object) != Verdict::Whole {
            let part = HeaderValue::from_str(&content_range(&range, object.size));
            headers.insert(
                header::CONTENT_RANGE,
                part.map_err(|_| Envelope::internal())?,
            );
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        Ok(response)
    }

    /// The answer without the file: it has not changed, or the request cannot be met.
    fn refuse(
        &self,
        verdict: &Verdict,
        found: &FoundFile,
        object: &Object,
        site: headers::Site,
    ) -> Response {
        let mut response = match verdict {
            Verdict::Unchanged => StatusCode::NOT_MODIFIED.into_response(),
            Verdict::Unmet => {
                let message = "The file is not the one that the request is about.";
                Envelope::new(StatusCode::PRECONDITION_FAILED, message).into_response()
            }
            _ => {
                let message = "The file has no such range.";
                let status = StatusCode::RANGE_NOT_SATISFIABLE;
                let mut response = Envelope::new(status, message).into_response();
                let range = format!("bytes */{}", object.size);
                if let Ok(range) = HeaderValue::from_str(&range) {
                    response.headers_mut().insert(header::CONTENT_RANGE, range);
                }
                response
            }
        };
        if *verdict == Verdict::Unchanged {
            self.describe(&mut response, found, object, site);
            response.headers_mut().remove(header::CONTENT_TYPE);
        }
        response
    }

    fn describe(
        &self,
        response: &mut Response,
        found: &FoundFile,
        object: &Object,
        site: headers::Site,
    ) {
        let description = headers::Description {
            found,
            object,
            site,
            is_download: is_true(text(&self.parameters, "download")),
        };
        description.write_to(response.headers_mut());
    }
}

/// What PocketBase takes for true in addresses.
fn is_true(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "true" | "TRUE" | "True")
}

/// The part of a file that is sent, as `Content-Range` says it.
fn content_range(range: &Range<u64>, size: u64) -> String {
    format!(
        "bytes {}-{}/{size}",
        range.start,
        range.end.saturating_sub(1)
    )
}
