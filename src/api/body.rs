//! Bodies: of the right type and of a bounded size.
//!
//! | module | what it holds |
//! |---|---|
//! | [`limits`] | how large and how slow a body may be |
//! | [`values`] | JSON without doubled names, texts of forms |
//! | [`multipart`] | forms with files, which are stored as they come |
//! | [`submission`] | the bodies of records, in all three forms |

pub(crate) mod limits;
pub(crate) mod multipart;
pub(crate) mod submission;
pub(crate) mod values;

use std::sync::Arc;

use axum::{body::Body, extract::FromRequest};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::{Api, caller::text_of, envelope::Envelope};

const MALFORMED: &str = "Failed to load the submitted data due to invalid formatting.";

/// A JSON body. An empty one reads as `{}`.
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for JsonBody<T> {
    type Rejection = Envelope;

    async fn from_request(request: Request<Body>, api: &Arc<Api>) -> Result<Self, Envelope> {
        let (parts, body) = request.into_parts();
        let limit = api.config.max_body_bytes;
        let bytes = read(&parts.headers, body, limit).await?;
        if bytes.is_empty() {
            return parse(b"{}").map(Self);
        }
        if !is_json(&parts.headers) {
            let message = "Unsupported Content-Type. Send application/json.";
            return Err(Envelope::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        parse(&bytes).map(Self)
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Envelope> {
    serde_json::from_slice(bytes).map_err(|error| {
        tracing::debug!(%error, "a body is malformed");
        Envelope::bad_request(MALFORMED)
    })
}

/// The whole body. One that says that it is too large is not read at all.
async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Envelope> {
    let announced = text_of(headers, header::CONTENT_LENGTH.as_str()).parse::<u64>();
    if announced.is_ok_and(|length| usize::try_from(length).is_ok_and(|length| length > limit)) {
        return Err(limits::too_large());
    }
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(limits::too_large()),
        Err(_) => Err(Envelope::bad_request(MALFORMED)),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = text_of(headers, header::CONTENT_TYPE.as_str());
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
        || kind.len() > 5
            && kind.is_char_boundary(kind.len() - 5)
            && kind[kind.len() - 5..].eq_ignore_ascii_case("+json")
}
