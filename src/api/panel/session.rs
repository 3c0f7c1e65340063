//! `/_mito/api/session` and `/_mito/api/setup`.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use mito_network::{Identity, Problem};
use mito_records::{AuthOutcome, Error, Record, SUPERUSERS, Session, SignIn};
use secrecy::SecretString;
use serde_json::Value;

use crate::{
    Api,
    body::JsonBody,
    caller::{Caller, text_of},
    panel::{
        cookie,
        guard::NO_SESSION,
        problem,
        types::{
            OtpRequest, OtpSent, SessionCode, SessionIdentity, SessionRequest, SessionState,
            SetupRequest,
        },
    },
};

/// A JSON body whose errors are problems.
type Body<T> = Result<JsonBody<T>, crate::envelope::Envelope>;

/// `GET /_mito/api/session`
pub(crate) async fn show(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Problem> {
    let state = state(&api, caller.identity.as_ref(), &caller).await?;
    let is_dead = caller.token.is_some() && caller.identity.is_none();
    let cookie = if is_dead {
        cookie::clear(caller.scheme)
    } else {
        None
    };
    Ok(with_cookie(Json(state), cookie))
}

/// `POST /_mito/api/session`: only administrators use the panel.
pub(crate) async fn sign_in(
    State(api): State<Arc<Api>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body<SessionRequest>,
) -> Result<Response, Problem> {
    let JsonBody(request) = body.map_err(Problem::from)?;
    require_safe_way(&api, &caller, &headers)?;
    let mut body = Record::new();
    if let Some(mfa_id) = request.mfa_id {
        body.insert("mfaId".to_owned(), Value::String(mfa_id));
    }
    let (records, info) = (&api.records, caller.info().with_body(body));
    let outcome = if let Some(otp_id) = request.otp_id {
        let code = request.password;
        records
            .sign_in_with_otp(SUPERUSERS, &otp_id, &code, &info)
            .await
    } else {
        let sign_in = administrator(request.email, request.password.into());
        records.sign_in(sign_in, &info).await
    };
    let outcome = outcome.map_err(|error| match error {
        Error::Invalid(text) if text == "Failed to authenticate." => Problem::new(
            StatusCode::BAD_REQUEST,
            "The e-mail address or the password is wrong.",
        ),
        other => problem(other, &caller),
    })?;
    go_on(&api, &caller, outcome).await
}

/// `POST /_mito/api/session/otp`: a code for administrators who need, or like, one.
pub(crate) async fn otp(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Body<OtpRequest>,
) -> Result<Json<OtpSent>, Problem> {
    let JsonBody(request) = body.map_err(Problem::from)?;
    let info = caller.info();
    let otp_id = api
        .records
        .request_otp(SUPERUSERS, &request.email, &info)
        .await
        .map_err(|error| problem(error, &caller))?;
    Ok(Json(OtpSent { otp_id }))
}

/// `DELETE /_mito/api/session`
pub(crate) async fn end(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Problem> {
    end_current(&api, &caller).await?;
    Ok(with_cookie(
        StatusCode::NO_CONTENT,
        cookie::clear(caller.scheme),
    ))
}

/// `POST /_mito/api/setup`: creates the first administrator and signs them in.
pub(crate) async fn set_up(
    State(api): State<Arc<Api>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body<SetupRequest>,
) -> Result<Response, Problem> {
    let JsonBody(request) = body.map_err(Problem::from)?;
    require_safe_way(&api, &caller, &headers)?;
    let SetupRequest {
        token,
        email,
        password,
    } = request;
    let password = SecretString::from(password);
    api.records
        .redeem_setup_token(SecretString::from(token), &email, password.clone())
        .await
        .map_err(|error| problem(error, &caller))?;
    let outcome = api
        .records
        .sign_in(administrator(email, password), &caller.info())
        .await
        .map_err(|error| problem(error, &caller))?;
    go_on(&api, &caller, outcome).await
}

/// `POST /_mito/api/session/code`
pub(crate) async fn code(
    State(api): State<Arc<Api>>,
    caller: Caller,
) -> Result<Json<SessionCode>, Problem> {
    let identity = caller.identity.as_ref();
    let identity =
        identity.ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, "Sign in first."))?;
    let code = api
        .records
        .new_session_code(identity)
        .await
        .map_err(|error| problem(error, &caller))?;
    Ok(Json(SessionCode { code }))
}

/// `POST /_mito/api/session/exchange`
pub(crate) async fn exchange(
    State(api): State<Arc<Api>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body<SessionCode>,
) -> Result<Response, Problem> {
    let JsonBody(request) = body.map_err(Problem::from)?;
    require_safe_way(&api, &caller, &headers)?;
    let session = api
        .records
        .redeem_session_code(&request.code, &caller.info())
        .await
        .map_err(|error| problem(error, &caller))?;
    begin(&api, &caller, &session).await
}

fn administrator(identity: String, password: SecretString) -> SignIn {
    SignIn {
        collection: SUPERUSERS.to_owned(),
        identity,
        identity_field: None,
        password,
    }
}

/// Answers with a new session, or with what the second method needs.
async fn go_on(api: &Api, caller: &Caller, outcome: AuthOutcome) -> Result<Response, Problem> {
    match outcome {
        AuthOutcome::Session(session) => begin(api, caller, &session).await,
        AuthOutcome::MfaRequired { mfa_id } => {
            let mut state = state(api, None, caller).await?;
            state.mfa_id = Some(mfa_id);
            Ok(with_cookie(Json(state), None))
        }
    }
}

/// Answers with a new session, ending the one that this browser had.
async fn begin(api: &Api, caller: &Caller, session: &Session) -> Result<Response, Problem> {
    end_current(api, caller).await?;
    let state = state(api, Some(&session.identity), caller).await?;
    let cookie = cookie::set(&session.token, caller.scheme, api.records.session_idle());
    Ok(with_cookie(Json(state), cookie))
}

async fn end_current(api: &Api, caller: &Caller) -> Result<(), Problem> {
    let Some(identity) = &caller.identity else {
        return Ok(());
    };
    api.records
        .sign_out(&identity.session_id)
        .await
        .map_err(|error| problem(error, caller))
}

async fn state(
    api: &Api,
    identity: Option<&Identity>,
    caller: &Caller,
) -> Result<SessionState, Problem> {
    let has_superuser = api
        .records
        .has_superuser()
        .await
        .map_err(|error| problem(error, caller))?;
    let subject = identity.map_or(NO_SESSION, |identity| identity.session_id.as_str());
    Ok(SessionState {
        identity: identity.map(|identity| SessionIdentity {
            id: identity.id.clone(),
            email: identity.email.clone(),
            collection: identity.collection.clone(),
        }),
        setup_needed: !has_superuser,
        mfa_id: None,
        csrf: api.records.csrf_token(subject),
    })
}

/// Passwords and cookies travel over HTTPS, or do not leave the machine.
fn require_safe_way(api: &Api, caller: &Caller, headers: &HeaderMap) -> Result<(), Problem> {
    let host = text_of(headers, header::HOST.as_str());
    if caller.scheme == "https" || api.domain == "localhost" || is_local(host) {
        return Ok(());
    }
    let detail = "Signing in needs HTTPS. Open this page at its https:// address.";
    Err(Problem::new(StatusCode::FORBIDDEN, detail))
}

fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_matches(['[', ']']);
    name == "localhost"
        || name.ends_with(".localhost")
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn with_cookie(answer: impl IntoResponse, cookie: Option<HeaderValue>) -> Response {
    let mut response = answer.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(cookie) = cookie {
        headers.insert(header::SET_COOKIE, cookie);
    }
    response
}
