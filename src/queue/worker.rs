//! A worker: claims jobs of one queue, runs each in a task of its own and renews their leases.
//!
//! Leases are renewed by this task and never by a handler's, so a handler that computes for long
//! keeps its lease as long as the runtime has another thread.

use std::{collections::HashMap, sync::Arc, time::Duration};

use mito_core::Shutdown;
use mito_database::Dialect;
use tokio::{
    sync::watch,
    task::{Id, JoinError, JoinSet},
};

use crate::{
    Error, Queue,
    handlers::Handler,
    store::{
        self, Lease,
        claim::{Claims, Request},
        rescue,
    },
};

mod attempt;

/// The most jobs of one claim.
const CLAIM_AT_ONCE: usize = 64;
/// How often a worker looks without having been called.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The wait after a claim that failed.
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(1);
/// A lease is renewed this many times within its length.
const RENEWALS_PER_LEASE: u64 = 3;
/// How long running jobs may go on once shutdown has begun; then they are stopped and returned.
const DRAIN: Duration = Duration::from_secs(3);
/// How long stopped attempts may take to return their leases.
const RETURN: Duration = Duration::from_secs(2);
/// How often jobs are looked for that nobody here can run.
const REPORT_EVERY: Duration = Duration::from_mins(1);
/// The most unknown kinds that are looked for.
const MAX_KINDS: usize = 100;
/// The length of a lease token.
const TOKEN_CHARACTERS: usize = 20;

/// A worker before it runs.
pub(crate) struct Worker {
    queue: Queue,
    name: &'static str,
    scale: watch::Receiver<usize>,
    tasks: JoinSet<()>,
    active: HashMap<Id, Active>,
    /// There may be jobs to claim.
    hungry: bool,
    /// Limits of the queue held the last claim back: what ends here may let others begin.
    is_capped: bool,
    look_at_ms: i64,
    renew_at_ms: i64,
    report_at_ms: i64,
    /// Kinds without a handler that the log has told of.
    reported: Vec<String>,
}

/// An attempt that runs.
struct Active {
    lease: Lease,
    stop: Shutdown,
}

impl Worker {
    pub(crate) fn new(queue: Queue, name: &'static str, scale: watch::Receiver<usize>) -> Self {
        Self {
            queue,
            name,
            scale,
            tasks: JoinSet::new(),
            active: HashMap::new(),
            hungry: true,
            is_capped: false,
            look_at_ms: 0,
            renew_at_ms: 0,
            report_at_ms: 0,
            reported: Vec::new(),
        }
    }

    /// Runs until shutdown, then returns its leases. Fails only before it has claimed anything.
    pub(crate) async fn run(mut self, shutdown: Shutdown) -> Result<(), Error> {
        self.take_over().await?;
        let queue = self.queue.clone();
        let mut bell = queue.bells().listen(self.name);
        let mut scale = self.scale.clone();
        while !shutdown.has_begun() {
            self.reap();
            if self.hungry && self.room() > 0 {
                bell.mark_unchanged();
                self.feed().await;
                // A full claim means that there may be more.
                if self.hungry && self.room() > 0 {
                    continue;
                }
            }
            let (look_at_ms, renew_at_ms) = (self.look_at_ms, self.renew_at_ms);
            tokio::select! {
                () = shutdown.begun() => {}
                Some(ended) = self.tasks.join_next_with_id() => self.ended(ended),
                // The sender lives in the queue, so an error cannot happen.
                _ = bell.changed(), if !self.hungry => self.hungry = true,
                () = queue.sleep_until(renew_at_ms), if !self.active.is_empty() => {
                    self.renew().await;
                }
                // Its sender lives there too.
                _ = scale.changed() => self.hungry = true,
                () = queue.sleep_until(look_at_ms), if self.room() > 0 => {
                    self.hungry = true;
                }
            }
        }
        self.drain().await;
        Ok(())
    }

