//! `/api/logs`, and how requests are logged.

use std::{sync::Arc, time::Instant};

use axum::{Json, body::Body, extract::State, middleware::Next, response::Response};
use http::{Method, Request, StatusCode, Uri, header};
use mito_network::ConnectionInfo;
use mito_records::LogEntry;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use crate::{
    Api,
    caller::{Caller, text_of},
    collections::require_superuser,
    envelope::{Envelope, Told},
    extract::{Path, Query, text},
    fields,
    records::list_query,
};

/// The longest address and the longest header in a row, in characters.
const MAX_SHOWN: usize = 2_000;
/// Parameters that carry secrets.
const SECRETS: &[&str] = &[
    "token",
    "access_token",
    "password",
    "secret",
    "code",
    "state",
    "codeVerifier",
    "authorization",
];

/// `GET /logs`
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Query(parameters): Query,
    caller: Caller,
) -> Result<Json<Value>, Envelope> {
    require_superuser(&caller)?;
    let unreadable =
        |_| Envelope::bad_request("Something went wrong while processing your request.");
    let query = list_query(&parameters).map_err(unreadable)?;
    let page = api
        .records
        .log_page(query)
        .await
        .map_err(|error| Envelope::from_error(error, &caller))?;
    let page = serde_json::to_value(page).map_err(|_| Envelope::internal())?;
    Ok(Json(fields::pick_items(page, text(&parameters, "fields"))))
}

/// `GET /logs/{id}`
pub(crate) async fn view(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    Query(parameters): Query,
    caller: Caller,
) -> Result<Json<Value>, Envelope> {
    require_superuser(&caller)?;
    let row = api
        .records
        .log_row(&id)
        .await
        .map_err(|error| Envelope::from_error(error, &caller))?;
    let row = Value::Object(row);
    Ok(Json(fields::pick(row, text(&parameters, "fields"))))
}

/// `GET /logs/stats`
pub(crate) async fn stats(
    State(api): State<Arc<Api>>,
    Query(parameters): Query,
    caller: Caller,
) -> Result<Json<Value>, Envelope> {
    require_superuser(&caller)?;
    let counts = api
        .records
        .log_counts(text(&parameters, "filter"))
        .await
        .map_err(|error| Envelope::from_error(error, &caller))?;
    Ok(Json(fields::pick(
        json!(counts),
        text(&parameters, "fields"),
    )))
}

/// `DELETE /logs`
pub(crate) async fn clear(
    State(api): State<Arc<Api>>,
    caller: Caller,
) -> Result<StatusCode, Envelope> {
    require_superuser(&caller)?;
    api.records
        .clear_logs()
        .await
        .map_err(|error| Envelope::from_error(error, &caller))?;
    Ok(StatusCode::NO_CONTENT)
}

/// The layer of the panel's requests. Runs after the caller is known.
pub(crate) async fn record(
    State(api): State<Arc<Api>>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let caller = request.extensions().get::<Caller>().cloned();
    let asked = Asked::of(&request, caller);
    let response = next.run(request).await;
    asked.log(&api, &response);
    response
}

/// What is remembered of a request until it is answered.
pub(crate) struct Asked {
    started: Instant,
    caller: Option<Caller>,
    remote_ip: String,
    method: Method,
    url: String,
    referer: String,
    user_agent: String,
    /// Good answers to it are no news: checks by machines, streams, and reading the log itself.
    is_routine: bool,
}

impl Asked {
    pub(crate) fn of(request: &Request<Body>, caller: Option<Caller>) -> Self {
        let extensions = request.extensions();
        let info = extensions.get::<ConnectionInfo>();
        // Nested routers see the rest of the path alone.
        let uri = extensions
            .get::<axum::extract::OriginalUri>()
            .map_or(request.uri(), |original| &original.0);
        let path = uri.path();
        Self {
            started: Instant::now(),
            caller,
            remote_ip: info.map_or_else(String::new, |info| info.peer.ip().to_string()),
            method: request.method().clone(),
            url: redacted(uri),
            user_agent: shortened(text_of(request.headers(), header::USER_AGENT.as_str())),
            referer: referer(text_of(request.headers(), header::REFERER.as_str())),
            is_routine: request.method() == Method::GET
                && (path.ends_with("/api/health")
                    || path.ends_with("/api/realtime")
                    || path.contains("/api/logs")),
        }
    }

