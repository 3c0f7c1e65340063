//! Content pipelines: an object becomes a cleaned, described record.
//!
//! A starter binds a pipeline to a bucket and a collection. The relay turns each event of such a
//! bucket into one job in `mito.db`, the worker reads the object, runs the steps, and creates the
//! record in the transaction that completes the job: once, however often the process dies. A later
//! version of the object changes that record; deleting the object leaves it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`pipeline`] | definitions (YAML or JSON, checked when installed) and what they are bound to |
//! | `clean` | pages, Markdown and text into harmless HTML and plain text |
//! | `text` | language, extractive summary, key phrases: the provider `extractive` |
//! | `steps` | runs a definition over one document |
//! | `relay` | object events into jobs |
//! | `worker` | works on one job |
//! | `keep` | one record for each source, created or brought up to date |
//! | `tables`, [`store`] | the tables |
//! | `panel` | what the control panel reads |
//!
//! There is no model here and nothing pretends to be one: sentences and phrases are copied from
//! the source.

#[cfg(test)]
mod behaviour;
mod clean;
mod keep;
mod panel;
pub mod pipeline;
mod relay;
mod steps;
pub mod store;
mod tables;
mod text;
mod worker;

use std::sync::Arc;

use mito_core::{Clock, Random};
use mito_database::{Database, Tx};
use mito_network::Task;
use mito_objects::Objects;
use mito_queue::{Job as _, Queue, Relay, kinds::ProcessObject};
use mito_records::Records;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use tables::MIGRATIONS;

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
        Self {
            replicas: 1,
            max_document_bytes: 8 * 1024 * 1024,
        }
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
pub struct Ai {
    worker: worker::Worker,
    queue: Queue,
    objects_database: Database,
}

impl Ai {
    /// The role; registers its job handlers and does no I/O.
    pub fn new(config: Config, dependencies: Dependencies) -> Self {
        let Dependencies {
            database,
            objects_database,
            objects,
            queue,
            records,
            clock,
            random,
        } = dependencies;
        // The queue holds its handlers, so a handler must not hold the queue.
        let context = worker::Context {
            config,
            database,
            objects,
            records,
            clock,
            random,
        };
        let worker = worker::Worker(Arc::new(context));
        let handler = worker.clone();
        queue.handle(worker::policy(), move |running| {
            let handler = handler.clone();
            async move { handler.process(running).await }
        });
        Self {
            worker,
            queue,
            objects_database,
        }
    }

    /// The relay (object events into jobs) and the workers.
    pub fn tasks(&self) -> Vec<Task> {
        let file_id = self.objects_database.file_id().to_owned();
        let queue = self.queue.clone();
        let relay = Relay::new(
            "ai.objects",
            self.objects_database.clone(),
            self.worker.0.database.clone(),
            move |tx, event| relay::apply(&queue, &file_id, tx, event),
        );
        let replicas = self.worker.0.config.replicas;
        vec![
            relay.task(),
            self.queue.worker(ProcessObject::QUEUE, replicas),
        ]
    }

    /// Whether the role can do its work.
    pub async fn ping(&self) -> Result<(), String> {
        let pipelines = store::pipelines(&self.worker.0.database).await;
        pipelines.map(|_| ()).map_err(|error| error.to_string())
    }

    /// Installs what a starter binds to a bucket; one with the same name is replaced.
    pub fn install_pipeline(
        &self,
        tx: &mut Tx<'_>,
        pipeline: &serde_json::Value,
    ) -> Result<(), Error> {
        store::install(tx, &pipeline::Binding::from_json(pipeline)?)
    }

    /// Routes relative to `/_mito/api/ai`; the caller has checked that an administrator asks.
    pub fn panel(&self) -> axum::Router {
        panel::routes(self.worker.0.database.clone(), self.queue.clone())
    }
}
