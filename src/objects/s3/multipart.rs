//! CreateMultipartUpload, UploadPart, CompleteMultipartUpload, AbortMultipartUpload, ListParts and
//! ListMultipartUploads.

use s3s::{
    S3Error, S3ErrorCode, S3Request, S3Result,
    dto::{
        AbortMultipartUploadInput, ChecksumAlgorithm, ChecksumType, CompleteMultipartUploadInput,
        CompleteMultipartUploadOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput,
        ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput,
        MultipartUpload, Part, UploadPartInput, UploadPartOutput,
    },
};

use super::{
    RequestId, objects as object_operations,
    output::{self, given_checksums, set_checksums},
};
use crate::{
    Headers, Objects,
    checksums::Algorithm,
    meta::{uploads::Upload, versions::Preconditions},
    store::{Completed, MAX_PARTS, NewUpload},
};

/// The most entries of a page, as in S3.
const MAX_PAGE: i32 = 1_000;

/// Begins an upload.
pub(crate) async fn create(
    objects: &Objects,
    input: CreateMultipartUploadInput,
) -> S3Result<CreateMultipartUploadOutput> {
    let encrypted = input.server_side_encryption.is_some() || input.sse_customer_key.is_some();
    object_operations::refuse("Server-side encryption", encrypted)?;
    let locked = input.object_lock_mode.is_some() || input.object_lock_legal_hold_status.is_some();
    object_operations::refuse("Object lock", locked)?;
    object_operations::refuse("Object tagging", input.tagging.is_some())?;
    let algorithm =
        match &input.checksum_algorithm {
            None => None,
            Some(name) => Some(Algorithm::parse(name.as_str()).ok_or_else(|| {
                argument(format!("{} is not a checksum algorithm.", name.as_str()))
            })?),
        };
    let full_object = match (
        input.checksum_type.as_ref().map(ChecksumType::as_str),
        algorithm,
    ) {
        (None, algorithm) => algorithm == Some(Algorithm::Crc64nvme),
        (Some(ChecksumType::COMPOSITE), Some(Algorithm::Crc64nvme))
        | (Some(ChecksumType::FULL_OBJECT), Some(Algorithm::Sha1 | Algorithm::Sha256)) => {
            return Err(S3Error::with_message(
                S3ErrorCode::InvalidRequest,
                "The checksum type does not fit the checksum algorithm.",
            ));
        }
        (Some(kind), _) => kind == ChecksumType::FULL_OBJECT,
    };
    let new = NewUpload {
        content_type: input.content_type.filter(|value| !value.is_empty()),
        headers: Headers {
            cache_control: input.cache_control,
            content_disposition: input.content_disposition,
            content_encoding: object_operations::content_encoding(input.content_encoding),
            content_language: input.content_language,
            expires: input.expires.as_ref().and_then(output::http_date),
        },
        metadata: object_operations::metadata(input.metadata),
        algorithm,
        full_object,
    };
    let id = objects
        .create_upload(&input.bucket, &input.key, new)
        .await?;
    Ok(CreateMultipartUploadOutput {
        checksum_type: algorithm.map(|_| {
            ChecksumType::from_static(if full_object {
                "FULL_OBJECT"
            } else {
                "COMPOSITE"
            })
        }),
        bucket: Some(input.bucket),
        checksum_algorithm: input.checksum_algorithm,
        key: Some(input.key),
        upload_id: Some(id),
        ..Default::default()
    })
}

/// Stores a part.
pub(crate) async fn put_part(
    objects: &Objects,
    request: S3Request<UploadPartInput>,
) -> S3Result<UploadPartOutput> {
    let input = request.input;
    object_operations::refuse("Server-side encryption", input.sse_customer_key.is_some())?;
    let number = part_number(input.part_number)?;
    let address = (
        input.bucket.as_str(),
        input.key.as_str(),
        input.upload_id.as_str(),
    );
    let upload = objects.upload(address.0, address.1, address.2).await?;
    let wanted = input.checksum_algorithm.clone().or_else(|| {
        upload
            .algorithm
            .map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name()))
    });
    let given = given_checksums!(input);
    let verify = object_operations::verify(
        given,
        wanted.as_ref(),
        &request.headers,
        request.trailing_headers,
    )?;
    let length = object_operations::length(&request.headers, input.content_length);
    let md5 = object_operations::content_md5(input.content_md5.as_deref())?;
    let body = input
        .body
        .map_or_else(object_operations::empty, object_operations::body);
    let part = objects
        .put_part(address, number, (length, md5, verify), body)
        .await?;
    let mut result = UploadPartOutput {
        e_tag: Some(output::etag(&part.etag)),
        ..Default::default()
    };
    set_checksums!(result, part.checksums);
    Ok(result)
}

