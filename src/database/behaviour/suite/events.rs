//! Events: numbered in commit order, announced after the commit, never lost.

use std::time::Duration;

use super::super::NOW_MS;
use crate::{Action, Database, Error, NewEvent, outbox};

async fn emit(database: &Database, record: &str, fails: bool) -> Result<i64, Error> {
    let record = record.to_owned();
    database
        .write(move |tx| {
            let event = NewEvent {
                collection: "items",
                record: &record,
                action: Action::Create,
                detail: "{}",
            };
            let sequence = tx.emit(event)?;
            if fails {
                Err(Error::Full)
            } else {
                Ok(sequence)
            }
        })
        .await
}

pub(super) async fn events_rise_and_are_announced_after_the_commit(database: Database) {
    let mut changes = database.changes();
    assert_eq!(*changes.borrow_and_update(), 0);
    let first = emit(&database, "one", false).await.unwrap();
    emit(&database, "lost", true).await.unwrap_err();
    let last = emit(&database, "two", false).await.unwrap();
    let seen = changes.wait_for(|newest| *newest >= last);
    let seen = *tokio::time::timeout(Duration::from_secs(20), seen)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(seen, last);

    let events = database
        .read(|tx| outbox::read_after(tx, 0, 10))
        .await
        .unwrap();
    let records: Vec<&str> = events.iter().map(|event| event.record.as_str()).collect();
    assert_eq!(records, ["one", "two"]);
    assert_eq!((events[0].sequence, events[1].sequence), (first, last));
    assert!(first < last);
    assert_eq!(events[0].action, Action::Create);
    assert_eq!(events[0].at_ms, NOW_MS);
    let after = database
        .read(move |tx| outbox::read_after(tx, first, 10))
        .await
        .unwrap();
    assert_eq!(after.len(), 1);
}

pub(super) async fn a_follower_of_the_outbox_misses_nothing(database: Database) {
    const EMITTERS: usize = 8;
    const EVENTS: usize = 20;
    let mut emitters = tokio::task::JoinSet::new();
    for emitter in 0..EMITTERS {
        let database = database.clone();
        emitters.spawn(async move {
            for number in 0..EVENTS {
                emit(&database, &format!("{emitter}-{number}"), false)
                    .await
                    .unwrap();
            }
        });
    }
    // A number that became visible after a higher one would stay behind this cursor for ever.
    let mut changes = database.changes();
    let mut seen = std::collections::BTreeSet::new();
    let mut cursor = 0;
    let following = async {
        while seen.len() < EMITTERS * EVENTS {
            let events = database
                .read(move |tx| outbox::read_after(tx, cursor, 7))
                .await
                .unwrap();
            for event in &events {
                assert!(event.sequence > cursor);
                cursor = event.sequence;
                assert!(
                    seen.insert(event.record.clone()),
                    "{} came twice",
                    event.record
                );
            }
            if events.is_empty() {
                changes.wait_for(|newest| *newest > cursor).await.unwrap();
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), following)
        .await
        .unwrap();
    while let Some(emitter) = emitters.join_next().await {
        emitter.unwrap();
    }
}

pub(super) async fn pruned_numbers_are_not_given_again(database: Database) {
    let mut last = 0;
    for record in ["one", "two", "three"] {
        last = emit(&database, record, false).await.unwrap();
    }
    let pruned = database
        .write(move |tx| outbox::prune(tx, last))
        .await
        .unwrap();
    assert_eq!(pruned, 3);
    assert!(emit(&database, "four", false).await.unwrap() > last);
}
