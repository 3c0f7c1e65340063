//! The waits between attempts, what a job says against its policy, and jobs that wait too long.

use super::{failing::failing, *};
use crate::{Backoff, CustomBackoff};

fn every_time(how: fn() -> Failure) -> impl Fn(Running<Note>) -> super::failing::Attempt + Send {
    failing(u32::MAX, how)
}

/// How long the job waits after its first attempt, in milliseconds, if it fails like that.
async fn first_wait_ms(policy: Policy, options: Enqueue, failure: fn() -> Failure) -> i64 {
    let mut process = Stage::new().process().await;
    process.work(policy, every_time(failure));
    let id = process.enqueue_with("x", options).await.unwrap();
    let job = process.reaches(&id, JobState::Retryable).await;
    process.stop().await;
    job.summary.due_ms - START_MS
}

fn plain() -> Failure {
    Failure::Retry("not yet".to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waits_are_those_of_the_job_then_of_code_then_of_the_kind() {
    let seconds = |seconds| Backoff::fixed(Duration::from_secs(seconds));
    let fixed = Policy {
        backoff: seconds(7),
        ..Policy::default()
    };
    assert_eq!(
        first_wait_ms(fixed.clone(), Enqueue::default(), plain).await,
        7_000
    );
    let custom = Policy {
        custom_backoff: Some(CustomBackoff::new(|attempt, reason| {
            let length = u64::try_from(reason.len()).unwrap();
            Duration::from_secs(u64::from(attempt) * length)
        })),
        ..fixed
    };
    assert_eq!(
        first_wait_ms(custom.clone(), Enqueue::default(), plain).await,
        7_000,
        "1 x the length of the reason"
    );
    let own = Enqueue {
        backoff: Some(seconds(3)),
        ..Enqueue::default()
    };
    assert_eq!(first_wait_ms(custom.clone(), own, plain).await, 3_000);
    let asked = || Failure::RetryAfter {
        reason: "429".to_owned(),
        wait: Duration::from_secs(42),
    };
    assert_eq!(
        first_wait_ms(custom, Enqueue::default(), asked).await,
        42_000
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn code_that_panics_leaves_the_wait_to_the_kind() {
    let policy = Policy {
        backoff: Backoff::fixed(Duration::from_secs(7)),
        custom_backoff: Some(CustomBackoff::new(|_, reason| panic!("over {reason}"))),
        ..Policy::default()
    };
    assert_eq!(
        first_wait_ms(policy, Enqueue::default(), plain).await,
        7_000
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_may_have_its_own_attempts_and_time_limit() {
    let mut process = Stage::new().process().await;
    process.start(process.queue.keeper());
    process.work(Policy::default(), |_| std::future::pending());
    let options = Enqueue {
        attempts: Some(2),
        timeout: Some(Duration::from_secs(3)),
        ..Enqueue::default()
    };
    let id = process.enqueue_with("x", options).await.unwrap();
    let step = Duration::from_millis(500);
    let job = process
        .reaches_in_time(&id, JobState::Discarded, step)
        .await;
    assert_eq!(
        (job.summary.attempts, job.summary.max_attempts),
        (2, Some(2))
    );
    assert_eq!(
        job.summary.error.as_deref(),
        Some("it did not finish within 3s")
    );
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snoozed_job_spends_no_attempt() {
    let mut process = Stage::new().process().await;
    process.start(process.queue.keeper());
    let seen = Seen::default();
    let policy = Policy {
        attempts: 1,
        ..Policy::default()
    };
    process.work(policy, {
        let seen = seen.clone();
        move |running| {
            let times = seen.add(running.attempt.to_string());
            async move {
                if times < 4 {
                    return Err(Failure::Snooze {
                        reason: "the file is not there yet".to_owned(),
                        wait: Duration::from_mins(1),
                    });
                }
                write_down(running).await
            }
        }
    });
    let id = process.enqueue("x").await;
    let waiting = process.reaches(&id, JobState::Scheduled).await;
    assert_eq!(waiting.summary.attempts, 0);
    assert_eq!(waiting.summary.due_ms, START_MS + 60_000);
    for times in 1..=3 {
        seen.reaches(times).await;
        process.reaches(&id, JobState::Scheduled).await;
        process.clock.advance(Duration::from_mins(1));
    }
    let job = process.reaches(&id, JobState::Completed).await;
    assert_eq!(job.summary.attempts, 1);
    assert_eq!(seen.all(), ["1", "1", "1", "1"]);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_waited_too_long_is_discarded() {
    let stage = Stage::new();
    let mut process = stage.process().await;
    let options = Enqueue {
        wait_limit: Some(Duration::from_secs(5)),
        ..Enqueue::default()
    };
    // One that the claim finds, because no keeper looks.
    let late = process.enqueue_with("late", options.clone()).await.unwrap();
    process.clock.advance(Duration::from_secs(6));
    let fresh = process
        .enqueue_with("fresh", options.clone())
        .await
        .unwrap();
    process.write_notes_down();
    let job = process.reaches(&late, JobState::Discarded).await;
    assert_eq!(
        job.summary.error.as_deref(),
        Some("it waited longer than 5s")
    );
    assert_eq!(job.summary.attempts, 0);
    process.reaches(&fresh, JobState::Completed).await;
    assert_eq!(process.effects().await, ["fresh"]);
    process.kill().await;
    // And one that the keeper finds, because no worker looks.
    let mut process = stage.process().await;
    process.start(process.queue.keeper());
    let unseen = process.enqueue_with("unseen", options).await.unwrap();
    let step = Duration::from_secs(1);
    process
        .reaches_in_time(&unseen, JobState::Discarded, step)
        .await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_started_job_is_no_longer_waiting() {
    let mut process = Stage::new().process().await;
    process.start(process.queue.keeper());
    process.work(Policy::default(), failing(2, plain));
    let options = Enqueue {
        wait_limit: Some(Duration::from_secs(2)),
        backoff: Some(Backoff::fixed(Duration::from_secs(30))),
        ..Enqueue::default()
    };
    let id = process.enqueue_with("x", options).await.unwrap();
    process.reaches(&id, JobState::Retryable).await;
    process.clock.advance(Duration::from_secs(30));
    process.reaches(&id, JobState::Completed).await;
    process.stop().await;
}
