//! Steps, and what a holder whose lease is gone may still do: nothing.

use super::*;

async fn in_steps(running: Running<Note>, seen: Seen) -> Result<Completed, Failure> {
    let first: u32 = running
        .step("first", || async {
            seen.add("first");
            Ok(7)
        })
        .await?;
    let second: String = running
        .step("second", || async {
            seen.add("second");
            if running.attempt < 3 {
                return Err(Failure::Retry("not yet".to_owned()));
            }
            Ok(format!("{first}!"))
        })
        .await?;
    running
        .complete(move |tx| effect(tx, &second))
        .await
        .map_err(|error: Error| error.into())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retried_job_goes_on_after_its_last_finished_step() {
    let mut process = Stage::new().process().await;
    process.start(process.queue.keeper());
    let seen = Seen::default();
    let at_once = Policy {
        backoff: crate::Backoff::fixed(Duration::ZERO),
        ..Policy::default()
    };
    process.work(at_once, {
        let seen = seen.clone();
        move |running| in_steps(running, seen.clone())
    });
    let id = process.enqueue("x").await;
    let job = process.reaches(&id, JobState::Completed).await;
    assert_eq!(seen.all(), ["first", "second", "second", "second"]);
    assert_eq!(process.effects().await, ["7!"]);
    assert_eq!(job.steps, ["first", "second"]);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_outlive_the_process() {
    let stage = Stage::new();
    let mut process = stage.process().await;
    let seen = Seen::default();
    process.work(Policy::default(), {
        let seen = seen.clone();
        move |running| {
            let seen = seen.clone();
            async move {
                let _: u32 = running.step("first", || async { Ok(1) }).await?;
                seen.add("hangs");
                std::future::pending().await
            }
        }
    });
    let id = process.enqueue("x").await;
    seen.reaches(1).await;
    process.kill().await;
    let mut process = stage.process().await;
    let seen = Seen::default();
    process.work(Policy::default(), {
        let seen = seen.clone();
        move |running| {
            let seen = seen.clone();
            async move {
                let first: u32 = running
                    .step("first", || async {
                        seen.add("again");
                        Ok(2)
                    })
                    .await?;
                running
                    .complete(move |tx| effect(tx, &first.to_string()))
                    .await
                    .map_err(|error: Error| error.into())
            }
        }
    });
    process.reaches(&id, JobState::Completed).await;
    assert_eq!(
        (process.effects().await, seen.all()),
        (vec!["1".to_owned()], vec![])
    );
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_stale_worker_is_taken() {
    let mut process = Stage::new().process().await;
    let (seen, go) = (Seen::default(), Arc::new(tokio::sync::Semaphore::new(0)));
    process.work(Policy::default(), {
        let (seen, go) = (seen.clone(), Arc::clone(&go));
        move |running| {
            let (seen, go) = (seen.clone(), Arc::clone(&go));
            async move {
                seen.add("began");
                go.acquire().await.unwrap().forget();
                running.log("stale").await;
                running.progress(&99)?;
                let step = running.step("step", || async { Ok(1) }).await;
                seen.add(step.unwrap_err().to_string());
                let ended = running.complete(|tx| effect(tx, "stale")).await;
                seen.add(ended.map_err(|error: Error| error).unwrap_err().to_string());
                Err(Failure::Discard("stale".to_owned()))
            }
        }
    });
    let id = process.enqueue("x").await;
    seen.reaches(1).await;
    // Somebody else holds it now.
    process
        .tamper("UPDATE _mito_queue_jobs SET lease_token = 'other'")
        .await;
    go.add_permits(1);
    seen.reaches(3).await;
    let lost = format!("the lease of job {id} was lost");
    assert_eq!(seen.all()[1..], [lost.clone(), lost]);
    process.database.ping().await.unwrap();
    let job = process.job(&id).await;
    assert_eq!(job.summary.state, JobState::Running);
    assert!(job.log.is_empty() && job.steps.is_empty() && job.progress.is_null());
    assert!(process.effects().await.is_empty());
    process.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_handler_sees_the_signal() {
    let mut process = Stage::new().process().await;
    let seen = Seen::default();
    process.work(Policy::default(), {
        let seen = seen.clone();
        move |running| {
            let (stop, seen) = (running.stop().clone(), seen.clone());
            // Work on another thread, which nobody can drop.
            tokio::task::spawn_blocking(move || {
                seen.add("began");
                while !stop.has_begun() {
                    std::thread::yield_now();
                }
                seen.add("stopped");
            });
            std::future::pending()
        }
    });
    let id = process.enqueue("x").await;
    seen.reaches(1).await;
    process.queue.cancel(&id).await.unwrap();
    seen.reaches(2).await;
    process.stop().await;
}

/// A kind whose payload is nobody's business.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Secret {
    text: String,
}

impl Job for Secret {
    const KIND: &'static str = "test.secret";
    const QUEUE: &'static str = "test";
    const SENSITIVE: bool = true;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_sensitive_job_kept_is_gone_when_it_has_ended() {
    let mut process = Stage::new().process().await;
    process
        .queue
        .handle(Policy::default(), async |running: Running<Secret>| {
            let text = running.payload.text.clone();
            let kept: String = running.step("first", || async { Ok(text) }).await?;
            running.progress(&kept)?;
            let done = running.complete_with(&kept, |_| Ok::<_, Error>(()));
            Ok(done.await?)
        });
    process.start(process.queue.worker("test", 1));
    let queue = process.queue.clone();
    let enqueue = move |tx: &mut Tx<'_>| {
        let secret = Secret {
            text: "a password".to_owned(),
        };
        queue.enqueue(tx, &secret, &Enqueue::default())
    };
    let id = process.database.write(enqueue).await.unwrap();
    let finished = process.queue.finished(&id).await.unwrap();
    assert_eq!(finished.result, "a password", "for those who asked for it");
    let job = process.job(&id).await;
    assert!(job.steps.is_empty());
    assert!(job.payload.is_null() && job.result.is_null() && job.progress.is_null());
    let shown = serde_json::to_string(&job).unwrap();
    assert!(!shown.contains("password"), "{shown}");
    process.stop().await;
}
