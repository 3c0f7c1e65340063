//! `stripPrefix`: the first of its prefixes that a path begins with is taken away, and the service
//! is told so in `X-Forwarded-Prefix`.

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};

use super::{
    answers,
    chain::{Context, Layer, Next},
    rewriting,
};
use crate::dynamic::middlewares::StripPrefix as Options;

/// The prefixes, encoded.
pub(super) struct StripPrefix(Vec<String>);

impl StripPrefix {
    pub(super) fn build(options: &Options) -> Result<Self, String> {
        if options.force_slash == Some(false) {
            let error =
                "forceSlash: false is not supported; a path keeps its slash, so take it out";
            return Err(error.to_owned());
        }
        let read = |(at, prefix): (usize, &String)| {
            rewriting::fixed(&format!("prefixes[{at}]"), prefix.trim())
        };
        let prefixes = options.prefixes.iter().enumerate().map(read);
        prefixes.collect::<Result<_, _>>().map(Self)
    }
}

impl Layer for StripPrefix {
    fn handle<'a>(
        &'a self,
        _context: &'a Context,
        request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        let path = request.uri().path();
        let found = self.0.iter().find(|prefix| path.starts_with(*prefix));
        let length = found.map(String::len);
        Box::pin(async move { without_prefix(request, length, next).await })
    }
}

/// Sends the request on without the first `length` bytes of its path.
pub(super) async fn without_prefix(
    mut request: Request<Body>,
    length: Option<usize>,
    next: Next<'_>,
) -> Response<Body> {
    let Some(length) = length.filter(|length| *length > 0) else {
        return next.run(request).await;
    };
    let (prefix, rest) = request.uri().path().split_at(length);
    let prefix = prefix.to_owned();
    // `/api../secret` without `/api` would lead out of what the router let in.
    let Some(uri) = rewriting::with_path(request.uri(), rest) else {
        return answers::of_status(StatusCode::BAD_REQUEST);
    };
    *request.uri_mut() = uri;
    rewriting::note(&mut request, rewriting::FORWARDED_PREFIX, &prefix);
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{Service, context, get, layer, refused, send};

    #[tokio::test]
    async fn the_first_prefix_that_fits_goes() {
        let check = async |path: &str, expected: &str, prefix: Option<&str>| {
            let service = Service::new();
            let layer = layer(json!({"stripPrefix": {"prefixes": ["/api", "/stat", "/ü"]}}));
            send(&layer, &context(), get(path), &service).await;
            let seen = service.one();
            assert_eq!(seen.uri, expected);
            let noted = seen.headers.get("x-forwarded-prefix");
            assert_eq!(noted.map(|it| it.to_str().expect("text")), prefix);
        };
        check("/api", "/", Some("/api")).await;
        check("/api/b?c", "/b?c", Some("/api")).await;
        check("/apis", "/s", Some("/api")).await;
        check("/stat/x", "/x", Some("/stat")).await;
        check("/%C3%BC/x", "/x", Some("/%C3%BC")).await;
        check("/other", "/other", None).await;
        check("/api//b", "//b", Some("/api")).await;
    }

    #[tokio::test]
    async fn what_leads_out_is_refused() {
        let service = Service::new();
        let layer = layer(json!({"stripPrefix": {"prefixes": ["/api"], "forceSlash": true}}));
        for path in ["/api../secret", "/api./secret", "/api.."] {
            let answer = send(&layer, &context(), get(path), &service).await;
            assert_eq!(answer.status(), 400, "{path}");
        }
        assert!(service.all().is_empty());
        refused(
            json!({"stripPrefix": {"forceSlash": false}}),
            "stripPrefix.forceSlash: false is not supported",
        );
        refused(
            json!({"stripPrefix": {"prefixes": ["/a", ""]}}),
            "stripPrefix.prefixes[1]: \"\" is not a path",
        );
    }
}
