//! Replicas that change while they run.

use super::*;

/// A worker of the role with as many replicas as the configuration says; its jobs never end.
fn start(process: &mut Process, configured: usize) -> Seen {
    let seen = Seen::default();
    let handler = seen.clone();
    process
        .queue
        .handle(Policy::default(), move |running: Running<Note>| {
            handler.add(running.payload.text);
            std::future::pending()
        });
    process.start(process.queue.worker("test", configured));
    seen
}

impl Process {
    fn replicas(&self) -> (usize, usize) {
        let role = &self.queue.roles()[0];
        (role.replicas, role.busy)
    }

    async fn has_replicas(&self, expected: (usize, usize)) {
        until(&format!("(replicas, busy) are {expected:?}"), async || {
            self.replicas() == expected
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_grow_shrink_and_pause_while_they_run() {
    let mut process = Stage::new().process().await;
    for number in 0..9 {
        process.enqueue(&number.to_string()).await;
    }
    let seen = start(&mut process, 2);
    seen.reaches(2).await;
    process.has_replicas((2, 2)).await;
    process.queue.scale("test", 5).await.unwrap();
    seen.reaches(5).await;
    process.queue.scale("test", 0).await.unwrap();
    process.has_replicas((0, 5)).await;
    // What runs goes on; what waits stays.
    let counts = process.queue.queues().await.unwrap()[0].counts;
    assert_eq!((counts.running, counts.available), (5, 4));
    process.queue.scale("test", 6).await.unwrap();
    seen.reaches(6).await;
    process.has_replicas((6, 6)).await;
    let unknown = process.queue.scale("nothing", 1).await.unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "there is no worker role called \"nothing\""
    );
    let many = process.queue.scale("test", 1_001).await.unwrap_err();
    assert!(many.to_string().contains("allowed are 1000"), "{many}");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_asked_for_outlives_the_process_unless_the_configuration_changes() {
    let stage = Stage::new();
    let mut process = stage.process().await;
    start(&mut process, 2);
    process.has_replicas((2, 0)).await;
    process.queue.scale("test", 0).await.unwrap();
    process.kill().await;
    let mut process = stage.process().await;
    let id = process.enqueue("x").await;
    start(&mut process, 2);
    process.has_replicas((0, 0)).await;
    assert_eq!(process.job(&id).await.summary.state, JobState::Available);
    process.kill().await;
    let mut process = stage.process().await;
    start(&mut process, 3);
    process.has_replicas((3, 1)).await;
    process.kill().await;
    let mut process = stage.process().await;
    start(&mut process, 2);
    process.has_replicas((2, 1)).await;
    process.kill().await;
}
