//! `replacePath`: one path for all requests; the one that was asked for is in `X-Replaced-Path`.

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};

use super::{
    answers,
    chain::{Context, Layer, Next},
    rewriting,
};
use crate::dynamic::middlewares::ReplacePath as Options;

/// The path.
pub(super) struct ReplacePath(String);

impl ReplacePath {
    pub(super) fn build(options: &Options) -> Result<Self, String> {
        rewriting::fixed("path", &options.path).map(Self)
    }
}

impl Layer for ReplacePath {
    fn handle<'a>(
        &'a self,
        _context: &'a Context,
        mut request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async move {
            let Some(uri) = rewriting::with_path(request.uri(), &self.0) else {
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
    async fn the_path_is_replaced_and_the_query_stays() {
        let service = Service::new();
        let layer = layer(json!({"replacePath": {"path": "/new path"}}));
        let mut request = get("/old/%2F?a=b");
        let forged = "/forged".parse().expect("a value");
        request.headers_mut().insert("x-replaced-path", forged);
        send(&layer, &context(), request, &service).await;
        let seen = service.one();
        assert_eq!(seen.uri, "/new%20path?a=b");
        assert_eq!(seen.headers["x-replaced-path"], "/old/%2F");
        for wrong in ["", "/a/../b", "/%00"] {
            refused(
                json!({"replacePath": {"path": wrong}}),
                "replacePath.path: ",
            );
        }
    }
}
