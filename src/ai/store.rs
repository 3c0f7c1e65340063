//! What the role writes and reads in its tables: installed pipelines, a row per run, and a row per
//! source with the record that was made of it.

use mito_database::{Database, Error, Row, Tx};
use serde::Serialize;
use ts_rs::TS;

use crate::{Error as AiError, pipeline::Binding};

/// How long finished runs are shown, in milliseconds.
const KEEP_RUNS_MS: i64 = 90 * 24 * 3_600 * 1_000;
/// How many old runs one new run removes.
const PRUNE_RUNS: u32 = 20;

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export, rename = "AiRunState")]
pub enum RunState {
    /// Its job waits.
    Queued,
    /// Its job is worked on. No row says so: it is told by the job whenever runs are read.
    Running,
    /// An attempt failed; another follows.
    Retrying,
    /// It made a record, or brought the one of an earlier version up to date.
    Recorded,
    /// There was nothing to do; the note says why.
    Skipped,
    /// Somebody stopped its job.
    Cancelled,
    /// It failed for good; the note says why.
    Failed,
}

impl RunState {
    /// The name in rows and metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Retrying => "retrying",
            Self::Recorded => "recorded",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing follows.
    fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running | Self::Retrying)
    }

    fn parse(name: &str) -> Self {
        match name {
            "queued" => Self::Queued,
            "retrying" => Self::Retrying,
            "recorded" => Self::Recorded,
            "skipped" => Self::Skipped,
            "running" => Self::Running,
            "cancelled" => Self::Cancelled,
            _ => Self::Failed,
        }
    }
}

/// What one step did, as the run keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize, TS)]
#[ts(export, rename = "AiStepReport")]
pub struct StepReport {
    /// The step.
    pub name: String,
    /// Who did it; `extractive` for what was copied from the source.
    pub provider: String,
    /// What came of it, in words.
    pub outcome: String,
    /// How long it took, in milliseconds.
    #[ts(type = "number")]
    pub duration_ms: i64,
}

/// A run as the panel shows it.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export, rename = "AiRun")]
pub struct Run {
    /// The id of its job.
    pub id: String,
    /// The pipeline.
    pub pipeline: String,
    /// The bucket of the object.
    pub bucket: String,
    /// The object's key.
    pub key: String,
    /// The version of the object.
    pub etag: String,
    /// Where it stands.
    pub state: RunState,
    /// Why it was skipped, failed or is tried again.
    pub note: String,
    /// What was done.
    pub steps: Vec<StepReport>,
    /// The collection of the record.
    pub collection: String,
    /// The record that it made; empty when it made none.
    pub record: String,
    /// When the object's event arrived, milliseconds since the Unix epoch.
    #[ts(type = "number")]
    pub created_ms: i64,
    /// When it ended.
    #[ts(type = "number | null")]
    pub finished_ms: Option<i64>,
}

/// A pipeline as the panel shows it.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export, rename = "AiPipeline")]
pub struct PipelineRow {
    /// The name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The bucket whose new objects start it.
    pub bucket: String,
    /// The content types that it takes; empty for all that can be read.
    pub content_types: Vec<String>,
    /// Where its records go.
    pub collection: String,
    /// The names of its steps.
    pub steps: Vec<String>,
    /// When it was installed, milliseconds since the Unix epoch.
    #[ts(type = "number")]
    pub installed_ms: i64,
}

/// Installs a binding; one with the same name is replaced.
pub(crate) fn install(tx: &mut Tx<'_>, binding: &Binding) -> Result<(), AiError> {
    let json = |result: serde_json::Result<String>| {
        result.map_err(|error| AiError::Pipeline(error.to_string()))
    };
    let definition = json(serde_json::to_string(&binding.definition))?;
    let content_types = json(serde_json::to_string(&binding.content_types))?;
    let now_ms = tx.now_ms();
    tx.execute(
        "INSERT INTO _mito_ai_pipelines
             (name, bucket, content_types, collection, definition, installed_ms)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (name) DO UPDATE SET bucket = excluded.bucket,
             content_types = excluded.content_types, collection = excluded.collection,
             definition = excluded.definition, installed_ms = excluded.installed_ms",
        &[
            &binding.name,
            &binding.bucket,
            &content_types,
            &binding.collection,
            &definition,
            &now_ms,
        ],
    )?;
    Ok(())
}

