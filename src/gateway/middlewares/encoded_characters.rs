//! `encodedCharacters`: paths in which something is encoded that servers may read as what it stands
//! for are refused.

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};

use super::{
    answers,
    chain::{Context, Layer, Next},
};
use crate::dynamic::middlewares::EncodedCharacters as Options;

/// The characters that are refused.
pub(super) struct EncodedCharacters(Vec<u8>);

impl EncodedCharacters {
    pub(super) fn build(options: &Options) -> Self {
        let all = [
            (b'/', options.allow_encoded_slash),
            (b'\\', options.allow_encoded_back_slash),
            (0, options.allow_encoded_null_character),
            (b';', options.allow_encoded_semicolon),
            (b'%', options.allow_encoded_percent),
            (b'?', options.allow_encoded_question_mark),
            (b'#', options.allow_encoded_hash),
        ];
        let denied = all.into_iter().filter(|(_, allowed)| !allowed);
        Self(denied.map(|(character, _)| character).collect())
    }

    /// Whether a path has one of them in it, or a percent sign that encodes nothing.
    fn refuses(&self, path: &str) -> bool {
        let mut parts = path.split('%');
        // What stands before the first percent sign is not encoded.
        parts.next();
        parts.any(|part| {
            let digits = part
                .get(..2)
                .filter(|it| it.bytes().all(|it| it.is_ascii_hexdigit()));
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            byte.is_none_or(|byte| self.0.contains(&byte))
        })
    }
}

impl Layer for EncodedCharacters {
    fn handle<'a>(
        &'a self,
        _context: &'a Context,
        request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        if self.refuses(request.uri().path()) {
            return Box::pin(async { answers::of_status(StatusCode::BAD_REQUEST) });
        }
        next.run(request)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{Service, context, get, layer, send};

    #[tokio::test]
    async fn what_is_not_allowed_is_refused() {
        let check = async |options: Value, path: &str, status: u16| {
            let layer = layer(json!({"encodedCharacters": options}));
            let service = Service::status(200);
            let answer = send(&layer, &context(), get(path), &service).await;
            assert_eq!(answer.status(), status, "{options} {path}");
        };
        for path in [
            "/a%2Fb", "/a%2fb", "/%5C", "/%00", "/%3b", "/%25", "/%3F", "/x%23",
        ] {
            check(json!({}), path, 400).await;
        }
        check(json!({}), "/a/b;c?d=%2F", 200).await;
        check(json!({}), "/th%C3%A9", 200).await;
        let slash = json!({"allowEncodedSlash": true});
        check(slash.clone(), "/a%2Fb", 200).await;
        check(slash, "/a%2Fb%5C", 400).await;
        check(json!({"allowEncodedPercent": true}), "/a%252F", 200).await;
        check(json!({}), "/a%2", 400).await;
    }
}
