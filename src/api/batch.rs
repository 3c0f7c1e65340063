//! `POST /api/batch`: several requests of the record API in one transaction.
//!
//! | module | what it holds |
//! |---|---|
//! | [`asked`] | what a batch looks like, and what is wrong with it |
//! | [`files`] | the files of a batch, stored for the records that it names |

mod asked;
mod files;

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, StatusCode};
use mito_records::records::{BatchFailure, BatchOutcome};
use serde_json::{Map, Value, json};

pub(crate) use asked::Asked;

use crate::{
    Api,
    batch::asked::Batch,
    body::{
        limits::{self, Limits},
        submission::{Form, unsupported},
        values,
    },
    caller::Caller,
    envelope::Envelope,
    fields,
    records::{CREATE_FAILED, UPDATE_FAILED},
};

/// The largest body of a batch where the settings set no limit, in bytes.
const MAX_BODY_BYTES: u64 = 128 * 1024 * 1024;
/// How long a batch may take where the settings set no limit.
const TIMEOUT: Duration = Duration::from_secs(3);

const UNREADABLE: &str = "Failed to read the submitted batch data.";
const FAILED: &str = "Batch transaction failed.";

/// `POST /batch`
pub(crate) async fn run(
    State(api): State<Arc<Api>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Envelope> {
    let settings = api.records.settings();
    let settings = &settings.batch;
    if !settings.enabled || settings.max_requests == 0 {
        return Err(Envelope::forbidden("Batch requests are not allowed."));
    }
    let max_bytes = match settings.max_body_size {
        0 => MAX_BODY_BYTES,
        limit => limit,
    };
    let max_requests = usize::try_from(settings.max_requests).unwrap_or(usize::MAX);
    let limit = match settings.timeout {
        0 => TIMEOUT,
        seconds => Duration::from_secs(seconds.into()),
    };
    if limits::announced(&headers).is_some_and(|length| length > max_bytes) {
        return Err(limits::too_large());
    }
    let batch = match Form::of(&headers) {
        Form::Multipart => {
            let limits = Limits {
                values: max_bytes,
                files: 0,
            };
            files::read(&api, &caller, &headers, body, limits, max_requests).await?
        }
        form => {
            let (bytes, _memory) = limits::whole(&headers, body, max_bytes).await?;
            let values = match form {
                Form::Json => values::object(&bytes),
                _ if bytes.is_empty() => Some(Map::new()),
                Form::UrlEncoded => values::urlencoded(&bytes),
                _ => return Err(unsupported()),
            };
            let values = values.ok_or_else(|| Envelope::bad_request(UNREADABLE))?;
            Batch::parse(values, max_requests)?
        }
    };
    carry_out(&api, &caller, batch, limit).await
}

async fn carry_out(
    api: &Api,
    caller: &Caller,
    batch: Batch,
    limit: Duration,
) -> Result<Response, Envelope> {
    let (asked, staged) = (batch.asked, batch.staged);
    let mut requests = Vec::with_capacity(asked.len());
    for (position, one) in asked.iter().enumerate() {
        if let Err(envelope) = crate::limits::check_inner(api, caller, one).await {
            api.records.files().abandon(&staged).await;
            return Err(failed(position, &envelope));
        }
        let Some(request) = one.request(caller) else {
            api.records.files().abandon(&staged).await;
            let envelope = Envelope::bad_request(Envelope::NO_REASON);
            return Err(failed(position, &envelope));
        };
        requests.push(request);
    }
    let done = api.records.batch(requests, limit, &caller.info()).await;
    let outcomes = match done {
        Ok(outcomes) => outcomes,
        Err(failure) => {
            api.records.files().abandon(&staged).await;
            return Err(of_failure(failure, &asked, caller));
        }
    };
    let answers: Vec<Value> = outcomes
        .into_iter()
        .zip(&asked)
        .map(|(outcome, asked)| answer(outcome, asked))
        .collect();
    Ok((StatusCode::OK, Json(answers)).into_response())
}

fn answer(outcome: BatchOutcome, asked: &Asked) -> Value {
    match outcome {
        BatchOutcome::Record(record) => {
            let picked = fields::pick(Value::Object(record), asked.parameter("fields"));
            json!({"body": picked, "status": 200})
        }
        BatchOutcome::Deleted => json!({"body": null, "status": 204}),
    }
}

fn of_failure(failure: BatchFailure, asked: &[Asked], caller: &Caller) -> Envelope {
    match failure {
        BatchFailure::Request {
            position,
            creates,
            error,
        } => {
            let operation = if creates {
                CREATE_FAILED
            } else {
                UPDATE_FAILED
            };
            debug_assert!(position < asked.len());
            failed(position, &Envelope::of(error, operation, caller))
        }
        BatchFailure::Failed(error) => Envelope::from_error(error, caller),
        BatchFailure::TimedOut | BatchFailure::Passwords(_) => Envelope::bad_request(FAILED),
    }
}

/// The answer to a batch of which one request failed.
fn failed(position: usize, envelope: &Envelope) -> Envelope {
    let error = json!({
        "code": "batch_request_failed",
        "message": "Batch request failed.",
        "response": envelope.body(),
    });
    let mut whole = Envelope::bad_request(FAILED);
    whole.set(&format!("requests.{position}"), error);
    whole
}
