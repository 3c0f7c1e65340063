//! Who may finish a job: renewal, loss, cancelling, shutdown.

use super::failing::Attempt;
use super::*;

/// Says when it is dropped.
struct Dropped(Seen);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.add("dropped");
    }
}

/// A handler that says that it began, and then waits until it is dropped.
fn waits(seen: &Seen) -> impl Fn(Running<Note>) -> Attempt + Send + Sync + use<> {
    let seen = seen.clone();
    move |_| {
        let guard = Dropped(seen.clone());
        seen.add("began");
        Box::pin(async move {
            let _guard = guard;
            std::future::pending().await
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_is_renewed_while_the_handler_runs() {
    let mut process = Stage::new().process().await;
    process.start(process.queue.keeper());
    let (seen, release) = (Seen::default(), Shutdown::new());
    process.work(
        Policy {
            timeout: Duration::from_hours(1),
            ..Policy::default()
        },
        {
            let (seen, release) = (seen.clone(), release.clone());
            move |running| {
                let (seen, release) = (seen.clone(), release.clone());
                async move {
                    seen.add("began");
                    release.begun().await;
                    write_down(running).await
                }
            }
        },
    );
    let id = process.enqueue("x").await;
    seen.reaches(1).await;
    // Three times the length of a lease, in steps of a renewal.
    for step in 1..=9 {
        process.clock.advance(Duration::from_secs(10));
        let expected_ms = START_MS + step * 10_000 + 30_000;
        until("renewed", async || {
            lease_until_ms(&process).await == expected_ms
        })
        .await;
    }
    release.begin();
    let job = process.reaches(&id, JobState::Completed).await;
    assert_eq!((job.summary.attempts, seen.all().len()), (1, 1));
    process.stop().await;
}

async fn lease_until_ms(process: &Process) -> i64 {
    let read = |tx: &mut Tx<'_>| -> Result<i64, mito_database::Error> {
        let row = tx.query_one("SELECT lease_until_ms FROM _mito_queue_jobs", &[])?;
        row.expect("there is one job").get("lease_until_ms")
    };
    process.database.read(read).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_lost_the_lease_cannot_complete() {
    let mut process = Stage::new().process().await;
    let (seen, release) = (Seen::default(), Shutdown::new());
    process.work(Policy::default(), {
        let (seen, release) = (seen.clone(), release.clone());
        move |running| {
            let (seen, release) = (seen.clone(), release.clone());
            async move {
                seen.add("began");
                release.begun().await;
                let ended = running.complete(|tx| effect(tx, "ghost")).await;
                seen.add(format!(
                    "{:?}",
                    ended.as_ref().map_err(Error::to_string).err()
                ));
                Ok(ended?)
            }
        }
    });
    let id = process.enqueue("x").await;
    seen.reaches(1).await;

    // A worker with another boot id, as after a restart, takes the job over and completes it.
    let successor = Queue::new(
        process.database.clone(),
        process.clock.clone(),
        Random::system(),
        Config::default(),
    );
    successor.handle(Policy::default(), write_down);
    process.start(successor.worker("test", 1));
    let job = process.reaches(&id, JobState::Completed).await;
    assert_eq!(job.summary.attempts, 2);

    release.begin();
    seen.reaches(2).await;
    assert!(seen.all()[1].contains("lease"), "{:?}", seen.all());
    assert_eq!(process.effects().await, ["x"], "the ghost wrote nothing");
    assert_eq!(process.job(&id).await.summary.state, JobState::Completed);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_nobody_renews_expires() {
    let mut process = Stage::new().process().await;
    let seen = Seen::default();
    let id = process.enqueue("x").await;
    process.queue.handle(Policy::default(), waits(&seen));
    let mut worker = JoinSet::new();
    let run = (process.queue.worker("test", 1).run)(process.shutdown.clone());
    worker.spawn(run);
    seen.reaches(1).await;
    // The worker's task dies, as by a bug; its process, and so its boot id, live on.
    worker.shutdown().await;
    seen.reaches(2).await;
    assert_eq!(process.job(&id).await.summary.state, JobState::Running);

    process.start(process.queue.keeper());
    process.clock.advance(Duration::from_secs(29));
    assert_eq!(process.job(&id).await.summary.state, JobState::Running);
    let step = Duration::from_secs(1);
    process
        .reaches_in_time(&id, JobState::Available, step)
        .await;
    process.write_notes_down();
    let job = process.reaches(&id, JobState::Completed).await;
    assert_eq!(job.summary.attempts, 2);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelling_stops_the_handler_and_its_effect() {
    let mut process = Stage::new().process().await;
    let seen = Seen::default();
    process.work(Policy::default(), waits(&seen));
    let id = process.enqueue("x").await;
    seen.reaches(1).await;
    process.queue.cancel(&id).await.unwrap();
    seen.reaches(2).await;
    let job = process.reaches(&id, JobState::Cancelled).await;
    assert!(job.summary.finished_ms.is_some());
    let again = process.queue.cancel(&id).await;
    assert!(matches!(again, Err(Error::State { state, .. }) if state == "cancelled"));
    assert!(matches!(
        process.queue.cancel("none").await,
        Err(Error::NotFound(_))
    ));

    process.queue.run_now(&id).await.unwrap();
    seen.reaches(3).await;
    assert_eq!(process.job(&id).await.summary.attempts, 1, "it starts over");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_job_can_be_cancelled_or_run_now() {
    let mut process = Stage::new().process().await;
    let later = || Enqueue {
        at_ms: Some(START_MS + 60_000),
        ..Enqueue::default()
    };
    let cancelled = process.enqueue_with("a", later()).await.unwrap();
    let run = process.enqueue_with("b", later()).await.unwrap();
    process.queue.cancel(&cancelled).await.unwrap();
    process.queue.run_now(&run).await.unwrap();
    process.start(process.queue.keeper());
    process.write_notes_down();
    process.reaches(&run, JobState::Completed).await;
    let done = process.queue.run_now(&run).await;
    assert!(matches!(done, Err(Error::State { state, .. }) if state == "completed"));
    process.clock.advance(Duration::from_mins(2));
    let marker = process.enqueue("c").await;
    process.reaches(&marker, JobState::Completed).await;
    assert_eq!(process.effects().await, ["b", "c"]);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_returns_what_does_not_finish_without_spending_an_attempt() {
    let stage = Stage::new();
    let mut process = stage.process().await;
    let seen = Seen::default();
    process.work(Policy::default(), waits(&seen));
    let id = process.enqueue("x").await;
    seen.reaches(1).await;
    process.stop().await;
    assert_eq!(seen.all(), ["began", "dropped"]);

    let mut process = stage.process().await;
    let job = process.job(&id).await;
    assert_eq!(
        (job.summary.state, job.summary.attempts),
        (JobState::Available, 0)
    );
    process.write_notes_down();
    assert_eq!(
        process
            .reaches(&id, JobState::Completed)
            .await
            .summary
            .attempts,
        1
    );
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_lets_a_job_finish_that_is_about_to() {
    let mut process = Stage::new().process().await;
    let (seen, release) = (Seen::default(), Shutdown::new());
    process.work(Policy::default(), {
        let (seen, release) = (seen.clone(), release.clone());
        move |running| {
            let (seen, release) = (seen.clone(), release.clone());
            async move {
                seen.add("began");
                release.begun().await;
                write_down(running).await
            }
        }
    });
    let id = process.enqueue("x").await;
    let late = async {
        seen.reaches(1).await;
        process.shutdown.begin();
        release.begin();
    };
    late.await;
    process.reaches(&id, JobState::Completed).await;
    let unstarted = process.enqueue("late").await;
    let database = process.database.clone();
    let queue = process.queue.clone();
    process.stop().await;
    assert_eq!(
        queue.job(&unstarted).await.unwrap().summary.state,
        JobState::Available
    );
    drop(database);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_an_attempt_leaves_the_next_one_stoppable() {
    let process = Stage::new().process().await;
    let id = process.enqueue("x").await;
    let lease = |token: &str| crate::store::Lease {
        id: id.clone(),
        token: token.to_owned(),
    };
    let (first, second) = (Shutdown::new(), Shutdown::new());
    process.queue.attempt_begins(&lease("first"), first.clone());
    process
        .queue
        .attempt_begins(&lease("second"), second.clone());
    process.queue.attempt_ended(&lease("first"));
    process.queue.cancel(&id).await.unwrap();
    assert_eq!((first.has_begun(), second.has_begun()), (false, true));
    process.queue.attempt_ended(&lease("second"));
    process.stop().await;
}
