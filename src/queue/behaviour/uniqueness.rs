//! Keys that stand for one job at a time.

use super::*;
use crate::Unique;

const QUIET: Duration = Duration::from_secs(10);

fn simple() -> Unique {
    Unique::Simple {
        key: "k".to_owned(),
    }
}

fn throttle() -> Unique {
    Unique::Throttle {
        key: "k".to_owned(),
        window: QUIET,
    }
}

fn debounce() -> Unique {
    Unique::Debounce {
        key: "k".to_owned(),
        quiet: QUIET,
    }
}

fn keep_last() -> Unique {
    Unique::KeepLastIfActive {
        key: "k".to_owned(),
    }
}

impl Process {
    async fn enqueue_unique(&self, text: &str, unique: Unique) -> String {
        let options = Enqueue {
            unique: Some(unique),
            ..Enqueue::default()
        };
        self.enqueue_with(text, options).await.unwrap()
    }

    /// A worker whose jobs end when `gate` has been opened once for each.
    fn work_behind(&mut self, gate: &Arc<tokio::sync::Semaphore>) {
        let gate = Arc::clone(gate);
        self.work(Policy::default(), move |running| {
            let gate = Arc::clone(&gate);
            async move {
                gate.acquire().await.unwrap().forget();
                if running.payload.text == "bad" {
                    return Err(Failure::Discard("bad".to_owned()));
                }
                write_down(running).await
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_simple_key_is_free_when_the_job_has_ended() {
    let mut process = Stage::new().process().await;
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let first = process.enqueue_unique("bad", simple()).await;
    assert_eq!(process.enqueue_unique("other", simple()).await, first);
    process.work_behind(&gate);
    process.reaches(&first, JobState::Running).await;
    assert_eq!(process.enqueue_unique("other", simple()).await, first);
    gate.add_permits(1);
    process.reaches(&first, JobState::Discarded).await;
    // Nobody starts it before it is cancelled, and takes what lets the third one end.
    process.queue.pause("test").await.unwrap();
    let second = process.enqueue_unique("second", simple()).await;
    assert_ne!(second, first);
    process.queue.cancel(&second).await.unwrap();
    process.queue.resume("test").await.unwrap();
    let third = process.enqueue_unique("third", simple()).await;
    assert_ne!(third, second);
    gate.add_permits(1);
    process.reaches(&third, JobState::Completed).await;
    assert_eq!(process.effects().await, ["third"]);
    // One that is replayed has its key again.
    process.queue.run_now(&first).await.unwrap();
    assert_eq!(process.enqueue_unique("other", simple()).await, first);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_those_of_a_kind() {
    let process = Stage::new().process().await;
    let note = process.enqueue_unique("x", simple()).await;
    let queue = process.queue.clone();
    let enqueue = move |tx: &mut Tx<'_>| {
        let options = Enqueue {
            unique: Some(simple()),
            ..Enqueue::default()
        };
        queue.enqueue(tx, &Other {}, &options)
    };
    assert_ne!(process.database.write(enqueue).await.unwrap(), note);
    let both = Enqueue {
        unique: Some(simple()),
        unique_key: Some("k".to_owned()),
        ..Enqueue::default()
    };
    let refused = process.enqueue_with("x", both).await.unwrap_err();
    assert!(refused.to_string().contains("two unique keys"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_throttled_key_is_free_when_its_time_is_over() {
    let mut process = Stage::new().process().await;
    process.write_notes_down();
    let first = process.enqueue_unique("first", throttle()).await;
    process.reaches(&first, JobState::Completed).await;
    process.clock.advance(Duration::from_millis(9_999));
    assert_eq!(process.enqueue_unique("again", throttle()).await, first);
    process.clock.advance(Duration::from_millis(1));
    let second = process.enqueue_unique("second", throttle()).await;
    process.reaches(&second, JobState::Completed).await;
    assert_eq!(process.effects().await, ["first", "second"]);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_debounced_job_runs_when_it_has_been_quiet() {
    let mut process = Stage::new().process().await;
    process.start(process.queue.keeper());
    process.write_notes_down();
    let id = process.enqueue_unique("a", debounce()).await;
    for text in ["b", "c", "d"] {
        process.clock.advance(QUIET / 2);
        assert_eq!(process.enqueue_unique(text, debounce()).await, id);
        let job = process.job(&id).await;
        assert_eq!(job.summary.state, JobState::Scheduled);
        assert_eq!(job.payload["text"], text);
        assert_eq!(job.summary.due_ms, process.clock.now_ms() + 10_000);
    }
    process.clock.advance(QUIET);
    process.reaches(&id, JobState::Completed).await;
    assert_eq!(process.effects().await, ["d"]);
    assert_ne!(process.enqueue_unique("e", debounce()).await, id);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_waits_behind_the_active_one() {
    let mut process = Stage::new().process().await;
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let first = process.enqueue_unique("a", keep_last()).await;
    assert_eq!(
        process.enqueue_unique("b", keep_last()).await,
        first,
        "it waits"
    );
    process.work_behind(&gate);
    process.reaches(&first, JobState::Running).await;
    let next = process.enqueue_unique("c", keep_last()).await;
    assert_ne!(next, first);
    assert_eq!(process.enqueue_unique("d", keep_last()).await, next);
    let job = process.job(&next).await;
    assert_eq!(job.summary.state, JobState::Scheduled);
    let refused = process.queue.run_now(&next).await.unwrap_err();
    assert!(refused.to_string().contains("waiting for other jobs"));
    gate.add_permits(1);
    process.reaches(&next, JobState::Running).await;
    // The next one is the active one now.
    let third = process.enqueue_unique("e", keep_last()).await;
    assert!(third != next && third != first);
    process.queue.cancel(&third).await.unwrap();
    let fourth = process.enqueue_unique("f", keep_last()).await;
    gate.add_permits(2);
    process.reaches(&fourth, JobState::Completed).await;
    assert_eq!(process.effects().await, ["b", "d", "f"]);
    process.stop().await;
}
