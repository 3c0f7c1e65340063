//! Jobs by the clock.

use super::*;
use crate::{CatchUp, Schedule};

const MINUTE: Duration = Duration::from_mins(1);

impl Process {
    async fn schedule(&self, name: &str, schedule: Schedule) {
        let note = Note {
            text: name.to_owned(),
        };
        self.queue.schedule(name, &note, schedule).await.unwrap();
    }

    /// How many jobs there are, once the keeper has looked at the time.
    async fn jobs_are(&self, expected: usize) {
        let mut found = 0;
        let wait = async {
            loop {
                let filter = crate::store::view::Filter {
                    limit: 1_000,
                    ..Default::default()
                };
                found = self.queue.jobs(filter).await.unwrap().jobs.len();
                if found == expected {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let ended = tokio::time::timeout(Duration::from_secs(10), wait).await;
        assert!(ended.is_ok(), "{found} jobs instead of {expected}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_enqueues_at_its_times_until_it_is_removed() {
    let mut process = Stage::new().process().await;
    process.start(process.queue.keeper());
    process.schedule("a", Schedule::every(MINUTE)).await;
    for runs in 1..=3 {
        process.clock.advance(MINUTE);
        process.jobs_are(runs).await;
    }
    // The same again, as at each start, changes nothing.
    process.schedule("a", Schedule::every(MINUTE)).await;
    let schedules = process.queue.schedules().await.unwrap();
    assert_eq!(schedules.len(), 1);
    assert_eq!(
        (
            schedules[0].runs,
            schedules[0].last_ms,
            schedules[0].next_ms
        ),
        (3, Some(START_MS + 180_000), Some(START_MS + 240_000))
    );
    assert_eq!(schedules[0].coming_ms.len(), 5);
    // Another time counts from now.
    process.schedule("a", Schedule::every(MINUTE * 5)).await;
    process.clock.advance(MINUTE * 5);
    process.jobs_are(4).await;
    process.queue.run_schedule("a").await.unwrap();
    process.jobs_are(5).await;
    process.queue.unschedule("a").await.unwrap();
    assert!(process.queue.unschedule("a").await.is_err());
    assert!(process.queue.run_schedule("a").await.is_err());
    process.clock.advance(MINUTE * 60);
    process.jobs_are(5).await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_begins_and_ends() {
    let mut process = Stage::new().process().await;
    process.start(process.queue.keeper());
    let bounded = Schedule {
        starts_ms: Some(START_MS + 600_000),
        ends_ms: Some(START_MS + 720_000),
        ..Schedule::every(MINUTE)
    };
    process.schedule("bounded", bounded).await;
    let twice = Schedule {
        limit: Some(2),
        ..Schedule::every(MINUTE * 8)
    };
    process.schedule("twice", twice).await;
    for (minutes, jobs) in [(7, 0), (8, 1), (10, 2), (11, 3), (12, 4), (16, 5), (60, 5)] {
        let now_ms = START_MS + minutes * 60_000;
        let ahead = u64::try_from(now_ms - process.clock.now_ms()).unwrap();
        process.clock.advance(Duration::from_millis(ahead));
        process.jobs_are(jobs).await;
    }
    let schedules = process.queue.schedules().await.unwrap();
    assert!(schedules.iter().all(|each| each.next_ms.is_none()));
    assert!(schedules.iter().all(|each| each.coming_ms.is_empty()));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missed_times_are_made_up_for_as_was_agreed() {
    let stage = Stage::new();
    let process = stage.process().await;
    let with = |catch_up| Schedule {
        catch_up,
        ..Schedule::every(MINUTE * 10)
    };
    process.schedule("skip", with(CatchUp::Skip)).await;
    process.schedule("once", with(CatchUp::RunOnce)).await;
    let all = CatchUp::RunAll { most: 4 };
    process.schedule("all", with(all)).await;
    process.kill().await;
    // Nothing runs for 95 minutes.
    stage.clock.advance(MINUTE * 95);
    let mut process = stage.process().await;
    process.start(process.queue.keeper());
    process.jobs_are(5).await;
    let runs = async || -> Vec<(String, u32)> {
        let schedules = process.queue.schedules().await.unwrap();
        schedules
            .into_iter()
            .map(|each| (each.name, each.runs))
            .collect()
    };
    let expect = |all, once, skip| {
        [("all", all), ("once", once), ("skip", skip)].map(|(name, runs)| (name.to_owned(), runs))
    };
    assert_eq!(runs().await, expect(4, 1, 0));
    process.clock.advance(MINUTE * 5);
    process.jobs_are(8).await;
    assert_eq!(runs().await, expect(5, 2, 1));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_is_refused_and_what_is_unreadable_stands_still() {
    let mut process = Stage::new().process().await;
    let note = Note {
        text: "x".to_owned(),
    };
    for (schedule, expected) in [
        (Schedule::cron("* *", "UTC"), "5 space separated"),
        (Schedule::cron("@daily", "Europe/Nowhere"), "Europe/Nowhere"),
        (Schedule::every(Duration::ZERO), "every 0 ms"),
    ] {
        let refused = process.queue.schedule("x", &note, schedule).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
    }
    process.schedule("broken", Schedule::every(MINUTE)).await;
    process
        .tamper("UPDATE _mito_queue_schedules SET rule = '{\"of\":\"tomorrow\"}'")
        .await;
    process.schedule("fine", Schedule::every(MINUTE)).await;
    process.start(process.queue.keeper());
    process.clock.advance(MINUTE);
    process.jobs_are(1).await;
    process.stop().await;
}
