//! `/api/rules/explain`, which PocketBase does not have: why a rule allows or refuses. Nothing is
//! changed by it.

use std::sync::Arc;

use axum::{Json, extract::State};
use mito_network::Identity;
use mito_records::{Error, Explained, FieldError, Parameters, Record, RequestInfo, Subject};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    Api, body::JsonBody, caller::Caller, collections::require_superuser, envelope::Envelope,
};

/// A rule, and the request that it is asked about.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Question {
    /// The collection whose fields the rule names.
    collection: String,
    /// The rule; it need not be one of the collection's.
    rule: String,
    /// The record that is asked for; none for one that is made.
    record_id: Option<String>,
    /// What a record that is made would be made of.
    draft: Option<Record>,
    /// Who asks; nobody when it is missing.
    identity: Option<Who>,
    /// What else rules see.
    request: Asked,
}

/// An account.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Who {
    collection: String,
    id: String,
}

/// A request that is not made.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    method: String,
    query: Record,
    headers: Record,
    body: Record,
}

/// `POST /rules/explain`
pub(crate) async fn explain(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Result<JsonBody<Question>, Envelope>,
) -> Result<Json<Explained>, Envelope> {
    require_superuser(&caller)?;
    let JsonBody(question) = body.map_err(Envelope::loading)?;
    answer(&api, question, &caller)
        .await
        .map(Json)
        .map_err(|error| Envelope::from_error(error, &caller))
}

async fn answer(api: &Api, question: Question, caller: &Caller) -> Result<Explained, Error> {
    let identity = match question.identity {
        Some(who) => Some(identity(api, &who, caller).await?),
        None => None,
    };
    let Asked {
        method,
        query,
        headers,
        body,
    } = question.request;
    let info = RequestInfo {
        method: method.to_ascii_uppercase(),
        query: Parameters::from(query),
        headers: Parameters::from(as_rules_name_them(headers)),
        ..RequestInfo::of(identity)
    }
    .with_body(body);
    let record = question.record_id.filter(|id| !id.is_empty());
    let subject = match (record, question.draft) {
        (Some(id), _) => Subject::Stored(id),
        (None, Some(draft)) => Subject::WouldBe(draft),
        (None, None) => Subject::Any,
    };
    api.records
        .explain_rule(&question.collection, &question.rule, subject, &info)
        .await
}

/// The account as it would be signed in.
async fn identity(api: &Api, who: &Who, caller: &Caller) -> Result<Identity, Error> {
    let info = RequestInfo::of(caller.identity.clone());
    let unknown = || {
        let message = "There is no such account.";
        Error::field(
            "identity",
            FieldError::new("validation_invalid_value", message),
        )
    };
    let found = api.records.view(&who.collection, &who.id, &info).await;
    let record = found.map_err(|error| match error {
        Error::NotFound => unknown(),
        other => other,
    })?;
    let text = |name: &str| record.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(Identity {
        id: text("id").ok_or_else(unknown)?,
        collection: text("collectionName").ok_or_else(unknown)?,
        collection_id: text("collectionId").ok_or_else(unknown)?,
        email: text("email").unwrap_or_default(),
        session_id: String::new(),
    })
}

/// Headers by the names that rules know them by: `X-Token` is `x_token`.
fn as_rules_name_them(headers: Record) -> Record {
    headers
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase().replace('-', "_"), value))
        .collect()
}
