//! Sessions, which PocketBase does not have: listed and ended at `/api/platform/v1`, one's own by
//! everybody, those of any account by administrators.

use std::sync::Arc;

use axum::{Json, extract::State};
use http::StatusCode;
use mito_network::Identity;
use mito_records::accounts::sessions::list::{SessionSummary, SessionsOf};

use crate::{
    Api, accounts::sign_in::require_superuser, caller::Caller, envelope::Envelope, extract::Path,
};

fn own(caller: &Caller) -> Result<&Identity, Envelope> {
    caller.identity.as_ref().ok_or_else(Envelope::unauthorized)
}

/// The session that asks; empty when nobody is signed in.
fn current(caller: &Caller) -> &str {
    caller
        .identity
        .as_ref()
        .map_or("", |identity| identity.session_id.as_str())
}

async fn list_of(
    api: &Api,
    of: SessionsOf,
    caller: &Caller,
) -> Result<Json<Vec<SessionSummary>>, Envelope> {
    let sessions = api.records.sessions(of, current(caller)).await;
    sessions
        .map(Json)
        .map_err(|error| Envelope::from_error(error, caller))
}

/// `POST /api/platform/v1/sign-out`: PocketBase has no such endpoint, as its tokens cannot be ended.
pub(crate) async fn sign_out(
    State(api): State<Arc<Api>>,
    caller: Caller,
) -> Result<StatusCode, Envelope> {
    let identity = own(&caller)?;
    api.records
        .sign_out(&identity.session_id)
        .await
        .map_err(|error| Envelope::from_error(error, &caller))?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/platform/v1/sessions`
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
) -> Result<Json<Vec<SessionSummary>>, Envelope> {
    let of = SessionsOf::own(own(&caller)?);
    list_of(&api, of, &caller).await
}

/// `DELETE /api/platform/v1/sessions/{session}`
pub(crate) async fn end(
    State(api): State<Arc<Api>>,
    Path(session): Path<String>,
    caller: Caller,
) -> Result<StatusCode, Envelope> {
    let of = SessionsOf::own(own(&caller)?);
    let ended = api.records.end_session(of, &session).await;
    ended.map_err(|error| Envelope::from_error(error, &caller))?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/platform/v1/sessions`: all but the one that asks.
pub(crate) async fn end_others(
    State(api): State<Arc<Api>>,
    caller: Caller,
) -> Result<StatusCode, Envelope> {
    let of = SessionsOf::own(own(&caller)?);
    let ended = api.records.end_other_sessions(of, current(&caller)).await;
    ended.map_err(|error| Envelope::from_error(error, &caller))?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/platform/v1/accounts/{collection}/{id}/sessions`
pub(crate) async fn list_of_account(
    State(api): State<Arc<Api>>,
    Path((collection, record)): Path<(String, String)>,
    caller: Caller,
) -> Result<Json<Vec<SessionSummary>>, Envelope> {
    require_superuser(&caller)?;
    list_of(&api, SessionsOf { collection, record }, &caller).await
}

/// `DELETE /api/platform/v1/accounts/{collection}/{id}/sessions/{session}`
pub(crate) async fn end_of_account(
    State(api): State<Arc<Api>>,
    Path((collection, record, session)): Path<(String, String, String)>,
    caller: Caller,
) -> Result<StatusCode, Envelope> {
    require_superuser(&caller)?;
    let of = SessionsOf { collection, record };
    let ended = api.records.end_session(of, &session).await;
    ended.map_err(|error| Envelope::from_error(error, &caller))?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/platform/v1/accounts/{collection}/{id}/sessions`: all but the one that asks.
pub(crate) async fn end_all_of_account(
    State(api): State<Arc<Api>>,
    Path((collection, record)): Path<(String, String)>,
    caller: Caller,
) -> Result<StatusCode, Envelope> {
    require_superuser(&caller)?;
    let of = SessionsOf { collection, record };
    let ended = api.records.end_other_sessions(of, current(&caller)).await;
    ended.map_err(|error| Envelope::from_error(error, &caller))?;
    Ok(StatusCode::NO_CONTENT)
}