/// The pipelines that new objects of `bucket` start.
pub(crate) fn bound_to(tx: &mut Tx<'_>, bucket: &str) -> Result<Vec<Binding>, Error> {
    let rows = tx.query(
        "SELECT * FROM _mito_ai_pipelines WHERE bucket = $1 ORDER BY name",
        &[&bucket],
    )?;
    rows.iter().map(binding).collect()
}

/// The pipeline of that name.
pub(crate) fn find(tx: &mut Tx<'_>, name: &str) -> Result<Option<Binding>, Error> {
    let row = tx.query_one("SELECT * FROM _mito_ai_pipelines WHERE name = $1", &[&name])?;
    row.as_ref().map(binding).transpose()
}

fn binding(row: &Row) -> Result<Binding, Error> {
    Ok(Binding {
        name: row.get("name")?,
        bucket: row.get("bucket")?,
        content_types: json_column(row, "content_types")?,
        collection: row.get("collection")?,
        definition: json_column(row, "definition")?,
    })
}

fn json_column<T: serde::de::DeserializeOwned>(row: &Row, column: &str) -> Result<T, Error> {
    serde_json::from_str(&row.get::<String>(column)?).map_err(|error| Error::Column {
        column: column.to_owned(),
        reason: error.to_string(),
    })
}

/// What a run is about.
#[derive(Clone, Debug)]
pub(crate) struct NewRun<'a> {
    /// The id of its job.
    pub(crate) job: &'a str,
    /// The event that started it.
    pub(crate) source_event: &'a str,
    /// The pipeline.
    pub(crate) binding: &'a Binding,
    /// The object's key.
    pub(crate) key: &'a str,
    /// The version.
    pub(crate) etag: &'a str,
    /// The content type that the object was put with.
    pub(crate) content_type: &'a str,
}

/// Notes that a run waits, and which version its source has now; removes a few old runs.
pub(crate) fn add_run(tx: &mut Tx<'_>, run: &NewRun<'_>) -> Result<(), Error> {
    let now_ms = tx.now_ms();
    tx.execute(
        "INSERT INTO _mito_ai_runs (id, source_event, pipeline, bucket, object_key, etag,
             content_type, state, note, steps, collection, record, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued', '', '[]', $8, '', $9)
         ON CONFLICT DO NOTHING",
        &[
            &run.job,
            &run.source_event,
            &run.binding.name,
            &run.binding.bucket,
            &run.key,
            &run.etag,
            &run.content_type,
            &run.binding.collection,
            &now_ms,
        ],
    )?;
    tx.execute(
        "INSERT INTO _mito_ai_sources (pipeline, bucket, object_key, seen_etag, etag, record)
         VALUES ($1, $2, $3, $4, '', '')
         ON CONFLICT (pipeline, bucket, object_key) DO UPDATE SET seen_etag = excluded.seen_etag",
        &[&run.binding.name, &run.binding.bucket, &run.key, &run.etag],
    )?;
    tx.execute(
        "DELETE FROM _mito_ai_runs WHERE id IN (
             SELECT id FROM _mito_ai_runs WHERE created_ms < $1 AND finished_ms IS NOT NULL
             ORDER BY created_ms LIMIT $2)",
        &[&(now_ms - KEEP_RUNS_MS), &PRUNE_RUNS],
    )?;
    Ok(())
}

/// A source: an object that a pipeline has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Source {
    /// The version that was put last, as far as events have arrived; empty where none said so.
    pub(crate) seen_etag: String,
    /// The version that the record was made of; empty before there is one.
    pub(crate) etag: String,
    /// The record; empty before there is one.
    pub(crate) record: String,
}

/// What is known of a source.
pub(crate) fn source(tx: &mut Tx<'_>, binding: &Binding, key: &str) -> Result<Source, Error> {
    let row = tx.query_one(
        "SELECT seen_etag, etag, record FROM _mito_ai_sources
         WHERE pipeline = $1 AND bucket = $2 AND object_key = $3",
        &[&binding.name, &binding.bucket, &key],
    )?;
    let source = |row: Row| {
        Ok(Source {
            seen_etag: row.get("seen_etag")?,
            etag: row.get("etag")?,
            record: row.get("record")?,
        })
    };
    row.map_or_else(|| Ok(Source::default()), source)
}

