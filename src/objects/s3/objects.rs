//! PutObject, GetObject, HeadObject, DeleteObject and DeleteObjects.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::TryStreamExt as _;
use http::HeaderMap;
use s3s::{
    S3Error, S3ErrorCode, S3Request, S3Result, TrailingHeaders,
    dto::{
        ChecksumAlgorithm, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput,
        DeleteObjectsOutput, DeletedObject, ETagCondition, Error as DeleteError, GetObjectInput,
        GetObjectOutput, HeadObjectInput, HeadObjectOutput, PutObjectInput, PutObjectOutput,
        StreamingBlob, Timestamp, TimestampFormat,
    },
};

use super::{
    RequestId,
    conditions::{self, Conditions},
    output::{self, given_checksums, set_checksums},
};
use crate::{Body, Headers, Object, Objects, Put, checksums::Algorithm, store::Verify};

/// What S3 says of an object without a content type.
const DEFAULT_TYPE: &str = "binary/octet-stream";
/// The most keys in one DeleteObjects.
const MAX_DELETES: usize = 1_000;

/// Stores an object.
pub(crate) async fn put(
    objects: &Objects,
    request: S3Request<PutObjectInput>,
) -> S3Result<PutObjectOutput> {
    let input = request.input;
    let encrypted = input.server_side_encryption.is_some() || input.sse_customer_key.is_some();
    refuse("Server-side encryption", encrypted)?;
    let locked = input.object_lock_mode.is_some() || input.object_lock_legal_hold_status.is_some();
    refuse("Object lock", locked)?;
    refuse("Object tagging", input.tagging.is_some())?;
    refuse("Appending", input.write_offset_bytes.is_some())?;
    let given = given_checksums!(input);
    let algorithm = input.checksum_algorithm.as_ref();
    let verify = verify(given, algorithm, &request.headers, request.trailing_headers)?;
    let options = Put {
        content_type: input.content_type.filter(|value| !value.is_empty()),
        metadata: metadata(input.metadata),
        length: length(&request.headers, input.content_length),
        content_md5: content_md5(input.content_md5.as_deref())?,
        if_absent: if_absent(input.if_none_match.as_ref())?,
        if_match: if_match(input.if_match),
        request_id: request.extensions.get::<RequestId>().map(|id| id.0.clone()),
        headers: Headers {
            cache_control: input.cache_control,
            content_disposition: input.content_disposition,
            content_encoding: content_encoding(input.content_encoding),
            content_language: input.content_language,
            expires: input.expires.as_ref().and_then(output::http_date),
        },
    };
    let body = input.body.map_or_else(empty, body);
    let object = objects
        .put_verified(&input.bucket, &input.key, options, verify, body)
        .await?;
    let mut result = PutObjectOutput {
        e_tag: Some(output::etag(&object.etag)),
        ..Default::default()
    };
    set_checksums!(result, object.checksums);
    result.checksum_type = checksum_type(&object);
    Ok(result)
}

/// What get and head say of an object alike; their outputs are two types with the same fields.
macro_rules! describe {
    ($output:ident, $object:expr, $range:expr, $input:expr) => {{
        let (object, range) = (&$object, &$range);
        let mut result = $output {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: object.headers.cache_control.clone(),
            content_disposition: object.headers.content_disposition.clone(),
            content_encoding: object.headers.content_encoding.clone(),
            content_language: object.headers.content_language.clone(),
            content_length: Some(output::long(range.end - range.start)),
            content_type: Some(content_type(object)),
            e_tag: Some(output::etag(&object.etag)),
            expires: expires(object),
            last_modified: Some(output::timestamp(object.modified_ms)),
            metadata: shown_metadata(object),
            ..Default::default()
        };
        if $input.range.is_some() {
            let last = range.end - 1;
            result.content_range = Some(format!("bytes {}-{last}/{}", range.start, object.size));
        } else if $input.checksum_mode.is_some() {
            set_checksums!(result, object.checksums);
            result.checksum_type = checksum_type(object);
        }
        result
    }};
}

/// An object's bytes.
pub(crate) async fn get(
    objects: &Objects,
    request: S3Request<GetObjectInput>,
) -> S3Result<GetObjectOutput> {
    let input = request.input;
    check_version(input.version_id.as_deref())?;
    let conditions = Conditions {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    };
    let (wanted, part_number) = (input.range, input.part_number);
    let choose = |object: &Object| {
        conditions.check(object)?;
        check_part_number(object, part_number)?;
        conditions::range(object, wanted)
    };
    let (object, range, body) = objects.get_with(&input.bucket, &input.key, choose).await?;
    let body = s3s::Body::http_body_unsync(axum::body::Body::from_stream(body));
    let mut result = describe!(GetObjectOutput, object, range, input);
    result.body = Some(StreamingBlob::from(body));
    Ok(result)
}

