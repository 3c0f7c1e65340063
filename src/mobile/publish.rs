//! Takes an update: the part `update` says what it is, then each part named by a key is one file.
//! Files are streamed into the bucket while they are hashed; the rows that make them visible commit
//! together at the end. A publication that fails removes what it put; a crash in between, or a
//! publisher who goes away, leaves objects that nothing points at.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{
        Multipart, State,
        multipart::{Field, MultipartError},
    },
};
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, StatusCode, header};
use mito_network::{Identity, Problem};
use mito_objects::{Error as ObjectsError, Put};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use crate::{
    Inner, Mobile,
    store::{self, Asset, MobileUpdate},
    update::{Publication, Stored, hex},
};

/// The bucket of bundles and assets.
pub(crate) const BUCKET: &str = "mobile-updates";
/// The largest part `update`, in bytes.
const MAX_DESCRIPTION_BYTES: usize = 1_024 * 1_024;
/// How many chunks of a file wait between the network and the disk.
const CHUNKS_IN_FLIGHT: usize = 4;

/// `POST /api/updates`.
pub(crate) async fn publish(
    State(mobile): State<Mobile>,
    headers: HeaderMap,
    parts: Multipart,
) -> Result<(StatusCode, Json<MobileUpdate>), Problem> {
    let inner = &mobile.inner;
    let identity = administrator(inner, &headers).await?;
    let mut files = Files::default();
    let outcome = match receive(inner, parts, &mut files).await {
        Ok(publication) => commit(inner, publication, &files, &identity).await,
        Err(problem) => Err(problem),
    };
    let (update, unneeded) = match outcome {
        Ok((update, unneeded)) => (Ok((StatusCode::CREATED, Json(update))), unneeded),
        Err(problem) => (Err(problem), files.objects.values().cloned().collect()),
    };
    for key in unneeded {
        if let Err(error) = inner.objects.delete(BUCKET, &key).await {
            tracing::warn!(object.key = %key, %error, "could not remove a file of no update");
        }
    }
    update
}

/// What has arrived so far, by key.
#[derive(Default)]
struct Files {
    stored: BTreeMap<String, Stored>,
    objects: BTreeMap<String, String>,
}

async fn administrator(inner: &Inner, headers: &HeaderMap) -> Result<Identity, Problem> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let identity = match token {
        Some(token) => inner.authenticator.authenticate(token).await,
        None => None,
    };
    let Some(identity) = identity else {
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "publishing needs an administrator's token: Authorization: Bearer …",
        ));
    };
    if !identity.is_superuser() {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "only administrators publish updates",
        ));
    }
    Ok(identity)
}

async fn receive(
    inner: &Inner,
    mut parts: Multipart,
    files: &mut Files,
) -> Result<Publication, Problem> {
    let first = parts.next_field().await.map_err(malformed)?;
    let Some(first) = first.filter(|part| part.name() == Some("update")) else {
        return Err(bad("the first part must be called update").field("update"));
    };
    let publication = Publication::from_json(&description(first).await?)
        .map_err(|(reason, field)| bad(reason).field(field))?;
    match inner.objects.create_bucket(BUCKET).await {
        Ok(()) | Err(ObjectsError::BucketExists(_)) => {}
        Err(error) => return Err(storage_problem(&error)),
    }
    let folder = format!("updates/{}", inner.random.id(20));
    while let Some(part) = parts.next_field().await.map_err(malformed)? {
        let key = part.name().unwrap_or_default().to_owned();
        if !publication.describes(&key) {
            return Err(bad(format!("no asset of the update has the key {key:?}")).field("assets"));
        }
        if files.objects.contains_key(&key) {
            return Err(bad(format!("part {key:?} is there twice")).field("assets"));
        }
        let object = format!("{folder}/{key}");
        files.objects.insert(key.clone(), object.clone());
        files
            .stored
            .insert(key, store_file(inner, part, &object).await?);
    }
    let missing = publication.missing(&files.stored);
    if !missing.is_empty() {
        return Err(bad(format!("missing parts: {}", missing.join(", "))).field("assets"));
    }
    Ok(publication)
}

