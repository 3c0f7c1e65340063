//! CopyObject: a new row that names the same blobs; no byte moves.

use s3s::{
    S3Error, S3ErrorCode, S3Request, S3Result,
    dto::{CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, MetadataDirective},
};

use super::{
    RequestId,
    conditions::Conditions,
    objects as object_operations,
    output::{self, set_checksums},
};
use crate::{Headers, Objects, store::Copied};

/// Copies an object, with its metadata or with new.
pub(crate) async fn copy(
    objects: &Objects,
    request: S3Request<CopyObjectInput>,
) -> S3Result<CopyObjectOutput> {
    let input = request.input;
    let encrypted = input.server_side_encryption.is_some() || input.sse_customer_key.is_some();
    object_operations::refuse("Server-side encryption", encrypted)?;
    let CopySource::Bucket {
        bucket,
        key,
        version_id,
    } = &input.copy_source
    else {
        return Err(S3Error::with_message(
            S3ErrorCode::InvalidArgument,
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey.",
        ));
    };
    object_operations::check_version(version_id.as_deref())?;
    let directive = input
        .metadata_directive
        .as_ref()
        .map(MetadataDirective::as_str);
    let replaced = directive == Some(MetadataDirective::REPLACE);
    if !replaced && **bucket == *input.bucket && **key == *input.key {
        return Err(S3Error::with_message(
            S3ErrorCode::InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself \
             without changing the object's metadata.",
        ));
    }
    let source = objects.head(bucket, key).await?;
    let conditions = Conditions {
        if_match: input.copy_source_if_match,
        if_none_match: input.copy_source_if_none_match,
        if_modified_since: input.copy_source_if_modified_since,
        if_unmodified_since: input.copy_source_if_unmodified_since,
    };
    conditions.check(&source).map_err(|_| {
        S3Error::with_message(
            S3ErrorCode::PreconditionFailed,
            "At least one of the preconditions you specified did not hold.",
        )
    })?;
    let replacement = replaced.then(|| Copied {
        content_type: input.content_type,
        headers: Headers {
            cache_control: input.cache_control,
            content_disposition: input.content_disposition,
            content_encoding: object_operations::content_encoding(input.content_encoding),
            content_language: input.content_language,
            expires: input.expires.as_ref().and_then(output::http_date),
        },
        metadata: object_operations::metadata(input.metadata),
    });
    let request_id = request.extensions.get::<RequestId>().map(|id| id.0.clone());
    let target = (input.bucket.as_str(), input.key.as_str());
    let object = objects
        .copy((bucket, key, &source.etag), target, replacement, request_id)
        .await?;
    let mut result = CopyObjectResult {
        e_tag: Some(output::etag(&object.etag)),
        last_modified: Some(output::timestamp(object.modified_ms)),
        ..Default::default()
    };
    set_checksums!(result, object.checksums);
    Ok(CopyObjectOutput {
        copy_object_result: Some(result),
        ..Default::default()
    })
}
