//! What a batch looks like: `{"requests":[{"method","url","headers","body"}]}`.

use std::sync::Arc;

use mito_records::{
    Parameters, Record, Submitted,
    files::StagedFile,
    records::{BatchOperation, BatchRequest},
};
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use crate::{batch::UNREADABLE, caller::Caller, envelope::Envelope};

/// The longest address of a request, in bytes.
const MAX_URL: usize = 2_000;

const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];

/// A batch, read.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) asked: Vec<Asked>,
    /// All files that were stored for it.
    pub(crate) staged: Vec<StagedFile>,
}

/// One request of a batch.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// What the address means, if it means a record or the records of a collection.
    pub(crate) target: Option<(String, Option<String>)>,
    query: Record,
    headers: Record,
    pub(crate) submitted: Submitted,
}

impl Batch {
    /// Reads the values of a batch.
    pub(crate) fn parse(mut values: Record, max_requests: usize) -> Result<Self, Envelope> {
        let unreadable = || Envelope::bad_request(UNREADABLE);
        let requests = match values.remove("requests") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(requests)) => requests,
            Some(_) => return Err(unreadable()),
        };
        let mut invalid = Envelope::bad_request("Invalid batch request data.");
        if requests.is_empty() {
            invalid.set("requests", required());
            return Err(invalid);
        }
        let mut asked = Vec::new();
        for request in requests.iter().take(max_requests) {
            asked.push(Asked::parse(request).ok_or_else(unreadable)?);
        }
        if requests.len() > max_requests {
            invalid.set("requests", too_long(max_requests));
            return Err(invalid);
        }
        let mut wrong = false;
        for (position, one) in asked.iter().enumerate() {
            let (method, url) = (one.method.as_str(), text(&requests[position], "url"));
            let mut tell = |name: &str, error: Value| {
                wrong = true;
                invalid.set(&format!("requests.{position}.{name}"), error);
            };
            if method.is_empty() {
                tell("method", required());
            } else if !METHODS.contains(&method) {
                let message = "Must be a valid value.";
                tell(
                    "method",
                    json!({"code": "validation_in_invalid", "message": message}),
                );
            }
            if url.is_empty() {
                tell("url", required());
            } else if url.len() > MAX_URL {
                tell("url", too_long(MAX_URL));
            }
        }
        if wrong {
            return Err(invalid);
        }
        Ok(Self {
            asked,
            staged: Vec::new(),
        })
    }
}

fn required() -> Value {
    json!({"code": "validation_required", "message": "Cannot be blank."})
}

fn too_long(max: usize) -> Value {
    json!({
        "code": "validation_length_too_long",
        "message": format!("The length must be no more than {max}."),
        "params": {"max": max, "min": 0},
    })
}

fn text<'a>(request: &'a Value, name: &str) -> &'a str {
    request
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

impl Asked {
    /// Reads a request; `None` when a part of it has the wrong type.
    fn parse(request: &Value) -> Option<Self> {
        let members = request.as_object()?;
        let is_text = |name: &str| {
            let value = members.get(name);
            value.is_none_or(|value| value.is_string() || value.is_null())
        };
        let object = |name: &str| match members.get(name) {
            None | Some(Value::Null) => Some(Map::new()),
            Some(Value::Object(object)) => Some(object.clone()),
            Some(_) => None,
        };
        let (headers, body) = (object("headers")?, object("body")?);
        if !is_text("method") || !is_text("url") || !headers.values().all(Value::is_string) {
            return None;
        }
        let (path, query) = match text(request, "url").split_once('?') {
            Some((path, query)) => (path, query),
            None => (text(request, "url"), ""),
        };
        let mut parameters = Record::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            parameters
                .entry(name)
                .or_insert_with(|| Value::String(value.into_owned()));
        }
        Some(Self {
            method: text(request, "method").to_owned(),
            target: target(path),
            query: parameters,
            headers,
            submitted: Submitted::from(body),
        })
    }

    /// A parameter of its address; empty when it is absent.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.query
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// What it does, if it is one of the requests that a batch can have.
    pub(crate) fn operation(&self) -> Option<(&str, BatchOperation)> {
        let (collection, id) = self.target.as_ref()?;
        let operation = match (self.method.as_str(), id) {
            ("POST", None) => BatchOperation::Create,
            ("PUT", None) => BatchOperation::Upsert,
            ("PATCH", Some(id)) => BatchOperation::Update(id.clone()),
            ("DELETE", Some(id)) => BatchOperation::Delete(id.clone()),
            _ => return None,
        };
        Some((collection, operation))
    }

    /// The request as the records take it. Its own headers are added to those of the batch; who
    /// asks is said by the batch alone.
    pub(crate) fn request(&self, caller: &Caller) -> Option<BatchRequest> {
        let (collection, operation) = self.operation()?;
        let headers = if self.headers.is_empty() {
            caller.headers.clone()
        } else {
            let mut headers: Record = (*caller.headers).clone();
            for (name, value) in &self.headers {
                let name = name.to_ascii_lowercase().replace('-', "_");
                if name != "authorization" {
                    headers.insert(name, value.clone());
                }
            }
            Parameters::from(headers)
        };
        Some(BatchRequest {
            collection: collection.to_owned(),
            operation,
            submitted: self.submitted.clone(),
            query: Parameters::from(self.query.clone()),
            headers,
        })
    }

    /// Puts files beside the values.
    pub(crate) fn attach(&mut self, submitted: Submitted) {
        let values = Arc::clone(&self.submitted.values);
        self.submitted = Submitted {
            values,
            ..submitted
        };
    }
}

/// `/api/collections/{collection}/records` or `…/records/{id}`, taken as they are written.
fn target(path: &str) -> Option<(String, Option<String>)> {
    let rest = path.strip_prefix("/api/collections/")?;
    let (collection, rest) = rest.split_once('/')?;
    let rest = rest.strip_prefix("records")?;
    let id = match rest {
        "" => None,
        rest => Some(rest.strip_prefix('/')?),
    };
    let is_name = |name: &str| !name.is_empty() && !name.contains(['/', '#']);
    (is_name(collection) && id.is_none_or(is_name))
        .then(|| (collection.to_owned(), id.map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_records() {
        for (path, expected) in [
            ("/api/collections/c/records", Some(("c", None))),
            ("/api/collections/c/records/x", Some(("c", Some("x")))),
            ("/api/collections/%62/records", Some(("%62", None))),
            ("/api/collections/c/records/", None),
            ("/api/collections/c/records/x/y", None),
            ("/api/collections//records", None),
            ("/api/collections/c/records#x", None),
            ("/api/../api/collections/c/records", None),
            ("http://x.y/api/collections/c/records", None),
            ("/api/collections", None),
        ] {
            let found = target(path);
            let found = found
                .as_ref()
                .map(|(collection, id)| (collection.as_str(), id.as_deref()));
            assert_eq!(found, expected, "{path}");
        }
    }
}
