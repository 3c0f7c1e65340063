//! Accounts at `/api`: signing in and out, mails and what they confirm, sessions.
//!
//! | module | what it holds |
//! |---|---|
//! | [`form`] | the bodies of these endpoints |
//! | [`sign_in`] | passwords, one-time passwords, refreshing, impersonation |
//! | [`links`] | verification, lost passwords, new addresses |
//! | [`routes`] | their paths |
//! | [`sessions`] | sessions, listed and ended |

pub(crate) mod form;
pub(crate) mod links;
pub(crate) mod routes;
pub(crate) mod sessions;
pub(crate) mod sign_in;

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use mito_records::{
    AuthOutcome, Collection, Error, RequestInfo, Session, accounts::options::AuthOptions,
};
use serde_json::{Map, Value, json};

use crate::{
    Api,
    caller::Caller,
    envelope::Envelope,
    extract::{Path, Query, text},
    fields,
};

/// `GET …/auth-methods`
pub(crate) async fn methods(
    State(api): State<Arc<Api>>,
    Path(collection): Path<String>,
    Query(parameters): Query,
    caller: Caller,
) -> Result<Json<Value>, Envelope> {
    let collection = auth_collection(&api, &collection, &caller).await?;
    let options = AuthOptions::of(&collection);
    let enabled = options.password_auth.enabled;
    let identity_fields = if enabled {
        options.password_auth.identity_fields.clone()
    } else {
        Vec::new()
    };
    let is_identity = |name: &str| identity_fields.iter().any(|field| field == name);
    let duration = |enabled: bool, seconds: i64| if enabled { seconds } else { 0 };
    let providers = api.records.oauth2_methods(&options);
    let methods = json!({
        "password": {"identityFields": identity_fields, "enabled": enabled},
        "oauth2": {"providers": providers, "enabled": options.oauth2.enabled},
        "mfa": {
            "enabled": options.mfa.enabled,
            "duration": duration(options.mfa.enabled, options.mfa.duration),
        },
        "otp": {
            "enabled": options.otp.enabled,
            "duration": duration(options.otp.enabled, options.otp.duration),
        },
        "authProviders": providers,
        "usernamePassword": is_identity("username"),
        "emailPassword": is_identity("email"),
    });
    Ok(Json(fields::pick(methods, text(&parameters, "fields"))))
}

/// The auth collection of an address.
pub(crate) async fn auth_collection(
    api: &Api,
    name: &str,
    caller: &Caller,
) -> Result<Collection, Envelope> {
    let collection = api.records.collection(name).await.map_err(|error| {
        let message = "Missing or invalid collection context.";
        not_found(error, message, caller)
    })?;
    if collection.is_auth() {
        return Ok(collection);
    }
    let message = "Missing or invalid auth collection context.";
    Err(Envelope::new(StatusCode::NOT_FOUND, message))
}

fn not_found(error: Error, message: &str, caller: &Caller) -> Envelope {
    match error {
        Error::NotFound => Envelope::new(StatusCode::NOT_FOUND, message),
        other => Envelope::from_error(other, caller),
    }
}

/// The answer to a credential that was good: a session, or 401 with what the second one brings.
pub(crate) async fn answer(
    api: &Api,
    outcome: AuthOutcome,
    parameters: &HashMap<String, String>,
    info: &RequestInfo,
    caller: &Caller,
) -> Result<Response, Envelope> {
    match outcome {
        AuthOutcome::Session(session) => {
            let shown = shown(api, *session, parameters, info, caller).await?;
            Ok(shown.into_response())
        }
        AuthOutcome::MfaRequired { mfa_id } => {
            let body = Json(json!({"mfaId": mfa_id}));
            Ok((StatusCode::UNAUTHORIZED, body).into_response())
        }
    }
}

/// A session as clients see it, with `expand` and `fields`.
pub(crate) async fn shown(
    api: &Api,
    session: Session,
    parameters: &HashMap<String, String>,
    info: &RequestInfo,
    caller: &Caller,
) -> Result<Json<Value>, Envelope> {
    let expand = text(parameters, "expand");
    let session = api.records.expand_session(session, expand, info).await;
    let session = session.map_err(|error| Envelope::from_error(error, caller))?;
    let mut body = Map::new();
    if let Some(meta) = session.meta {
        body.insert("meta".to_owned(), meta);
    }
    body.insert("record".to_owned(), Value::Object(session.record));
    body.insert("token".to_owned(), Value::String(session.token));
    let body = Value::Object(body);
    Ok(Json(fields::pick(body, text(parameters, "fields"))))
}
