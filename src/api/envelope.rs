//! Errors as PocketBase words them: `{"data":{…},"message":"…","status":400}`.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use mito_network::Problem;
use mito_records::Error;
use serde_json::{Map, Value, json};

use crate::caller::Caller;

/// Seconds after which to try again when the database is busy.
const BUSY_RETRY_SECONDS: u64 = 1;

/// An error as the clients of `/api` expect it.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    status: StatusCode,
    message: String,
    data: Map<String, Value>,
    retry_after_seconds: Option<u64>,
}

impl Envelope {
    /// What PocketBase says where it does not say what is wrong.
    pub(crate) const NO_REASON: &str = "Something went wrong while processing your request.";

    pub(crate) fn new(status: StatusCode, message: &str) -> Self {
        Self {
            status,
            message: sentence(message),
            data: Map::new(),
            retry_after_seconds: None,
        }
    }

    /// The same error in other words.
    pub(crate) fn saying(mut self, message: &str) -> Self {
        self.message = sentence(message);
        self
    }

    /// The status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn bad_request(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn busy() -> Self {
        let message = "The server is busy. Please try again.";
        let mut envelope = Self::new(StatusCode::SERVICE_UNAVAILABLE, message);
        envelope.retry_after_seconds = Some(BUSY_RETRY_SECONDS);
        envelope
    }

    pub(crate) fn unauthorized() -> Self {
        let message = "The request requires valid record authorization token.";
        Self::new(StatusCode::UNAUTHORIZED, message)
    }

    pub(crate) fn forbidden(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "The requested resource wasn't found.",
        )
    }

    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Self::NO_REASON)
    }

    /// The same refusal, for endpoints that do not say what is wrong with a request.
    #[must_use]
    pub(crate) fn without_reason(mut self) -> Self {
        if self.status == StatusCode::BAD_REQUEST {
            Self::NO_REASON.clone_into(&mut self.message);
        }
        self
    }

    /// A body that cannot be read, in the words that some endpoints have for it.
    pub(crate) fn loading(self) -> Self {
        match self.status {
            StatusCode::BAD_REQUEST => {
                Self::bad_request("An error occurred while loading the submitted data.")
            }
            _ => self,
        }
    }

    /// The same refusal of a malformed body in another endpoint's words.
    pub(crate) fn reworded(mut self, message: &str) -> Self {
        if self.status == StatusCode::BAD_REQUEST {
            message.clone_into(&mut self.message);
        }
        self
    }

    /// What the answer's body says.
    pub(crate) fn body(&self) -> Value {
        json!({"data": self.data, "message": self.message, "status": self.status.as_u16()})
    }

    /// Says what is wrong with one part of the request: a name, or a path with dots.
    pub(crate) fn set(&mut self, name: &str, error: Value) {
        insert(&mut self.data, name, error);
    }

    /// Has the client come back after so many seconds.
    #[must_use]
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds.max(1));
        self
    }

    /// Replaces the sentence where fields are wrong: it names the operation.
    pub(crate) fn of(error: Error, operation: &str, caller: &Caller) -> Self {
        let fields_are_wrong = matches!(error, Error::Fields(_));
        let mut envelope = Self::from_error(error, caller);
        if fields_are_wrong {
            operation.clone_into(&mut envelope.message);
        }
        envelope
    }

    /// The one table from errors to answers.
    pub(crate) fn from_error(error: Error, caller: &Caller) -> Self {
        match error {
            Error::NotFound => Self::not_found(),
            Error::MissingCollection => {
                Self::new(StatusCode::NOT_FOUND, "Missing collection context.")
            }
            Error::Forbidden(message) => Self::forbidden(&message),
            Error::Unauthorized(message) => Self::new(StatusCode::UNAUTHORIZED, &message),
            Error::Invalid(message) => Self::bad_request(&message),
            Error::Fields(fields) => {
                let message = "An error occurred while validating the submitted data.";
                let mut envelope = Self::bad_request(message);
                for (name, error) in fields {
                    let mut shown = json!({"code": error.code, "message": error.message});
                    if let Some(params) = error.params {
                        shown["params"] = params;
                    }
                    insert(&mut envelope.data, &name, shown);
                }
                envelope
            }
            Error::TooManyRequests { retry_after } => {
                let message = "Too many attempts. Please try again later.";
                let mut envelope = Self::new(StatusCode::TOO_MANY_REQUESTS, message);
                envelope.retry_after_seconds = Some(retry_after.as_secs().max(1));
                envelope
            }
            Error::Database(mito_database::Error::TimedOut) => {
                let message = "The request takes the database too long and was stopped. Please ask \
                     for less at once.";
                Self::bad_request(message)
            }
            Error::Database(error) if error.is_transient() => {
                let message = "The database is busy. Please try again.";
                let mut envelope = Self::new(StatusCode::SERVICE_UNAVAILABLE, message);
                envelope.retry_after_seconds = Some(BUSY_RETRY_SECONDS);
                envelope
            }
            Error::Database(mito_database::Error::Full) => {
                let message = "The disk is full. Nothing was written.";
                Self::new(StatusCode::INSUFFICIENT_STORAGE, message)
            }
            Error::Database(_) | Error::Internal(_) => {
                tracing::error!(%error, request.id = %caller.request_id, "a request failed");
                Self::internal()
            }
        }
    }
}

/// A name with dots is a path: `fields.2.name` is in `{"fields":{"2":{"name":…}}}`.
fn insert(data: &mut Map<String, Value>, name: &str, shown: Value) {
    match name.split_once('.') {
        None => {
            data.insert(name.to_owned(), shown);
        }
        Some((first, rest)) => {
            let inner = data
                .entry(first)
                .or_insert_with(|| Value::Object(Map::new()));
            match inner {
                Value::Object(inner) => insert(inner, rest, shown),
                other => *other = shown,
            }
        }
    }
}

/// PocketBase's messages begin with a capital and end with a full stop.
fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let mut sentence: String = characters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    sentence.push_str(characters.as_str());
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

/// What a caller was told, for the log.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) message: String,
    data: Map<String, Value>,
}

impl Told {
    /// What was wrong with fields, if that was it.
    pub(crate) fn details(&self) -> Value {
        if self.data.is_empty() {
            return Value::Null;
        }
        Value::Object(self.data.clone())
    }
}

impl IntoResponse for Envelope {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        response.extensions_mut().insert(Told {
            message: self.message,
            data: self.data,
        });
        if let Some(seconds) = self.retry_after_seconds {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<Envelope> for Problem {
    fn from(envelope: Envelope) -> Self {
        Self::new(envelope.status, envelope.message)
    }
}

/// No such path.
pub(crate) async fn no_route() -> Envelope {
    Envelope::not_found()
}

/// The path does not know the method, which PocketBase answers like an unknown path.
pub(crate) async fn no_method() -> Envelope {
    Envelope::not_found()
}
