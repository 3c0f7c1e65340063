//! Several writes in one transaction: all of them, or none.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use mito_database::Tx;
use serde_json::Value;

use crate::{
    Error, Parameters, Record, Records, RequestInfo, RuleContext,
    accounts::change::{PasswordChange, Secrets},
    records::{plan::Written, requests::has_password, submitted::Submitted},
};

/// What one request of a batch does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchOperation {
    /// A new record.
    Create,
    /// Changes the record of that id.
    Update(String),
    /// Changes the record of the id in the values if it exists, and creates it otherwise.
    Upsert,
    /// Deletes the record of that id.
    Delete(String),
}

/// One request of a batch.
#[derive(Clone, Debug)]
pub struct BatchRequest {
    /// The id or name of the collection.
    pub collection: String,
    /// What is done.
    pub operation: BatchOperation,
    /// With which values and files.
    pub submitted: Submitted,
    /// The parameters of its own address, as rules see them.
    pub query: Parameters,
    /// The headers, as rules see them.
    pub headers: Parameters,
}

/// What one request of a batch has led to.
#[derive(Clone, Debug)]
pub enum BatchOutcome {
    /// The record as it is now.
    Record(Record),
    /// It is gone.
    Deleted,
}

/// Why none of the requests has been done.
#[derive(Debug, thiserror::Error)]
pub enum BatchFailure {
    /// One of them cannot be done.
    #[error("the request {position} of a batch failed: {error}")]
    Request {
        /// Which one, from 0.
        position: usize,
        /// Whether it was to create a record.
        creates: bool,
        /// Why.
        error: Error,
    },
    /// Together they take too long.
    #[error("the batch takes too long")]
    TimedOut,
    /// The transaction failed as a whole.
    #[error(transparent)]
    Failed(#[from] Error),
    /// Passwords have to be hashed before it can be done.
    #[error("the batch needs {} passwords hashed", .0.len())]
    #[doc(hidden)]
    Passwords(Vec<PendingPassword>),
}

impl From<mito_database::Error> for BatchFailure {
    fn from(error: mito_database::Error) -> Self {
        Self::Failed(Error::Database(error))
    }
}

/// A password that one of the requests sets.
#[derive(Debug)]
pub struct PendingPassword {
    position: usize,
    collection_id: String,
    id: String,
    change: PasswordChange,
}

/// A batch that can be run again.
struct Batch {
    records: Records,
    requests: Vec<BatchRequest>,
    info: RequestInfo,
    /// By position of the request.
    secrets: BTreeMap<usize, Secrets>,
    /// Milliseconds since the Unix epoch.
    deadline_ms: i64,
}

impl Records {
    /// Does all of the requests in one transaction, or none of them.
    pub async fn batch(
        &self,
        requests: Vec<BatchRequest>,
        limit: Duration,
        info: &RequestInfo,
    ) -> Result<Vec<BatchOutcome>, BatchFailure> {
        let limit_ms = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
        let mut batch = Batch {
            records: self.clone(),
            info: info.with_context(RuleContext::Batch),
            secrets: BTreeMap::new(),
            deadline_ms: self.inner.clock.now_ms().saturating_add(limit_ms),
            requests,
        };
        if batch
            .requests
            .iter()
            .any(|asked| has_password(&asked.submitted))
        {
            batch = self.with_secrets(batch).await?;
        }
        let info = batch.info.clone();
        let written = self
            .inner
            .database
            .write(move |tx: &mut Tx<'_>| batch.run(tx))
            .await?;
        let mut outcomes = Vec::with_capacity(written.len());
        for done in written {
            outcomes.push(match done {
                Done::Written(written) => {
                    self.follow_sessions(&written);
                    BatchOutcome::Record(written.record(&info))
                }
                Done::Deleted(sessions) => {
                    self.mark_all_ended(&sessions);
                    BatchOutcome::Deleted
                }
            });
        }
        Ok(outcomes)
    }

    /// Runs the batch without keeping what it does, to learn which passwords it sets if all of its
    /// requests can be done; only then is it worth hashing them.
    async fn with_secrets(&self, batch: Batch) -> Result<Batch, BatchFailure> {
        let batch = Arc::new(batch);
        let dry = Arc::clone(&batch);
        let run = move |tx: &mut Tx<'_>| dry.needed(tx);
        let needed = match self.inner.database.write(run).await {
            Err(BatchFailure::Passwords(needed)) => needed,
            Err(other) => return Err(other),
            Ok(()) => Vec::new(),
        };
        let mut secrets = BTreeMap::new();
        let creates = |position: usize| {
            let asked: Option<&BatchRequest> = batch.requests.get(position);
            asked.is_some_and(|asked| matches!(asked.operation, BatchOperation::Create))
        };
        for pending in needed {
            let identity = batch.info.identity.as_ref();
            let position = pending.position;
            let made = self
                .secrets(
                    &pending.collection_id,
                    &pending.id,
                    pending.change,
                    identity,
                )
                .await
                .map_err(|error| BatchFailure::Request {
                    position,
                    creates: creates(position),
                    error,
                })?;
            secrets.insert(position, made);
        }
        Ok(Batch {
            records: self.clone(),
            requests: batch.requests.clone(),
            info: batch.info.clone(),
            deadline_ms: batch.deadline_ms,
            secrets,
        })
    }
}

enum Done {
    Written(Box<Written>),
    Deleted(Vec<String>),
}

/// A request of a batch whose kind is settled.
enum Settled<'a> {
    Create,
    Update(&'a str),
    Delete(&'a str),
}

impl Batch {
    fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<Done>, BatchFailure> {
        let mut done = Vec::with_capacity(self.requests.len());
        for (position, asked) in self.requests.iter().enumerate() {
            if self.records.inner.clock.now_ms() > self.deadline_ms {
                return Err(BatchFailure::TimedOut);
            }
            let (settled, submitted) = self.settle(tx, position, asked)?;
            let creates = matches!(settled, Settled::Create);
            let secrets = self.secrets.get(&position);
            let outcome = self.run_one(tx, asked, &settled, &submitted, secrets);
            done.push(outcome.map_err(|error| BatchFailure::Request {
                position,
                creates,
                error,
            })?);
        }
        Ok(done)
    }

    fn run_one(
        &self,
        tx: &mut Tx<'_>,
        asked: &BatchRequest,
        settled: &Settled<'_>,
        submitted: &Submitted,
        secrets: Option<&Secrets>,
    ) -> Result<Done, Error> {
        let (records, name) = (&self.records, asked.collection.as_str());
        let info = self.info_of(asked, settled);
        Ok(match settled {
            Settled::Create => Done::Written(Box::new(
                records.create_as_asked(tx, name, submitted, secrets, &info)?,
            )),
            Settled::Update(id) => Done::Written(Box::new(records.update_as_asked(
                tx,
                (name, id),
                submitted,
                secrets,
                &info,
            )?)),
            Settled::Delete(id) => Done::Deleted(records.delete_as_asked(tx, (name, id), &info)?),
        })
    }

    /// Runs everything with placeholders for hashes, and ends with an error so that nothing stays.
    fn needed(&self, tx: &mut Tx<'_>) -> Result<(), BatchFailure> {
        let mut needed = Vec::new();
        for (position, asked) in self.requests.iter().enumerate() {
            let (settled, submitted) = self.settle(tx, position, asked)?;
            let creates = matches!(settled, Settled::Create);
            let failed = |error| BatchFailure::Request {
                position,
                creates,
                error,
            };
            let change = self
                .change_of(tx, asked, &settled, &submitted)
                .map_err(failed)?;
            let placeholder = change
                .as_ref()
                .map(|(.., change)| Secrets::placeholder(change));
            self.run_one(tx, asked, &settled, &submitted, placeholder.as_ref())
                .map_err(failed)?;
            if let Some((collection_id, id, change)) = change {
                needed.push(PendingPassword {
                    position,
                    collection_id,
                    id,
                    change,
                });
            }
        }
        Err(BatchFailure::Passwords(needed))
    }

    fn change_of(
        &self,
        tx: &mut Tx<'_>,
        asked: &BatchRequest,
        settled: &Settled<'_>,
        submitted: &Submitted,
    ) -> Result<Option<(String, String, PasswordChange)>, Error> {
        if !has_password(submitted) {
            return Ok(None);
        }
        let records = &self.records;
        let info = self.info_of(asked, settled);
        let (collection, id, plan);
        match settled {
            Settled::Create => {
                collection = records.writable_collection(tx, &asked.collection)?;
                id = "";
                plan = records.plan_create(tx, &collection, submitted, &info)?;
            }
            Settled::Update(record) => {
                collection = records.writable_collection(tx, &asked.collection)?;
                id = record;
                plan = records.plan_update(tx, &collection, id, submitted, &info)?;
            }
            Settled::Delete(_) => return Ok(None),
        }
        let change = plan.password;
        Ok(change.map(|change| (collection.id.clone(), id.to_owned(), change)))
    }

    /// Decides what an upsert is, and which id a new record with files gets.
    fn settle<'a>(
        &'a self,
        tx: &mut Tx<'_>,
        position: usize,
        asked: &'a BatchRequest,
    ) -> Result<(Settled<'a>, Submitted), BatchFailure> {
        let submitted = asked.submitted.clone();
        let settled = match &asked.operation {
            BatchOperation::Create => Settled::Create,
            BatchOperation::Update(id) => Settled::Update(id),
            BatchOperation::Delete(id) => Settled::Delete(id),
            BatchOperation::Upsert => {
                let id = submitted_id(asked);
                let exists = self.exists(tx, &asked.collection, id).map_err(|error| {
                    BatchFailure::Request {
                        position,
                        creates: true,
                        error,
                    }
                })?;
                if exists {
                    Settled::Update(id)
                } else {
                    Settled::Create
                }
            }
        };
        Ok((settled, submitted))
    }

    fn exists(&self, tx: &mut Tx<'_>, collection: &str, id: &str) -> Result<bool, Error> {
        let collection = self.records.writable_collection(tx, collection)?;
        if id.is_empty() || id.contains('\0') {
            return Ok(false);
        }
        let sql = format!(
            "SELECT 1 AS found FROM {} WHERE id = $1",
            crate::names::quote(&collection.name)
        );
        Ok(tx.query_one(&sql, &[&id])?.is_some())
    }

    fn info_of(&self, asked: &BatchRequest, settled: &Settled<'_>) -> RequestInfo {
        let method = match settled {
            Settled::Create => "POST",
            Settled::Update(_) => "PATCH",
            Settled::Delete(_) => "DELETE",
        };
        RequestInfo {
            method: method.to_owned(),
            query: asked.query.clone(),
            headers: asked.headers.clone(),
            ..self.info.clone()
        }
    }
}

fn submitted_id(asked: &BatchRequest) -> &str {
    asked
        .submitted
        .values
        .get("id")
        .and_then(Value::as_str)
        .unwrap_or_default()
}
