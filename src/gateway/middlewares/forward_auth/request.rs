//! What the server that decides is asked.

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, Method, Request, header, request::Parts};

use super::{super::chain::Context, ForwardAuth};
use crate::services;

/// The forwarding headers that it is told.
const METHOD: &str = "x-forwarded-method";
const PROTO: &str = "x-forwarded-proto";
const HOST: &str = "x-forwarded-host";
const URI: &str = "x-forwarded-uri";
const FOR: &str = "x-forwarded-for";

impl ForwardAuth {
    /// The request to the server, as yet without a body.
    pub(super) fn question(&self, context: &Context, asked: &Parts) -> Request<Body> {
        let mut question = Request::new(Body::empty());
        // The address was read as one with a host, so that it is one here too.
        if let Ok(uri) = self.address.as_str().parse() {
            *question.uri_mut() = uri;
        }
        if self.options.preserve_request_method {
            *question.method_mut() = asked.method.clone();
        } else {
            *question.method_mut() = Method::GET;
        }
        let mut headers = self.allowed(&asked.headers);
        services::headers::strip_hop_by_hop(&mut headers);
        for name in [header::HOST, header::CONTENT_LENGTH, header::EXPECT] {
            headers.remove(name);
        }
        if let Some(authorization) = &self.authorization
            && !headers.contains_key(header::AUTHORIZATION)
        {
            headers.insert(header::AUTHORIZATION, authorization.clone());
        }
        self.tell_forwarding(context, asked, &mut headers);
        *question.headers_mut() = headers;
        question
    }

    fn allowed(&self, headers: &HeaderMap) -> HeaderMap {
        if self.request_headers.is_empty() {
            return headers.clone();
        }
        headers
            .iter()
            .filter(|(name, _)| self.request_headers.contains(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// What came in, unless a proxy in front says it better and may.
    fn tell_forwarding(&self, context: &Context, asked: &Parts, headers: &mut HeaderMap) {
        let connection = &context.connection;
        let said = |name: &str| {
            let said = asked.headers.get(name).cloned();
            said.filter(|value| self.options.trust_forward_header && !value.is_empty())
        };
        let host = asked.headers.get(header::HOST).cloned();
        let host = host.or_else(|| HeaderValue::try_from(&*connection.host).ok());
        let target = asked.uri.path_and_query().map_or("/", |it| it.as_str());
        let told = [
            (METHOD, HeaderValue::try_from(asked.method.as_str()).ok()),
            (PROTO, Some(HeaderValue::from_static(connection.scheme))),
            (HOST, host),
            (URI, HeaderValue::try_from(target).ok()),
        ];
        for (name, value) in told {
            headers.remove(name);
            if let Some(value) = said(name).or(value) {
                headers.insert(name, value);
            }
        }
        headers.remove(FOR);
        if let Some(way) = self.way(context, &asked.headers) {
            headers.insert(FOR, way);
        }
    }

    /// The addresses on the way, the client's first.
    fn way(&self, context: &Context, headers: &HeaderMap) -> Option<HeaderValue> {
        let connection = &context.connection;
        let before: Vec<&str> = headers
            .get_all(FOR)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .filter(|value| !value.trim().is_empty())
            .collect();
        let way = if self.options.trust_forward_header && !before.is_empty() {
            format!(
                "{}, {}",
                before.join(", "),
                connection.peer.ip().to_canonical()
            )
        } else {
            connection.client_ip.to_canonical().to_string()
        };
        HeaderValue::try_from(way).ok()
    }
}

/// `Authorization` of a name and a password.
pub(super) fn basic(name: &str, password: &str) -> Option<HeaderValue> {
    let encoded = STANDARD.encode(format!("{name}:{password}"));
    let mut value = HeaderValue::try_from(format!("Basic {encoded}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}