async fn description(mut part: Field<'_>) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(malformed)? {
        if bytes.len() + chunk.len() > MAX_DESCRIPTION_BYTES {
            return Err(bad("part update has more than 1 MiB").field("update"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Streams a part into an object and hashes it on the way.
async fn store_file(inner: &Inner, mut part: Field<'_>, object: &str) -> Result<Stored, Problem> {
    let (sender, receiver) = mpsc::channel(CHUNKS_IN_FLIGHT);
    let body = stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    });
    let put = inner
        .objects
        .put(BUCKET, object, Put::default(), body.boxed());
    let read = async move {
        let mut hash = Sha256::new();
        let mut size_bytes = 0;
        loop {
            match part.chunk().await {
                Ok(Some(chunk)) => {
                    hash.update(&chunk);
                    size_bytes += chunk.len() as u64;
                    if sender.send(Ok(chunk)).await.is_err() {
                        // Storing has failed and says why.
                        break;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    // The object must not look whole.
                    let broken = std::io::Error::other(error.to_string());
                    let _ = sender.send(Err(broken)).await;
                    return Err(malformed(error));
                }
            }
        }
        Ok(Stored {
            sha256: hash.finalize().into(),
            size_bytes,
        })
    };
    let (put, read) = tokio::join!(put, read);
    let stored = read?;
    put.map_err(|error| storage_problem(&error))?;
    Ok(stored)
}

/// Makes the update visible. Returns it with the objects that are not needed: their bytes were
/// there already.
async fn commit(
    inner: &Inner,
    publication: Publication,
    files: &Files,
    identity: &Identity,
) -> Result<(MobileUpdate, Vec<String>), Problem> {
    let id = inner.random.uuid(inner.clock.now_ms()).to_string();
    let (stored, objects) = (files.stored.clone(), files.objects.clone());
    let published_by = identity.email.clone();
    let size: u64 = stored.values().map(|file| file.size_bytes).sum();
    let committed = inner.database.write(move |tx| {
        let platform = publication.platform.as_str();
        let (runtime_version, channel) = (&publication.runtime_version, &publication.channel);
        let created_ms = store::next_created_ms(tx, platform, runtime_version, channel)?;
        let mut unneeded = Vec::new();
        for file in publication.assets.iter().chain([&publication.launch_asset]) {
            let (Some(bytes), Some(object)) = (stored.get(&file.key), objects.get(&file.key))
            else {
                continue;
            };
            let asset = Asset {
                sha256: hex(&bytes.sha256),
                content_type: file.content_type.clone(),
                object_key: object.clone(),
                size_bytes: i64::try_from(bytes.size_bytes).unwrap_or(i64::MAX),
            };
            if !store::add_asset(tx, &asset)? {
                unneeded.push(object.clone());
            }
        }
        let update = MobileUpdate {
            id: id.clone(),
            channel: channel.clone(),
            platform: platform.to_owned(),
            runtime_version: runtime_version.clone(),
            message: publication.message.clone(),
            size_bytes: i64::try_from(size).unwrap_or(i64::MAX),
            assets: i64::try_from(publication.assets.len()).unwrap_or(i64::MAX),
            published_by: published_by.clone(),
            created_ms,
        };
        store::add_update(tx, &update, &publication.manifest(&id, created_ms, &stored))?;
        Ok::<_, mito_database::Error>((update, unneeded))
    });
    let (update, unneeded) = committed
        .await
        .map_err(|error| crate::database_problem(&error))?;
    tracing::info!(
        update.id = %update.id, update.platform = %update.platform,
        update.channel = %update.channel, size_bytes = update.size_bytes,
        "an update was published"
    );
    Ok((update, unneeded))
}

fn bad(reason: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, reason)
}

fn malformed(error: MultipartError) -> Problem {
    Problem::new(error.status(), error.body_text())
}

fn storage_problem(error: &ObjectsError) -> Problem {
    match error {
        ObjectsError::TooLarge(_) => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()),
        ObjectsError::StorageFull => {
            Problem::new(StatusCode::INSUFFICIENT_STORAGE, error.to_string())
        }
        error => {
            tracing::error!(%error, "could not store a file of an update");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "object storage failed").retry_after(5)
        }
    }
}
