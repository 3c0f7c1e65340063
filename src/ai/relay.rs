//! Object events into jobs: each event starts each pipeline of its bucket once.

use mito_database::{Action, Event, Tx};
use mito_queue::{Enqueue, Error, Queue, kinds::ProcessObject};
use serde::Deserialize;

use crate::store;

/// What an object event says of the object.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Detail {
    etag: Option<String>,
    content_type: Option<String>,
    request_id: Option<String>,
}

/// Enqueues what `event` (of the file `file_id`) starts, in the transaction that advances the
/// relay's cursor.
pub(crate) fn apply(
    queue: &Queue,
    file_id: &str,
    tx: &mut Tx<'_>,
    event: &Event,
) -> Result<(), Error> {
    let Some(bucket) = event.collection.strip_prefix("objects/") else {
        return Ok(());
    };
    if event.action == Action::Delete {
        return Ok(());
    }
    let bindings = store::bound_to(tx, bucket)?;
    if bindings.is_empty() {
        return Ok(());
    }
    // An event that says nothing of its object would stop the relay for ever if it were an error.
    let detail: Detail = serde_json::from_str(&event.detail).unwrap_or_else(|error| {
        tracing::warn!(event.sequence, %error, "an object event has an unreadable detail");
        Detail::default()
    });
    let etag = detail.etag.unwrap_or_default();
    let content_type = detail.content_type.unwrap_or_default();
    for binding in bindings {
        if binding.takes(Some(&content_type), &event.record).is_none() {
            continue;
        }
        let source_event = format!("{file_id}:{}:{}", event.sequence, binding.name);
        let job = ProcessObject {
            pipeline: binding.name.clone(),
            bucket: bucket.to_owned(),
            key: event.record.clone(),
            etag: etag.clone(),
        };
        let options = Enqueue {
            unique_key: Some(source_event.clone()),
            request_id: detail.request_id.clone(),
            ..Enqueue::default()
        };
        let job = queue.enqueue(tx, &job, &options)?;
        let run = store::NewRun {
            job: &job,
            source_event: &source_event,
            binding: &binding,
            key: &event.record,
            etag: &etag,
            content_type: &content_type,
        };
        store::add_run(tx, &run)?;
    }
    Ok(())
}
