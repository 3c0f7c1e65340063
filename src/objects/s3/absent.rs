//! Configurations that a bucket or object can have in S3 and never has here. Clients ask for them
//! all the time and live well with "there is none", and badly with "not implemented".

use http::StatusCode;
use s3s::{
    S3Error, S3ErrorCode, S3Result,
    dto::{Grant, Grantee, Owner, Permission, Type},
};

use super::errors;
use crate::Objects;

/// The answer for an existing bucket.
pub(crate) async fn none<T>(objects: &Objects, bucket: &str, code: S3ErrorCode) -> S3Result<T> {
    objects.bucket(bucket).await?;
    Err(not_found(code))
}

/// The answer for an existing object.
pub(crate) async fn none_of_object<T>(
    objects: &Objects,
    bucket: &str,
    key: &str,
    code: S3ErrorCode,
) -> S3Result<T> {
    objects.head(bucket, key).await?;
    Err(not_found(code))
}

fn not_found(code: S3ErrorCode) -> S3Error {
    let message = match &code {
        S3ErrorCode::NoSuchBucketPolicy => "The bucket policy does not exist",
        S3ErrorCode::NoSuchTagSet => "The TagSet does not exist",
        S3ErrorCode::NoSuchCORSConfiguration => "The CORS configuration does not exist",
        _ => "The specified configuration does not exist",
    };
    let mut error = S3Error::with_message(code, message);
    error.set_status_code(StatusCode::NOT_FOUND);
    error
}

/// A code that s3s has no name for.
pub(crate) fn public_access_block() -> S3ErrorCode {
    errors::custom("NoSuchPublicAccessBlockConfiguration")
}

/// The one grant that everything has: the owner may do everything.
pub(crate) fn grants(owner: &Owner) -> Vec<Grant> {
    vec![Grant {
        grantee: Some(Grantee {
            display_name: owner.display_name.clone(),
            email_address: None,
            id: owner.id.clone(),
            type_: Type::from_static(Type::CANONICAL_USER),
            uri: None,
        }),
        permission: Some(Permission::from_static(Permission::FULL_CONTROL)),
    }]
}
