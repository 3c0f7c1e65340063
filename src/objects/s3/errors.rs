//! The S3 code of every error.

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode};

use crate::Error;

impl From<Error> for S3Error {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::NoSuchBucket(_) => S3ErrorCode::NoSuchBucket,
            Error::NoSuchKey { .. } => S3ErrorCode::NoSuchKey,
            Error::NoSuchUpload(_) => S3ErrorCode::NoSuchUpload,
            Error::BucketExists(_) => S3ErrorCode::BucketAlreadyOwnedByYou,
            Error::TooManyBuckets(_) => S3ErrorCode::TooManyBuckets,
            Error::Internal(_) => S3ErrorCode::AccessDenied,
            Error::BucketNotEmpty(_) => S3ErrorCode::BucketNotEmpty,
            Error::InvalidBucketName(_) => S3ErrorCode::InvalidBucketName,
            Error::InvalidKey(_) => S3ErrorCode::InvalidURI,
            Error::KeyTooLong(_) => S3ErrorCode::KeyTooLongError,
            Error::MetadataTooLarge(_) => S3ErrorCode::MetadataTooLarge,
            Error::TooLarge(_) => S3ErrorCode::EntityTooLarge,
            Error::IncompleteBody => S3ErrorCode::IncompleteBody,
            Error::Body(source) => body_code(&source.to_string()),
            Error::BadDigest(_) => S3ErrorCode::BadDigest,
            Error::InvalidRange(_) => S3ErrorCode::InvalidRange,
            Error::Precondition(_) => S3ErrorCode::PreconditionFailed,
            Error::InvalidPart(_) => S3ErrorCode::InvalidPart,
            Error::InvalidPartOrder => S3ErrorCode::InvalidPartOrder,
            Error::PartTooSmall(_) => S3ErrorCode::EntityTooSmall,
            Error::StorageFull => custom("XMinioStorageFull"),
            Error::Database(source) if source.is_transient() => S3ErrorCode::SlowDown,
            Error::Damaged { .. } | Error::Database(_) | Error::Io(_) => S3ErrorCode::InternalError,
        };
        let status = match &code {
            S3ErrorCode::Custom(name) if &**name == "XMinioStorageFull" => {
                Some(StatusCode::INSUFFICIENT_STORAGE)
            }
            S3ErrorCode::Custom(_) => Some(StatusCode::BAD_REQUEST),
            _ => None,
        };
        if code == S3ErrorCode::InternalError {
            tracing::error!(%error, "an S3 request failed");
        }
        let message = match (&error, &code) {
            // What the disk or the database said is for the log.
            (Error::Io(_) | Error::Database(_), _) => {
                "We encountered an internal error. Please try again.".to_owned()
            }
            _ => error.to_string(),
        };
        let mut s3_error = Self::with_message(code, message);
        if let Some(status) = status {
            s3_error.set_status_code(status);
        }
        s3_error
    }
}

/// A code that s3s has no name for.
pub(crate) fn custom(name: &'static str) -> S3ErrorCode {
    S3ErrorCode::Custom(name.into())
}

/// What is wrong with a body, by the words of the streams that s3s checks it with: their types are
/// private to s3s.
fn body_code(reason: &str) -> S3ErrorCode {
    if reason.contains("SignatureMismatch") {
        return S3ErrorCode::SignatureDoesNotMatch;
    }
    if reason.contains("Sha256Mismatch") {
        return custom("XAmzContentSHA256Mismatch");
    }
    if reason.contains("FormatError") || reason.contains("too large") || reason.contains("TooLarge")
    {
        return S3ErrorCode::InvalidRequest;
    }
    S3ErrorCode::IncompleteBody
}