    /// Logs the request with its answer.
    pub(crate) fn log(self, api: &Api, response: &Response) {
        let status = response.status();
        if !self.is_routine || status.is_client_error() || status.is_server_error() {
            api.records.log(self.entry(api, response));
        }
    }

    fn entry(self, api: &Api, response: &Response) -> LogEntry {
        let settings = api.records.settings();
        let status = response.status();
        let identity = self
            .caller
            .as_ref()
            .and_then(|caller| caller.identity.as_ref());
        let message = format!("{} {}", self.method, self.url);
        let mut data = Map::new();
        let mut set = |name: &str, value: Value| data.insert(name.to_owned(), value);
        set("type", "request".into());
        set("method", self.method.as_str().into());
        set("url", self.url.into());
        set("status", status.as_u16().into());
        let seconds = self.started.elapsed().as_secs_f64();
        set("execTime", json!(seconds * 1_000.0));
        set(
            "auth",
            identity.map_or("", |identity| &identity.collection).into(),
        );
        if let Some(identity) = identity
            && settings.logs.log_auth_id
        {
            set("authId", identity.id.clone().into());
        }
        if settings.logs.log_ip {
            let user_ip = self.caller.as_ref().map_or("", |caller| &caller.client_ip);
            set("userIP", user_ip.into());
            set("remoteIP", self.remote_ip.into());
        }
        set("referer", self.referer.into());
        set("userAgent", self.user_agent.into());
        if let Some(caller) = &self.caller {
            set("requestId", caller.request_id.clone().into());
        }
        let failed = status.is_client_error() || status.is_server_error();
        if failed {
            let told = response.extensions().get::<Told>();
            set("error", told.map_or("", |told| &told.message).into());
            set("details", told.map_or(Value::Null, Told::details));
        }
        LogEntry {
            level: if failed { 8 } else { 0 },
            message,
            data,
        }
    }
}

/// Path and query without secrets.
fn redacted(uri: &Uri) -> String {
    let Some(query) = uri.query() else {
        return shortened(uri.path());
    };
    let hides = |name: &str| {
        SECRETS
            .iter()
            .any(|secret| secret.eq_ignore_ascii_case(name))
    };
    let has_secret = form_urlencoded::parse(query.as_bytes()).any(|(name, _)| hides(&name));
    if !has_secret {
        return shortened(&format!("{}?{query}", uri.path()));
    }
    let mut shown = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = if hides(&name) { "***" } else { &*value };
        shown.append_pair(&name, value);
    }
    shortened(&format!("{}?{}", uri.path(), shown.finish()))
}

/// Where a request came from, without the query: other sites keep their secrets there.
fn referer(text: &str) -> String {
    shortened(text.split(['?', '#']).next().unwrap_or_default())
}

fn shortened(text: &str) -> String {
    // No text has more characters than bytes.
    if text.len() <= MAX_SHOWN {
        return text.to_owned();
    }
    text.chars().take(MAX_SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_reach_the_log() {
        let check = |uri: &str, expected: &str| {
            assert_eq!(redacted(&uri.parse().unwrap()), expected);
        };
        check("/api/x?filter=a%20b", "/api/x?filter=a%20b");
        check("/api/x?page=1&token=abc", "/api/x?page=1&token=***");
        check("/api/x?to%6ben=abc", "/api/x?token=***");
        check("/api/x?TOKEN=abc&Code=1", "/api/x?TOKEN=***&Code=***");
        check("/api/x", "/api/x");
        assert_eq!(referer("https://a.co/b?c=d"), "https://a.co/b");
    }
}