    /// Takes the jobs of processes that have ended. One process uses a SQLite file, so another
    /// boot's leases are nobody's; on PostgreSQL they may be alive and expire by time alone.
    async fn take_over(&self) -> Result<(), Error> {
        loop {
            let (name, boot) = (self.name, self.queue.boot().to_owned());
            let rescued = self.queue.write(move |tx| match tx.dialect() {
                Dialect::Sqlite => rescue::of_other_boots(tx, name, &boot),
                Dialect::Postgres => Ok(rescue::Rescued::default()),
            });
            let rescued = rescued.await?;
            if rescued.len() == 0 {
                return Ok(());
            }
            attempt::count_discarded(rescued.discarded);
            self.queue.after(&rescued.follow);
            tracing::warn!(
                queue = self.name,
                jobs.available = rescued.available.len(),
                jobs.discarded = rescued.discarded,
                "took over jobs of a process that has ended"
            );
        }
    }

    /// Claims as many jobs as there is room for and starts them.
    async fn feed(&mut self) {
        let now_ms = self.queue.clock().now_ms();
        let handlers = self.queue.handlers().of_queue(self.name);
        self.look_at_ms = now_ms.saturating_add(millis(LOOK_EVERY));
        if now_ms >= self.report_at_ms {
            self.report_at_ms = now_ms.saturating_add(millis(REPORT_EVERY));
            self.report_unknown_kinds(&handlers).await;
        }
        let limit = self.room().min(CLAIM_AT_ONCE);
        match self.claim(&handlers, limit).await {
            Ok(more) => self.hungry = more,
            Err(error) => {
                self.hungry = false;
                self.look_at_ms = now_ms.saturating_add(millis(PAUSE_AFTER_ERROR));
                tracing::warn!(%error, queue = self.name, "jobs could not be claimed");
            }
        }
    }

    async fn claim(&mut self, handlers: &[Arc<Handler>], limit: usize) -> Result<bool, Error> {
        if handlers.is_empty() {
            return Ok(false);
        }
        let request = Request {
            queue: self.name,
            kinds: handlers
                .iter()
                .map(|each| (each.kind, each.policy.attempts))
                .collect(),
            limit,
            token: self.queue.random().id(TOKEN_CHARACTERS),
            boot: self.queue.boot().to_owned(),
            lease_ms: self.lease_ms(),
        };
        let claims = self
            .queue
            .write(move |tx| store::claim::claim(tx, &request))
            .await?;
        self.note(&claims);
        let more = claims.more;
        if self.active.is_empty() && !claims.jobs.is_empty() {
            self.plan_renewal();
        }
        for claimed in claims.jobs {
            let handler = handlers.iter().find(|handler| handler.kind == claimed.kind);
            let handler = handler.expect("only kinds of these handlers were asked for");
            let active = Active {
                lease: claimed.lease.clone(),
                stop: Shutdown::new(),
            };
            self.queue
                .attempt_begins(&active.lease, active.stop.clone());
            let attempt = attempt::run(
                self.queue.clone(),
                Arc::clone(handler),
                claimed,
                active.stop.clone(),
            );
            let task = self.tasks.spawn(attempt);
            self.active.insert(task.id(), active);
            self.queue.replicas().count(self.name, true);
        }
        Ok(more)
    }

    /// Takes note of what a claim tells beside its jobs.
    fn note(&mut self, claims: &Claims) {
        self.queue.after(&claims.follow);
        self.is_capped = claims.is_capped;
        if let Some(again_ms) = claims.again_ms {
            self.look_at_ms = self.look_at_ms.min(again_ms);
        }
        if let Some(put_off_ms) = claims.put_off_ms {
            self.queue.bells().ring_at(put_off_ms);
        }
    }

    /// How many jobs may be claimed.
    fn room(&self) -> usize {
        self.scale.borrow().saturating_sub(self.active.len())
    }

