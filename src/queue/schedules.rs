//! Schedules: jobs that are enqueued by the clock, kept in the database under their names.
//!
//! A run and the step to the next one are one transaction, so a time is neither lost nor enqueued
//! twice, whatever dies when and however many processes look. A clock that is set back repeats
//! nothing; one that is set forward, or a pause of the platform, is what [`CatchUp`] is for.

use jiff::tz::TimeZone;
use mito_database::Tx;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    Cron, Enqueue, Error, Job, Queue, enqueue::Prepared, store::schedules, worker::millis,
};

/// The longest name of a schedule, in bytes.
pub const MAX_NAME_BYTES: usize = 200;
/// The most missed times that are made up for at once.
pub const MAX_CATCH_UP: u32 = 100;
/// How late a run may be and still count as on time.
const ON_TIME: std::time::Duration = std::time::Duration::from_mins(1);
/// How many missed times are counted one by one; of more, the newest are found by way of the last
/// day.
const MAX_COUNTED: usize = 2_000;
/// How many due schedules one look runs.
const SCHEDULES_AT_ONCE: usize = 500;

/// When the jobs of a schedule are due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "lowercase")]
#[ts(export)]
pub enum When {
    /// By the clocks of a time zone.
    Cron {
        /// Five segments of numbers, or a macro such as `@daily`.
        expression: String,
        /// An IANA name such as `Europe/Berlin`, or `UTC`.
        zone: String,
    },
    /// Again and again after the same time, counted from the start of the schedule.
    Every {
        /// Milliseconds.
        #[ts(type = "number")]
        every_ms: u64,
    },
}

/// What is done about times that have passed while nothing ran, or when the clock was set forward.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
#[ts(export)]
pub enum CatchUp {
    /// Nothing: only a time of the last minute counts.
    Skip,
    /// One job stands for all of them.
    #[default]
    RunOnce,
    /// One job each for the newest of them.
    RunAll {
        /// How many, at most [`MAX_CATCH_UP`].
        most: u32,
    },
}

/// When, how often and how a schedule enqueues its job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Schedule {
    /// When.
    pub when: When,
    /// Not before, milliseconds since the Unix epoch; `Every` counts from here.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub starts_ms: Option<i64>,
    /// Not after.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub ends_ms: Option<i64>,
    /// How often in all.
    #[serde(default)]
    pub limit: Option<u32>,
    /// What is done about missed times.
    #[serde(default)]
    pub catch_up: CatchUp,
    /// The priority of its jobs.
    #[serde(default)]
    pub priority: i32,
}

impl Schedule {
    /// By a cron expression in a time zone; missed times are made up for by one job.
    pub fn cron(expression: &str, zone: &str) -> Self {
        Self::new(When::Cron {
            expression: expression.to_owned(),
            zone: zone.to_owned(),
        })
    }

    /// Again and again after `every`; missed times are made up for by one job.
    pub fn every(every: std::time::Duration) -> Self {
        Self::new(When::Every {
            every_ms: u64::try_from(millis(every)).unwrap_or(0),
        })
    }

    fn new(when: When) -> Self {
        Self {
            when,
            starts_ms: None,
            ends_ms: None,
            limit: None,
            catch_up: CatchUp::default(),
            priority: 0,
        }
    }

    fn check(&self) -> Result<(), Error> {
        if let CatchUp::RunAll { most } = self.catch_up
            && !(1..=MAX_CATCH_UP).contains(&most)
        {
            return Err(Error::Invalid(format!(
                "1 to {MAX_CATCH_UP} missed times are made up for, not {most}"
            )));
        }
        match &self.when {
            When::Every { every_ms: 0 } => {
                Err(Error::Invalid("a schedule of every 0 ms".to_owned()))
            }
            When::Every { .. } => Ok(()),
            When::Cron { expression, zone } => {
                Cron::parse(expression).map_err(Error::Invalid)?;
                TimeZone::get(zone)
                    .map(|_| ())
                    .map_err(|error| Error::Invalid(format!("time zone {zone:?}: {error}")))
            }
        }
    }

    /// The first time after `after_ms`; `created_ms` is what `Every` counts from without a start.
    pub(crate) fn next(&self, after_ms: i64, created_ms: i64) -> Option<i64> {
        // A start is itself a time, so the search begins just before it.
        let after_ms = match self.starts_ms {
            Some(starts_ms) => after_ms.max(starts_ms.saturating_sub(1)),
            None => after_ms,
        };
        let next_ms = match &self.when {
            When::Cron { expression, zone } => {
                let cron = Cron::parse(expression).ok()?;
                cron.next_in(after_ms, &TimeZone::get(zone).ok()?)?
            }
            When::Every { every_ms } => {
                let every_ms = i64::try_from(*every_ms)
                    .ok()
                    .filter(|every_ms| *every_ms > 0)?;
                let anchor_ms = self.starts_ms.unwrap_or(created_ms);
                let passed = after_ms.checked_sub(anchor_ms)?.div_euclid(every_ms);
                anchor_ms.checked_add(passed.checked_add(1)?.checked_mul(every_ms)?)?
            }
        };
        self.ends_ms
            .is_none_or(|ends_ms| next_ms <= ends_ms)
            .then_some(next_ms)
    }

