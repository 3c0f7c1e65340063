//! The bodies of records: JSON, forms and forms with files.

use std::sync::Arc;

use axum::body::Body;
use http::{HeaderMap, StatusCode, header};
use mito_records::{Record, Submitted};

use crate::{
    Api,
    body::{
        limits::{self, Limits},
        multipart::{self, Parts, Place},
        values,
    },
    caller::{Caller, text_of},
    envelope::Envelope,
    records::{CREATE_FAILED, of_write},
};

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    UrlEncoded,
    Multipart,
    Unknown,
}

impl Form {
    /// What the headers say.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let kind = text_of(headers, header::CONTENT_TYPE.as_str());
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("application/json") {
            return Self::Json;
        }
        if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Self::UrlEncoded;
        }
        if kind.eq_ignore_ascii_case("multipart/form-data") {
            return Self::Multipart;
        }
        Self::Unknown
    }
}

/// The record that a request writes to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) collection: &'a str,
    /// None for a new record.
    pub(crate) id: Option<&'a str>,
}

/// Reads what a request submits for a record.
pub(crate) async fn read(
    api: &Api,
    caller: &Caller,
    target: Target<'_>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Submitted, Envelope> {
    let form = Form::of(headers);
    let announced = limits::announced(headers);
    if form == Form::Multipart && announced != Some(0) {
        return read_multipart(api, caller, target, headers, body).await;
    }
    // A small body is cheaper to read than its limit is to look up.
    let small = announced.is_some_and(|length| length <= limits::SMALL_BYTES as u64);
    let limit = if small {
        limits::SMALL_BYTES as u64
    } else {
        place(api, caller, target).await?.1.total()
    };
    let (bytes, _memory) = limits::whole(headers, body, limit).await?;
    if bytes.is_empty() {
        return Ok(Submitted::default());
    }
    let values: Option<Record> = match form {
        Form::Json => values::object(&bytes),
        Form::UrlEncoded => values::urlencoded(&bytes),
        Form::Multipart | Form::Unknown => return Err(unsupported()),
    };
    let values = values.ok_or_else(|| Envelope::bad_request(Envelope::NO_REASON))?;
    Ok(Submitted::from(values))
}

/// The answer to a body of a type that is not read.
pub(crate) fn unsupported() -> Envelope {
    Envelope::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "Unsupported Content-Type.",
    )
}

async fn read_multipart(
    api: &Api,
    caller: &Caller,
    target: Target<'_>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Submitted, Envelope> {
    let (mut place, limits) = place(api, caller, target).await?;
    if limits::announced(headers).is_some_and(|length| length > limits.total()) {
        return Err(limits::too_large());
    }
    let content_type = text_of(headers, header::CONTENT_TYPE.as_str());
    let mut parts = Parts::new(content_type, body, limits)
        .ok_or_else(|| Envelope::bad_request(Envelope::NO_REASON))?;
    let is_new = target.id.is_none();
    multipart::record(api, caller, &mut parts, &mut place, is_new).await
}

/// Where a record goes, unless the caller may not write there whatever they send.
pub(crate) async fn place(
    api: &Api,
    caller: &Caller,
    target: Target<'_>,
) -> Result<(Place, Limits), Envelope> {
    let collection = api
        .records
        .writable(target.collection, target.id, &caller.info())
        .await
        .map_err(|error| of_write(error, CREATE_FAILED, caller))?;
    let limits = Limits::of(&collection);
    let record_id = match target.id {
        Some(id) if !multipart::is_part_of_a_key(id) => return Err(Envelope::not_found()),
        Some(id) => id.to_owned(),
        None => api.records.new_record_id(&collection),
    };
    let place = Place {
        collection: Arc::clone(&collection),
        record_id,
    };
    Ok((place, limits))
}