/// Notes which record was made of which version of a source.
pub(crate) fn set_source(
    tx: &mut Tx<'_>,
    binding: &Binding,
    key: &str,
    etag: &str,
    record: &str,
) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO _mito_ai_sources (pipeline, bucket, object_key, seen_etag, etag, record)
         VALUES ($1, $2, $3, '', $4, $5)
         ON CONFLICT (pipeline, bucket, object_key)
             DO UPDATE SET etag = excluded.etag, record = excluded.record",
        &[&binding.name, &binding.bucket, &key, &etag, &record],
    )?;
    Ok(())
}

/// How a run ended, or where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    /// The new state.
    pub(crate) state: RunState,
    /// Why.
    pub(crate) note: String,
    /// What was done.
    pub(crate) steps: Vec<StepReport>,
    /// The record that was made.
    pub(crate) record: Option<String>,
}

/// Writes how a run ended, or where it stands.
pub(crate) fn set_progress(tx: &mut Tx<'_>, job: &str, progress: &Progress) -> Result<(), Error> {
    let steps = serde_json::to_string(&progress.steps).unwrap_or_else(|_| "[]".to_owned());
    let finished_ms = progress.state.is_final().then(|| tx.now_ms());
    let record = progress.record.as_deref().unwrap_or_default();
    tx.execute(
        "UPDATE _mito_ai_runs SET state = $2, note = $3, steps = $4, record = $5,
             finished_ms = $6
         WHERE id = $1",
        &[
            &job,
            &progress.state.as_str(),
            &progress.note,
            &steps,
            &record,
            &finished_ms,
        ],
    )?;
    Ok(())
}

/// Notes a failure, unless the run has ended well: an attempt that lost its lease may fail after
/// another one has done its work.
pub(crate) fn note_failure(tx: &mut Tx<'_>, job: &str, failure: &Progress) -> Result<(), Error> {
    let row = tx.query_one("SELECT state FROM _mito_ai_runs WHERE id = $1", &[&job])?;
    let state = row.map(|row| row.get::<String>("state")).transpose()?;
    match state.as_deref().map(RunState::parse) {
        Some(RunState::Recorded | RunState::Skipped) | None => Ok(()),
        Some(_) => set_progress(tx, job, failure),
    }
}

/// The content type that the run's object was put with.
pub(crate) fn content_type(tx: &mut Tx<'_>, job: &str) -> Result<Option<String>, Error> {
    let row = tx.query_one(
        "SELECT content_type FROM _mito_ai_runs WHERE id = $1",
        &[&job],
    )?;
    row.map(|row| row.get("content_type")).transpose()
}

/// Runs, the newest first, before the given place.
pub(crate) async fn runs(
    database: &Database,
    before: Option<(i64, String)>,
    limit: u32,
) -> Result<Vec<Run>, Error> {
    let (before_ms, before_id) = before.unwrap_or((i64::MAX, String::new()));
    database
        .read(move |tx| {
            let rows = tx.query(
                "SELECT * FROM _mito_ai_runs
                 WHERE created_ms < $1 OR (created_ms = $1 AND id < $2)
                 ORDER BY created_ms DESC, id DESC LIMIT $3",
                &[&before_ms, &before_id, &limit],
            )?;
            rows.iter().map(run).collect()
        })
        .await
}

fn run(row: &Row) -> Result<Run, Error> {
    Ok(Run {
        id: row.get("id")?,
        pipeline: row.get("pipeline")?,
        bucket: row.get("bucket")?,
        key: row.get("object_key")?,
        etag: row.get("etag")?,
        state: RunState::parse(&row.get::<String>("state")?),
        note: row.get("note")?,
        steps: json_column(row, "steps")?,
        collection: row.get("collection")?,
        record: row.get("record")?,
        created_ms: row.get("created_ms")?,
        finished_ms: row.get("finished_ms")?,
    })
}

/// All pipelines by name.
pub(crate) async fn pipelines(database: &Database) -> Result<Vec<PipelineRow>, Error> {
    database
        .read(|tx| {
            let rows = tx.query("SELECT * FROM _mito_ai_pipelines ORDER BY name", &[])?;
            rows.iter().map(pipeline_row).collect()
        })
        .await
}

fn pipeline_row(row: &Row) -> Result<PipelineRow, Error> {
    let Binding {
        name,
        bucket,
        content_types,
        collection,
        definition,
    } = binding(row)?;
    Ok(PipelineRow {
        name,
        description: definition.description,
        bucket,
        content_types,
        collection,
        steps: definition
            .steps
            .iter()
            .map(|step| step.name().to_owned())
            .collect(),
        installed_ms: row.get("installed_ms")?,
    })
}
