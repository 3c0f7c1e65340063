//! Carries the events of one file's outbox into effects in another (or the same) file, each exactly
//! once: the destination stores (source file id, sequence) together with the effect.
//!
//! The destination is the file that holds the queue's tables; the cursors of all relays are there.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use mito_core::{Clock, Shutdown, supervisor::record_panic};
use mito_database::{Database, Event, Lane, Tx, outbox};
use mito_network::Task;

use crate::{Error, prune, store::cursors, worker::millis};

/// How many events one transaction applies.
const EVENTS_AT_ONCE: u32 = 100;
/// The wait after a failure, which doubles,
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// up to this.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// How often the source is pruned and the relay notes that it is alive.
const PRUNE_EVERY: Duration = Duration::from_mins(5);

type Apply = dyn Fn(&mut Tx<'_>, &Event) -> Result<(), Error> + Send + Sync;

/// A relay from one outbox. Cheap to clone.
#[derive(Clone)]
pub struct Relay {
    name: &'static str,
    source: Database,
    destination: Database,
    apply: Arc<Apply>,
    clock: Clock,
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Why a batch was not applied.
struct Failed {
    /// The event that failed, by its place in the batch; none if the database did.
    at: Option<usize>,
    error: Error,
}

impl From<mito_database::Error> for Failed {
    fn from(error: mito_database::Error) -> Self {
        Self {
            at: None,
            error: Error::from(error),
        }
    }
}

impl Relay {
    /// `name` identifies the relay's cursor for ever. `apply` turns one event into writes on the
    /// destination; it is called in the transaction that advances the cursor, up to 100 events a
    /// transaction, in order. An event that fails is tried again, with growing pauses, until it
    /// succeeds; none is ever skipped.
    pub fn new<F>(name: &'static str, source: Database, destination: Database, apply: F) -> Self
    where
        F: Fn(&mut Tx<'_>, &Event) -> Result<(), Error> + Send + Sync + 'static,
    {
        Self {
            name,
            source,
            destination,
            apply: Arc::new(apply),
            clock: Clock::system(),
        }
    }

    /// Measures pauses with `clock` instead of the machine's.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The task that runs the relay; it wakes when the source commits an event.
    pub fn task(self) -> Task {
        let name = self.name;
        Task::new(name, move |shutdown| {
            let relay = self.clone();
            async move { Ok(relay.run(shutdown).await?) }
        })
    }

    async fn run(self, shutdown: Shutdown) -> Result<(), Error> {
        let mut changes = self.source.changes();
        let mut cursor = self.register().await?;
        let mut prune_at_ms = self.clock.now_ms();
        let mut pause = FIRST_PAUSE;
        while !shutdown.has_begun() {
            changes.mark_unchanged();
            match self.step(cursor).await {
                Ok(next) if next > cursor => {
                    (cursor, pause) = (next, FIRST_PAUSE);
                    self.show_stuck(false);
                    continue;
                }
                Ok(_) => {}
                Err(error) => {
                    self.report(&error, cursor, pause);
                    tokio::select! {
                        () = shutdown.begun() => {}
                        () = self.clock.sleep(pause) => {}
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    continue;
                }
            }
            if self.clock.now_ms() >= prune_at_ms {
                prune_at_ms = self.clock.now_ms().saturating_add(millis(PRUNE_EVERY));
                self.prune().await;
            }
            let wait_ms = u64::try_from(prune_at_ms - self.clock.now_ms()).unwrap_or(0);
            tokio::select! {
                () = shutdown.begun() => {}
                told = changes.changed() => {
                    told.map_err(|_| mito_database::Error::Closed)?;
                }
                () = self.clock.sleep(Duration::from_millis(wait_ms)) => {}
            }
        }
        Ok(())
    }

    async fn register(&self) -> Result<i64, Error> {
        let (name, source) = (self.name, self.source.file_id().to_owned());
        let register = move |tx: &mut Tx<'_>| cursors::register(tx, name, &source);
        Ok(self.destination.write_in(Lane::Urgent, register).await?)
    }

    /// Applies the next events; returns the new cursor, which is the old one when there are none.
    async fn step(&self, cursor: i64) -> Result<i64, Error> {
        let read = move |tx: &mut Tx<'_>| outbox::read_after(tx, cursor, EVENTS_AT_ONCE);
        let events: Vec<Event> = self.source.read(read).await?;
        if events.is_empty() {
            return Ok(cursor);
        }
        let events: Arc<[Event]> = events.into();
        match self.commit(Arc::clone(&events), events.len(), cursor).await {
            Ok(next) => Ok(next),
            // What comes before the bad event is not held up by it.
            Err(Failed { at: Some(at), .. }) if at > 0 => self
                .commit(events, at, cursor)
                .await
                .map_err(|failed| failed.error),
            Err(failed) => Err(failed.error),
        }
    }

    /// Applies the first `count` events and moves the cursor in one transaction. If the cursor is
    /// no longer `from`, somebody else has applied them: nothing is done.
    async fn commit(&self, events: Arc<[Event]>, count: usize, from: i64) -> Result<i64, Failed> {
        let (name, source) = (self.name, self.source.file_id().to_owned());
        let apply = Arc::clone(&self.apply);
        let work = move |tx: &mut Tx<'_>| -> Result<(i64, usize), Failed> {
            let position = cursors::position(tx, name, &source)?;
            if position != from {
                return Ok((position, 0));
            }
            let mut last = from;
            for (at, event) in events.iter().take(count).enumerate() {
                contained(&*apply, tx, event).map_err(|error| Failed {
                    at: Some(at),
                    error,
                })?;
                last = event.sequence;
            }
            cursors::advance(tx, name, &source, last)?;
            Ok((last, count))
        };
        let (cursor, applied) = self.destination.write_in(Lane::Urgent, work).await?;
        metrics::counter!("mito_queue_relay_events_total", "relay" => self.name)
            .increment(applied as u64);
        Ok(cursor)
    }

    fn report(&self, error: &Error, cursor: i64, pause: Duration) {
        metrics::counter!("mito_queue_relay_failures_total", "relay" => self.name).increment(1);
        self.show_stuck(true);
        tracing::error!(
            %error,
            relay = self.name,
            sequence.applied = cursor,
            retry_in_ms = millis(pause),
            "a relay cannot apply the next event; those behind it wait"
        );
    }

    fn show_stuck(&self, stuck: bool) {
        metrics::gauge!("mito_queue_relay_stuck", "relay" => self.name).set(f64::from(stuck));
    }

    async fn prune(&self) {
        let pruned = async {
            self.register().await?;
            prune::outbox(&self.source, &self.destination, self.clock.now_ms()).await?;
            Ok::<(), Error>(())
        };
        if let Err(error) = pruned.await {
            tracing::warn!(%error, relay = self.name, "old events could not be deleted");
        }
    }
}

/// Calls `apply`; a panic is an error like any other.
fn contained(apply: &Apply, tx: &mut Tx<'_>, event: &Event) -> Result<(), Error> {
    catch_unwind(AssertUnwindSafe(|| apply(tx, event)))
        .unwrap_or_else(|panic| Err(Error::Panicked(record_panic("queue/relay", panic.as_ref()))))
}
