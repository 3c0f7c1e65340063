//! `headers`: what is set and removed, CORS, and what keeps browsers safe.

mod cors;
mod custom;
mod secure;

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};

use super::{
    answers,
    chain::{Context, Layer, Next},
};
use crate::dynamic::middlewares::Headers as Options;
use cors::Cors;
use custom::Custom;
use secure::Secure;

/// What is done to the headers of requests and answers.
pub(super) struct Headers {
    custom: Custom,
    cors: Cors,
    secure: Secure,
}

impl Headers {
    pub(super) fn build(options: &Options) -> Result<Self, String> {
        if *options == Options::default() {
            return Err("customRequestHeaders: neither it nor another option is set".to_owned());
        }
        gone(options)?;
        Ok(Self {
            custom: Custom::build(options)?,
            cors: Cors::build(options)?,
            secure: Secure::build(options)?,
        })
    }
}

/// What Traefik 3 has no more.
fn gone(options: &Options) -> Result<(), String> {
    let redirects = [
        ("sslRedirect", options.ssl_redirect),
        ("sslTemporaryRedirect", options.ssl_temporary_redirect),
        ("sslHost", options.ssl_host),
        ("sslForceHost", options.ssl_force_host),
    ];
    if let Some((name, _)) = redirects.iter().find(|(_, set)| set.is_some()) {
        return Err(format!(
            "{name}: it is gone; use the middleware redirectScheme or redirectRegex"
        ));
    }
    match options.feature_policy {
        Some(_) => Err("featurePolicy: it is gone; use permissionsPolicy".to_owned()),
        None => Ok(()),
    }
}

impl Layer for Headers {
    fn handle<'a>(
        &'a self,
        context: &'a Context,
        mut request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async move {
            let connection = &context.connection;
            if !self.secure.is_served(connection, request.headers()) {
                return answers::plain(StatusCode::INTERNAL_SERVER_ERROR, "Bad Host\n");
            }
            let encrypted = self.secure.is_encrypted(connection, request.headers());
            let origin = request.headers().get(header::ORIGIN).cloned();
            if let Some(mut answer) = self.cors.preflight(&request) {
                self.secure.protect(encrypted, answer.headers_mut());
                return answer;
            }
            self.custom.change_request(request.headers_mut());
            let mut response = next.run(request).await;
            self.custom.change_response(response.headers_mut());
            self.cors.allow(origin.as_ref(), response.headers_mut());
            self.secure.protect(encrypted, response.headers_mut());
            response
        })
    }
}

/// Reads the name of a header; `option` is its place in the error.
fn name(option: &str, text: &str) -> Result<HeaderName, String> {
    let name = text.trim().parse();
    name.map_err(|_| format!("{option}: {text:?} is not the name of a header"))
}

/// Reads the value of a header. The error does not show it, since it may be a secret.
fn value(option: &str, text: &str) -> Result<HeaderValue, String> {
    HeaderValue::try_from(text).map_err(|_| format!("{option}: it cannot stand in a header"))
}

#[cfg(test)]
mod tests;
