//! Restarts, containment and shutdown of tasks.

use std::sync::atomic::AtomicU32;

use tokio::sync::{Notify, oneshot};

use super::*;

/// A task that fails the way `fail` says on its first two runs and then waits for shutdown.
async fn check_restart(fail: fn(u32) -> Result<(), TaskError>, expected_error: &str) {
    let supervisor = Supervisor::new(Shutdown::new());
    let runs = Arc::new(AtomicU32::new(0));
    let steady = Arc::new(Notify::new());
    let (seen, reached) = (runs.clone(), steady.clone());
    supervisor.start("role/task", move |shutdown| {
        let (runs, steady) = (seen.clone(), reached.clone());
        async move {
            let run = runs.fetch_add(1, Ordering::SeqCst);
            if run < 2 {
                return fail(run);
            }
            steady.notify_one();
            shutdown.begun().await;
            Ok(())
        }
    });
    steady.notified().await;
    let tasks = supervisor.tasks();
    assert_eq!(tasks.len(), 1);
    assert_eq!(
        (
            tasks[0].running,
            tasks[0].restarts,
            tasks[0].last_error.as_deref()
        ),
        (true, 2, Some(expected_error))
    );
    assert_eq!(
        supervisor.shut_down(Duration::from_secs(5)).await,
        Vec::<String>::new()
    );
    assert!(!supervisor.tasks()[0].running);
}

#[tokio::test]
async fn a_task_that_fails_is_restarted() {
    check_restart(|run| Err(format!("failed {run}").into()), "failed 1").await;
}

#[tokio::test]
async fn a_task_that_panics_is_restarted() {
    check_restart(|run| panic!("broken {run}"), "panicked: broken 1").await;
}

#[tokio::test]
async fn a_panic_before_the_first_await_is_contained() {
    let supervisor = Supervisor::new(Shutdown::new());
    let (done, ended) = oneshot::channel();
    let done = Mutex::new(Some(done));
    supervisor.start("role/task", move |_| {
        let done = lock(&done).take();
        let Some(done) = done else {
            return std::future::ready(Ok(()));
        };
        done.send(()).expect("the test waits");
        panic!("in the closure")
    });
    ended.await.expect("the closure ran");
    assert_eq!(
        supervisor.shut_down(Duration::from_secs(5)).await,
        Vec::<String>::new()
    );
    let error = supervisor.tasks()[0].last_error.clone();
    assert_eq!(error.as_deref(), Some("panicked: in the closure"));
}

#[tokio::test]
async fn a_task_that_returns_ok_is_not_restarted_and_frees_its_name() {
    let supervisor = Supervisor::new(Shutdown::new());
    supervisor.start("once", |_| async { Ok(()) });
    while supervisor.tasks()[0].running {
        tokio::task::yield_now().await;
    }
    supervisor.start("once", |shutdown: Shutdown| async move {
        shutdown.begun().await;
        Ok(())
    });
    supervisor.start("once", |_| async { Ok(()) });
    let names: Vec<_> = supervisor
        .tasks()
        .into_iter()
        .map(|task| task.name)
        .collect();
    assert_eq!(names, ["once", "once#2"]);
    supervisor.shut_down(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn shutdown_waits_for_detached_work() {
    let supervisor = Supervisor::new(Shutdown::new());
    let (send, receive) = oneshot::channel::<()>();
    let finished = Arc::new(AtomicU32::new(0));
    let counter = finished.clone();
    supervisor.detach("request", async move {
        receive.await.expect("the test sends");
        counter.fetch_add(1, Ordering::SeqCst);
    });
    supervisor.detach("broken", async { panic!("contained") });
    let ending = supervisor.shut_down(Duration::from_secs(5));
    tokio::pin!(ending);
    assert!(futures_util::poll!(&mut ending).is_pending());
    send.send(()).expect("the work waits");
    assert_eq!(ending.await, Vec::<String>::new());
    assert_eq!(finished.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_task_that_does_not_end_is_named_and_dropped() {
    let supervisor = Supervisor::new(Shutdown::new());
    let held = Arc::new(());
    let inside = held.clone();
    supervisor.start("stubborn", move |_| {
        let inside = inside.clone();
        async move {
            let pending = std::future::pending().await;
            drop(inside);
            pending
        }
    });
    assert_eq!(
        supervisor.shut_down(Duration::from_millis(20)).await,
        ["stubborn"]
    );
    assert_eq!(Arc::strong_count(&held), 1, "the task's state was dropped");
}

#[test]
fn pauses_double_up_to_thirty_seconds() {
    let pauses: Vec<_> = std::iter::successors(Some(FIRST_PAUSE), |pause| Some(next_pause(*pause)))
        .take(11)
        .map(|pause| pause.as_millis())
        .collect();
    assert_eq!(
        pauses,
        [
            100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000
        ]
    );
}
