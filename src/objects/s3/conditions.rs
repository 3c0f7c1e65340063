//! The preconditions of reads, in the order of RFC 9110 §13.2.2, and ranges.

use std::ops::Range;

use http::{HeaderMap, HeaderValue, header};
use s3s::{
    S3Error, S3ErrorCode,
    dto::{self, ETagCondition, Timestamp},
};

use super::output;
use crate::Object;

/// The conditions of a read, named as the headers are.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_field_names,
    reason = "the names are those of the headers"
)]
pub(crate) struct Conditions {
    pub(crate) if_match: Option<ETagCondition>,
    pub(crate) if_none_match: Option<ETagCondition>,
    pub(crate) if_modified_since: Option<Timestamp>,
    pub(crate) if_unmodified_since: Option<Timestamp>,
}

impl Conditions {
    /// Fails with 412 or 304 unless the object is as wanted.
    pub(crate) fn check(&self, object: &Object) -> Result<(), S3Error> {
        // HTTP dates have whole seconds.
        let modified = output::timestamp(object.modified_ms / 1_000 * 1_000);
        let matches = |condition: &ETagCondition| match condition {
            ETagCondition::Any => true,
            ETagCondition::ETag(etag) => etag.value() == object.etag,
        };
        let unmatched = match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) => !matches(condition),
            (None, Some(since)) => modified > *since,
            (None, None) => false,
        };
        if unmatched {
            return Err(S3Error::with_message(
                S3ErrorCode::PreconditionFailed,
                "At least one of the preconditions you specified did not hold.",
            ));
        }
        let unchanged = match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) => matches(condition),
            (None, Some(since)) => modified <= *since,
            (None, None) => false,
        };
        if unchanged {
            return Err(not_modified(object, &modified));
        }
        Ok(())
    }
}

fn not_modified(object: &Object, modified: &Timestamp) -> S3Error {
    let mut headers = HeaderMap::new();
    if let Ok(etag) = HeaderValue::from_str(&format!("\"{}\"", object.etag)) {
        headers.insert(header::ETAG, etag);
    }
    if let Some(date) = output::http_date(modified)
        && let Ok(date) = HeaderValue::from_str(&date)
    {
        headers.insert(header::LAST_MODIFIED, date);
    }
    let mut error = S3Error::new(S3ErrorCode::NotModified);
    error.set_headers(headers);
    error
}

/// The bytes that `range` means of an object, all of them without one.
pub(crate) fn range(object: &Object, range: Option<dto::Range>) -> Result<Range<u64>, S3Error> {
    let Some(range) = range else {
        return Ok(0..object.size);
    };
    match range.check(object.size) {
        Ok(bytes) if !bytes.is_empty() => Ok(bytes),
        _ => {
            let mut error = S3Error::with_message(
                S3ErrorCode::InvalidRange,
                "The requested range is not satisfiable",
            );
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_str(&format!("bytes */{}", object.size)) {
                headers.insert(header::CONTENT_RANGE, value);
            }
            error.set_headers(headers);
            Err(error)
        }
    }
}
