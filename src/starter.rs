//! Imports a starter of `data/starters`: each part is installed by the role that owns it, and
//! importing twice changes nothing.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{State, rejection::JsonRejection},
    routing::post,
};
use http::StatusCode;
use mito_ai::Ai;
use mito_database::Database;
use mito_network::Problem;
use mito_notifications::Notifications;
use mito_objects::{Objects, Put};
use mito_records::{Records, Starter};
use rust_embed::RustEmbed;
use serde::{Deserialize, Serialize};

/// Starters and sample texts, embedded so that a copied binary needs no folder.
#[derive(RustEmbed)]
#[folder = "data"]
#[include = "starters/*"]
#[include = "samples/*"]
struct Data;

/// What the parts of a starter are handed to. Cheap to clone.
#[derive(Clone)]
pub struct Importer {
    /// `mito.db`.
    pub database: Database,
    /// Collections and records.
    pub records: Records,
    /// Buckets and sample objects.
    pub objects: Objects,
    /// Pipelines.
    pub ai: Ai,
    /// Triggers.
    pub notifications: Notifications,
}

/// What an import brought.
#[derive(Clone, Debug, Serialize)]
pub struct Imported {
    /// The starter's name.
    pub name: String,
    /// How many collections it defines.
    pub collections: usize,
    /// How many sample objects were put now.
    pub objects: usize,
}

/// Why a starter could not be imported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none of that name.
    #[error("there is no starter {name:?}; there are: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The names that exist.
        known: String,
    },
    /// The file is wrong.
    #[error("starter {name:?}: {reason}")]
    Broken {
        /// The starter.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A collection or record was refused.
    #[error(transparent)]
    Records(#[from] mito_records::Error),
    /// A bucket or object was refused.
    #[error(transparent)]
    Objects(#[from] mito_objects::Error),
    /// A pipeline was refused.
    #[error(transparent)]
    Ai(#[from] mito_ai::Error),
    /// A trigger was refused.
    #[error(transparent)]
    Notifications(#[from] mito_notifications::Error),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] mito_database::Error),
}

/// The names of the embedded starters.
pub fn names() -> Vec<String> {
    Data::iter()
        .filter_map(|path| {
            path.strip_prefix("starters/")?
                .strip_suffix(".json")
                .map(str::to_owned)
        })
        .collect()
}

fn read(name: &str) -> Result<Starter, Error> {
    let file = Data::get(&format!("starters/{name}.json")).ok_or_else(|| Error::Unknown {
        name: name.to_owned(),
        known: names().join(", "),
    })?;
    serde_json::from_slice(&file.data).map_err(|error| Error::Broken {
        name: name.to_owned(),
        reason: error.to_string(),
    })
}

impl Importer {
    /// Imports the starter called `name`.
    pub async fn import(&self, name: &str) -> Result<Imported, Error> {
        let starter = read(name)?;
        self.records
            .import_collections(starter.collections.clone())
            .await?;
        for bucket in &starter.buckets {
            match self.objects.create_bucket(bucket).await {
                Ok(()) | Err(mito_objects::Error::BucketExists(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.install(&starter).await?;
        let objects = self.put_samples(&starter).await?;
        Ok(Imported {
            name: starter.name,
            collections: starter.collections.len(),
            objects,
        })
    }

    /// Pipelines, triggers and records commit together, so that no sample is processed by half a
    /// starter.
    async fn install(&self, starter: &Starter) -> Result<(), Error> {
        let (starter, importer) = (Arc::new(starter.clone()), self.clone());
        self.database
            .write(move |tx| {
                for pipeline in &starter.pipelines {
                    importer.ai.install_pipeline(tx, pipeline)?;
                }
                for trigger in &starter.triggers {
                    importer.notifications.install_trigger(tx, trigger)?;
                }
                for (collection, records) in &starter.records {
                    for record in records.as_array().into_iter().flatten() {
                        importer.seed(tx, &starter.name, collection, record)?;
                    }
                }
                Ok::<(), Error>(())
            })
            .await
    }

    fn seed(
        &self,
        tx: &mut mito_database::Tx<'_>,
        starter: &str,
        collection: &str,
        record: &serde_json::Value,
    ) -> Result<(), Error> {
        let broken = |reason: &str| Error::Broken {
            name: starter.to_owned(),
            reason: format!("records.{collection}: {reason}"),
        };
        let values = record
            .as_object()
            .ok_or_else(|| broken("a record is no object"))?;
        let id = values.get("id").and_then(serde_json::Value::as_str);
        let id =
            id.ok_or_else(|| broken("a record has no id, so that it could not be found again"))?;
        match self.records.find_in(tx, collection, id) {
            Ok(_) => Ok(()),
            Err(mito_records::Error::NotFound) => {
                self.records.create_in(tx, collection, values)?;
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn put_samples(&self, starter: &Starter) -> Result<usize, Error> {
        let mut put = 0;
        for sample in &starter.objects {
            let file = Data::get(&sample.file).ok_or_else(|| Error::Broken {
                name: starter.name.clone(),
                reason: format!("there is no file {:?}", sample.file),
            })?;
            let bytes = bytes::Bytes::from(file.data.into_owned());
            let options = Put {
                content_type: Some(sample.content_type.clone()),
                length: Some(bytes.len() as u64),
                if_absent: true,
                ..Put::default()
            };
            let body = Box::pin(futures_util::stream::once(async move { Ok(bytes) }));
            match self
                .objects
                .put(&sample.bucket, &sample.key, options, body)
                .await
            {
                Ok(_) => put += 1,
                Err(mito_objects::Error::Precondition(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(put)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    name: String,
}

/// `POST /_mito/api/starter {"name": "content"}`.
pub fn routes(importer: Importer) -> Router {
    Router::new().route("/", post(import)).with_state(importer)
}

async fn import(
    State(importer): State<Importer>,
    request: Result<Json<Request>, JsonRejection>,
) -> Result<Json<Imported>, Problem> {
    let Json(request) =
        request.map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))?;
    importer
        .import(&request.name)
        .await
        .map(Json)
        .map_err(|error| {
            let status = match &error {
                Error::Unknown { .. } => StatusCode::NOT_FOUND,
                Error::Objects(mito_objects::Error::StorageFull)
                | Error::Database(mito_database::Error::Full) => StatusCode::INSUFFICIENT_STORAGE,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            };
            tracing::warn!(starter = request.name, %error, "a starter could not be imported");
            Problem::new(status, error.to_string())
        })
}
