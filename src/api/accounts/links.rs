//! Mails that accounts ask for, and what the links in them confirm.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use mito_records::{Error, accounts::links::reset::NewPassword};

use crate::{
    Api,
    accounts::{auth_collection, form::Form, sign_in::require_same},
    caller::Caller,
    envelope::Envelope,
    extract::Path,
};

type Answer = Result<StatusCode, Envelope>;

fn done(result: Result<(), Error>, caller: &Caller) -> Answer {
    match result {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err(Envelope::from_error(error, caller)),
    }
}

/// `POST …/request-verification`
pub(crate) async fn request_verification(
    State(api): State<Arc<Api>>,
    Path(collection): Path<String>,
    caller: Caller,
    form: Form,
) -> Answer {
    let collection = auth_collection(&api, &collection, &caller).await?;
    let (email, info) = (form.text("email")?, caller.info());
    let records = &api.records;
    let asked = records.request_verification(&collection.id, email, &info);
    done(asked.await, &caller)
}

/// `POST …/confirm-verification`
pub(crate) async fn confirm_verification(
    State(api): State<Arc<Api>>,
    Path(collection): Path<String>,
    caller: Caller,
    form: Form,
) -> Answer {
    let collection = auth_collection(&api, &collection, &caller).await?;
    let (token, info) = (form.text("token")?, caller.info());
    let records = &api.records;
    let confirmed = records.confirm_verification(&collection.id, token, &info);
    done(confirmed.await, &caller)
}

/// `POST …/request-password-reset`
pub(crate) async fn request_password_reset(
    State(api): State<Arc<Api>>,
    Path(collection): Path<String>,
    caller: Caller,
    form: Form,
) -> Answer {
    let collection = auth_collection(&api, &collection, &caller).await?;
    let (email, info) = (form.text("email")?, caller.info());
    let records = &api.records;
    let asked = records.request_password_reset(&collection.id, email, &info);
    done(asked.await, &caller)
}

/// `POST …/confirm-password-reset`
pub(crate) async fn confirm_password_reset(
    State(api): State<Arc<Api>>,
    Path(collection): Path<String>,
    caller: Caller,
    form: Form,
) -> Answer {
    let collection = auth_collection(&api, &collection, &caller).await?;
    let password = NewPassword {
        token: form.text("token")?.to_owned(),
        password: form.secret("password")?,
        confirmation: form.secret("passwordConfirm")?,
    };
    let (records, info) = (&api.records, caller.info());
    let confirmed = records.confirm_password_reset(&collection.id, password, &info);
    done(confirmed.await, &caller)
}

/// `POST …/request-email-change`
pub(crate) async fn request_email_change(
    State(api): State<Arc<Api>>,
    Path(collection): Path<String>,
    caller: Caller,
    form: Form,
) -> Answer {
    let wanted = api.records.collection(&collection).await.map_err(|error| {
        let message = "Missing or invalid collection context.";
        super::not_found(error, message, &caller)
    })?;
    let identity = caller
        .identity
        .as_ref()
        .ok_or_else(Envelope::unauthorized)?;
    require_same(Some(&identity.collection), &wanted.name)?;
    let (email, info) = (form.text("newEmail")?, caller.info());
    let asked = api.records.request_email_change(identity, email, &info);
    done(asked.await, &caller)
}

/// `POST …/confirm-email-change`
pub(crate) async fn confirm_email_change(
    State(api): State<Arc<Api>>,
    Path(collection): Path<String>,
    caller: Caller,
    form: Form,
) -> Answer {
    let collection = auth_collection(&api, &collection, &caller).await?;
    let (token, password) = (form.text("token")?, form.secret("password")?);
    let (records, info) = (&api.records, caller.info());
    let confirmed = records.confirm_email_change(&collection.id, token, password, &info);
    done(confirmed.await, &caller)
}
