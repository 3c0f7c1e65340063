//! Jobs that wait for their time, and rows that are no longer kept.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delayed_job_runs_when_its_time_comes() {
    let mut process = Stage::new().process().await;
    process.start(process.queue.keeper());
    process.write_notes_down();
    let at = |after_ms: i64| Enqueue {
        at_ms: Some(START_MS + after_ms),
        ..Enqueue::default()
    };
    let late = process.enqueue_with("late", at(2_000)).await.unwrap();
    let soon = process.enqueue_with("soon", at(1_000)).await.unwrap();
    let past = process.enqueue_with("past", at(-1_000)).await.unwrap();
    process.reaches(&past, JobState::Completed).await;
    assert_eq!(process.job(&soon).await.summary.state, JobState::Scheduled);

    process.clock.advance(Duration::from_millis(999));
    let marker = process.enqueue("marker").await;
    process.reaches(&marker, JobState::Completed).await;
    assert_eq!(process.job(&soon).await.summary.state, JobState::Scheduled);
    process.clock.advance(Duration::from_millis(1));
    process.reaches(&soon, JobState::Completed).await;
    assert_eq!(process.job(&late).await.summary.state, JobState::Scheduled);
    process.clock.advance(Duration::from_secs(1));
    process.reaches(&late, JobState::Completed).await;
    assert_eq!(process.effects().await, ["past", "marker", "soon", "late"]);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_runs_first_after_a_pause_of_the_process() {
    let stage = Stage::new();
    let process = stage.process().await;
    let at_ms = Some(START_MS + 1_000);
    let id = process
        .enqueue_with(
            "x",
            Enqueue {
                at_ms,
                ..Enqueue::default()
            },
        )
        .await
        .unwrap();
    process.kill().await;
    stage.clock.advance(Duration::from_hours(1));
    let mut process = stage.process().await;
    process.write_notes_down();
    process.start(process.queue.keeper());
    process.reaches(&id, JobState::Completed).await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ended_jobs_are_kept_for_their_time() {
    let mut process = Stage::new().process().await;
    process.work(Policy::default(), async |running| {
        running.log("a line").await;
        match running.payload.text.as_str() {
            "bad" => Err(Failure::Discard("bad".to_owned())),
            _ => write_down(running).await,
        }
    });
    let good = process.enqueue("good").await;
    process.reaches(&good, JobState::Completed).await;
    let bad = process.enqueue("bad").await;
    process.reaches(&bad, JobState::Discarded).await;

    process.clock.advance(Duration::from_hours(7 * 24 + 1));
    process.start(process.queue.keeper());
    let gone = async |id: &str| matches!(process.queue.job(id).await, Err(Error::NotFound(_)));
    until("the completed job is deleted", async || gone(&good).await).await;
    assert!(!gone(&bad).await, "discarded jobs are kept longer");
    process.clock.advance(Duration::from_hours(23 * 24));
    until("the discarded job is deleted", async || gone(&bad).await).await;
    let count = |tx: &mut Tx<'_>| tx.query("SELECT 1 FROM _mito_queue_log", &[]);
    let lines: Result<_, mito_database::Error> = process.database.read(count).await;
    assert!(lines.unwrap().is_empty(), "logs go with their jobs");
    process.stop().await;
}

#[tokio::test]
async fn history_slows_no_query() {
    let process = Stage::new().process().await;
    for (sql, index) in [
        (
            "EXPLAIN QUERY PLAN SELECT id, sequence, priority, payload FROM _mito_queue_jobs \
             WHERE state = 'available' AND held = 0 AND queue = 'q' AND kind = 'k' \
             ORDER BY priority, sequence LIMIT 10",
            "_mito_queue_jobs_ready",
        ),
        (
            "EXPLAIN QUERY PLAN SELECT MIN(kind) FROM _mito_queue_jobs \
             WHERE state = 'available' AND held = 0 AND queue = 'q' AND kind > 'k'",
            "_mito_queue_jobs_ready",
        ),
        (
            "EXPLAIN QUERY PLAN SELECT id FROM _mito_queue_jobs WHERE waits_until_ms <= 5 \
             ORDER BY waits_until_ms LIMIT 500",
            "_mito_queue_jobs_waiting",
        ),
        (
            "EXPLAIN QUERY PLAN SELECT MIN(waits_until_ms) FROM _mito_queue_jobs \
             WHERE waits_until_ms IS NOT NULL",
            "_mito_queue_jobs_waiting",
        ),
        (
            "EXPLAIN QUERY PLAN SELECT id FROM _mito_queue_jobs WHERE lease_until_ms <= 5 \
             ORDER BY lease_until_ms LIMIT 500",
            "_mito_queue_jobs_leased",
        ),
        (
            "EXPLAIN QUERY PLAN SELECT id, boot FROM _mito_queue_jobs WHERE queue = 'q' \
             AND state = 'running' AND boot <> 'b' ORDER BY sequence LIMIT 500",
            "_mito_queue_jobs_listed (queue=? AND state=?)",
        ),
        (
            "EXPLAIN QUERY PLAN SELECT due_ms FROM _mito_queue_jobs WHERE queue = 'q' \
             AND state = 'available' ORDER BY sequence LIMIT 1",
            "_mito_queue_jobs_listed (queue=? AND state=?)",
        ),
        (
            "EXPLAIN QUERY PLAN SELECT id, error FROM _mito_queue_jobs WHERE queue = 'q' \
             AND state = 'available' AND sequence < 9 ORDER BY sequence DESC LIMIT 50",
            "_mito_queue_jobs_listed (queue=? AND state=? AND sequence<?)",
        ),
        (
            "EXPLAIN QUERY PLAN SELECT COUNT(*) FROM (SELECT 1 FROM _mito_queue_jobs \
             WHERE queue = 'q' AND state = 'completed' LIMIT 10000) AS counted",
            "_mito_queue_jobs_listed (queue=? AND state=?)",
        ),
        (
            "EXPLAIN QUERY PLAN SELECT MIN(queue) FROM _mito_queue_jobs WHERE queue > 'q'",
            "_mito_queue_jobs_listed (queue>?)",
        ),
        (
            "EXPLAIN QUERY PLAN SELECT id FROM _mito_queue_jobs WHERE state = 'completed' \
             AND finished_ms < 5 ORDER BY finished_ms LIMIT 100",
            "_mito_queue_jobs_finished",
        ),
    ] {
        let explain = move |tx: &mut Tx<'_>| -> Result<String, mito_database::Error> {
            let rows = tx.query(sql, &[])?;
            let steps: Result<Vec<String>, _> = rows.iter().map(|row| row.get("detail")).collect();
            Ok(steps?.join("; "))
        };
        let plan = process.database.read(explain).await.unwrap();
        assert!(plan.contains(index), "{sql}: {plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{sql}: {plan}");
    }
}
