//! Who may do what: the root user everything, everybody else nothing.

use async_trait::async_trait;
use s3s::{
    S3Error, S3ErrorCode, S3Result,
    access::{S3Access, S3AccessContext},
    auth::{S3Auth, SecretKey},
};
use subtle::ConstantTimeEq as _;

use super::OperationName;
use crate::names;

/// The one key pair.
pub(crate) struct RootUser {
    access_key: String,
    secret_key: SecretKey,
}

impl RootUser {
    pub(crate) fn new(access_key: String, secret_key: &str) -> Self {
        Self {
            access_key,
            secret_key: SecretKey::from(secret_key.to_owned()),
        }
    }
}

#[async_trait]
impl S3Auth for RootUser {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if bool::from(access_key.as_bytes().ct_eq(self.access_key.as_bytes())) {
            return Ok(self.secret_key.clone());
        }
        Err(S3Error::with_message(
            S3ErrorCode::InvalidAccessKeyId,
            "The access key does not exist in our records.",
        ))
    }
}

/// Lets signed requests pass and notes what they ask for.
pub(crate) struct RootOnly;

#[async_trait]
impl S3Access for RootOnly {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let operation = known(context.s3_op().name());
        if let Some(name) = context.extensions_mut().get::<OperationName>() {
            // A request has one operation.
            let _ = name.0.set(operation);
        }
        let denied = || S3Error::with_message(S3ErrorCode::AccessDenied, "Access Denied.");
        if context.credentials().is_none() {
            return Err(denied());
        }
        let bucket = context.s3_path().get_bucket_name().unwrap_or_default();
        if names::check_changeable(bucket).is_err() && !READING.contains(&operation) {
            return Err(denied());
        }
        Ok(())
    }
}

/// The operations that change nothing.
const READING: &[&str] = &[
    "GetObject",
    "HeadObject",
    "ListObjects",
    "ListObjectsV2",
    "HeadBucket",
    "GetBucketLocation",
];

/// The operations that metrics tell apart.
fn known(name: &str) -> &'static str {
    const NAMES: [&str; 20] = [
        "PutObject",
        "GetObject",
        "HeadObject",
        "DeleteObject",
        "DeleteObjects",
        "CopyObject",
        "ListObjects",
        "ListObjectsV2",
        "ListBuckets",
        "CreateBucket",
        "HeadBucket",
        "DeleteBucket",
        "GetBucketLocation",
        "CreateMultipartUpload",
        "UploadPart",
        "CompleteMultipartUpload",
        "AbortMultipartUpload",
        "ListParts",
        "ListMultipartUploads",
        "PostObject",
    ];
    NAMES
        .into_iter()
        .find(|known| *known == name)
        .unwrap_or("Other")
}
