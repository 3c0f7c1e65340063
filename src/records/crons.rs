//! Jobs that run by the clock, under PocketBase's ids where they mean the same.
//!
//! Of several processes on one database one runs a job: the one that first notes it in
//! `_mito_records_crons`. Runs that were missed while nothing ran are made up for by one, soon after
//! the start. A job that panics or fails is logged and runs again at its next time.

pub(crate) mod jobs;
#[cfg(test)]
mod tests;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::{FutureExt as _, future::join_all};
use mito_core::{
    Shutdown,
    supervisor::{TaskError, record_panic},
};
use mito_database::{Lane, Tx};
use serde::Serialize;
use tokio::sync::Notify;

use jobs::{JOBS, Job};

use crate::{Error, Records};

/// The resolution of cron expressions.
const MINUTE_MS: i64 = 60_000;

/// A job as `/api/crons` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cron {
    /// Its name.
    pub id: &'static str,
    /// When it runs, in UTC.
    pub expression: String,
}

/// Rings for jobs that are asked for out of their time, in the order of [`JOBS`].
pub(crate) struct Crons(Vec<Notify>);

impl Default for Crons {
    fn default() -> Self {
        Self(JOBS.iter().map(|_| Notify::new()).collect())
    }
}

/// What a job's loop remembers.
struct Kept {
    expression: String,
    last_ms: i64,
}

impl Records {
    /// The jobs that are on.
    pub fn crons(&self) -> Vec<Cron> {
        let settings = self.settings();
        let shown = JOBS.iter().map(|job| Cron {
            id: job.id,
            expression: (job.expression)(&settings),
        });
        shown.filter(|cron| !cron.expression.is_empty()).collect()
    }

    /// Runs a job now, beside its times. Returns before it has run.
    pub fn run_cron(&self, id: &str) -> Result<(), Error> {
        let settings = self.settings();
        let index = JOBS
            .iter()
            .position(|job| job.id == id && !(job.expression)(&settings).is_empty());
        self.inner.crons.0[index.ok_or(Error::NotFound)?].notify_one();
        Ok(())
    }

    /// Runs every job at its times until shutdown.
    pub(crate) async fn run_crons(self, shutdown: Shutdown) -> Result<(), TaskError> {
        let loops = JOBS
            .iter()
            .zip(&self.inner.crons.0)
            .map(|(job, wake)| self.keep_running(job, wake, &shutdown));
        join_all(loops).await;
        Ok(())
    }

    async fn keep_running(&self, job: &Job, wake: &Notify, shutdown: &Shutdown) {
        let mut kept = None;
        loop {
            match self.claim(job, &mut kept).await {
                Ok(true) => self.run_job(job, shutdown).await,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(cron.id = job.id, %error, "whether a job is due cannot be told");
                }
            }
            let to_next_ms = MINUTE_MS - self.inner.clock.now_ms().rem_euclid(MINUTE_MS);
            let to_next = Duration::from_millis(u64::try_from(to_next_ms).unwrap_or(1));
            tokio::select! {
                () = shutdown.begun() => return,
                () = wake.notified() => self.run_job(job, shutdown).await,
                () = self.inner.clock.sleep(to_next) => {}
            }
        }
    }

    /// Whether the job is due and this process is the one to run it.
    async fn claim(&self, job: &Job, kept: &mut Option<Kept>) -> Result<bool, Error> {
        let expression = (job.expression)(&self.settings());
        let Ok(schedule) = mito_queue::Cron::parse(&expression) else {
            // It is off.
            *kept = None;
            return Ok(false);
        };
        let last_ms = match kept {
            Some(kept) if kept.expression == expression => kept.last_ms,
            _ => self.note(job.id, expression.clone()).await?,
        };
        *kept = Some(Kept {
            expression,
            last_ms,
        });
        let now_ms = self.inner.clock.now_ms();
        if schedule.next(last_ms).is_none_or(|next| next > now_ms) {
            return Ok(false);
        }
        let id = job.id;
        let claim = move |tx: &mut Tx<'_>| {
            tx.execute(
                "UPDATE _mito_records_crons SET last_ms = $1 WHERE id = $2 AND last_ms = $3",
                &[&now_ms, &id, &last_ms],
            )
        };
        let claimed = self.inner.database.write_in(Lane::Bulk, claim).await? == 1;
        // Whoever was faster has written another time.
        *kept = claimed.then(|| Kept {
            expression: (job.expression)(&self.settings()),
            last_ms: now_ms,
        });
        Ok(claimed)
    }

    /// When the job last ran by this expression. One that is new, or has other times now, counts
    /// from here on.
    async fn note(&self, id: &'static str, expression: String) -> Result<i64, Error> {
        let note = move |tx: &mut Tx<'_>| {
            let row = tx.query_one(
                "SELECT expression, last_ms FROM _mito_records_crons WHERE id = $1",
                &[&id],
            )?;
            if let Some(row) = row
                && row.get::<String>("expression")? == expression
            {
                return row.get("last_ms");
            }
            let now_ms = tx.now_ms();
            tx.execute(
                "INSERT INTO _mito_records_crons (id, expression, last_ms) VALUES ($1, $2, $3) \
                 ON CONFLICT (id) DO UPDATE \
                 SET expression = excluded.expression, last_ms = excluded.last_ms",
                &[&id, &expression, &now_ms],
            )?;
            Ok::<_, mito_database::Error>(now_ms)
        };
        Ok(self.inner.database.write_in(Lane::Bulk, note).await?)
    }

    async fn run_job(&self, job: &Job, shutdown: &Shutdown) {
        let run = async { (job.run)(self.clone()).await };
        let ended = tokio::select! {
            ended = AssertUnwindSafe(run).catch_unwind() => ended,
            () = shutdown.begun() => return,
        };
        match ended {
            Ok(Ok(())) => tracing::debug!(cron.id = job.id, "a job has run"),
            Ok(Err(error)) => tracing::warn!(cron.id = job.id, %error, "a job failed"),
            Err(panic) => {
                let said = record_panic("crons", panic.as_ref());
                tracing::error!(cron.id = job.id, panic.message = said, "a job panicked");
            }
        }
    }
}
