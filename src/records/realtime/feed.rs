//! The task behind realtime: it follows the outbox after each commit, one event at a time, and keeps
//! the time of the connected. It begins with what is committed after its start: what was told before
//! is not told again.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use mito_core::{Shutdown, supervisor::record_panic};
use mito_database::{Event, Tx, Value as Stored, outbox};
use mito_network::Task;

use super::{Realtime, deliver::Delivery};
use crate::{Error, Records, sql::Sql};

/// How many events are read at once.
const EVENTS_AT_ONCE: u32 = 100;
/// When the feed is further behind than this, in events, everybody has to begin anew.
const MAX_BEHIND: i64 = 100_000;
/// The wait after a failure, which doubles,
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often an event is tried before it is passed over.
const TRIES: u32 = 3;
/// How often streams are looked after.
const ROUND: Duration = Duration::from_secs(5);
/// A stream is shown to live at least this often.
const KEEP_ALIVE_MS: i64 = 25_000;
/// A client that is told nothing for so long has to connect again.
const IDLE_MS: i64 = 5 * 60_000;
/// No stream lives longer.
const ABSOLUTE_MS: i64 = 30 * 60_000;
/// How often it is asked which sessions have ended elsewhere.
const SESSIONS_EVERY_MS: i64 = 15_000;
/// How many sessions are asked for at once.
const SESSIONS_AT_ONCE: usize = 200;

impl Records {
    /// The task that tells clients of changes.
    pub(crate) fn realtime_feed(&self) -> Task {
        let records = self.clone();
        Task::new("realtime", move |shutdown| {
            let feed = Feed {
                records: records.clone(),
                sessions_at_ms: 0,
            };
            async move { Ok(feed.run(shutdown).await?) }
        })
    }
}

struct Feed {
    records: Records,
    /// When sessions are asked for again.
    sessions_at_ms: i64,
}

