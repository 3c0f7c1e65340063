//! Works on one job: reads the object, runs the steps, and keeps the record in the transaction that
//! completes the job.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::StreamExt as _;
use mito_core::{Clock, Random};
use mito_database::Database;
use mito_objects::{Error as ObjectsError, Objects};
use mito_queue::{Completed, Failure, Policy, Running, kinds::ProcessObject};
use mito_records::{Error as RecordsError, Records};

use crate::{
    Config,
    clean::Kind,
    keep::Keep,
    pipeline::Binding,
    steps::{self, Input, Output},
    store::{self, Progress, RunState},
};

/// How often a run is tried in all.
const ATTEMPTS: u32 = 8;
/// How long one attempt may take; reading, parsing and ranking the largest document stays well
/// below.
const TIMEOUT: Duration = Duration::from_mins(2);

/// What a job is worked on with.
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) database: Database,
    pub(crate) objects: Objects,
    pub(crate) records: Records,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
}

/// Works on jobs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Worker(pub(crate) Arc<Context>);

/// How runs are tried.
pub(crate) fn policy() -> Policy {
    Policy {
        attempts: ATTEMPTS,
        timeout: TIMEOUT,
        ..Policy::default()
    }
}

/// Why a completing transaction failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CompleteError {
    #[error(transparent)]
    Queue(#[from] mito_queue::Error),
    #[error(transparent)]
    Database(#[from] mito_database::Error),
    #[error("cannot write the record: {0}")]
    Records(RecordsError),
}

impl From<CompleteError> for Failure {
    fn from(error: CompleteError) -> Self {
        match error {
            CompleteError::Queue(error) => error.into(),
            CompleteError::Database(error)
            | CompleteError::Records(RecordsError::Database(error)) => error.into(),
            CompleteError::Records(RecordsError::Fields(fields)) => {
                let fields: Vec<String> = fields
                    .iter()
                    .map(|(field, error)| format!("{field}: {}", error.message))
                    .collect();
                Self::Discard(format!("the record was refused: {}", fields.join("; ")))
            }
            CompleteError::Records(_) => Self::Discard(error.to_string()),
        }
    }
}

/// What is to be done with the object.
enum Found {
    Document(Box<Binding>, Input),
    Nothing(String),
}

impl Worker {
    /// Works on one job; a failure is noted in its run.
    pub(crate) async fn process(
        &self,
        running: Running<ProcessObject>,
    ) -> Result<Completed, Failure> {
        let (id, attempt) = (running.id.clone(), running.attempt);
        let job = running.payload.clone();
        let outcome = self.try_process(running).await;
        if let Err(failure) = &outcome {
            let is_final = attempt >= ATTEMPTS || matches!(failure, Failure::Discard(_));
            let state = if is_final {
                RunState::Failed
            } else {
                RunState::Retrying
            };
            count(&job.pipeline, state);
            tracing::warn!(
                job.id = %id, pipeline = %job.pipeline, object.key = %job.key, error = %failure,
                "a pipeline run failed"
            );
            let progress = Progress {
                state,
                note: failure.to_string(),
                steps: Vec::new(),
                record: None,
            };
            let noted = self
                .0
                .database
                .write(move |tx| store::note_failure(tx, &id, &progress));
            if let Err(error) = noted.await {
                tracing::warn!(%error, "could not note why a pipeline run failed");
            }
        }
        outcome
    }

    async fn try_process(&self, running: Running<ProcessObject>) -> Result<Completed, Failure> {
        match self.find(&running).await? {
            Found::Nothing(note) => self.skip(running, note).await,
            Found::Document(binding, input) => {
                let clock = self.0.clock.clone();
                let definition = binding.definition.clone();
                // Parsing may panic on what nobody has thought of; the panic ends here.
                let output =
                    tokio::task::spawn_blocking(move || steps::run(&definition, &input, &clock));
                let output = output.await.map_err(|_| {
                    Failure::Discard("a step panicked; the log shows where".to_owned())
                })?;
                self.record(running, *binding, output).await
            }
        }
    }

    /// Reads the job's pipeline and object.
    async fn find(&self, running: &Running<ProcessObject>) -> Result<Found, Failure> {
        let (id, job) = (running.id.clone(), running.payload.clone());
        let name = job.pipeline.clone();
        let found = self.0.database.read(move |tx| {
            Ok::<_, mito_database::Error>((store::find(tx, &name)?, store::content_type(tx, &id)?))
        });
        let (Some(binding), stored_type) = found.await? else {
            return Ok(Found::Nothing(format!(
                "pipeline {:?} is no longer there",
                job.pipeline
            )));
        };
        let opened = self.0.objects.get(&job.bucket, &job.key, None).await;
        let (object, body) = match opened {
            Ok(opened) => opened,
            Err(ObjectsError::NoSuchKey { .. } | ObjectsError::NoSuchBucket(_)) => {
                return Ok(Found::Nothing(
                    "the object was deleted before it was read".to_owned(),
                ));
            }
            Err(error) => return Err(Failure::Retry(error.to_string())),
        };
        if !job.etag.is_empty() && object.etag != job.etag {
            return Ok(Found::Nothing(
                "the object was replaced before it was read".to_owned(),
            ));
        }
        let limit = self.0.config.max_document_bytes;
        if object.size > limit {
            return Err(Failure::Discard(format!(
                "the document has {} bytes, the limit is {limit} (ai.max_document_bytes)",
                object.size
            )));
        }
        let content_type = object.content_type.or(stored_type).unwrap_or_default();
        let Some(kind) = Kind::of(Some(&content_type), &job.key) else {
            return Ok(Found::Nothing(format!(
                "content type {content_type:?} cannot be read"
            )));
        };
        let bytes = read_bounded(body, limit).await?;
        let suffix = self.0.random.id(6);
        let (bucket, key) = (job.bucket, job.key);
        Ok(Found::Document(
            Box::new(binding),
            Input {
                bucket,
                key,
                content_type,
                kind,
                bytes,
                suffix,
            },
        ))
    }

    async fn skip(
        &self,
        running: Running<ProcessObject>,
        note: String,
    ) -> Result<Completed, Failure> {
        let (id, pipeline) = (running.id.clone(), running.payload.pipeline.clone());
        tracing::info!(job.id = %id, %pipeline, reason = %note, "a pipeline run had nothing to do");
        let progress = Progress {
            state: RunState::Skipped,
            note,
            steps: Vec::new(),
            record: None,
        };
        let completed = running
            .complete(move |tx| {
                store::set_progress(tx, &id, &progress).map_err(CompleteError::Database)
            })
            .await?;
        count(&pipeline, RunState::Skipped);
        Ok(completed)
    }

    async fn record(
        &self,
        running: Running<ProcessObject>,
        binding: Binding,
        output: Output,
    ) -> Result<Completed, Failure> {
        let Some(record) = output.record else {
            return self
                .skip(running, "the document has no text".to_owned())
                .await;
        };
        let (id, pipeline) = (running.id.clone(), binding.name.clone());
        tracing::info!(
            job.id = %id, %pipeline, object.key = %running.payload.key,
            "a pipeline run cleaned and described its object"
        );
        let keep = Keep {
            records: self.0.records.clone(),
            job: running.payload.clone(),
            request_id: running.request_id.clone(),
            binding,
            record,
            steps: output.steps,
        };
        // Told by the transaction; the closure may run again before it commits.
        let outcome = Arc::new(Mutex::new(RunState::Recorded));
        let told = outcome.clone();
        let completed = running
            .complete(move |tx| {
                let progress = keep.keep(tx)?;
                store::set_progress(tx, &id, &progress)?;
                *told.lock().unwrap_or_else(PoisonError::into_inner) = progress.state;
                Ok::<_, CompleteError>(())
            })
            .await?;
        count(
            &pipeline,
            *outcome.lock().unwrap_or_else(PoisonError::into_inner),
        );
        Ok(completed)
    }
}

/// The bytes of an object, at most `limit`: what was said of its size is checked, not trusted.
async fn read_bounded(mut body: mito_objects::Body, limit: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        let chunk =
            chunk.map_err(|error| Failure::Retry(format!("reading the object: {error}")))?;
        if bytes.len() as u64 + chunk.len() as u64 > limit {
            return Err(Failure::Discard(format!(
                "the document is larger than {limit} bytes"
            )));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn count(pipeline: &str, outcome: RunState) {
    let labels = [
        ("pipeline", pipeline.to_owned()),
        ("outcome", outcome.as_str().to_owned()),
    ];
    metrics::counter!("mito_ai_runs_total", &labels).increment(1);
}