/// What is known of an object, with the length that a get of the range would have.
pub(crate) async fn head(
    objects: &Objects,
    request: S3Request<HeadObjectInput>,
) -> S3Result<HeadObjectOutput> {
    let input = request.input;
    check_version(input.version_id.as_deref())?;
    let object = objects.head(&input.bucket, &input.key).await?;
    let conditions = Conditions {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    };
    conditions.check(&object)?;
    check_part_number(&object, input.part_number)?;
    let range = conditions::range(&object, input.range)?;
    Ok(describe!(HeadObjectOutput, object, range, input))
}

/// Removes an object.
pub(crate) async fn delete(
    objects: &Objects,
    request: S3Request<DeleteObjectInput>,
) -> S3Result<DeleteObjectOutput> {
    let input = request.input;
    check_version(input.version_id.as_deref())?;
    let unsupported = input.if_match_last_modified_time.is_some() || input.if_match_size.is_some();
    refuse("Deleting by time or size", unsupported)?;
    let request_id = request.extensions.get::<RequestId>().map(|id| id.0.clone());
    let if_match = if_match(input.if_match);
    objects
        .delete_if(&input.bucket, &input.key, if_match, request_id)
        .await?;
    Ok(DeleteObjectOutput::default())
}

/// Removes many objects; each succeeds or fails alone.
pub(crate) async fn delete_many(
    objects: &Objects,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<DeleteObjectsOutput> {
    let input = request.input;
    if input.delete.objects.is_empty() || input.delete.objects.len() > MAX_DELETES {
        return Err(S3Error::with_message(
            S3ErrorCode::MalformedXML,
            "Between 1 and 1000 keys can be deleted at once.",
        ));
    }
    let request_id = request.extensions.get::<RequestId>().map(|id| id.0.clone());
    let mut keys = Vec::with_capacity(input.delete.objects.len());
    let mut errors = Vec::new();
    for object in input.delete.objects {
        match check_version(object.version_id.as_deref()) {
            Ok(()) => keys.push((object.key, object.e_tag.map(dto_etag))),
            Err(error) => errors.push(delete_error(object.key, &error)),
        }
    }
    let names: Vec<String> = keys.iter().map(|(key, _)| key.clone()).collect();
    let results = objects.delete_many(&input.bucket, keys, request_id).await?;
    let mut deleted = Vec::new();
    for (key, result) in names.into_iter().zip(results) {
        match result {
            Ok(()) => deleted.push(DeletedObject {
                key: Some(key),
                ..Default::default()
            }),
            Err(error) => errors.push(delete_error(key, &S3Error::from(error))),
        }
    }
    let quiet = input.delete.quiet.unwrap_or(false);
    Ok(DeleteObjectsOutput {
        deleted: (!quiet && !deleted.is_empty()).then_some(deleted),
        errors: (!errors.is_empty()).then_some(errors),
        ..Default::default()
    })
}

fn dto_etag(etag: s3s::dto::ETag) -> String {
    etag.into_value()
}

fn delete_error(key: String, error: &S3Error) -> DeleteError {
    DeleteError {
        code: Some(error.code().as_str().to_owned()),
        key: Some(key),
        message: error.message().map(str::to_owned),
        version_id: None,
    }
}

/// The checksums to compute and those to compare, from headers or from trailers to come.
pub(crate) fn verify(
    given: [(Algorithm, Option<String>); 5],
    wanted: Option<&ChecksumAlgorithm>,
    headers: &HeaderMap,
    trailers: Option<TrailingHeaders>,
) -> S3Result<Verify> {
    let mut expected = Vec::new();
    for (algorithm, value) in given {
        let Some(value) = value else { continue };
        if STANDARD.decode(&value).map(|bytes| bytes.len()) != Ok(algorithm.bytes()) {
            let header = algorithm.header();
            return Err(invalid(format!("Value for {header} header is invalid.")));
        }
        expected.push((algorithm, value));
    }
    if expected.len() > 1 {
        return Err(invalid(
            "Expecting a single x-amz-checksum- header.".to_owned(),
        ));
    }
    let mut promised = Vec::new();
    for names in headers.get_all("x-amz-trailer") {
        let names = names.to_str().unwrap_or_default().split(',').map(str::trim);
        promised.extend(names.filter_map(|name| {
            let known = Algorithm::ALL.into_iter();
            known
                .into_iter()
                .find(|algorithm| name.eq_ignore_ascii_case(algorithm.header()))
        }));
    }
    let wanted =
        match wanted {
            None => None,
            Some(name) => Some(Algorithm::parse(name.as_str()).ok_or_else(|| {
                invalid(format!("{} is not a checksum algorithm.", name.as_str()))
            })?),
        };
    let mut algorithms: Vec<Algorithm> = expected
        .iter()
        .map(|(algorithm, _)| *algorithm)
        .chain(promised.clone())
        .collect();
    if algorithms.is_empty() {
        algorithms.push(wanted.unwrap_or(Algorithm::Crc64nvme));
    }
    let expected = move || {
        let from_trailers = promised.into_iter().map(|algorithm| {
            let value = trailers.as_ref().and_then(|trailers| {
                trailers.read(|headers| {
                    let value = headers.get(algorithm.header())?.to_str().ok()?;
                    Some(value.to_owned())
                })
            });
            // A promised trailer that did not come matches nothing.
            (algorithm, value.flatten().unwrap_or_default())
        });
        expected.into_iter().chain(from_trailers).collect()
    };
    Ok(Verify {
        algorithms,
        expected: Box::new(expected),
    })
}

/// The length of the content, without the framing of `aws-chunked`.
pub(crate) fn length(headers: &HeaderMap, content_length: Option<i64>) -> Option<u64> {
    let decoded = headers.get("x-amz-decoded-content-length");
    let decoded = decoded.and_then(|value| value.to_str().ok()?.parse().ok());
    decoded.or_else(|| content_length.and_then(|length| u64::try_from(length).ok()))
}

/// The MD5 that the client sent.
pub(crate) fn content_md5(value: Option<&str>) -> S3Result<Option<[u8; 16]>> {
    let Some(value) = value else { return Ok(None) };
    let bytes = STANDARD
        .decode(value)
        .ok()
        .and_then(|bytes| bytes.try_into().ok());
    bytes.map(Some).ok_or_else(|| {
        S3Error::with_message(
            S3ErrorCode::InvalidDigest,
            "The Content-MD5 you specified is invalid.",
        )
    })
}

/// A body as the store reads it.
pub(crate) fn body(blob: StreamingBlob) -> Body {
    Box::pin(blob.map_err(std::io::Error::other))
}

pub(crate) fn empty() -> Body {
    Box::pin(futures_util::stream::empty())
}

/// User metadata with lower-case names.
pub(crate) fn metadata(metadata: Option<s3s::dto::Metadata>) -> BTreeMap<String, String> {
    let pairs = metadata.into_iter().flatten();
    pairs
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect()
}

/// The encoding of the content itself: `aws-chunked` is one of the transfer.
pub(crate) fn content_encoding(value: Option<String>) -> Option<String> {
    let value = value?;
    let kept: Vec<&str> = value
        .split(',')
        .map(str::trim)
        .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("aws-chunked"))
        .collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

/// `If-None-Match` of a write, of which S3 knows `*` alone.
pub(crate) fn if_absent(condition: Option<&ETagCondition>) -> S3Result<bool> {
    match condition {
        None => Ok(false),
        Some(ETagCondition::Any) => Ok(true),
        Some(ETagCondition::ETag(_)) => Err(S3Error::with_message(
            S3ErrorCode::NotImplemented,
            "If-None-Match of a write takes * alone.",
        )),
    }
}

/// `If-Match` of a write.
pub(crate) fn if_match(condition: Option<ETagCondition>) -> Option<String> {
    condition.map(|condition| match condition {
        ETagCondition::Any => "*".to_owned(),
        ETagCondition::ETag(etag) => etag.into_value(),
    })
}

/// Only the null version exists.
pub(crate) fn check_version(version: Option<&str>) -> S3Result<()> {
    match version {
        None | Some("" | output::NULL_VERSION) => Ok(()),
        Some(_) => Err(S3Error::with_message(
            S3ErrorCode::NoSuchVersion,
            "The specified version does not exist.",
        )),
    }
}

/// Part 1 of an object that was put whole is the object.
fn check_part_number(object: &Object, number: Option<i32>) -> S3Result<()> {
    match number {
        None => Ok(()),
        Some(1) if !object.etag.contains('-') => Ok(()),
        Some(_) => refuse("Getting a part by its number", true),
    }
}

/// Says so where a request asks for what is not there, rather than promise it silently.
pub(crate) fn refuse(what: &str, asked: bool) -> S3Result<()> {
    if !asked {
        return Ok(());
    }
    Err(S3Error::with_message(
        S3ErrorCode::NotImplemented,
        format!("{what} is not implemented."),
    ))
}

fn invalid(message: String) -> S3Error {
    S3Error::with_message(S3ErrorCode::InvalidRequest, message)
}

fn content_type(object: &Object) -> String {
    object
        .content_type
        .clone()
        .unwrap_or_else(|| DEFAULT_TYPE.to_owned())
}

fn expires(object: &Object) -> Option<Timestamp> {
    let expires = object.headers.expires.as_deref()?;
    Timestamp::parse(TimestampFormat::HttpDate, expires).ok()
}

fn shown_metadata(object: &Object) -> Option<s3s::dto::Metadata> {
    (!object.metadata.is_empty()).then(|| {
        object
            .metadata
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    })
}

fn checksum_type(object: &Object) -> Option<s3s::dto::ChecksumType> {
    let (_, kind) = output::checksum_kind(&object.checksums)?;
    Some(s3s::dto::ChecksumType::from_static(kind))
}
