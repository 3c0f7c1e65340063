//! Attempts that fail: retries, time limits, panics, what cannot be read.

use mito_core::telemetry::{self, LogFormat, LogRow, LogSink};

use super::*;

pub(super) type Attempt =
    std::pin::Pin<Box<dyn Future<Output = Result<Completed, Failure>> + Send>>;

/// Fails in the given way until the attempt with that number, then completes.
pub(super) fn failing(
    until_attempt: u32,
    how: fn() -> Failure,
) -> impl Fn(Running<Note>) -> Attempt + Send + Sync {
    move |running| {
        Box::pin(async move {
            if running.attempt < until_attempt {
                return Err(how());
            }
            write_down(running).await
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_job_waits_and_runs_again() {
    let mut process = Stage::new().process().await;
    process.start(process.queue.keeper());
    process.work(
        Policy::default(),
        failing(3, || Failure::Retry("not yet".to_owned())),
    );
    let id = process.enqueue("x").await;
    let waiting = process.reaches(&id, JobState::Retryable).await;
    let wait_ms = waiting.summary.due_ms - START_MS;
    assert!(
        (800..=1_200).contains(&wait_ms),
        "a second, give or take a fifth: {wait_ms}"
    );
    assert_eq!(waiting.summary.error.as_deref(), Some("not yet"));
    assert!(process.effects().await.is_empty());

    let step = Duration::from_millis(500);
    let job = process
        .reaches_in_time(&id, JobState::Completed, step)
        .await;
    assert_eq!((job.summary.attempts, job.summary.error), (3, None));
    assert_eq!(process.effects().await, ["x"]);
    let lines: Vec<&str> = job.log.iter().map(|line| line.line.as_str()).collect();
    assert_eq!(lines, ["failed: not yet", "failed: not yet"]);
    process.stop().await;
}

/// Keeps what is logged.
#[derive(Default)]
struct Rows(Mutex<Vec<LogRow>>);

impl LogSink for Rows {
    fn write(&self, row: LogRow) {
        self.0.lock().unwrap().push(row);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_logged_of_a_job_names_the_request_that_caused_it() {
    telemetry::init("info", LogFormat::Text).unwrap();
    let rows = Arc::new(Rows::default());
    let sink: Arc<dyn LogSink> = rows.clone();
    telemetry::add_sink(&sink);
    let mut process = Stage::new().process().await;
    process.work(
        Policy::default(),
        failing(2, || Failure::Retry("not yet".to_owned())),
    );
    let options = Enqueue {
        request_id: Some("the request of this test".to_owned()),
        ..Enqueue::default()
    };
    let id = process.enqueue_with("x", options).await.unwrap();
    process.reaches(&id, JobState::Retryable).await;
    process.stop().await;
    // Nothing may be logged under the lock, not even a failure of this test.
    let rows = rows.0.lock().unwrap().clone();
    let of_request = rows
        .iter()
        .filter(|row| row.request_id.as_deref() == Some("the request of this test"));
    let messages: Vec<&str> = of_request.map(|row| row.message.as_str()).collect();
    assert_eq!(messages, ["a job failed and is retried"]);
}

/// Runs a job that fails with `failure` under three attempts; returns how often it ran and what
/// the job says in the end.
async fn ends(failure: fn() -> Failure) -> (u32, String) {
    let mut process = Stage::new().process().await;
    process.start(process.queue.keeper());
    let policy = Policy {
        attempts: 3,
        ..Policy::default()
    };
    process.work(policy, failing(u32::MAX, failure));
    let id = process.enqueue("x").await;
    let step = Duration::from_secs(1);
    let job = process
        .reaches_in_time(&id, JobState::Discarded, step)
        .await;
    assert!(job.summary.finished_ms.is_some());
    process.stop().await;
    (job.summary.attempts, job.summary.error.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_come_to_an_end() {
    let (attempts, error) = ends(|| Failure::Retry("down".to_owned())).await;
    assert_eq!((attempts, error.as_str()), (3, "down"));
    let (attempts, error) = ends(|| Failure::Discard("no such thing".to_owned())).await;
    assert_eq!((attempts, error.as_str()), (1, "no such thing"));
    let (attempts, error) = ends(|| panic!("out of {}", "ideas")).await;
    assert_eq!((attempts, error.as_str()), (3, "it panicked: out of ideas"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_before_the_first_await_is_contained_too() {
    let mut process = Stage::new().process().await;
    process.work(
        Policy {
            attempts: 1,
            ..Policy::default()
        },
        |running| -> std::future::Ready<Result<Completed, Failure>> {
            panic!("at once for {}", running.payload.text)
        },
    );
    for text in ["one", "two"] {
        let id = process.enqueue(text).await;
        let job = process.reaches(&id, JobState::Discarded).await;
        assert_eq!(
            job.summary.error.unwrap(),
            format!("it panicked: at once for {text}")
        );
    }
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_has_a_time_limit() {
    let mut process = Stage::new().process().await;
    let seen = Seen::default();
    let policy = Policy {
        attempts: 1,
        timeout: Duration::from_secs(5),
        ..Policy::default()
    };
    process.work(policy, {
        let seen = seen.clone();
        move |_| {
            seen.add("began");
            std::future::pending()
        }
    });
    let id = process.enqueue("x").await;
    seen.reaches(1).await;
    let step = Duration::from_secs(1);
    let job = process
        .reaches_in_time(&id, JobState::Discarded, step)
        .await;
    assert_eq!(
        job.summary.error.as_deref(),
        Some("it did not finish within 5s")
    );
    assert!(job.summary.finished_ms.unwrap() >= START_MS + 5_000);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreadable_payload_is_discarded_with_the_reason() {
    let mut process = Stage::new().process().await;
    let id = process.enqueue("x").await;
    process
        .tamper("UPDATE _mito_queue_jobs SET payload = '{\"text\": 7}'")
        .await;
    process.write_notes_down();
    let job = process.reaches(&id, JobState::Discarded).await;
    let error = job.summary.error.unwrap();
    assert!(
        error.contains("test.note") && error.contains("invalid type"),
        "{error}"
    );
    let next = process.enqueue("fine").await;
    process.reaches(&next, JobState::Completed).await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_of_an_unknown_kind_are_left_alone_and_hold_nothing_up() {
    let mut process = Stage::new().process().await;
    let queue = process.queue.clone();
    let enqueue = move |tx: &mut Tx<'_>| queue.enqueue(tx, &Other {}, &Enqueue::default());
    let unknown = process.database.write(enqueue).await.unwrap();
    process.write_notes_down();
    let known = process.enqueue("x").await;
    process.reaches(&known, JobState::Completed).await;
    assert_eq!(
        process.job(&unknown).await.summary.state,
        JobState::Available
    );
    process.stop().await;
}
