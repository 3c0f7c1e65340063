//! What the control panel's object browser reads and does.

use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, Path, Query, State},
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::TryStreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use mito_network::{ConnectionInfo, Problem};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{Error, ListOptions, Object, Objects, Put, names};

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 500;

/// A bucket as the panel shows it.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct BucketSummary {
    /// Its name.
    pub name: String,
    /// When it was made, milliseconds since the Unix epoch.
    #[ts(type = "number")]
    pub created_ms: i64,
}

/// An object as the panel shows it.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct ObjectSummary {
    /// The key.
    pub key: String,
    /// Its size in bytes.
    #[ts(type = "number")]
    pub size: u64,
    /// The ETag without quotes.
    pub etag: String,
    /// The stored content type.
    pub content_type: Option<String>,
    /// When it was put, milliseconds since the Unix epoch.
    #[ts(type = "number")]
    pub modified_ms: i64,
}

/// All buckets.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct BucketPage {
    /// The buckets by name.
    pub items: Vec<BucketSummary>,
    /// Always null: there are never more than fit a page.
    pub next: Option<String>,
}

/// A page of a bucket.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct ObjectPage {
    /// Objects in the byte order of their keys.
    pub items: Vec<ObjectSummary>,
    /// Groups of keys, where a delimiter was given.
    pub prefixes: Vec<String>,
    /// What to pass as `after` for the next page.
    pub next: Option<String>,
}

/// A bucket to make.
#[derive(Clone, Debug, Deserialize, TS)]
#[ts(export)]
pub struct NewBucket {
    /// Its name.
    pub name: String,
}

/// Which objects to show.
#[derive(Clone, Debug, Default, Deserialize, TS)]
#[ts(export)]
#[serde(default)]
pub struct ObjectQuery {
    /// Keys that start with this.
    pub prefix: String,
    /// Group keys at this.
    pub delimiter: Option<String>,
    /// Keys after this one.
    pub after: Option<String>,
    /// At most this many, up to 500.
    pub limit: Option<u32>,
}

/// Routes relative to `/_mito/api/objects`; the caller has checked that an administrator asks.
pub fn routes(objects: Objects) -> Router {
    Router::new()
        .route("/buckets", get(buckets).post(create_bucket))
        .route("/buckets/{bucket}", axum::routing::delete(delete_bucket))
        .route("/buckets/{bucket}/objects", get(list))
        .route(
            "/buckets/{bucket}/objects/{*key}",
            get(download).put(upload).delete(delete),
        )
        // Uploads are bounded by `max_object_bytes` as they stream.
        .layer(DefaultBodyLimit::disable())
        .with_state(objects)
}

async fn buckets(State(objects): State<Objects>) -> Result<Json<BucketPage>, Failure> {
    let buckets = objects.buckets().await?.into_iter();
    let items = buckets.map(|bucket| BucketSummary {
        name: bucket.name,
        created_ms: bucket.created_ms,
    });
    Ok(Json(BucketPage {
        items: items.collect(),
        next: None,
    }))
}

async fn create_bucket(
    State(objects): State<Objects>,
    Json(new): Json<NewBucket>,
) -> Result<(StatusCode, Json<BucketSummary>), Failure> {
    names::check_changeable(&new.name)?;
    objects.create_bucket(&new.name).await?;
    let bucket = objects.bucket(&new.name).await?;
    let summary = BucketSummary {
        name: bucket.name,
        created_ms: bucket.created_ms,
    };
    Ok((StatusCode::CREATED, Json(summary)))
}

async fn delete_bucket(
    State(objects): State<Objects>,
    Path(bucket): Path<String>,
) -> Result<StatusCode, Failure> {
    names::check_changeable(&bucket)?;
    objects.delete_bucket(&bucket).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list(
    State(objects): State<Objects>,
    Path(bucket): Path<String>,
    Query(query): Query<ObjectQuery>,
) -> Result<Json<ObjectPage>, Failure> {
    let options = ListOptions {
        prefix: query.prefix,
        delimiter: query.delimiter,
        after: query.after,
        limit: query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT),
    };
    let listing = objects.list(&bucket, options).await?;
    Ok(Json(ObjectPage {
        items: listing
            .objects
            .into_iter()
            .map(ObjectSummary::from)
            .collect(),
        prefixes: listing.prefixes,
        next: listing.next,
    }))
}

