//! Which events of an outbox need not be kept: those that every relay has applied.
//!
//! Cursors of all relays of a source are in one file, the relays' destination, so one query knows
//! the slowest. An applied event is kept for an hour all the same: a backup copies the destination
//! first and the source after it, and the cursors of the copy must find their events.

use std::time::Duration;

use mito_database::{Database, Error, Event, Lane, outbox};

use crate::{
    store::cursors::{self, Cursor},
    worker::millis,
};

/// How long an event is kept that every relay has applied.
const KEEP_APPLIED: Duration = Duration::from_hours(1);
/// How long an event is kept in a file that has no relay.
const KEEP_UNCLAIMED: Duration = Duration::from_hours(7 * 24);
/// A relay that no process has run for so long is worth a warning. It holds events back for ever all
/// the same: perhaps the machine was off, or its clock is wrong.
const ABSENT_AFTER: Duration = Duration::from_hours(30 * 24);
/// How many events one step looks at and deletes.
const EVENTS_AT_ONCE: u32 = 500;
/// How many steps are taken in a row.
const MAX_STEPS: usize = 100;

/// Deletes from `source` what the relays with cursors in `destination` do not need.
pub(crate) async fn outbox(
    source: &Database,
    destination: &Database,
    now_ms: i64,
) -> Result<(), Error> {
    let file = source.file_id().to_owned();
    let cursors = destination
        .read(move |tx| cursors::of_source(tx, &file))
        .await?;
    let limit = Limit::new(&cursors, now_ms);
    for _ in 0..MAX_STEPS {
        let oldest = source
            .read(|tx| outbox::read_after(tx, 0, EVENTS_AT_ONCE))
            .await?;
        let Some(last) = limit.last_deletable(&oldest) else {
            break;
        };
        let deleted = source
            .write_in(Lane::Bulk, move |tx| outbox::prune(tx, last))
            .await?;
        if deleted < EVENTS_AT_ONCE as usize {
            break;
        }
    }
    Ok(())
}

/// What may be deleted.
#[derive(Debug, PartialEq, Eq)]
struct Limit {
    /// Up to and including this event,
    sequence: i64,
    /// if it is older than this.
    before_ms: i64,
}

impl Limit {
    fn new(cursors: &[Cursor], now_ms: i64) -> Self {
        let absent_ms = now_ms.saturating_sub(millis(ABSENT_AFTER));
        for cursor in cursors.iter().filter(|cursor| cursor.seen_ms < absent_ms) {
            tracing::warn!(
                relay = cursor.relay,
                sequence.applied = cursor.sequence,
                "a relay that has not run for 30 days keeps its events from being deleted"
            );
        }
        let slowest = cursors.iter().map(|cursor| cursor.sequence).min();
        let keep = if slowest.is_some() {
            KEEP_APPLIED
        } else {
            KEEP_UNCLAIMED
        };
        Self {
            sequence: slowest.unwrap_or(i64::MAX),
            before_ms: now_ms.saturating_sub(millis(keep)),
        }
    }

    /// The last of `events`, which are in order, that may be deleted.
    fn last_deletable(&self, events: &[Event]) -> Option<i64> {
        let deletable =
            |event: &&Event| event.sequence <= self.sequence && event.at_ms < self.before_ms;
        events
            .iter()
            .take_while(deletable)
            .last()
            .map(|event| event.sequence)
    }
}

#[cfg(test)]
mod tests {
    use mito_database::Action;

    use super::*;

    const HOUR_MS: i64 = 3_600_000;
    const NOW_MS: i64 = 10_000 * HOUR_MS;

    /// Cursors as (sequence, hours since they were seen) against events of the given ages in
    /// hours, numbered from 1.
    fn check(cursors: &[(i64, i64)], ages_hours: &[i64], expected: Option<i64>) {
        let cursors: Vec<Cursor> = cursors
            .iter()
            .map(|(sequence, hours)| Cursor {
                relay: "relay".to_owned(),
                sequence: *sequence,
                seen_ms: NOW_MS - hours * HOUR_MS,
            })
            .collect();
        let events: Vec<Event> = (1..)
            .zip(ages_hours)
            .map(|(sequence, hours)| Event {
                sequence,
                collection: "contents".to_owned(),
                record: "r".to_owned(),
                action: Action::Create,
                detail: "{}".to_owned(),
                at_ms: NOW_MS - hours * HOUR_MS,
            })
            .collect();
        assert_eq!(
            Limit::new(&cursors, NOW_MS).last_deletable(&events),
            expected
        );
    }

    #[test]
    fn the_slowest_relay_decides() {
        check(&[(3, 0), (5, 0)], &[9, 8, 7, 6, 5], Some(3));
        check(&[(0, 0), (5, 0)], &[9, 8, 7, 6, 5], None);
    }

    #[test]
    fn applied_events_are_kept_for_an_hour() {
        check(&[(5, 0)], &[3, 2, 1, 0, 0], Some(2));
    }

    #[test]
    fn without_a_relay_events_are_kept_for_a_week() {
        check(&[], &[200, 169, 168, 1], Some(2));
        check(&[], &[], None);
    }

    #[test]
    fn a_relay_that_nobody_runs_is_waited_for() {
        check(
            &[(1, 400 * 24), (4, 0)],
            &[9_900, 9_900, 9_900, 9_900],
            Some(1),
        );
    }
}
