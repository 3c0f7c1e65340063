//! `addPrefix`: every path begins with it behind this middleware.

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};

use super::{
    answers,
    chain::{Context, Layer, Next},
    rewriting,
};
use crate::dynamic::middlewares::AddPrefix as Options;

/// The prefix, encoded.
pub(super) struct AddPrefix(String);

impl AddPrefix {
    pub(super) fn build(options: &Options) -> Result<Self, String> {
        rewriting::fixed("prefix", &options.prefix).map(Self)
    }
}

impl Layer for AddPrefix {
    fn handle<'a>(
        &'a self,
        _context: &'a Context,
        mut request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async move {
            let path = format!("{}{}", self.0, request.uri().path());
            let Some(uri) = rewriting::with_path(request.uri(), &path) else {
                return answers::of_status(StatusCode::BAD_REQUEST);
            };
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
    async fn the_prefix_stands_in_front() {
        let check = async |prefix: &str, path: &str, expected: &str| {
            let service = Service::new();
            let layer = layer(json!({"addPrefix": {"prefix": prefix}}));
            send(&layer, &context(), get(path), &service).await;
            assert_eq!(service.one().uri, expected);
        };
        check("/api", "/b?c=1", "/api/b?c=1").await;
        check("api", "/", "/api/").await;
        check("/a b/%7e", "/%2F", "/a%20b/~/%2F").await;
        refused(
            json!({"addPrefix": {}}),
            "addPrefix.prefix: \"\" is not a path such as /foo",
        );
    }
}
