//! Signing in: by password, by one-time password, by an older token, for somebody else.

use std::sync::Arc;

use axum::{Json, extract::State, response::Response};
use http::StatusCode;
use mito_records::{AuthOutcome, Error, SignIn};
use serde_json::{Value, json};

use crate::{
    Api,
    accounts::{answer, auth_collection, form::Form, shown},
    caller::Caller,
    envelope::Envelope,
    extract::{Path, Query},
};

/// The longest identity and password, in characters.
const MAX_CHARACTERS: usize = 255;

/// `POST …/auth-with-password`
pub(crate) async fn with_password(
    State(api): State<Arc<Api>>,
    Path(collection): Path<String>,
    Query(parameters): Query,
    caller: Caller,
    form: Form,
) -> Result<Response, Envelope> {
    let collection = auth_collection(&api, &collection, &caller).await?;
    let wanted = [("identity", MAX_CHARACTERS), ("password", MAX_CHARACTERS)];
    form.require(&wanted, &caller)?;
    let sign_in = SignIn {
        collection: collection.id,
        identity: form.text("identity")?.to_owned(),
        identity_field: Some(form.text("identityField")?.to_owned()),
        password: form.secret("password")?,
    };
    let info = caller.info().with_body(form.into_values());
    let outcome = api.records.sign_in(sign_in, &info).await;
    count(&outcome);
    let outcome = outcome.map_err(|error| Envelope::from_error(error, &caller))?;
    answer(&api, outcome, &parameters, &info, &caller).await
}

/// `POST …/request-otp`
pub(crate) async fn request_otp(
    State(api): State<Arc<Api>>,
    Path(collection): Path<String>,
    caller: Caller,
    form: Form,
) -> Result<Json<Value>, Envelope> {
    let collection = auth_collection(&api, &collection, &caller).await?;
    let (email, info) = (form.text("email")?, caller.info());
    let id = api.records.request_otp(&collection.id, email, &info).await;
    let id = id.map_err(|error| Envelope::from_error(error, &caller))?;
    Ok(Json(json!({"otpId": id})))
}

/// `POST …/auth-with-otp`
pub(crate) async fn with_otp(
    State(api): State<Arc<Api>>,
    Path(collection): Path<String>,
    Query(parameters): Query,
    caller: Caller,
    form: Form,
) -> Result<Response, Envelope> {
    let collection = auth_collection(&api, &collection, &caller).await?;
    let id = form.text("otpId")?.to_owned();
    let code = form.text("password")?.to_owned();
    let info = caller.info().with_body(form.into_values());
    let outcome = api
        .records
        .sign_in_with_otp(&collection.id, &id, &code, &info)
        .await;
    count(&outcome);
    let outcome = outcome.map_err(|error| match error {
        Error::TooManyRequests { .. } => {
            let message = "Too many attempts, please try again later with a new OTP.";
            Envelope::from_error(error, &caller).saying(message)
        }
        other => Envelope::from_error(other, &caller),
    })?;
    answer(&api, outcome, &parameters, &info, &caller).await
}

/// `POST …/auth-refresh`
pub(crate) async fn refresh(
    State(api): State<Arc<Api>>,
    Path(collection): Path<String>,
    Query(parameters): Query,
    caller: Caller,
) -> Result<Json<Value>, Envelope> {
    let wanted = api.records.collection(&collection).await.map_err(|error| {
        let message = "Missing or invalid collection context.";
        super::not_found(error, message, &caller)
    })?;
    let token = caller.token.as_deref().ok_or_else(Envelope::unauthorized)?;
    let own = caller.identity.as_ref().map(|own| own.collection.as_str());
    require_same(own, &wanted.name)?;
    let info = caller.info();
    let session = api
        .records
        .refresh(token, &info)
        .await
        .map_err(|error| Envelope::from_error(error, &caller))?;
    require_same(Some(&session.identity.collection), &wanted.name)?;
    shown(&api, session, &parameters, &info, &caller).await
}

/// Accounts act on their own collection alone.
pub(super) fn require_same(own: Option<&str>, wanted: &str) -> Result<(), Envelope> {
    match own {
        Some(own) if own != wanted => Err(Envelope::forbidden(&format!(
            "The request requires auth record from {own} collection."
        ))),
        _ => Ok(()),
    }
}

/// `POST …/impersonate/{id}`
pub(crate) async fn impersonate(
    State(api): State<Arc<Api>>,
    Path((collection, id)): Path<(String, String)>,
    Query(parameters): Query,
    caller: Caller,
    form: Form,
) -> Result<Json<Value>, Envelope> {
    require_superuser(&caller)?;
    let missing = || {
        let message = "Missing or invalid auth collection context.";
        Envelope::new(StatusCode::NOT_FOUND, message)
    };
    let collection = auth_collection(&api, &collection, &caller).await;
    let collection = collection.map_err(|_| missing())?;
    let (seconds, info) = (form.number("duration")?, caller.info());
    let session = api
        .records
        .impersonate(&collection.id, &id, seconds, &info)
        .await
        .map_err(|error| Envelope::from_error(error, &caller))?;
    shown(&api, session, &parameters, &info, &caller).await
}

/// Lets administrators through.
pub(super) fn require_superuser(caller: &Caller) -> Result<(), Envelope> {
    if caller.is_superuser() {
        return Ok(());
    }
    if caller.identity.is_none() {
        return Err(Envelope::unauthorized());
    }
    let message = "The authorized record is not allowed to perform this action.";
    Err(Envelope::forbidden(message))
}

fn count(outcome: &Result<AuthOutcome, Error>) {
    let result = match outcome {
        Ok(AuthOutcome::Session(_)) => "ok",
        Ok(AuthOutcome::MfaRequired { .. }) => "half",
        Err(Error::TooManyRequests { .. }) => "limited",
        Err(_) => "failed",
    };
    metrics::counter!("mito_api_sign_ins_total", "result" => result).increment(1);
}
