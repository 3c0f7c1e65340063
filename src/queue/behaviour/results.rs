//! What a job leaves: its result, its progress, and how long they are kept.

use serde_json::json;

use super::*;
use crate::{Finished, Keep};

async fn give_back_length(running: Running<Note>) -> Result<Completed, Failure> {
    let length = running.payload.text.len();
    let result = json!({ "length": length });
    let done = running.complete_with(&result, |_| Ok::<_, Error>(()));
    Ok(done.await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_is_waited_for_in_process() {
    let mut process = Stage::new().process().await;
    let id = process.enqueue("four").await;
    let (queue, job) = (process.queue.clone(), id.clone());
    let waiting = JoinSet::from_iter([async move { queue.finished(&job).await }]);
    process.work(Policy::default(), give_back_length);
    let expected = Finished {
        state: JobState::Completed,
        result: json!({ "length": 4 }),
        error: None,
    };
    assert_eq!(*waiting.join_all().await[0].as_ref().unwrap(), expected);
    assert_eq!(process.queue.finished(&id).await.unwrap(), expected);
    let missing = process.queue.finished("none").await;
    assert!(matches!(missing, Err(Error::NotFound(_))));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failure_and_cancellation_end_a_wait_too() {
    let mut process = Stage::new().process().await;
    process.work(Policy::default(), async |_| {
        Err(Failure::Discard("no".to_owned()))
    });
    let id = process.enqueue("x").await;
    let finished = process.queue.finished(&id).await.unwrap();
    assert_eq!(finished.error.as_deref(), Some("no"));
    let later = Enqueue {
        at_ms: Some(START_MS + 1_000_000),
        ..Enqueue::default()
    };
    let id = process.enqueue_with("x", later).await.unwrap();
    let (queue, job) = (process.queue.clone(), id.clone());
    let waiting = JoinSet::from_iter([async move { queue.finished(&job).await }]);
    tokio::task::yield_now().await;
    process.queue.cancel(&id).await.unwrap();
    let ended = waiting.join_all().await;
    let finished = ended[0].as_ref().unwrap();
    assert_eq!(finished.state, JobState::Cancelled);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_large_is_refused() {
    let mut process = Stage::new().process().await;
    process.work(
        Policy {
            attempts: 1,
            ..Policy::default()
        },
        async |running| {
            let large = "x".repeat(crate::running::MAX_RESULT_BYTES);
            assert!(running.progress(&large).is_err());
            let done = running.complete_with(&large, |_| Ok::<_, Error>(()));
            Ok(done.await?)
        },
    );
    let id = process.enqueue("x").await;
    let job = process.reaches(&id, JobState::Discarded).await;
    let error = job.summary.error.unwrap();
    assert!(error.contains("allowed are 262144"), "{error}");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_in_a_loop_is_written_now_and_then() {
    let mut process = Stage::new().process().await;
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    process.work(Policy::default(), {
        let gate = Arc::clone(&gate);
        move |running| {
            let gate = Arc::clone(&gate);
            async move {
                for percent in 0..=50 {
                    running.progress(&percent)?;
                    tokio::task::yield_now().await;
                }
                gate.acquire().await.unwrap().forget();
                running.progress(&json!({ "file": "b", "of": 2 }))?;
                write_down(running).await
            }
        }
    });
    // The first word is written at once; the last one a second later.
    let id = process.enqueue("x").await;
    until("some progress", async || {
        process.job(&id).await.progress.is_number()
    })
    .await;
    until("the last word", async || {
        process.clock.advance(Duration::from_millis(100));
        process.job(&id).await.progress == 50
    })
    .await;
    gate.add_permits(1);
    let job = process.reaches(&id, JobState::Completed).await;
    assert_eq!(job.progress, json!({ "file": "b", "of": 2 }));
    process.stop().await;
}

/// Runs ten jobs, one a minute, under the rule; returns how many are kept in the end.
async fn kept(keep: Keep, limit: u32) -> u32 {
    let mut process = Stage::new().process().await;
    let policy = Policy {
        keep,
        ..Policy::default()
    };
    process.work(policy, write_down);
    for number in 0..10 {
        let id = process.enqueue(&number.to_string()).await;
        process.reaches(&id, JobState::Completed).await;
        process.clock.advance(Duration::from_mins(1));
    }
    process.start(process.queue.keeper());
    let mut completed = 10;
    until("the keeper has deleted", async || {
        completed = process.queue.queues().await.unwrap()[0].counts.completed;
        completed <= limit
    })
    .await;
    process.stop().await;
    completed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn completed_jobs_are_kept_by_age_and_count_of_their_kind() {
    let keep = |minutes: Option<u64>, count| Keep {
        age: minutes.map(Duration::from_mins),
        count,
    };
    assert_eq!(kept(keep(None, None), 10).await, 10);
    assert_eq!(kept(keep(None, Some(3)), 3).await, 3);
    assert_eq!(kept(keep(Some(5), None), 5).await, 5);
    assert_eq!(kept(keep(Some(8), Some(2)), 2).await, 2);
}
