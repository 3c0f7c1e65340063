//! Keeps what a run made of its object: one record for each source, created with its first version
//! and brought up to date with every later one.

use mito_database::Tx;
use mito_queue::kinds::ProcessObject;
use mito_records::{Error as RecordsError, Record, Records};

use crate::{
    pipeline::Binding,
    store::{self, Progress, RunState, StepReport},
    worker::CompleteError,
};

/// What a run made, and of what.
pub(crate) struct Keep {
    pub(crate) records: Records,
    pub(crate) job: ProcessObject,
    pub(crate) request_id: Option<String>,
    pub(crate) binding: Binding,
    pub(crate) record: Record,
    pub(crate) steps: Vec<StepReport>,
}

impl Keep {
    /// Creates the source's record or brings it up to date, in the transaction that completes the
    /// run's job.
    pub(crate) fn keep(&self, tx: &mut Tx<'_>) -> Result<Progress, CompleteError> {
        let (binding, job) = (&self.binding, &self.job);
        let source = store::source(tx, binding, &job.key)?;
        // Runs of two versions may overlap; the one of the newer version has the last word.
        if !source.seen_etag.is_empty() && source.seen_etag != job.etag {
            let note = "the object was replaced while it was worked on".to_owned();
            return Ok(self.skipped(note, None));
        }
        let existing = self.existing(tx, &source.record)?;
        let is_same_version = !job.etag.is_empty() && source.etag == job.etag;
        let (id, verb) = match existing {
            Some(id) if is_same_version => {
                let note = format!("this version of the object is record {id} already");
                return Ok(self.skipped(note, Some(id)));
            }
            Some(id) => (self.change(tx, id)?, "changed"),
            None => (self.create(tx)?, "created"),
        };
        store::set_source(tx, binding, &job.key, &job.etag, &id)?;
        let mut steps = self.steps.clone();
        steps.push(StepReport {
            name: "record".to_owned(),
            provider: "records".to_owned(),
            outcome: format!("record {id} in {} {verb}", binding.collection),
            duration_ms: 0,
        });
        Ok(Progress {
            state: RunState::Recorded,
            note: String::new(),
            steps,
            record: Some(id),
        })
    }

    /// The source's record, unless somebody has deleted it since or the pipeline writes to another
    /// collection now.
    fn existing(&self, tx: &mut Tx<'_>, id: &str) -> Result<Option<String>, CompleteError> {
        if id.is_empty() {
            return Ok(None);
        }
        match self.records.find_in(tx, &self.binding.collection, id) {
            Ok(_) => Ok(Some(id.to_owned())),
            Err(RecordsError::NotFound) => Ok(None),
            Err(error) => Err(CompleteError::Records(error)),
        }
    }

    fn create(&self, tx: &mut Tx<'_>) -> Result<String, CompleteError> {
        let created = self
            .records
            .create_for_request_in(
                tx,
                &self.binding.collection,
                &self.record,
                self.request_id.as_deref(),
            )
            .map_err(CompleteError::Records)?;
        let id = created.get("id").and_then(|id| id.as_str());
        Ok(id.unwrap_or_default().to_owned())
    }

    fn change(&self, tx: &mut Tx<'_>, id: String) -> Result<String, CompleteError> {
        let changes = self.binding.definition.changes(&self.record);
        self.records
            .update_in(
                tx,
                &self.binding.collection,
                &id,
                &changes,
                self.request_id.as_deref(),
            )
            .map_err(CompleteError::Records)?;
        Ok(id)
    }

    fn skipped(&self, note: String, record: Option<String>) -> Progress {
        Progress {
            state: RunState::Skipped,
            note,
            steps: self.steps.clone(),
            record,
        }
    }
}