    /// The times from `due_ms` to `now_ms` for which jobs are enqueued, and the next time.
    pub(crate) fn runs(
        &self,
        due_ms: i64,
        created_ms: i64,
        now_ms: i64,
    ) -> (Vec<i64>, Option<i64>) {
        let most = match self.catch_up {
            CatchUp::Skip | CatchUp::RunOnce => 1,
            CatchUp::RunAll { most } => most.min(MAX_CATCH_UP) as usize,
        };
        let mut times = std::collections::VecDeque::from([due_ms]);
        let mut next_ms = self.next(due_ms, created_ms);
        let mut counted = 0;
        while let Some(at_ms) = next_ms.filter(|at_ms| *at_ms <= now_ms) {
            times.push_back(at_ms);
            if times.len() > most {
                times.pop_front();
            }
            counted += 1;
            let after_ms = if counted == MAX_COUNTED {
                at_ms.max(now_ms.saturating_sub(24 * 3_600_000))
            } else {
                at_ms
            };
            if counted > 2 * MAX_COUNTED {
                next_ms = self.next(now_ms, created_ms);
                break;
            }
            next_ms = self.next(after_ms, created_ms);
        }
        if self.catch_up == CatchUp::Skip {
            let oldest_ms = now_ms.saturating_sub(millis(ON_TIME));
            times.retain(|at_ms| *at_ms >= oldest_ms);
        }
        (times.into(), next_ms)
    }
}

/// A schedule as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct ScheduleSummary {
    /// Its name.
    pub name: String,
    /// The queue of its jobs.
    pub queue: String,
    /// Their kind.
    pub kind: String,
    /// When and how.
    pub schedule: Schedule,
    /// How often it has enqueued.
    pub runs: u32,
    /// The time that it enqueued for last, milliseconds since the Unix epoch.
    #[ts(type = "number | null")]
    pub last_ms: Option<i64>,
    /// The next time; none when it has come to its end.
    #[ts(type = "number | null")]
    pub next_ms: Option<i64>,
    /// The next five times.
    #[ts(type = "number[]")]
    pub coming_ms: Vec<i64>,
}

impl Queue {
    /// Creates or changes a schedule, also at each start of the code that needs it: one that says
    /// what it said before goes on where it was. A changed time counts from now.
    pub async fn schedule<J: Job>(
        &self,
        name: &str,
        payload: &J,
        schedule: Schedule,
    ) -> Result<(), Error> {
        schedule.check()?;
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return Err(Error::Invalid(format!(
                "the name of a schedule has 1 to {MAX_NAME_BYTES} bytes"
            )));
        }
        let (name, job) = (name.to_owned(), Prepared::new(payload)?);
        let put = move |tx: &mut Tx<'_>| schedules::put(tx, &name, &job, &schedule);
        if let Some(next_ms) = self.write(put).await? {
            self.bells().ring_at(next_ms);
        }
        Ok(())
    }

    /// Removes a schedule; its jobs stay.
    pub async fn unschedule(&self, name: &str) -> Result<(), Error> {
        let schedule = name.to_owned();
        let removed = self.write(move |tx| schedules::remove(tx, &schedule));
        if removed.await? {
            return Ok(());
        }
        Err(unknown(name))
    }

    /// Every schedule, by name; at most 500.
    pub async fn schedules(&self) -> Result<Vec<ScheduleSummary>, Error> {
        Ok(self.database().read(schedules::all).await?)
    }

    /// Enqueues the job of a schedule now, beside its times. Returns the job's id.
    pub async fn run_schedule(&self, name: &str) -> Result<String, Error> {
        let (this, schedule) = (self.clone(), name.to_owned());
        let run = move |tx: &mut Tx<'_>| {
            let Some(found) = schedules::find(tx, &schedule)? else {
                return Err(unknown(&schedule));
            };
            let options = Enqueue {
                priority: found.schedule.priority,
                ..Enqueue::default()
            };
            this.enqueue_prepared(tx, &found.job, &options)
        };
        self.database().write(run).await
    }
}

fn unknown(name: &str) -> Error {
    Error::Unknown {
        what: "schedule",
        name: name.to_owned(),
    }
}

/// Enqueues the jobs of schedules that are due; returns when the next one is.
pub(crate) async fn run_due(queue: &Queue) -> Result<Option<i64>, mito_database::Error> {
    for _ in 0..SCHEDULES_AT_ONCE {
        let this = queue.clone();
        let ran = queue.write(move |tx| match schedules::due(tx)? {
            None => Ok(false),
            Some(due) => {
                run(&this, tx, &due)?;
                Ok(true)
            }
        });
        if !ran.await? {
            break;
        }
    }
    let next = queue.database().read(schedules::next_ms);
    let next: Result<_, mito_database::Error> = next.await;
    next
}

fn run(queue: &Queue, tx: &mut Tx<'_>, due: &schedules::Due) -> Result<(), mito_database::Error> {
    let (mut times, mut next_ms) = due.schedule.runs(due.next_ms, due.created_ms, tx.now_ms());
    if let Some(limit) = due.schedule.limit {
        let left = limit.saturating_sub(due.runs) as usize;
        times.truncate(left);
        if times.len() == left {
            next_ms = None;
        }
    }
    let options = Enqueue {
        priority: due.schedule.priority,
        ..Enqueue::default()
    };
    for _ in &times {
        match queue.enqueue_prepared(tx, &due.job, &options) {
            Ok(_) => {}
            Err(Error::Database(error)) => return Err(error),
            Err(error) => return Err(mito_database::Error::Engine(error.to_string())),
        }
    }
    schedules::advance(tx, due, &times, next_ms)
}

#[cfg(test)]
mod tests;
