//! `contentType`: an answer that does not say what it is gets a type by what it begins with, as Go
//! does it for Traefik.

mod sniff;

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Request, Response, StatusCode, header};

use super::{
    bodies::ReadAhead,
    chain::{Context, Layer, Next},
};
use crate::dynamic::middlewares::ContentType as Options;

/// Whether types are found out.
pub(super) struct ContentType(bool);

impl ContentType {
    pub(super) fn build(options: &Options) -> Self {
        Self(options.auto_detect.unwrap_or(true))
    }
}

impl Layer for ContentType {
    fn handle<'a>(
        &'a self,
        _context: &'a Context,
        request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        if !self.0 {
            return next.run(request);
        }
        Box::pin(async move {
            let response = next.run(request).await;
            let headers = response.headers();
            let told = [header::CONTENT_TYPE, header::CONTENT_ENCODING];
            let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
            if switched || told.iter().any(|name| headers.contains_key(name)) {
                return response;
            }
            typed(response).await
        })
    }
}

/// `response` with a type, if there is anything in it.
async fn typed(response: Response<Body>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    // More than what comes first would hold slow answers up.
    match ReadAhead::of(body, 0).await {
        Ok(read) => {
            if let Some(kind) = read.first().map(sniff::kind) {
                let kind = HeaderValue::from_static(kind);
                parts.headers.insert(header::CONTENT_TYPE, kind);
            }
            Response::from_parts(parts, Body::new(read))
        }
        // It breaks off where it did.
        Err(error) => {
            let broken = futures_util::stream::iter([Err::<bytes::Bytes, _>(error)]);
            Response::from_parts(parts, Body::from_stream(broken))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::testing::{Service, context, get, layer, send, text},
        *,
    };

    #[tokio::test]
    async fn answers_without_a_type_get_one() {
        let check = async |options: serde_json::Value, content: &'static str, expected: &str| {
            let layer = layer(json!({"contentType": options}));
            let service = Service::answering(move || Response::new(Body::from(content)));
            let answer = send(&layer, &context(), get("/"), &service).await;
            let kind = answer.headers().get("content-type").cloned();
            let kind =
                kind.map_or_else(String::new, |kind| kind.to_str().expect("text").to_owned());
            assert_eq!(kind, expected, "{content}");
            assert_eq!(text(answer).await, content);
        };
        check(json!({}), " <!DOCTYPE html>", "text/html; charset=utf-8").await;
        check(json!({}), "plain", "text/plain; charset=utf-8").await;
        check(json!({}), "", "").await;
        check(json!({"autoDetect": false}), "plain", "").await;
    }

    #[tokio::test]
    async fn what_is_told_stays() {
        let layer = layer(json!({"contentType": {}}));
        for (name, value) in [("content-type", "x/y"), ("content-encoding", "br")] {
            let service = Service::answering(move || {
                let mut response = Response::new(Body::from("plain"));
                let value = HeaderValue::from_static(value);
                response.headers_mut().insert(name, value);
                response
            });
            let answer = send(&layer, &context(), get("/"), &service).await;
            assert_eq!(answer.headers()[name], value);
            assert_eq!(answer.headers().len(), 1);
        }
    }
}