async fn upload(
    State(objects): State<Objects>,
    Path((bucket, key)): Path<(String, String)>,
    connection: Option<axum::Extension<ConnectionInfo>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<ObjectSummary>, Failure> {
    names::check_changeable(&bucket)?;
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::to_owned);
    let options = Put {
        content_type: text(header::CONTENT_TYPE),
        length: text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok()),
        request_id: connection.map(|connection| connection.0.request_id.to_string()),
        ..Put::default()
    };
    let body = body.into_data_stream().map_err(std::io::Error::other);
    Ok(Json(
        objects
            .put(&bucket, &key, options, Box::pin(body))
            .await?
            .into(),
    ))
}

/// Whatever was uploaded may be hostile: it is saved, never shown, and can run nothing.
async fn download(
    State(objects): State<Objects>,
    Path((bucket, key)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let (object, body) = objects.get(&bucket, &key, None).await?;
    let mut response = Body::from_stream(body).into_response();
    let headers = response.headers_mut();
    let content_type = object
        .content_type
        .as_deref()
        .unwrap_or("application/octet-stream");
    let fallback = HeaderValue::from_static("application/octet-stream");
    let content_type = HeaderValue::from_str(content_type).unwrap_or(fallback);
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(object.size));
    headers.insert(header::CONTENT_DISPOSITION, attachment(&key));
    let policy = HeaderValue::from_static("default-src 'none'; sandbox");
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    );
    Ok(response)
}

async fn delete(
    State(objects): State<Objects>,
    Path((bucket, key)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    names::check_changeable(&bucket)?;
    objects.delete(&bucket, &key).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The last part of the key as a file name (RFC 6266, RFC 8187).
fn attachment(key: &str) -> HeaderValue {
    let name = key
        .rsplit('/')
        .find(|part| !part.is_empty())
        .unwrap_or("object");
    let encoded = names::percent_encode(name, b"-._");
    HeaderValue::from_str(&format!("attachment; filename*=UTF-8''{encoded}"))
        .expect("percent-encoded text is a header value")
}

impl From<Object> for ObjectSummary {
    fn from(object: Object) -> Self {
        Self {
            key: object.key,
            size: object.size,
            etag: object.etag,
            content_type: object.content_type,
            modified_ms: object.modified_ms,
        }
    }
}

/// An error as the panel reads it.
struct Failure(Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = match &self.0 {
            Error::NoSuchBucket(_) | Error::NoSuchKey { .. } | Error::NoSuchUpload(_) => {
                StatusCode::NOT_FOUND
            }
            Error::Internal(_) => StatusCode::FORBIDDEN,
            Error::BucketExists(_) | Error::BucketNotEmpty(_) => StatusCode::CONFLICT,
            Error::InvalidRange(_) => StatusCode::RANGE_NOT_SATISFIABLE,
            Error::Precondition(_) => StatusCode::PRECONDITION_FAILED,
            Error::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Error::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
            Error::Database(error) if error.is_transient() => StatusCode::SERVICE_UNAVAILABLE,
            Error::Damaged { .. } | Error::Database(_) | Error::Io(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Error::InvalidBucketName(_)
            | Error::InvalidKey(_)
            | Error::KeyTooLong(_)
            | Error::MetadataTooLarge(_)
            | Error::IncompleteBody
            | Error::Body(_)
            | Error::BadDigest(_)
            | Error::InvalidPart(_)
            | Error::InvalidPartOrder
            | Error::TooManyBuckets(_)
            | Error::PartTooSmall(_) => StatusCode::BAD_REQUEST,
        };
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(error = %self.0, "a request of the object browser failed");
        }
        let problem = Problem::new(status, self.0.to_string());
        match status {
            StatusCode::SERVICE_UNAVAILABLE => problem.retry_after(1).into_response(),
            _ => problem.into_response(),
        }
    }
}

#[cfg(test)]
mod tests;
