//! Enqueueing, inside the transaction of the caller.

use std::time::Duration;

use mito_database::Tx;

use crate::{
    Enqueue, Error, Flow, Job, JobState, Queue, Unique,
    flow::MAX_FLOW_JOBS,
    job::Overrides,
    queue::{MAX_PAYLOAD_BYTES, MAX_UNIQUE_KEY_BYTES},
    store::enqueue::{self, Inserted, NewJob},
    worker::millis,
};

/// A job whose payload has been written, without its type.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(crate) queue: String,
    pub(crate) kind: String,
    pub(crate) payload: String,
    pub(crate) sensitive: bool,
}

impl Prepared {
    pub(crate) fn new<J: Job>(payload: &J) -> Result<Self, Error> {
        let refused = |reason: String| refused(J::KIND, reason);
        let text = serde_json::to_string(payload).map_err(|error| refused(error.to_string()))?;
        if text.len() > MAX_PAYLOAD_BYTES {
            let size_bytes = text.len();
            return Err(refused(format!(
                "{size_bytes} bytes, allowed are {MAX_PAYLOAD_BYTES}"
            )));
        }
        Ok(Self {
            queue: J::QUEUE.to_owned(),
            kind: J::KIND.to_owned(),
            payload: text,
            sensitive: J::SENSITIVE,
        })
    }
}

/// Where a job belongs in a flow.
#[derive(Clone, Copy, Debug, Default)]
struct Kin<'a> {
    parent: Option<(&'a str, &'static str)>,
    children: u32,
}

impl Queue {
    /// Enqueues inside a transaction; the job exists when it commits. Returns its id, or the id of
    /// the job that already has the unique key.
    pub fn enqueue<J: Job>(
        &self,
        tx: &mut Tx<'_>,
        payload: &J,
        options: &Enqueue,
    ) -> Result<String, Error> {
        let job = Prepared::new(payload)?;
        self.enqueue_prepared(tx, &job, options)
    }

    pub(crate) fn enqueue_prepared(
        &self,
        tx: &mut Tx<'_>,
        job: &Prepared,
        options: &Enqueue,
    ) -> Result<String, Error> {
        let id = self.random().uuid(tx.now_ms()).to_string();
        let inserted = self.insert(tx, &id, job, options, Kin::default())?;
        Ok(inserted.unwrap_or(id))
    }

    /// Enqueues a job with all the jobs that it waits for, inside a transaction. Returns the id of
    /// the root. Jobs of a flow have no unique keys, because another job could not wait in the
    /// place of one.
    pub fn enqueue_flow(&self, tx: &mut Tx<'_>, flow: &Flow) -> Result<String, Error> {
        if flow.len() > MAX_FLOW_JOBS {
            return Err(Error::Invalid(format!(
                "a flow of {} jobs, allowed are {MAX_FLOW_JOBS}",
                flow.len()
            )));
        }
        self.insert_tree(tx, flow, None)
    }

    fn insert_tree(
        &self,
        tx: &mut Tx<'_>,
        flow: &Flow,
        parent: Option<&str>,
    ) -> Result<String, Error> {
        if flow.options.unique.is_some() || flow.options.unique_key.is_some() {
            let reason = "a job of a flow has no unique key".to_owned();
            return Err(refused(&flow.job.kind, reason));
        }
        let id = self.random().uuid(tx.now_ms()).to_string();
        let kin = Kin {
            parent: parent.map(|parent| (parent, flow.on_failure.name())),
            children: u32::try_from(flow.children.len()).unwrap_or(u32::MAX),
        };
        self.insert(tx, &id, &flow.job, &flow.options, kin)?;
        for child in &flow.children {
            self.insert_tree(tx, child, Some(&id))?;
        }
        Ok(id)
    }

    /// Inserts a job; the id of another that stands for it, if one does.
    fn insert(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        job: &Prepared,
        options: &Enqueue,
        kin: Kin<'_>,
    ) -> Result<Option<String>, Error> {
        check(&job.kind, options)?;
        let now_ms = tx.now_ms();
        let due_ms = match &options.unique {
            Some(Unique::Debounce { quiet, .. }) => now_ms.saturating_add(millis(*quiet)),
            _ => options.at_ms.unwrap_or(now_ms),
        };
        let expires = |limit: Duration| due_ms.max(now_ms).saturating_add(millis(limit));
        let overrides = Overrides::of(options).to_text();
        let job = NewJob {
            id,
            sequence: self.next_sequence(now_ms),
            queue: &job.queue,
            kind: &job.kind,
            priority: options.priority,
            payload: &job.payload,
            sensitive: job.sensitive,
            unique_key: options.unique_key.as_deref(),
            unique: options.unique.as_ref(),
            request_id: options.request_id.as_deref(),
            due_ms,
            expires_ms: options.wait_limit.map(expires),
            options: overrides.as_deref(),
            group_key: options.group_key.as_deref(),
            parent: kin.parent,
            children: kin.children,
        };
        match enqueue::insert(tx, &job)? {
            Inserted::New(JobState::Scheduled) => self.bells().ring_at(job.due_ms),
            Inserted::New(_) => self.bells().ring(job.queue),
            Inserted::Existing { id, due_ms } => {
                if let Some(due_ms) = due_ms {
                    self.bells().ring_at(due_ms);
                }
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}

fn refused(kind: &str, reason: String) -> Error {
    Error::Payload {
        kind: kind.to_owned(),
        reason,
    }
}

/// Whether the options are within bounds and go together.
fn check(kind: &str, options: &Enqueue) -> Result<(), Error> {
    let keys = [
        ("unique key", options.unique_key.as_deref()),
        ("unique key", options.unique.as_ref().map(Unique::key)),
        ("group key", options.group_key.as_deref()),
    ];
    let limit = MAX_UNIQUE_KEY_BYTES;
    for (what, key) in keys {
        let key_bytes = key.map_or(0, str::len);
        if key_bytes > limit {
            let reason = format!("its {what} has {key_bytes} bytes, allowed are {limit}");
            return Err(refused(kind, reason));
        }
    }
    if options.unique_key.is_some() && options.unique.is_some() {
        return Err(refused(kind, "it has two unique keys".to_owned()));
    }
    Ok(())
}