    /// Prolongs all leases. A job whose lease is gone belongs to somebody else, or was cancelled:
    /// its handler is stopped.
    async fn renew(&mut self) {
        self.plan_renewal();
        let leases: Vec<Lease> = self
            .active
            .values()
            .map(|active| active.lease.clone())
            .collect();
        let lease_ms = self.lease_ms();
        let renewed = self
            .queue
            .write(move |tx| store::claim::renew(tx, &leases, lease_ms))
            .await;
        match renewed {
            Ok(lost) => {
                let gone = |active: &&Active| lost.contains(&active.lease.id);
                self.active
                    .values()
                    .filter(gone)
                    .for_each(|active| active.stop.begin());
            }
            Err(error) => {
                tracing::warn!(%error, queue = self.name, "leases could not be renewed");
            }
        }
    }

    /// Lets running jobs finish for a while, then stops them and returns their leases, which
    /// spends no attempt.
    async fn drain(&mut self) {
        self.wait_for_all(DRAIN).await;
        for active in self.active.values() {
            active.stop.begin();
        }
        self.wait_for_all(RETURN).await;
        if self.active.is_empty() {
            return;
        }
        // A handler that never yields cannot be stopped; its lease can be returned all the same.
        self.tasks.abort_all();
        let leases: Vec<Lease> = self
            .active
            .drain()
            .map(|(_, active)| {
                self.queue.replicas().count(self.name, false);
                active.lease
            })
            .collect();
        let count = leases.len();
        let returned = self.queue.write(move |tx| {
            for lease in &leases {
                store::finish::give_back(tx, lease)?;
            }
            Ok(())
        });
        let returned = returned.await;
        tracing::warn!(
            queue = self.name,
            jobs = count,
            ?returned,
            "jobs did not stop in time"
        );
    }

    /// Waits until all attempts have ended, or the clock says that it has been long enough.
    async fn wait_for_all(&mut self, limit: Duration) {
        let until_ms = self.queue.clock().now_ms().saturating_add(millis(limit));
        let queue = self.queue.clone();
        while !self.active.is_empty() {
            tokio::select! {
                ended = self.tasks.join_next_with_id() => match ended {
                    Some(ended) => self.ended(ended),
                    None => return,
                },
                () = queue.sleep_until(until_ms) => return,
            }
        }
    }

    /// Takes note of all attempts that have ended by now.
    fn reap(&mut self) {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.ended(ended);
        }
    }

    fn ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match &ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        if let Some(active) = self.active.remove(&id) {
            self.queue.attempt_ended(&active.lease);
            self.queue.replicas().count(self.name, false);
            if self.is_capped {
                self.queue.bells().ring(self.name);
            }
            if let Err(error) = ended {
                // Handlers are contained, so this is the queue's own fault; the lease expires.
                tracing::error!(%error, job.id = active.lease.id, "an attempt ended abnormally");
            }
        }
    }

    /// Tells once of each kind that waits here and that nobody has registered: perhaps a newer or
    /// an older version wrote it, so it is left alone.
    async fn report_unknown_kinds(&mut self, handlers: &[Arc<Handler>]) {
        let name = self.name;
        let find = self
            .queue
            .database()
            .read(move |tx| store::claim::available_kinds(tx, name, MAX_KINDS));
        // The claim that follows will tell if the database fails.
        let kinds: Vec<String> = find
            .await
            .unwrap_or_else(|_: mito_database::Error| Vec::new());
        for kind in kinds {
            let known = handlers.iter().any(|handler| handler.kind == kind);
            if !known && !self.reported.contains(&kind) {
                tracing::warn!(
                    queue = name,
                    kind,
                    "jobs of an unknown kind wait for another version"
                );
                self.reported.push(kind);
            }
        }
    }

    fn plan_renewal(&mut self) {
        let every_ms = self.lease_ms() / i64::try_from(RENEWALS_PER_LEASE).unwrap_or(1);
        self.renew_at_ms = self.queue.clock().now_ms().saturating_add(every_ms.max(1));
    }

    fn lease_ms(&self) -> i64 {
        i64::try_from(self.queue.config().lease_ms).unwrap_or(i64::MAX / 2)
    }
}

/// What is still known as running in this process ends with the worker.
impl Drop for Worker {
    fn drop(&mut self) {
        for active in self.active.values() {
            self.queue.attempt_ended(&active.lease);
            self.queue.replicas().count(self.name, false);
        }
    }
}

pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
