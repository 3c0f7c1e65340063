//! Jobs that run: wake-up, effect, order, uniqueness, log.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_enqueued_job_runs_at_once_and_its_effect_commits_with_it() {
    let mut process = Stage::new().process().await;
    process.write_notes_down();
    // Once the worker has found nothing, only the bell can wake it: the clock stands still.
    let first = process.enqueue("one").await;
    process.reaches(&first, JobState::Completed).await;
    let second = process.enqueue("two").await;
    let job = process.reaches(&second, JobState::Completed).await;
    assert_eq!(process.effects().await, ["one", "two"]);
    assert_eq!((job.summary.attempts, job.summary.error), (1, None));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolled_back_enqueue_leaves_no_job_and_runs_nothing() {
    let mut process = Stage::new().process().await;
    process.write_notes_down();
    let queue = process.queue.clone();
    let refused: Result<(), Error> = process
        .database
        .write(move |tx| {
            queue.enqueue(
                tx,
                &Note {
                    text: "never".to_owned(),
                },
                &Enqueue::default(),
            )?;
            Err(Error::NotFound("the reason to roll back".to_owned()))
        })
        .await;
    assert!(refused.is_err());
    let id = process.enqueue("real").await;
    process.reaches(&id, JobState::Completed).await;
    assert_eq!(process.effects().await, ["real"]);
    assert_eq!(process.queue.queues().await.unwrap()[0].counts.completed, 1);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_effect_that_fails_does_not_complete_the_job() {
    let mut process = Stage::new().process().await;
    process.work(
        Policy {
            attempts: 1,
            ..Policy::default()
        },
        async |running| {
            let complete = running.complete(|tx| {
                effect(tx, "half")?;
                Err::<(), Error>(Error::NotFound("what it needs".to_owned()))
            });
            Ok(complete.await?)
        },
    );
    let id = process.enqueue("x").await;
    let job = process.reaches(&id, JobState::Discarded).await;
    assert_eq!(
        job.summary.error.as_deref(),
        Some("there is no job what it needs")
    );
    assert!(process.effects().await.is_empty());
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lower_priorities_run_first_and_equal_ones_in_order() {
    let mut process = Stage::new().process().await;
    let queue = process.queue.clone();
    let enqueue = move |tx: &mut Tx<'_>| {
        for (text, priority) in [("c", 0), ("f", 7), ("d", 0), ("a", -5), ("e", 0), ("b", -5)] {
            let options = Enqueue {
                priority,
                ..Enqueue::default()
            };
            queue.enqueue(
                tx,
                &Note {
                    text: text.to_owned(),
                },
                &options,
            )?;
        }
        Ok::<(), Error>(())
    };
    process.database.write(enqueue).await.unwrap();
    process.queue.handle(Policy::default(), write_down);
    process.start(process.queue.worker("test", 1));
    until("all ran", async || process.effects().await.len() == 6).await;
    assert_eq!(process.effects().await.concat(), "abcdef");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unique_key_is_taken_once_also_after_completion() {
    let mut process = Stage::new().process().await;
    process.write_notes_down();
    let unique = |key: &str| Enqueue {
        unique_key: Some(key.to_owned()),
        ..Enqueue::default()
    };
    let first = process.enqueue_with("one", unique("k")).await.unwrap();
    let again = process.enqueue_with("two", unique("k")).await.unwrap();
    assert_eq!(first, again);
    process.reaches(&first, JobState::Completed).await;
    assert_eq!(
        process.enqueue_with("three", unique("k")).await.unwrap(),
        first
    );
    let other = process.enqueue_with("four", unique("l")).await.unwrap();
    process.reaches(&other, JobState::Completed).await;
    assert_eq!(process.effects().await, ["one", "four"]);
    process.stop().await;
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let process = Stage::new().process().await;
    let large = "x".repeat(crate::queue::MAX_PAYLOAD_BYTES);
    let refused = process.enqueue_with(&large, Enqueue::default()).await;
    assert!(matches!(refused, Err(Error::Payload { .. })));
    let key = Some("k".repeat(crate::queue::MAX_UNIQUE_KEY_BYTES + 1));
    let refused = process
        .enqueue_with(
            "x",
            Enqueue {
                unique_key: key,
                ..Enqueue::default()
            },
        )
        .await;
    assert!(matches!(refused, Err(Error::Payload { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handlers_leave_lines_with_the_job() {
    let mut process = Stage::new().process().await;
    process.work(Policy::default(), async |running| {
        running.log("read the input").await;
        running.log(&"é".repeat(5_000)).await;
        write_down(running).await
    });
    let id = process.enqueue("x").await;
    let job = process.reaches(&id, JobState::Completed).await;
    assert_eq!(job.log[0].line, "read the input");
    assert_eq!((job.log[1].number, job.log[1].line.len()), (2, 4_096));
    process.stop().await;
}

#[tokio::test]
async fn a_log_has_a_last_line() {
    let process = Stage::new().process().await;
    let id = process.enqueue("x").await;
    let job = id.clone();
    let append = move |tx: &mut Tx<'_>| {
        (0..crate::store::log::MAX_LINES + 5)
            .try_for_each(|_| crate::store::log::append(tx, &job, "again"))
    };
    process.database.write(append).await.unwrap();
    let lines = i64::try_from(process.job(&id).await.log.len()).unwrap();
    assert_eq!(lines, crate::store::log::MAX_LINES);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_jobs_from_many_writers_each_run_once() {
    let mut process = Stage::new().process().await;
    process.queue.handle(Policy::default(), write_down);
    process.start(process.queue.worker("test", 32));
    process.start(process.queue.worker("test", 32));
    let mut writers = JoinSet::new();
    for writer in 0..20 {
        let (database, queue) = (process.database.clone(), process.queue.clone());
        writers.spawn(async move {
            let enqueue = move |tx: &mut Tx<'_>| {
                for number in 0..25 {
                    let note = Note {
                        text: format!("{writer}-{number}"),
                    };
                    queue.enqueue(tx, &note, &Enqueue::default())?;
                }
                Ok::<(), Error>(())
            };
            database.write(enqueue).await.unwrap();
        });
    }
    writers.join_all().await;
    let completed = async || process.queue.queues().await.unwrap()[0].counts.completed;
    until("all ran", async || completed().await == 500).await;
    let mut effects = process.effects().await;
    effects.sort();
    effects.dedup();
    assert_eq!(effects.len(), 500, "each once");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_request_travels_with_the_job() {
    let mut process = Stage::new().process().await;
    let seen = Seen::default();
    process.work(Policy::default(), {
        let seen = seen.clone();
        move |running| {
            seen.add(format!(
                "{:?} attempt {}",
                running.request_id, running.attempt
            ));
            write_down(running)
        }
    });
    let request_id = Some("req-1".to_owned());
    process
        .enqueue_with(
            "x",
            Enqueue {
                request_id,
                ..Enqueue::default()
            },
        )
        .await
        .unwrap();
    seen.reaches(1).await;
    assert_eq!(seen.all(), ["Some(\"req-1\") attempt 1"]);
    process.stop().await;
}
