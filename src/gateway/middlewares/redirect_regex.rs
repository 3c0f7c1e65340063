//! `redirectRegex`: an address that matches is sent to another one.

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};
use regex::Regex;

use super::{
    answers,
    chain::{Context, Layer, Next},
    rewriting,
    source::address,
};
use crate::dynamic::middlewares::RedirectRegex as Options;

/// The pattern of whole addresses, and where they lead.
pub(super) struct RedirectRegex {
    pattern: Regex,
    replacement: String,
    permanent: bool,
}

impl RedirectRegex {
    pub(super) fn build(options: &Options) -> Result<Self, String> {
        Ok(Self {
            pattern: rewriting::pattern("regex", &options.regex)?,
            replacement: options.replacement.clone(),
            permanent: options.permanent,
        })
    }

    fn redirect(&self, context: &Context, request: &Request<Body>) -> Option<Response<Body>> {
        let old = address(context.connection.scheme, &context.connection, request);
        if !self.pattern.is_match(&old) {
            return None;
        }
        let new = self.pattern.replace_all(&old, &self.replacement);
        if new == old {
            return None;
        }
        let answer = answers::moved(request.method(), &new, self.permanent);
        Some(answer.unwrap_or_else(|| answers::of_status(StatusCode::BAD_REQUEST)))
    }
}

impl Layer for RedirectRegex {
    fn handle<'a>(
        &'a self,
        context: &'a Context,
        request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        match self.redirect(context, &request) {
            Some(answer) => Box::pin(std::future::ready(answer)),
            None => next.run(request),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{Method, Request};
    use serde_json::json;

    use super::{
        super::testing::{Service, context, layer, refused, send},
        *,
    };

    async fn check(
        regex: &str,
        replacement: &str,
        to: (Method, &str, &str),
        expected: (u16, &str),
    ) {
        let options = json!({"regex": regex, "replacement": replacement, "permanent": true});
        let layer = layer(json!({"redirectRegex": options}));
        let request = Request::builder()
            .method(to.0)
            .uri(to.2)
            .header("host", to.1)
            .body(Body::empty())
            .expect("a request");
        let answer = send(&layer, &context(), request, &Service::status(204)).await;
        let location = answer.headers().get("location");
        let location = location.map_or("", |it| it.to_str().expect("text"));
        assert_eq!((answer.status().as_u16(), location), expected);
    }

    #[tokio::test]
    async fn addresses_that_match_lead_elsewhere() {
        let get = |host, path| (Method::GET, host, path);
        check(
            r"^https?://(?:www\.)?a\.example(:\d+)?/(.*)",
            "https://b.example/${2}",
            get("www.a.example:8000", "/x?y=1"),
            (301, "https://b.example/x?y=1"),
        )
        .await;
        check(
            r"^http://a\.example/old(.*)",
            "/new$1",
            (Method::POST, "a.example", "/old/x"),
            (308, "/new/x"),
        )
        .await;
        check("^https://", "x", get("a.example", "/"), (204, "")).await;
        // To itself, it is let through.
        check(
            "^http://(.*)",
            "http://$1",
            get("a.example", "/"),
            (204, ""),
        )
        .await;
        check(
            "^.*$",
            "/ü ö",
            get("a.example", "/"),
            (301, "/%C3%BC%20%C3%B6"),
        )
        .await;
        check("a", "a\nb", get("a.example", "/"), (400, "")).await;
        refused(
            json!({"redirectRegex": {}}),
            "redirectRegex.regex: it is empty",
        );
    }
}
