//! Signing in, refreshing and signing out at `/api`.

use std::sync::Arc;

use axum::{Json, extract::State};
use http::StatusCode;
use mito_records::{Error, FieldError, Session, SignIn};
use secrecy::SecretString;
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

const NO_AUTH_COLLECTION: &str = "Missing or invalid auth collection context.";

/// The body of `auth-with-password`.
#[derive(Deserialize)]
pub(crate) struct Credentials {
    #[serde(default)]
    identity: String,
    #[serde(default)]
    password: String,
}

/// `GET …/auth-methods`
pub(crate) async fn methods(
    State(api): State<Arc<Api>>,
    Path(collection): Path<String>,
    caller: Caller,
) -> Result<Json<Value>, Envelope> {
    let collection = api.records.collection(&collection).await;
    let collection = collection
        .and_then(|collection| {
            if collection.is_auth() {
                Ok(collection)
            } else {
                Err(Error::NotFound)
            }
        })
        .map_err(|error| of_auth_collection(error, &caller))?;
    let enabled = collection.allows_passwords();
    Ok(Json(json!({
        "password": {"enabled": enabled, "identityFields": ["email"]},
        "oauth2": {"enabled": false, "providers": []},
        "mfa": {"enabled": false, "duration": 0},
        "otp": {"enabled": false, "duration": 0},
        "authProviders": [],
        "usernamePassword": false,
        "emailPassword": enabled,
    })))
}

/// `POST …/auth-with-password`
pub(crate) async fn with_password(
    State(api): State<Arc<Api>>,
    Path(collection): Path<String>,
    Query(parameters): Query,
    caller: Caller,
    JsonBody(credentials): JsonBody<Credentials>,
) -> Result<Json<Value>, Envelope> {
    let given = [
        ("identity", &credentials.identity),
        ("password", &credentials.password),
    ];
    let missing: std::collections::BTreeMap<String, FieldError> = given
        .into_iter()
        .filter(|(_, value)| value.is_empty())
        .map(|(name, _)| (name.to_owned(), FieldError::required()))
        .collect();
    if !missing.is_empty() {
        return Err(Envelope::from_error(Error::Fields(missing), &caller));
    }
    let sign_in = SignIn {
        collection,
        identity: credentials.identity,
        password: SecretString::from(credentials.password),
        user_agent: caller.user_agent.clone(),
        client_ip: caller.client_ip.clone(),
    };
    let session = api.records.sign_in(sign_in).await;
    metrics::counter!("mito_api_sign_ins_total", "result" => result_of(&session)).increment(1);
    let session = session.map_err(|error| of_auth_collection(error, &caller))?;
    Ok(answer(session, text(&parameters, "fields")))
}

/// `POST …/auth-refresh`
pub(crate) async fn refresh(
    State(api): State<Arc<Api>>,
    Path(collection): Path<String>,
    Query(parameters): Query,
    caller: Caller,
) -> Result<Json<Value>, Envelope> {
    let token = caller.token.as_deref().ok_or_else(Envelope::unauthorized)?;
    let wanted = match api.records.collection(&collection).await {
        Ok(wanted) => wanted,
        Err(error) => return Err(of_auth_collection(error, &caller)),
    };
    let other = |name: &str| {
        Envelope::forbidden(&format!(
            "The request requires auth record from {name} collection."
        ))
    };
    if let Some(identity) = caller
        .identity
        .as_ref()
        .filter(|own| own.collection != wanted.name)
    {
        return Err(other(&identity.collection));
    }
    let session = api
        .records
        .refresh(token)
        .await
        .map_err(|error| Envelope::from_error(error, &caller))?;
    if session.identity.collection != wanted.name {
        return Err(other(&session.identity.collection));
    }
    Ok(answer(session, text(&parameters, "fields")))
}

/// `POST /api/platform/v1/sign-out`: PocketBase has no such endpoint, as its tokens cannot be ended.
pub(crate) async fn sign_out(
    State(api): State<Arc<Api>>,
    caller: Caller,
) -> Result<StatusCode, Envelope> {
    let identity = caller
        .identity
        .as_ref()
        .ok_or_else(Envelope::unauthorized)?;
    api.records
        .sign_out(&identity.session_id)
        .await
        .map_err(|error| Envelope::from_error(error, &caller))?;
    Ok(StatusCode::NO_CONTENT)
}

fn answer(session: Session, fields: &str) -> Json<Value> {
    Json(fields::pick(
        json!({"record": session.record, "token": session.token}),
        fields,
    ))
}

fn of_auth_collection(error: Error, caller: &Caller) -> Envelope {
    match error {
        Error::NotFound => Envelope::new(StatusCode::NOT_FOUND, NO_AUTH_COLLECTION),
        other => Envelope::from_error(other, caller),
    }
}

fn result_of(session: &Result<Session, Error>) -> &'static str {
    match session {
        Ok(_) => "ok",
        Err(Error::TooManyRequests { .. }) => "limited",
        Err(_) => "failed",
    }
}
