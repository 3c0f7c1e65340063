//! Errors as S3 writes them: s3s leaves out the resource, the request id and often the message.

use std::time::Duration;

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};

/// The largest error that is completed; s3s writes a few hundred bytes.
const MAX_ERROR_BYTES: usize = 64 * 1024;
/// When to try again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// An error that the front answers itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ErrorPage {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// The right region, where that is what is wrong.
    pub(crate) region: Option<String>,
}

impl ErrorPage {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            region: None,
        }
    }

    pub(crate) fn internal() -> Self {
        let message = "We encountered an internal error. Please try again.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
    }
}

/// Too many requests at once.
pub(crate) fn slow_down() -> ErrorPage {
    let message = "Please reduce your request rate.";
    ErrorPage::new(StatusCode::SERVICE_UNAVAILABLE, "SlowDown", message)
}

impl From<ErrorPage> for Response<Body> {
    fn from(page: ErrorPage) -> Self {
        let region = page
            .region
            .map(|region| format!("<Region>{}</Region>", escape(&region)))
            .unwrap_or_default();
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code>\
             <Message>{}</Message>{region}</Error>",
            page.code,
            escape(&page.message)
        );
        let mut response = Self::new(Body::from(text));
        *response.status_mut() = page.status;
        response
    }
}

/// Adds to an error what S3's errors have; other answers pass as they are.
pub(crate) async fn complete(
    response: Response<Body>,
    resource: &str,
    request_id: &str,
) -> Response<Body> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let text = axum::body::to_bytes(body, MAX_ERROR_BYTES)
        .await
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let text = text.strip_suffix("</Error>").map_or_else(
        || "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>InternalError</Code>".into(),
        str::to_owned,
    );
    let message = if text.contains("<Message>") {
        String::new()
    } else {
        format!("<Message>{}</Message>", message_of(&text, status))
    };
    let text = format!(
        "{text}{message}<Resource>{}</Resource><RequestId>{}</RequestId></Error>",
        escape(resource),
        escape(request_id)
    );
    parts.headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/xml"),
    );
    parts
        .headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(text.len()));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        parts.headers.insert(
            header::RETRY_AFTER,
            HeaderValue::from(RETRY_AFTER.as_secs()),
        );
    }
    Response::from_parts(parts, Body::from(text))
}

/// What to say of an error that came without a word.
fn message_of(text: &str, status: StatusCode) -> &'static str {
    let code = text
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"));
    match code.map(|(code, _)| code) {
        Some("SignatureDoesNotMatch") => {
            "The signature is not the one that this request has with our copy of the secret key. \
             Check the secret key, the signed headers and what a proxy may have changed."
        }
        Some("InvalidBucketName") => "The bucket name is not valid.",
        Some("InvalidURI") => "The path cannot be read.",
        Some("KeyTooLongError") => "The key is longer than 1024 bytes.",
        Some("MalformedXML") => "The XML of the request is not what this operation takes.",
        _ => status.canonical_reason().unwrap_or("The request failed"),
    }
}

/// Text for XML; control characters and others that XML 1.0 cannot express become question marks.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{FFFE}' | '\u{FFFF}' => escaped.push('?'),
            control if control.is_control() => escaped.push('?'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_express_is_not_written() {
        assert_eq!(escape("a\u{1}\u{fffe}\u{ffff}b"), "a???b");
    }

    #[tokio::test]
    async fn errors_name_the_resource_and_the_request() {
        let page = ErrorPage::new(StatusCode::NOT_FOUND, "NoSuchKey", "there is no <key>");
        let response = complete(page.into(), "/inbox/a&b", "4F2A").await;
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/xml");
        let body = axum::body::to_bytes(response.into_body(), 1_000)
            .await
            .unwrap();
        assert_eq!(
            String::from_utf8(body.to_vec()).unwrap(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code>\
             <Message>there is no &lt;key&gt;</Message><Resource>/inbox/a&amp;b</Resource>\
             <RequestId>4F2A</RequestId></Error>"
        );
    }
}
