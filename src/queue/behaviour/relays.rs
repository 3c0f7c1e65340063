//! Relays: order, once each, failures, pruning.

use mito_database::{Action, Event, NewEvent, outbox};

use super::*;
use crate::Relay;

/// Emits an event for each record.
async fn emit(source: &Database, records: impl IntoIterator<Item = usize>) {
    let records: Vec<String> = records
        .into_iter()
        .map(|number| format!("{number:03}"))
        .collect();
    let emit = move |tx: &mut Tx<'_>| {
        for record in &records {
            let action = Action::Create;
            tx.emit(NewEvent {
                collection: "things",
                record,
                action,
                detail: "{}",
            })?;
        }
        Ok::<(), Error>(())
    };
    source.write(emit).await.unwrap();
}

fn records(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| format!("{number:03}")).collect()
}

/// Writes each event's record down.
fn note(tx: &mut Tx<'_>, event: &Event) -> Result<(), Error> {
    effect(tx, &event.record)
}

async fn remaining(source: &Database) -> usize {
    let read = |tx: &mut Tx<'_>| outbox::read_after(tx, 0, 1_000);
    source.read(read).await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_applied_in_order_and_wake_the_relay() {
    let stage = Stage::new();
    let mut process = stage.process().await;
    let source = stage.database("objects.db").await;
    emit(&source, 0..250).await;
    let relay = Relay::new("test", source.clone(), process.database.clone(), note);
    process.start(relay.with_clock(stage.clock.clone()).task());
    until("the old ones", async || {
        process.effects().await.len() == 250
    })
    .await;
    emit(&source, 250..253).await;
    until("the new ones", async || {
        process.effects().await.len() == 253
    })
    .await;
    assert_eq!(process.effects().await, records(0..253));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_at_any_time_lose_and_repeat_no_event() {
    let stage = Stage::new();
    for round in 1..=8 {
        let mut process = stage.process().await;
        let source = stage.database("objects.db").await;
        emit(&source, (round - 1) * 150..round * 150).await;
        let relay = Relay::new("test", source.clone(), process.database.clone(), note);
        process.start(relay.with_clock(stage.clock.clone()).task());
        let goal = round * 100;
        until("some more", async || process.effects().await.len() >= goal).await;
        drop(source);
        process.kill().await;
    }
    let mut process = stage.process().await;
    let source = stage.database("objects.db").await;
    process.start(Relay::new("test", source, process.database.clone(), note).task());
    until("all", async || process.effects().await.len() >= 1_200).await;
    assert_eq!(process.effects().await, records(0..1_200));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_relays_of_one_name_apply_each_event_once() {
    let stage = Stage::new();
    let mut process = stage.process().await;
    let source = stage.database("objects.db").await;
    for _ in 0..2 {
        let relay = Relay::new("test", source.clone(), process.database.clone(), note);
        process.start(relay.with_clock(stage.clock.clone()).task());
    }
    for start in (0..300).step_by(30) {
        emit(&source, start..start + 30).await;
    }
    until("all", async || process.effects().await.len() >= 300).await;
    assert_eq!(process.effects().await, records(0..300));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_can_be_relayed_into_itself_and_into_jobs() {
    let stage = Stage::new();
    let mut process = stage.process().await;
    process.write_notes_down();
    let queue = process.queue.clone();
    let apply = move |tx: &mut Tx<'_>, event: &Event| {
        let options = Enqueue {
            unique_key: Some(event.sequence.to_string()),
            ..Enqueue::default()
        };
        queue.enqueue(
            tx,
            &Note {
                text: event.record.clone(),
            },
            &options,
        )?;
        Ok(())
    };
    let database = process.database.clone();
    process.start(Relay::new("test", database.clone(), database.clone(), apply).task());
    emit(&database, 0..150).await;
    until("all ran", async || process.effects().await.len() == 150).await;
    let mut effects = process.effects().await;
    effects.sort();
    assert_eq!(effects, records(0..150));
    drop(database);
    process.stop().await;
}

/// Relays ten events of which the sixth fails for five seconds in the given way. It is not calls
/// that are counted: the writer may run a closure twice.
async fn survives(fail: fn() -> Result<(), Error>) {
    let stage = Stage::new();
    let mut process = stage.process().await;
    let source = stage.database("objects.db").await;
    emit(&source, 0..10).await;
    let good_from_ms = START_MS + 5_000;
    let apply = {
        let clock = stage.clock.clone();
        move |tx: &mut Tx<'_>, event: &Event| {
            if event.record == "005" && clock.now_ms() < good_from_ms {
                effect(tx, "half done")?;
                return fail();
            }
            note(tx, event)
        }
    };
    let relay = Relay::new("test", source, process.database.clone(), apply);
    process.start(relay.with_clock(stage.clock.clone()).task());
    until("those before it", async || {
        process.effects().await.len() == 5
    })
    .await;
    until("it succeeds in the end", async || {
        stage.clock.advance(Duration::from_secs(1));
        process.effects().await.len() == 10
    })
    .await;
    assert_eq!(process.effects().await, records(0..10));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_fails_is_tried_again_and_never_skipped() {
    survives(|| Err(Error::NotFound("what it needs".to_owned()))).await;
    survives(|| panic!("not ready")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_source_is_pruned_below_its_slowest_relay() {
    let stage = Stage::new();
    let mut process = stage.process().await;
    let source = stage.database("objects.db").await;
    emit(&source, 0..10).await;
    let stuck = |tx: &mut Tx<'_>, event: &Event| match event.record.as_str() {
        "007" => Err(Error::NotFound("patience".to_owned())),
        _ => note(tx, event),
    };
    let slow = Relay::new("slow", source.clone(), process.database.clone(), stuck);
    process.start(slow.with_clock(stage.clock.clone()).task());
    until("the slow one is stuck", async || {
        process.effects().await.len() == 7
    })
    .await;
    stage.clock.advance(Duration::from_hours(2));

    let fast = Relay::new("fast", source.clone(), process.database.clone(), |_, _| {
        Ok(())
    });
    process.start(fast.with_clock(stage.clock.clone()).task());
    until("pruned", async || remaining(&source).await == 3).await;
    assert_eq!(
        remaining(&source).await,
        3,
        "what the slow relay needs stays"
    );
    drop(source);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_without_relays_is_pruned_after_a_week() {
    let stage = Stage::new();
    let mut process = stage.process().await;
    emit(&process.database, 0..700).await;
    stage.clock.advance(Duration::from_hours(8 * 24));
    emit(&process.database, 0..5).await;
    process.start(process.queue.keeper());
    until("pruned", async || remaining(&process.database).await == 5).await;
    process.stop().await;
}

#[tokio::test]
async fn a_clock_that_jumps_loses_no_event() {
    let stage = Stage::new();
    let process = stage.process().await;
    let source = stage.database("objects.db").await;
    let file = source.file_id().to_owned();
    let register = move |tx: &mut Tx<'_>| crate::store::cursors::register(tx, "test", &file);
    process.database.write(register).await.unwrap();
    emit(&source, 0..5).await;
    let years_later_ms = START_MS + 3 * 365 * 24 * 3_600_000;
    crate::prune::outbox(&source, &process.database, years_later_ms)
        .await
        .unwrap();
    assert_eq!(remaining(&source).await, 5);
}
