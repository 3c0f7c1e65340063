//! Content pipelines: an object becomes a cleaned, described record.

use mito_core::{Clock, Random};
use mito_database::{Database, Migrations, Tx};
use mito_network::Task;
use mito_objects::Objects;
use mito_queue::Queue;
use mito_records::Records;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The tables of pipelines, their triggers and runs.
pub const MIGRATIONS: Migrations = Migrations { role: "ai", steps: &[] };

/// `[ai]`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How many pipelines run at once.
    pub replicas: usize,
    /// The largest document that is processed, in bytes.
    pub max_document_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { replicas: 1, max_document_bytes: 8 * 1024 * 1024 }
    }
}

/// What the role needs.
pub struct Dependencies {
    /// `mito.db`.
    pub database: Database,
    /// `objects.db`, whose events start pipelines.
    pub objects_database: Database,
    /// Documents.
    pub objects: Objects,
    /// Jobs.
    pub queue: Queue,
    /// Where results go.
    pub records: Records,
    /// Tells the time.
    pub clock: Clock,
    /// Draws ids.
    pub random: Random,
}

/// What went wrong in a pipeline.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The pipeline or trigger is not understood.
    #[error("pipeline: {0}")]
    Pipeline(String),
    /// The document cannot be processed.
    #[error("document: {0}")]
    Document(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] mito_database::Error),
    /// The queue failed.
    #[error(transparent)]
    Queue(#[from] mito_queue::Error),
}

/// The ai-pipeline role. Cheap to clone.
#[derive(Clone)]
pub struct Ai {}

impl Ai {
    /// The role; registers its job handlers and does no I/O.
    pub fn new(config: Config, dependencies: Dependencies) -> Self {
        let _ = (config, dependencies);
        todo!("worker helper")
    }

    /// The relay (object events into jobs) and the workers.
    pub fn tasks(&self) -> Vec<Task> {
        todo!("worker helper")
    }

    /// Whether the role can do its work.
    pub async fn ping(&self) -> Result<(), String> {
        todo!("worker helper")
    }

    /// Installs what a starter binds to a bucket; one with the same name is replaced.
    pub fn install_pipeline(
        &self,
        tx: &mut Tx<'_>,
        pipeline: &serde_json::Value,
    ) -> Result<(), Error> {
        let _ = (tx, pipeline);
        todo!("worker helper")
    }

    /// Routes relative to `/_mito/api/ai`; the caller has checked that an administrator asks.
    pub fn panel(&self) -> axum::Router {
        todo!("worker helper")
    }
}
