//! `/_mito/api/rules/explain`: the panel's tester of rules.

use std::sync::Arc;

use axum::{Json, extract::State};
use mito_network::Identity;
use mito_records::{Explanation, Record, RequestInfo};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    Api, body::JsonBody, caller::Caller, collections::require_superuser, envelope::Envelope,
};

/// A rule and for whom it is asked.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Question {
    collection: String,
    rule: String,
    #[serde(default)]
    record_id: Option<String>,
    #[serde(default)]
    identity: Option<Account>,
    #[serde(default)]
    request: Told,
}

/// An account that the rule is asked for; nobody without one.
#[derive(Debug, Deserialize)]
struct Account {
    collection: String,
    id: String,
}

/// What rules see of the request.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Told {
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
) -> Result<Json<Explanation>, Envelope> {
    require_superuser(&caller)?;
    let JsonBody(question) = body.map_err(Envelope::loading)?;
    let refused = |error| Envelope::from_error(error, &caller);
    let identity = match question.identity {
        Some(account) => Some(identity(&api, account, &caller).await.map_err(refused)?),
        None => None,
    };
    let Told {
        method,
        query,
        headers,
        body,
    } = question.request;
    // As headers of real requests are named.
    let headers: Record = headers
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase().replace('-', "_"), value))
        .collect();
    let info = RequestInfo {
        method: method.to_ascii_uppercase(),
        identity,
        query: query.into(),
        headers: headers.into(),
        body: Arc::new(body),
        ..RequestInfo::default()
    };
    let record = question.record_id.as_deref().filter(|id| !id.is_empty());
    let explained = api
        .records
        .explain_rule(&question.collection, &question.rule, record, &info);
    explained.await.map(Json).map_err(refused)
}

/// Who the account would be if it had signed in.
async fn identity(
    api: &Api,
    account: Account,
    caller: &Caller,
) -> Result<Identity, mito_records::Error> {
    let collection = api.records.collection(&account.collection).await?;
    let record = api
        .records
        .view(&account.collection, &account.id, &caller.info())
        .await?;
    let email = record.get("email").and_then(Value::as_str);
    Ok(Identity {
        id: account.id,
        collection: collection.name,
        collection_id: collection.id,
        email: email.unwrap_or_default().to_owned(),
        session_id: String::new(),
    })
}