impl Feed {
    async fn run(mut self, shutdown: Shutdown) -> Result<(), Error> {
        let database = self.records.inner.database.clone();
        let mut changes = database.changes();
        let mut cursor = self.begin();
        let mut pause = FIRST_PAUSE;
        let mut round_at_ms = self.now_ms();
        while !shutdown.has_begun() {
            changes.mark_unchanged();
            match self.step(cursor).await {
                Ok(next) if next > cursor => {
                    (cursor, pause) = (next, FIRST_PAUSE);
                    if self.now_ms() < round_at_ms {
                        continue;
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "realtime cannot read events");
                    tokio::select! {
                        () = shutdown.begun() => {}
                        () = self.records.inner.clock.sleep(pause) => {}
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    continue;
                }
            }
            self.realtime().apply_ends(cursor);
            if self.now_ms() >= round_at_ms {
                round_at_ms = self.now_ms().saturating_add(millis(ROUND));
                self.look_after().await;
            }
            let wait_ms = u64::try_from(round_at_ms - self.now_ms()).unwrap_or(0);
            tokio::select! {
                () = shutdown.begun() => {}
                told = changes.changed() => {
                    told.map_err(|_| mito_database::Error::Closed)?;
                }
                () = self.records.inner.clock.sleep(Duration::from_millis(wait_ms)) => {}
            }
        }
        self.realtime().registry().close(true);
        Ok(())
    }

    /// The event to go on after: after a restart of the task where it was, otherwise the newest.
    fn begin(&self) -> i64 {
        if let Some(told) = self.realtime().told() {
            return told;
        }
        let newest = *self.records.inner.database.changes().borrow();
        self.realtime().set_told(newest);
        newest
    }

    /// Tells what the next events are about; returns the new cursor, which is the old one when there
    /// are none.
    async fn step(&self, cursor: i64) -> Result<i64, Error> {
        let database = &self.records.inner.database;
        let newest_known = *database.changes().borrow();
        if !self.realtime().registry().has_subscribers() {
            // Nobody listens; whoever subscribes now learns of what follows.
            self.realtime().set_told(newest_known.max(cursor));
            return Ok(newest_known.max(cursor));
        }
        if newest_known - cursor > MAX_BEHIND {
            tracing::warn!(
                events = newest_known - cursor,
                "realtime is too far behind; its clients connect again"
            );
            metrics::counter!("mito_realtime_gaps_total").increment(1);
            self.realtime().registry().close(false);
            self.realtime().set_told(newest_known);
            return Ok(newest_known);
        }
        let read = move |tx: &mut Tx<'_>| outbox::read_after(tx, cursor, EVENTS_AT_ONCE);
        let events = database.read(read).await?;
        let mut last = cursor;
        for event in events {
            // The rights of sessions that ended before the event are gone for it.
            self.realtime().apply_ends(last);
            last = event.sequence;
            self.tell(event).await;
            self.realtime().set_told(last);
        }
        Ok(last)
    }

    /// Tells of one event. One that cannot be told is passed over: those behind it do not wait for
    /// it for ever.
    async fn tell(&self, event: Event) {
        let sequence = event.sequence;
        let mut pause = FIRST_PAUSE;
        for tried in 1..=TRIES {
            let (records, event) = (self.records.clone(), event.clone());
            let deliver = move |tx: &mut Tx<'_>| contained(&records, tx, &event);
            match self.records.inner.database.read(deliver).await {
                Ok(deliveries) => return self.post(deliveries),
                Err(Error::Database(error)) if error.is_transient() && tried < TRIES => {
                    self.records.inner.clock.sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(error) => {
                    metrics::counter!("mito_realtime_failures_total").increment(1);
                    tracing::error!(%error, sequence, "clients were not told of an event");
                    return;
                }
            }
        }
    }

    fn post(&self, deliveries: Vec<Delivery>) {
        let now_ms = self.now_ms();
        let posted = deliveries
            .into_iter()
            .filter(|(client, message)| client.post(message.clone(), now_ms))
            .count();
        metrics::counter!("mito_realtime_messages_total").increment(posted as u64);
    }

    /// Keep-alives, and the ends of streams and of rights.
    async fn look_after(&mut self) {
        let now_ms = self.now_ms();
        let clients = self.realtime().registry().all();
        for client in clients {
            let (idle_ms, age_ms) = (now_ms - client.active_ms(), now_ms - client.opened_ms);
            if idle_ms >= IDLE_MS || age_ms >= ABSOLUTE_MS {
                client.mailbox.close();
            } else if now_ms - client.written_ms() >= KEEP_ALIVE_MS {
                client.keep_alive(now_ms);
            }
        }
        if now_ms < self.sessions_at_ms {
            return;
        }
        self.sessions_at_ms = now_ms.saturating_add(SESSIONS_EVERY_MS);
        if let Err(error) = self.end_sessions().await {
            tracing::warn!(%error, "realtime cannot ask which sessions have ended");
        }
    }

    /// Takes their rights from the clients of sessions that have expired or that another process
    /// ended.
    async fn end_sessions(&self) -> Result<(), Error> {
        let sessions = self.realtime().registry().sessions();
        for some in sessions.chunks(SESSIONS_AT_ONCE) {
            let some = some.to_vec();
            let asked = some.clone();
            let ask = move |tx: &mut Tx<'_>| living(tx, &some);
            let living = self.records.inner.database.read(ask).await?;
            let ended: Vec<String> = asked
                .into_iter()
                .filter(|session| !living.contains(session))
                .collect();
            if !ended.is_empty() {
                let registry = self.realtime().registry();
                registry.end_sessions(|session| ended.iter().any(|ended| ended == session));
            }
        }
        Ok(())
    }

    fn realtime(&self) -> &Realtime {
        &self.records.inner.realtime
    }

    fn now_ms(&self) -> i64 {
        self.records.inner.clock.now_ms()
    }
}

impl Realtime {
    fn told(&self) -> Option<i64> {
        *self.0.told.borrow()
    }

    fn set_told(&self, sequence: i64) {
        self.0.told.send_replace(Some(sequence));
    }

    /// Takes the rights of the sessions that ended at or before `told`.
    fn apply_ends(&self, told: i64) {
        let due: Vec<String> = {
            let mut ended = self.ended();
            if ended.is_empty() {
                return;
            }
            let (due, later) = ended
                .drain(..)
                .partition::<Vec<_>, _>(|(_, at)| *at <= told);
            *ended = later;
            due.into_iter().map(|(session, _)| session).collect()
        };
        if !due.is_empty() {
            let registry = self.registry();
            registry.end_sessions(|session| due.iter().any(|due| due == session));
        }
    }
}

/// Those of the given sessions that have not ended.
fn living(tx: &mut Tx<'_>, sessions: &[String]) -> Result<Vec<String>, Error> {
    let now_ms = tx.now_ms();
    let mut sql = Sql::new("SELECT id FROM _mito_records_sessions WHERE idle_at > ");
    sql.bind(Stored::Integer(now_ms))
        .push(" AND absolute_at > ");
    sql.bind(Stored::Integer(now_ms)).push(" AND id IN (");
    for (at, session) in sessions.iter().enumerate() {
        if at > 0 {
            sql.push(", ");
        }
        sql.bind(Stored::Text(session.clone()));
    }
    sql.push(")");
    let rows = sql.query(tx)?;
    rows.iter().map(|row| Ok(row.get("id")?)).collect()
}

/// A panic is an error like any other.
fn contained(records: &Records, tx: &mut Tx<'_>, event: &Event) -> Result<Vec<Delivery>, Error> {
    catch_unwind(AssertUnwindSafe(|| records.deliveries(tx, event))).unwrap_or_else(|panic| {
        let reason = record_panic("records/realtime", panic.as_ref());
        Err(Error::Internal(reason))
    })
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
