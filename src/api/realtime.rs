//! `/api/realtime`: a stream of events (SSE), and what a client wants to be told of.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::{Body, HttpBody},
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use mito_records::{
    Error, Record,
    realtime::{Connection, Submission},
};
use serde::Deserialize;
use serde_json::Value;

use crate::{Api, body::JsonBody, caller::Caller, envelope::Envelope, fields};

/// What proxies such as nginx are told, so that they pass events on as they come.
const UNBUFFERED: (HeaderName, HeaderValue) = (
    HeaderName::from_static("x-accel-buffering"),
    HeaderValue::from_static("no"),
);

/// The body of `POST /api/realtime`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wanted {
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    subscriptions: Option<Vec<String>>,
}

/// `GET /api/realtime`
pub(crate) async fn connect(
    State(api): State<Arc<Api>>,
    caller: Caller,
) -> Result<Response, Envelope> {
    let connection = api.records.realtime().connect(&caller.client_ip).await;
    let connection = connection.map_err(|error| refused(error, &caller))?;
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/event-stream"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        UNBUFFERED,
    ];
    Ok((headers, Body::new(Events(connection))).into_response())
}

/// `POST /api/realtime`
pub(crate) async fn subscribe(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Result<JsonBody<Record>, Envelope>,
) -> Result<StatusCode, Envelope> {
    let JsonBody(body) = body.map_err(Envelope::without_reason)?;
    let wanted: Wanted = serde_json::from_value(Value::Object(body))
        .map_err(|_| Envelope::bad_request(Envelope::NO_REASON))?;
    let submission = Submission {
        client_id: wanted.client_id,
        subscriptions: wanted.subscriptions.unwrap_or_default(),
        client_ip: caller.client_ip.clone(),
        identity: caller.identity.clone(),
        pick: fields::pick,
    };
    match api.records.realtime().subscribe(submission) {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(Error::NotFound) => Err(Envelope::new(
            StatusCode::NOT_FOUND,
            "Missing or invalid client id.",
        )),
        Err(error) => Err(refused(error, &caller)),
    }
}

fn refused(error: Error, caller: &Caller) -> Envelope {
    Envelope::of(error, Envelope::NO_REASON, caller)
}

/// A client's stream as a body.
struct Events(Connection);

impl HttpBody for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        let polled = self.0.poll_next(context);
        polled.map(|bytes| bytes.map(|bytes| Ok(http_body::Frame::data(bytes))))
    }
}
