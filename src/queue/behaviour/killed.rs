//! Processes that end without a word.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_whose_process_was_killed_runs_again_at_once() {
    let stage = Stage::new();
    let mut process = stage.process().await;
    let seen = Seen::default();
    process.work(Policy::default(), {
        let seen = seen.clone();
        move |_| {
            seen.add("began");
            std::future::pending()
        }
    });
    let id = process.enqueue("x").await;
    seen.reaches(1).await;
    process.kill().await;

    // The clock stands still: the lease has not expired.
    let mut process = stage.process().await;
    assert_eq!(process.job(&id).await.summary.state, JobState::Running);
    process.write_notes_down();
    let job = process.reaches(&id, JobState::Completed).await;
    assert_eq!(job.summary.attempts, 2);
    assert_eq!(process.effects().await, ["x"]);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_kills_its_process_each_time_comes_to_an_end() {
    let stage = Stage::new();
    let mut process = stage.process().await;
    let id = process.enqueue("poison").await;
    let policy = || Policy {
        attempts: 3,
        ..Policy::default()
    };
    let seen = Seen::default();
    for attempt in 1..=3 {
        process.work(policy(), {
            let seen = seen.clone();
            move |_| {
                seen.add("began");
                std::future::pending()
            }
        });
        seen.reaches(attempt).await;
        process.kill().await;
        process = stage.process().await;
    }
    process.work(policy(), write_down);
    let job = process.reaches(&id, JobState::Discarded).await;
    assert_eq!(job.summary.attempts, 3);
    assert!(job.summary.error.unwrap().contains("its process ended"));
    let fine = process.enqueue("fine").await;
    process.reaches(&fine, JobState::Completed).await;
    assert_eq!(process.effects().await, ["fine"]);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_at_any_time_lose_and_repeat_no_effect() {
    let stage = Stage::new();
    let process = stage.process().await;
    let (queue, mut expected) = (process.queue.clone(), Vec::new());
    for number in 0..200 {
        expected.push(format!("{number:03}"));
    }
    let notes = expected.clone();
    let enqueue = move |tx: &mut Tx<'_>| {
        for text in &notes {
            queue.enqueue(tx, &Note { text: text.clone() }, &Enqueue::default())?;
        }
        Ok::<(), Error>(())
    };
    process.database.write(enqueue).await.unwrap();
    process.kill().await;
    // Each process is killed when some more effects have been committed.
    for goal in (20..=180).step_by(20) {
        let mut process = stage.process().await;
        process.write_notes_down();
        until("some more", async || process.effects().await.len() >= goal).await;
        process.kill().await;
    }
    let mut process = stage.process().await;
    process.write_notes_down();
    until("all", async || process.effects().await.len() >= 200).await;
    let counts = process.queue.queues().await.unwrap()[0].counts;
    assert_eq!(counts.completed, 200);
    let mut effects = process.effects().await;
    effects.sort();
    assert_eq!(effects, expected);
    process.stop().await;
}
