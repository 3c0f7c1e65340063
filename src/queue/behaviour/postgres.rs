//! The same queue on PostgreSQL, where one is given to test on. Bells may ring before the commit
//! there, and leases of another boot may be alive, so these cases let time pass.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use mito_database::{Action, NewEvent};

use super::*;
use crate::{Flow, Limits, RateLimit, Relay};

/// The variable that names the server.
const VARIABLE: &str = "MITO_TEST_POSTGRES";

impl Stage {
    /// A stage whose `mito.db` is a schema of its own; none without a server.
    async fn on_postgres(case: &str) -> Option<Self> {
        let environment = mito_core::config::environment();
        let Some(url) = environment.get(VARIABLE).filter(|url| !url.is_empty()) else {
            eprintln!("skipped {case} on PostgreSQL: {VARIABLE} is not set");
            return None;
        };
        let schema = format!("test_{}", Random::system().id(15));
        let separator = if url.contains('?') { '&' } else { '?' };
        let server = Some(format!("{url}{separator}options=-csearch_path%3D{schema}"));
        let admin = url.clone();
        let create = move || {
            let mut client = ::postgres::Client::connect(&admin, ::postgres::NoTls).unwrap();
            client
                .batch_execute(&format!("CREATE SCHEMA {schema}"))
                .unwrap();
        };
        tokio::task::spawn_blocking(create).await.unwrap();
        Some(Self {
            server,
            ..Self::new()
        })
    }
}