/// Makes parts an object.
pub(crate) async fn complete(
    objects: &Objects,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<CompleteMultipartUploadOutput> {
    let input = request.input;
    let named = input
        .multipart_upload
        .and_then(|upload| upload.parts)
        .unwrap_or_default();
    if named.is_empty() {
        return Err(S3Error::with_message(
            S3ErrorCode::MalformedXML,
            "You must specify at least one part.",
        ));
    }
    let mut parts = Vec::with_capacity(named.len());
    for part in named {
        let number = part_number(part.part_number.unwrap_or(0))?;
        parts.push(Completed {
            number,
            etag: part.e_tag.map(s3s::dto::ETag::into_value),
        });
    }
    let wanted = Preconditions {
        if_absent: object_operations::if_absent(input.if_none_match.as_ref())?,
        if_match: object_operations::if_match(input.if_match),
    };
    let request_id = request.extensions.get::<RequestId>().map(|id| id.0.clone());
    let address = (
        input.bucket.as_str(),
        input.key.as_str(),
        input.upload_id.as_str(),
    );
    let object = objects
        .complete_upload(address, parts, wanted, request_id)
        .await?;
    let mut result = CompleteMultipartUploadOutput {
        e_tag: Some(output::etag(&object.etag)),
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        ..Default::default()
    };
    set_checksums!(result, object.checksums);
    result.checksum_type =
        output::checksum_kind(&object.checksums).map(|(_, kind)| ChecksumType::from_static(kind));
    Ok(result)
}

/// Forgets an upload.
pub(crate) async fn abort(objects: &Objects, input: AbortMultipartUploadInput) -> S3Result<()> {
    Ok(objects
        .abort_upload(&input.bucket, &input.key, &input.upload_id)
        .await?)
}

/// The parts of an upload.
pub(crate) async fn list_parts(
    objects: &Objects,
    input: ListPartsInput,
) -> S3Result<ListPartsOutput> {
    let max = page_size(input.max_parts)?;
    let after = u32::try_from(input.part_number_marker.unwrap_or(0)).unwrap_or(0);
    let address = (
        input.bucket.as_str(),
        input.key.as_str(),
        input.upload_id.as_str(),
    );
    let (upload, mut parts) = objects.parts(address, after, max + 1).await?;
    let more = parts.len() > max as usize;
    parts.truncate(max as usize);
    let shown = |number: u32| i32::try_from(number).ok();
    let next = parts
        .last()
        .and_then(|part| shown(part.number))
        .filter(|_| more);
    let parts = parts.iter().map(|part| {
        let mut shown_part = Part {
            e_tag: Some(output::etag(&part.etag)),
            last_modified: Some(output::timestamp(part.modified_ms)),
            part_number: shown(part.number),
            size: Some(output::long(part.size)),
            ..Default::default()
        };
        set_checksums!(shown_part, part.checksums);
        shown_part
    });
    Ok(ListPartsOutput {
        checksum_algorithm: upload
            .algorithm
            .map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name())),
        is_truncated: Some(more),
        max_parts: shown(max),
        next_part_number_marker: next,
        owner: Some(output::owner(objects)),
        part_number_marker: shown(after),
        parts: Some(parts.collect()),
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        ..Default::default()
    })
}

/// Uploads in progress. Grouping by delimiter is not offered: clients list a prefix.
pub(crate) async fn list_uploads(
    objects: &Objects,
    input: ListMultipartUploadsInput,
) -> S3Result<ListMultipartUploadsOutput> {
    let max = page_size(input.max_uploads)?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let key_marker = input.key_marker.clone().unwrap_or_default();
    // Without an upload id the whole key has been seen; no id sorts after this one.
    let id_marker = input
        .upload_id_marker
        .clone()
        .unwrap_or_else(|| "~".to_owned());
    let after = (key_marker, id_marker);
    let mut uploads = objects
        .uploads(&input.bucket, prefix, after, max + 1)
        .await?;
    let more = uploads.len() > max as usize;
    uploads.truncate(max as usize);
    let last = uploads.last().filter(|_| more);
    Ok(ListMultipartUploadsOutput {
        is_truncated: Some(more),
        key_marker: Some(input.key_marker.unwrap_or_default()),
        max_uploads: i32::try_from(max).ok(),
        next_key_marker: last.map(|upload| upload.key.clone()),
        next_upload_id_marker: last.map(|upload| upload.id.clone()),
        prefix: Some(input.prefix.unwrap_or_default()),
        uploads: Some(
            uploads
                .iter()
                .map(|upload| shown_upload(objects, upload))
                .collect(),
        ),
        bucket: Some(input.bucket),
        ..Default::default()
    })
}

fn shown_upload(objects: &Objects, upload: &Upload) -> MultipartUpload {
    MultipartUpload {
        initiated: Some(output::timestamp(upload.created_ms)),
        key: Some(upload.key.clone()),
        owner: Some(output::owner(objects)),
        upload_id: Some(upload.id.clone()),
        ..Default::default()
    }
}

fn page_size(asked: Option<i32>) -> S3Result<u32> {
    match asked.unwrap_or(MAX_PAGE) {
        size @ 1.. => Ok(u32::try_from(size.min(MAX_PAGE)).unwrap_or(1)),
        size => Err(argument(format!("{size} is not a page size."))),
    }
}

fn part_number(number: i32) -> S3Result<u32> {
    u32::try_from(number)
        .ok()
        .filter(|number| (1..=MAX_PARTS).contains(number))
        .ok_or_else(|| argument("Part number must be an integer between 1 and 10000.".to_owned()))
}

fn argument(message: String) -> S3Error {
    S3Error::with_message(S3ErrorCode::InvalidArgument, message)
}
