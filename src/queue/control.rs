//! What people do to jobs and queues: look, cancel, run again, pause, limit.

use mito_database::{Lane, Tx};

use crate::{
    Error, Limits, Queue, RateLimit,
    panel::types::{JobDetail, QueueSummary},
    store::{
        finish::{self, Changed},
        follow::Follow,
        limits, replay,
        view::{self, Filter, Found},
    },
};

/// The longest name of a queue, in bytes.
const MAX_NAME_BYTES: usize = 200;

/// The longest window of a rate, in milliseconds: a day.
pub const MAX_WINDOW_MS: u64 = 24 * 3_600_000;

/// Which jobs [`Queue::replay`] makes available again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replay {
    /// Those of this queue.
    pub queue: String,
    /// Those of this kind alone.
    pub kind: Option<String>,
}

impl Queue {
    /// Stops a job that has not ended; the handler of one that runs is told by
    /// [`Running::stop`](crate::Running::stop) and dropped, and what it has not committed does not
    /// happen.
    pub async fn cancel(&self, id: &str) -> Result<(), Error> {
        let job = id.to_owned();
        let changed = self.write(move |tx| finish::cancel(tx, &job)).await?;
        let (queue, kind) = self.after_change(id, changed)?;
        self.stop_attempt(id);
        tracing::info!(job.id = id, queue, kind, "a job was cancelled");
        let labels = [
            ("queue", queue),
            ("kind", kind),
            ("outcome", "cancelled".to_owned()),
        ];
        metrics::counter!("mito_queue_jobs_total", &labels).increment(1);
        Ok(())
    }

    /// Makes a job available now that waits for its time, or that was discarded or cancelled; such
    /// a job gets all its attempts again, and begins after the last step that it has behind it.
    pub async fn run_now(&self, id: &str) -> Result<(), Error> {
        let job = id.to_owned();
        let changed = self.write(move |tx| finish::run_now(tx, &job)).await?;
        let (queue, kind) = self.after_change(id, changed)?;
        self.bells().ring(&queue);
        tracing::info!(job.id = id, queue, kind, "a job was made available by hand");
        Ok(())
    }

    /// Makes all discarded jobs of a queue or kind available again, 500 in a transaction; returns
    /// how many. Those whose payload has been erased, because it held secrets, stay.
    pub async fn replay(&self, which: &Replay) -> Result<u64, Error> {
        let (mut replayed, mut after) = (0, 0);
        // A job that fails again meanwhile is not replayed a second time.
        let until_ms = self.clock().now_ms();
        loop {
            let wanted = which.clone();
            let step = move |tx: &mut Tx<'_>| replay::discarded(tx, &wanted, after, until_ms);
            let step: Result<_, mito_database::Error> =
                self.database().write_in(Lane::Bulk, step).await;
            let step = step?;
            replayed += step.replayed;
            self.bells().ring(&which.queue);
            match step.last {
                Some(last) => after = last,
                None => break,
            }
        }
        let kind = which.kind.as_deref();
        tracing::info!(
            queue = which.queue,
            kind,
            jobs = replayed,
            "dead letters were replayed"
        );
        Ok(replayed)
    }

    /// One job with its payload and log.
    pub async fn job(&self, id: &str) -> Result<JobDetail, Error> {
        let job = id.to_owned();
        let found = self.database().read(move |tx| view::job(tx, &job)).await?;
        found.ok_or_else(|| Error::NotFound(id.to_owned()))
    }

    /// Every queue that has jobs, with counts by state.
    pub async fn queues(&self) -> Result<Vec<QueueSummary>, Error> {
        Ok(self.database().read(view::queues).await?)
    }

    /// No job of the queue is started until it is resumed, here or in any process, also after a
    /// restart. Jobs that run end as usual.
    pub async fn pause(&self, queue: &str) -> Result<(), Error> {
        self.set_paused(queue, true).await
    }

    /// Ends a pause.
    pub async fn resume(&self, queue: &str) -> Result<(), Error> {
        self.set_paused(queue, false).await
    }

    async fn set_paused(&self, queue: &str, paused: bool) -> Result<(), Error> {
        check_name(queue)?;
        let name = queue.to_owned();
        self.write(move |tx| limits::pause(tx, &name, paused))
            .await?;
        self.bells().ring(queue);
        tracing::info!(queue, paused, "a queue was paused or resumed");
        Ok(())
    }

    /// Limits a queue, in all processes, until it is limited otherwise; kept over restarts. A rate
    /// counts from the first job that is started in a window. Jobs that a group's limit holds are let
    /// go within seconds of a higher one.
    pub async fn limit(&self, queue: &str, limits: Limits) -> Result<(), Error> {
        check_name(queue)?;
        let rates = [limits.rate, limits.group_rate];
        let fits = |rate: &RateLimit| (1..=MAX_WINDOW_MS).contains(&rate.window_ms);
        if !rates.iter().flatten().all(fits) {
            return Err(Error::Invalid(format!(
                "the window of a rate is 1 to {MAX_WINDOW_MS} ms long"
            )));
        }
        let name = queue.to_owned();
        self.write(move |tx| limits::set(tx, &name, &limits))
            .await?;
        self.bells().ring(queue);
        Ok(())
    }

    pub(crate) async fn jobs(&self, filter: Filter) -> Result<Found, Error> {
        let jobs = self.database().read(move |tx| view::jobs(tx, &filter));
        Ok(jobs.await?)
    }

    fn after_change(&self, id: &str, changed: Changed) -> Result<(String, String), Error> {
        match changed {
            Changed::Done {
                queue,
                kind,
                follow,
            } => {
                self.ring(&follow);
                self.tell(&follow);
                Ok((queue, kind))
            }
            Changed::Refused(state) => Err(Error::State {
                id: id.to_owned(),
                state,
            }),
            Changed::Missing => Err(Error::NotFound(id.to_owned())),
        }
    }

    pub(crate) fn after(&self, follow: &Follow) {
        self.ring(follow);
        self.tell(follow);
    }
}

fn check_name(queue: &str) -> Result<(), Error> {
    if queue.is_empty() || queue.len() > MAX_NAME_BYTES {
        return Err(Error::Invalid(format!(
            "the name of a queue has 1 to {MAX_NAME_BYTES} bytes"
        )));
    }
    Ok(())
}
