//! Dead letters, and services with layers of their own.

use super::*;
use crate::Replay;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_are_replayed_by_queue_and_kind() {
    let mut process = Stage::new().process().await;
    process.work(Policy::default(), async |running| {
        if running.payload.text == "bad" {
            return Err(Failure::Discard("no".to_owned()));
        }
        write_down(running).await
    });
    let fine = process.enqueue("fine").await;
    let queue = process.queue.clone();
    let enqueue = move |tx: &mut Tx<'_>| {
        for _ in 0..1_200 {
            let bad = Note {
                text: "bad".to_owned(),
            };
            queue.enqueue(tx, &bad, &Enqueue::default())?;
        }
        Ok::<_, Error>(())
    };
    process.database.write(enqueue).await.unwrap();
    let discarded = async || process.queue.queues().await.unwrap()[0].counts.discarded;
    until("all are dead", async || discarded().await == 1_200).await;
    process.reaches(&fine, JobState::Completed).await;
    process
        .tamper("UPDATE _mito_queue_jobs SET payload = '{\"text\":\"mended\"}' WHERE state = 'discarded'")
        .await;
    let replay = async |queue: &str, kind: Option<&str>| {
        let which = Replay {
            queue: queue.to_owned(),
            kind: kind.map(str::to_owned),
        };
        process.queue.replay(&which).await.unwrap()
    };
    assert_eq!(replay("other", None).await, 0);
    assert_eq!(replay("test", Some("test.other")).await, 0);
    assert_eq!(replay("test", Some("test.note")).await, 1_200);
    until("all ran", async || process.effects().await.len() == 1_201).await;
    assert_eq!(replay("test", None).await, 0);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_may_be_a_service_with_layers() {
    let mut process = Stage::new().process().await;
    process.start(process.queue.keeper());
    // At most one at a time, by a layer of tower's own.
    let service = tower::ServiceBuilder::new()
        .concurrency_limit(1)
        .service(tower::service_fn(write_down));
    process.queue.service(Policy::default(), service);
    process.start(process.queue.worker("test", 4));
    for number in 0..20 {
        process.enqueue(&number.to_string()).await;
    }
    until("all", async || process.effects().await.len() == 20).await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_completions_share_commits() {
    let mut process = Stage::new().process().await;
    process.queue.handle(Policy::default(), write_down);
    process.start(process.queue.worker("test", 64));
    let queue = process.queue.clone();
    let enqueue = move |tx: &mut Tx<'_>| {
        for number in 0..2_000 {
            let text = number.to_string();
            queue.enqueue(tx, &Note { text }, &Enqueue::default())?;
        }
        Ok::<_, Error>(())
    };
    process.database.write(enqueue).await.unwrap();
    until("all", async || {
        process.queue.queues().await.unwrap()[0].counts.completed == 2_000
    })
    .await;
    assert_eq!(process.effects().await.len(), 2_000);
    process.stop().await;
}
