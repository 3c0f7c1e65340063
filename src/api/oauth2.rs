//! Signing in with accounts of other sites: `auth-with-oauth2`, the address that sites send people
//! back to, and what administrators need to configure it.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use mito_records::{
    Record,
    accounts::oauth2::{AppleSecret, KnownSite, OAuth2Code, known_sites},
};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::{
    Api,
    accounts::{self, form::Form},
    caller::{Caller, text_of},
    collections::require_superuser,
    envelope::Envelope,
    extract::{Path, Query, text},
};

/// The topic of a client that waits for a person to come back.
const TOPIC: &str = "@oauth2";
/// The pages that a person comes back to.
const SUCCESS: &str = "/auth/oauth2-redirect-success";
const FAILURE: &str = "/auth/oauth2-redirect-failure";
/// The largest form that a site sends back, in bytes.
const MAX_FORM_BYTES: usize = 64 * 1024;
/// The longest code, in characters.
const MAX_CODE: usize = 8_192;

/// `POST …/auth-with-oauth2`
pub(crate) async fn sign_in(
    State(api): State<Arc<Api>>,
    Path(collection): Path<String>,
    Query(parameters): Query,
    caller: Caller,
    form: Form,
) -> Result<Response, Envelope> {
    let failed = |error| Envelope::of(error, LOADING, &caller);
    accounts::auth_collection(&api, &collection, &caller).await?;
    let allowed = api.records.require_oauth2(&collection).await;
    allowed.map_err(failed)?;
    let code = OAuth2Code {
        provider: form.text("provider")?.to_owned(),
        code: form.text("code")?.to_owned(),
        code_verifier: form.text("codeVerifier")?.to_owned(),
        redirect_url: form.text("redirectURL")?.to_owned(),
        create_data: object(&form, "createData")?,
    };
    form.require(&[("provider", 100), ("code", MAX_CODE)], &caller)
        .map_err(|envelope| envelope.saying(LOADING))?;
    let info = caller.info().with_body(form.into_values());
    let outcome = api.records.sign_in_with_oauth2(&collection, code, &info);
    let outcome = outcome.await.map_err(failed)?;
    accounts::answer(&api, outcome, &parameters, &info, &caller).await
}

const LOADING: &str = "An error occurred while loading the submitted data.";

fn object(form: &Form, name: &str) -> Result<Record, Envelope> {
    match form.get(name)? {
        None | Some(Value::Null) => Ok(Record::new()),
        Some(Value::Object(members)) => Ok(members.clone()),
        Some(_) => Err(Envelope::bad_request(LOADING)),
    }
}

/// `GET` and `POST /api/oauth2-redirect`: tells the client that waits, and shows the person a page.
pub(crate) async fn redirect(
    State(api): State<Arc<Api>>,
    Query(parameters): Query,
    request: Request<Body>,
) -> Response {
    let (status, parameters) = if request.method() == Method::POST {
        (StatusCode::SEE_OTHER, submitted(request).await)
    } else {
        (StatusCode::TEMPORARY_REDIRECT, parameters)
    };
    let page = if tell(&api, &parameters) {
        SUCCESS
    } else {
        FAILURE
    };
    let place = format!("{}{page}", api.records.platform_url().trim_end_matches('/'));
    let place = HeaderValue::try_from(place).unwrap_or(HeaderValue::from_static(FAILURE));
    let headers = [
        (header::LOCATION, place),
        // The code must not go on to the next page's address.
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers).into_response()
}

/// Tells the client whose id is the state; whether it has got a code.
fn tell(api: &Api, parameters: &HashMap<String, String>) -> bool {
    let (state, code) = (text(parameters, "state"), text(parameters, "code"));
    let error = text(parameters, "error");
    if let Some(name) = name_of(text(parameters, "user")) {
        api.records.keep_name_sent_with(code, &name);
    }
    let mut data = json!({"state": state, "code": code});
    if !error.is_empty() {
        data["error"] = json!(error);
    }
    let told = api.records.realtime().send(state, TOPIC, &data);
    told && error.is_empty() && !code.is_empty()
}

/// What Apple sends with the first code: `{"name":{"firstName":…,"lastName":…}}`.
fn name_of(user: &str) -> Option<String> {
    let user: Value = serde_json::from_str(user).ok()?;
    let part = |name: &str| {
        let part = user.pointer(name).and_then(Value::as_str);
        part.unwrap_or_default().to_owned()
    };
    let name = format!("{} {}", part("/name/firstName"), part("/name/lastName"));
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// The members of a form, or of a JSON object; none when it cannot be read.
async fn submitted(request: Request<Body>) -> HashMap<String, String> {
    let is_json = text_of(request.headers(), header::CONTENT_TYPE.as_str())
        .trim_start()
        .starts_with("application/json");
    let body = Limited::new(request.into_body(), MAX_FORM_BYTES);
    let Ok(body) = body.collect().await else {
        return HashMap::new();
    };
    let body = body.to_bytes();
    if !is_json {
        return form_urlencoded::parse(&body).into_owned().collect();
    }
    let members: Record = serde_json::from_slice(&body).unwrap_or_default();
    let texts = members.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text)),
        _ => None,
    });
    texts.collect()
}

/// `GET /api/collections/meta/oauth2-providers`
pub(crate) async fn providers(caller: Caller) -> Result<Json<Vec<KnownSite>>, Envelope> {
    require_superuser(&caller)?;
    Ok(Json(known_sites()))
}

/// `POST /api/settings/apple/generate-client-secret`
pub(crate) async fn apple_secret(
    State(api): State<Arc<Api>>,
    caller: Caller,
    form: Form,
) -> Result<Json<Value>, Envelope> {
    require_superuser(&caller)?;
    let wanted = AppleSecret {
        client_id: form.text("clientId")?.to_owned(),
        team_id: form.text("teamId")?.to_owned(),
        key_id: form.text("keyId")?.to_owned(),
        private_key: form.secret("privateKey")?,
        duration: form.number("duration")?,
    };
    let secret = api.records.apple_secret(&wanted);
    let secret =
        secret.map_err(|error| Envelope::of(error, "Invalid client secret data.", &caller))?;
    Ok(Json(json!({"secret": secret})))
}
