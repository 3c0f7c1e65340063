//! Parents that wait for children.

use serde_json::json;

use super::*;
use crate::{Flow, OnChildFailure};

fn note(text: &str) -> Flow {
    let note = Note {
        text: text.to_owned(),
    };
    Flow::new(&note, Enqueue::default()).unwrap()
}

impl Process {
    async fn enqueue_flow(&self, flow: Flow) -> String {
        let queue = self.queue.clone();
        let enqueue = move |tx: &mut Tx<'_>| queue.enqueue_flow(tx, &flow);
        self.database.write(enqueue).await.unwrap()
    }

    /// Notes that begin with "bad" fail; others write down their text and their children's
    /// results, and give their text back.
    fn work_on_flows(&mut self) {
        self.work(Policy::default(), async |running| {
            if running.payload.text.starts_with("bad") {
                return Err(Failure::Discard("it is bad".to_owned()));
            }
            let mut text = running.payload.text.clone();
            for child in running.children().await? {
                let said = child.result.as_str().map(str::to_owned);
                text = format!("{text}+{}", said.or(child.error).unwrap_or_default());
            }
            let result = text.clone();
            let done = running.complete_with(&result, move |tx| effect(tx, &text));
            Ok::<_, Failure>(done.await.map_err(|error: Error| error)?)
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parent_runs_after_its_children_and_reads_their_results() {
    let mut process = Stage::new().process().await;
    let flow = note("root")
        .child(note("left").child(note("leaf")))
        .child(note("right"));
    assert_eq!(flow.len(), 4);
    let root = process.enqueue_flow(flow).await;
    let job = process.job(&root).await;
    assert_eq!(job.summary.state, JobState::Scheduled);
    assert_eq!((job.children_left, job.children.len()), (2, 2));
    assert!(process.queue.run_now(&root).await.is_err());
    process.work_on_flows();
    let finished = process.queue.finished(&root).await.unwrap();
    assert_eq!(finished.result, json!("root+left+leaf+right"));
    assert_eq!(process.effects().await.len(), 4);
    let job = process.job(&root).await;
    assert_eq!((job.children_left, job.summary.attempts), (0, 1));
    process.stop().await;
}

/// A parent with one child that fails, under the given policy, and one that does not.
async fn with_a_bad_child(process: &Process, on_failure: OnChildFailure) -> String {
    let flow = note("p")
        .child(note("bad").on_failure(on_failure))
        .child(note("good"));
    process.enqueue_flow(flow).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_child_means_what_its_policy_says() {
    let mut process = Stage::new().process().await;
    process.work_on_flows();
    for (policy, expected) in [
        (OnChildFailure::Ignore, "p+it is bad+good"),
        (OnChildFailure::Remove, "p+good"),
    ] {
        let parent = with_a_bad_child(&process, policy).await;
        let finished = process.queue.finished(&parent).await.unwrap();
        assert_eq!(finished.result, json!(expected), "{policy:?}");
    }
    let parent = with_a_bad_child(&process, OnChildFailure::FailParent).await;
    let finished = process.queue.finished(&parent).await.unwrap();
    assert_eq!(finished.state, JobState::Discarded);
    let error = finished.error.unwrap();
    assert!(error.contains("failed: it is bad"), "{error}");

    // The others have not ended; the parent runs all the same.
    let late = Enqueue {
        at_ms: Some(START_MS + 1_000_000),
        ..Enqueue::default()
    };
    let late = Flow::new(
        &Note {
            text: "late".to_owned(),
        },
        late,
    );
    let flow = note("p")
        .child(note("bad").on_failure(OnChildFailure::Continue))
        .child(late.unwrap());
    let parent = process.enqueue_flow(flow).await;
    let finished = process.queue.finished(&parent).await.unwrap();
    assert_eq!(finished.result, json!("p+it is bad+"));
    let children = process.job(&parent).await.children;
    process.queue.run_now(&children[1].id).await.unwrap();
    process.queue.finished(&children[1].id).await.unwrap();
    assert_eq!(
        process.job(&parent).await.summary.attempts,
        1,
        "it ran once"
    );
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failure_rises_to_the_root() {
    let mut process = Stage::new().process().await;
    process.work_on_flows();
    let fail = OnChildFailure::FailParent;
    let middle = note("middle")
        .on_failure(fail)
        .child(note("bad").on_failure(fail));
    let root = process.enqueue_flow(note("root").child(middle)).await;
    let finished = process.queue.finished(&root).await.unwrap();
    assert_eq!(finished.state, JobState::Discarded);
    assert!(process.effects().await.is_empty());
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_parent_goes_on_when_the_child_is_replayed() {
    let mut process = Stage::new().process().await;
    process.work_on_flows();
    let parent = with_a_bad_child(&process, OnChildFailure::Wait).await;
    let bad = process.job(&parent).await.children[0].id.clone();
    process.reaches(&bad, JobState::Discarded).await;
    until("one is left", async || {
        process.job(&parent).await.children_left == 1
    })
    .await;
    process
        .tamper("UPDATE _mito_queue_jobs SET payload = '{\"text\":\"mended\"}' WHERE state = 'discarded'")
        .await;
    process.queue.run_now(&bad).await.unwrap();
    let finished = process.queue.finished(&parent).await.unwrap();
    assert_eq!(finished.result, json!("p+mended+good"));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parent_is_released_once_whenever_the_process_dies() {
    let stage = Stage::new();
    let process = stage.process().await;
    let mut roots = Vec::new();
    for number in 0..10 {
        let mut flow = note(&format!("p{number}"));
        for _ in 0..4 {
            flow = flow.child(note("c"));
        }
        roots.push(process.enqueue_flow(flow).await);
    }
    process.kill().await;
    for goal in (5..=45).step_by(5) {
        let mut process = stage.process().await;
        process.work_on_flows();
        until("some more", async || process.effects().await.len() >= goal).await;
        process.kill().await;
    }
    let mut process = stage.process().await;
    process.work_on_flows();
    for root in &roots {
        let finished = process.queue.finished(root).await.unwrap();
        assert_eq!(finished.state, JobState::Completed);
    }
    let effects = process.effects().await;
    assert_eq!(effects.len(), 50);
    let parents = effects.iter().filter(|text| text.starts_with('p'));
    assert_eq!(parents.count(), 10);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_has_bounds() {
    let process = Stage::new().process().await;
    let mut flow = note("p");
    for _ in 0..crate::flow::MAX_FLOW_JOBS {
        flow = flow.child(note("c"));
    }
    let queue = process.queue.clone();
    let enqueue = move |tx: &mut Tx<'_>| queue.enqueue_flow(tx, &flow);
    let refused = process.database.write(enqueue).await.unwrap_err();
    assert!(refused.to_string().contains("allowed are 500"), "{refused}");
    assert!(process.queue.queues().await.unwrap().is_empty());
}
