//! `stripPrefixRegex`: what the first of its patterns finds at the beginning of a path is taken
//! away.

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use regex::Regex;

use super::{
    chain::{Context, Layer, Next},
    rewriting,
    strip_prefix::without_prefix,
};
use crate::dynamic::middlewares::StripPrefixRegex as Options;

/// The patterns.
pub(super) struct StripPrefixRegex(Vec<Regex>);

impl StripPrefixRegex {
    pub(super) fn build(options: &Options) -> Result<Self, String> {
        let read = |(at, text): (usize, &String)| rewriting::pattern(&format!("regex[{at}]"), text);
        let patterns = options.regex.iter().enumerate().map(read);
        patterns.collect::<Result<_, _>>().map(Self)
    }
}

impl Layer for StripPrefixRegex {
    fn handle<'a>(
        &'a self,
        _context: &'a Context,
        request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        let path = request.uri().path();
        let found = self
            .0
            .iter()
            .filter_map(|pattern| pattern.find(path))
            .find(|found| found.start() == 0 && !found.is_empty());
        let length = found.map(|found| found.end());
        Box::pin(async move { without_prefix(request, length, next).await })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{Service, context, get, layer, refused, send};

    #[tokio::test]
    async fn what_a_pattern_finds_at_the_beginning_goes() {
        let check = async |path: &str, expected: &str, prefix: Option<&str>| {
            let service = Service::new();
            let patterns = ["/a/api/", "/b/([a-z0-9]+)/", "/c/[a-z]*"];
            let layer = layer(json!({"stripPrefixRegex": {"regex": patterns}}));
            send(&layer, &context(), get(path), &service).await;
            let seen = service.one();
            assert_eq!(seen.uri, expected);
            let noted = seen.headers.get("x-forwarded-prefix");
            assert_eq!(noted.map(|it| it.to_str().expect("text")), prefix);
        };
        check("/a/api/test?x=1", "/test?x=1", Some("/a/api/")).await;
        check("/b/api/test1", "/test1", Some("/b/api/")).await;
        check("/c/api", "/", Some("/c/api")).await;
        check("/x/a/api/", "/x/a/api/", None).await;
        check("/none", "/none", None).await;
    }

    #[tokio::test]
    async fn what_leads_out_and_what_is_no_pattern_is_refused() {
        let layer = layer(json!({"stripPrefixRegex": {"regex": ["/[a-z]+"]}}));
        let service = Service::new();
        let answer = send(&layer, &context(), get("/api../secret"), &service).await;
        assert_eq!(answer.status(), 400);
        refused(
            json!({"stripPrefixRegex": {"regex": ["/a", "/("]}}),
            "stripPrefixRegex.regex[1]: \"/(\" is not a regular expression: unclosed group",
        );
    }
}
