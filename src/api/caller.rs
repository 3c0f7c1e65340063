//! Who sent a request.

use std::{ops::Deref, sync::Arc};

use axum::{body::Body, extract::FromRequestParts};
use http::{HeaderMap, Method, Request, header, request::Parts};
use mito_network::{Authenticator as _, ConnectionInfo, Identity};
use mito_records::{Parameters, Record, RequestInfo};
use serde_json::Value;
use url::form_urlencoded;

use crate::{Api, envelope::Envelope};

/// Who sent a request and by which way, put into its extensions by one of the two guards. Cheap to
/// clone.
#[derive(Clone, Debug)]
pub(crate) struct Caller(Arc<Known>);

/// What is known of a [`Caller`].
#[derive(Debug)]
pub(crate) struct Known {
    /// Who it is, if they have proved it.
    pub(crate) identity: Option<Identity>,
    /// The token that came with the request, good or not.
    pub(crate) token: Option<String>,
    /// The id that follows the request through jobs and logs.
    pub(crate) request_id: String,
    /// The client's address.
    pub(crate) client_ip: String,
    /// `http` or `https`.
    pub(crate) scheme: &'static str,
    /// The method.
    pub(crate) method: Method,
    /// The query parameters, as rules see them.
    pub(crate) query: Parameters,
    /// The headers, as rules see them.
    pub(crate) headers: Parameters,
}

impl Deref for Caller {
    type Target = Known;

    fn deref(&self) -> &Known {
        &self.0
    }
}

impl From<Known> for Caller {
    fn from(known: Known) -> Self {
        Self(Arc::new(known))
    }
}

impl Known {
    /// A caller who has not proved who they are.
    pub(crate) fn anonymous(api: &Api, request: &Request<Body>) -> Self {
        let info = request.extensions().get::<ConnectionInfo>();
        Self {
            identity: None,
            token: None,
            request_id: match info {
                Some(info) => info.request_id.to_string(),
                None => api.random.uuid(api.clock.now_ms()).to_string(),
            },
            client_ip: info.map_or_else(String::new, |info| info.client_ip.to_string()),
            scheme: info.map_or("http", |info| info.scheme),
            method: request.method().clone(),
            query: match request.uri().query() {
                None => Parameters::default(),
                Some(query) => {
                    let query = query.to_owned();
                    Parameters::new(move || parameters(&query))
                }
            },
            headers: {
                let sent = request.headers().clone();
                Parameters::new(move || headers(&sent))
            },
        }
    }

    /// The request as rules see it.
    pub(crate) fn info(&self) -> RequestInfo {
        RequestInfo {
            method: self.method.to_string(),
            identity: self.identity.clone(),
            query: self.query.clone(),
            headers: self.headers.clone(),
            request_id: Some(self.request_id.clone()),
            client_ip: self.client_ip.clone(),
            ..RequestInfo::default()
        }
    }

    /// Administrators act from where the settings let them.
    pub(crate) fn check_address(&self, api: &Api) -> Result<(), Envelope> {
        if !self.is_superuser()
            || api
                .records
                .may_administrate_from(self.client_ip.parse().ok())
        {
            return Ok(());
        }
        let message = "You are not allowed to perform this request.";
        Err(Envelope::forbidden(message))
    }

    pub(crate) fn is_superuser(&self) -> bool {
        self.identity.as_ref().is_some_and(Identity::is_superuser)
    }
}

/// The parameters of the query; of a repeated one the first, as PocketBase's rules see it.
fn parameters(query: &str) -> Record {
    let mut parameters = Record::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        parameters
            .entry(name)
            .or_insert_with(|| Value::String(value.into_owned()));
    }
    parameters
}

/// The headers by their names in lower case with `_` for `-`; of a repeated one the first.
fn headers(headers: &HeaderMap) -> Record {
    let mut record = Record::new();
    for (name, value) in headers {
        let Ok(value) = value.to_str() else { continue };
        record
            .entry(name.as_str().replace('-', "_"))
            .or_insert_with(|| Value::String(value.to_owned()));
    }
    record
}

/// The text of a header; empty when it is absent or not text.
pub(crate) fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// Reads `Authorization`, with or without `Bearer`. An unknown or expired token makes a guest, as
/// in PocketBase; endpoints that need an identity say so.
pub(crate) async fn by_bearer(
    api: &Api,
    mut known: Known,
    headers: &HeaderMap,
) -> Result<Caller, Envelope> {
    if let Some(token) = bearer(headers) {
        known.identity = api.records.authenticate(token).await;
        known.token = Some(token.to_owned());
    }
    known.check_address(api)?;
    Ok(known.into())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = text_of(headers, header::AUTHORIZATION.as_str()).trim();
    let token = match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => value,
    };
    (!token.is_empty()).then_some(token)
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Envelope;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Envelope> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(Envelope::internal)
    }
}
