//! `replacePathRegex`: what a pattern finds in a path is replaced; the path that was asked for is
//! in `X-Replaced-Path`.

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};
use regex::Regex;

use super::{
    answers,
    chain::{Context, Layer, Next},
    rewriting,
};
use crate::dynamic::middlewares::ReplacePathRegex as Options;

/// The pattern and what is put in its place; `$1` and `${name}` are its groups.
pub(super) struct ReplacePathRegex {
    pattern: Regex,
    replacement: String,
}

impl ReplacePathRegex {
    pub(super) fn build(options: &Options) -> Result<Self, String> {
        Ok(Self {
            pattern: rewriting::pattern("regex", &options.regex)?,
            replacement: options.replacement.trim().to_owned(),
        })
    }
}

impl Layer for ReplacePathRegex {
    fn handle<'a>(
        &'a self,
        _context: &'a Context,
        mut request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async move {
            let path = request.uri().path();
            if !self.pattern.is_match(path) {
                return next.run(request).await;
            }
            let replaced = self.pattern.replace_all(path, &self.replacement);
            let Some(uri) = rewriting::with_path(request.uri(), &replaced) else {
                return answers::of_status(StatusCode::BAD_REQUEST);
            };
            rewriting::note_replaced(&mut request);
            *request.uri_mut() = uri;
            next.run(request).await
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{Service, context, get, layer, refused, send};

    #[tokio::test]
    async fn what_the_pattern_finds_is_replaced() {
        let check = async |regex: &str, replacement: &str, path: &str, expected: &str| {
            let service = Service::new();
            let options = json!({"regex": regex, "replacement": replacement});
            let layer = layer(json!({"replacePathRegex": options}));
            let answer = send(&layer, &context(), get(path), &service).await;
            let Some(seen) = service.all().pop() else {
                return assert_eq!((answer.status().as_u16(), expected), (400, ""), "{path}");
            };
            assert_eq!(seen.uri, expected);
            let replaced = path.split('?').next() != expected.split('?').next();
            let noted = seen.headers.get("x-replaced-path");
            assert_eq!(noted.is_some(), replaced, "{path}");
        };
        check(
            r"^/whoami/(.*)",
            "/who-am-i/$1",
            "/whoami/and/whoami",
            "/who-am-i/and/whoami",
        )
        .await;
        check(
            r"^/([a-z]+)/(?P<id>\d+)$",
            "/$id/$1",
            "/user/42?x",
            "/42/user?x",
        )
        .await;
        check(r"^/none", "/x", "/other", "/other").await;
        check(r"^/", "relative", "/x", "/relativex").await;
        check(r"^/files(.*)", "/data/$1", "/files../secret", "").await;
        check(r"^/a", "/b?c", "/a", "/b%3Fc").await;
        refused(
            json!({"replacePathRegex": {"regex": "["}}),
            "replacePathRegex.regex: ",
        );
    }
}