const STEP: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_run_in_time_and_once() {
    let Some(stage) = Stage::on_postgres("jobs").await else {
        return;
    };
    let mut process = stage.process().await;
    process.start(process.queue.keeper());
    process.work(Policy::default(), async |running| {
        if running.attempt == 1 && running.payload.text.ends_with('5') {
            return Err(Failure::Retry("not yet".to_owned()));
        }
        running.log("a line").await;
        write_down(running).await
    });
    process.start(process.queue.worker("test", 4));
    let mut expected = Vec::new();
    for number in 0..40 {
        let options = Enqueue {
            at_ms: (number % 4 == 0).then_some(START_MS + 3_000),
            unique_key: Some(number.to_string()),
            ..Enqueue::default()
        };
        expected.push(format!("{number:02}"));
        let id = process
            .enqueue_with(&expected[number], options.clone())
            .await
            .unwrap();
        assert_eq!(process.enqueue_with("again", options).await.unwrap(), id);
    }
    until("all ran", async || {
        process.clock.advance(STEP);
        process.effects().await.len() >= 40
    })
    .await;
    let mut effects = process.effects().await;
    effects.sort();
    assert_eq!(effects, expected);
    assert_eq!(
        process.queue.queues().await.unwrap()[0].counts.completed,
        40
    );
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leases_of_a_killed_process_expire() {
    let Some(stage) = Stage::on_postgres("leases").await else {
        return;
    };
    let mut process = stage.process().await;
    let id = process.enqueue("x").await;
    let seen = Seen::default();
    process.work(Policy::default(), {
        let seen = seen.clone();
        move |_| {
            seen.add("began");
            std::future::pending()
        }
    });
    seen.reaches(1).await;
    process.kill().await;
    let mut process = stage.process().await;
    process.start(process.queue.keeper());
    process.write_notes_down();
    let job = process
        .reaches_in_time(&id, JobState::Completed, STEP)
        .await;
    assert_eq!(job.summary.attempts, 2);
    assert!(
        stage.clock.now_ms() >= START_MS + 30_000,
        "not before the lease expired"
    );
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_relayed_into_it() {
    let Some(stage) = Stage::on_postgres("relay").await else {
        return;
    };
    let mut process = stage.process().await;
    let source = stage.database("objects.db").await;
    let relay = Relay::new(
        "test",
        source.clone(),
        process.database.clone(),
        |tx, event| effect(tx, &event.record),
    );
    process.start(relay.clone().with_clock(stage.clock.clone()).task());
    process.start(relay.with_clock(stage.clock.clone()).task());
    for number in 0..120 {
        let emit = move |tx: &mut Tx<'_>| {
            let (record, action) = (&format!("{number:03}"), Action::Create);
            tx.emit(NewEvent {
                collection: "things",
                record,
                action,
                detail: "{}",
            })
        };
        let emitted: Result<i64, mito_database::Error> = source.write(emit).await;
        emitted.unwrap();
    }
    until("all", async || process.effects().await.len() >= 120).await;
    let expected: Vec<String> = (0..120).map(|number| format!("{number:03}")).collect();
    assert_eq!(process.effects().await, expected);
    process.stop().await;
}

/// Counts how many run at once, in all processes.
#[derive(Clone, Default)]
struct Counted {
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Counted {
    async fn run(self, job: Running<Note>) -> Result<Completed, Failure> {
        let running = self.running.fetch_add(1, SeqCst) + 1;
        self.most.fetch_max(running, SeqCst);
        let text = job.payload.text.clone();
        let kept: String = job.step("step", || async { Ok(text) }).await?;
        job.progress(&50)?;
        let children = job.children().await?.len();
        // Before the completion, after which another one may start.
        self.running.fetch_sub(1, SeqCst);
        let ended = job.complete_with(&children, move |tx| effect(tx, &kept));
        ended.await.map_err(|error: Error| error.into())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_flows_keys_and_steps_hold_with_two_processes() {
    let Some(stage) = Stage::on_postgres("limits").await else {
        return;
    };
    let (mut one, mut two) = (stage.process().await, stage.process().await);
    let limits = Limits {
        concurrency: Some(5),
        group_concurrency: Some(1),
        rate: Some(RateLimit {
            max: 20,
            window_ms: 10_000,
        }),
        ..Limits::default()
    };
    one.queue.limit("test", limits).await.unwrap();
    let counted = Counted::default();
    for process in [&mut one, &mut two] {
        process.start(process.queue.keeper());
        let counted = counted.clone();
        process.work(Policy::default(), move |job| counted.clone().run(job));
    }
    let mut ids = Vec::new();
    for number in 0..30 {
        let options = Enqueue {
            group_key: Some((number % 3).to_string()),
            unique: Some(crate::Unique::KeepLastIfActive {
                key: number.to_string(),
            }),
            wait_limit: Some(Duration::from_hours(1)),
            ..Enqueue::default()
        };
        let process = if number % 2 == 0 { &one } else { &two };
        ids.push(process.enqueue_with("job", options).await.unwrap());
    }
    let (queue, child) = (one.queue.clone(), |text: &str| {
        let note = Note {
            text: text.to_owned(),
        };
        Flow::new(&note, Enqueue::default()).unwrap()
    });
    let flow = child("parent").child(child("left")).child(child("right"));
    let enqueue = move |tx: &mut Tx<'_>| queue.enqueue_flow(tx, &flow);
    ids.push(one.database.write(enqueue).await.unwrap());
    let note = Note {
        text: "scheduled".to_owned(),
    };
    let every = crate::Schedule::every(Duration::from_mins(1));
    for process in [&one, &two] {
        process
            .queue
            .schedule("s", &note, every.clone())
            .await
            .unwrap();
    }
    until("all ran", async || {
        one.clock.advance(STEP);
        one.effects().await.len() >= 33
    })
    .await;
    let most = counted.most.load(SeqCst);
    assert!(most <= 5, "{most} ran at once");
    for id in &ids {
        let finished = two.queue.finished(id).await.unwrap();
        assert_eq!(finished.state, JobState::Completed);
    }
    let parent = one.job(&ids[30]).await;
    assert_eq!((parent.result, parent.children.len()), (2.into(), 2));
    let runs = one.queue.schedules().await.unwrap()[0].runs;
    let effects = async || one.effects().await;
    until("those of the schedule", async || {
        one.clock.advance(STEP);
        let effects = effects().await;
        let scheduled = effects.iter().filter(|text| *text == "scheduled").count();
        u32::try_from(scheduled).unwrap() >= runs.max(1)
    })
    .await;
    one.stop().await;
    two.stop().await;
}
