//! Pauses, rates, concurrency, groups, priorities, and that none of it makes claims slow.

use super::*;
use crate::{Limits, RateLimit, job};

/// Handlers that count how many run, until they are let go.
#[derive(Clone)]
struct Gate {
    seen: Seen,
    open: Arc<tokio::sync::Semaphore>,
}

impl Gate {
    fn new() -> Self {
        Self {
            seen: Seen::default(),
            open: Arc::new(tokio::sync::Semaphore::new(0)),
        }
    }

    fn work(&self, process: &mut Process) {
        let gate = self.clone();
        process.work(Policy::default(), move |running| {
            let gate = gate.clone();
            async move {
                gate.seen.add(&running.payload.text);
                gate.open.acquire().await.unwrap().forget();
                write_down(running).await
            }
        });
    }
}

impl Process {
    async fn enqueue_in(&self, text: &str, group: &str) -> String {
        let options = Enqueue {
            group_key: Some(group.to_owned()),
            ..Enqueue::default()
        };
        self.enqueue_with(text, options).await.unwrap()
    }

    async fn running(&self) -> u32 {
        self.queue.queues().await.unwrap()[0].counts.running
    }

    /// Gives everything that could happen the time to happen.
    async fn settles(&self) {
        for _ in 0..20 {
            self.database.ping().await.unwrap();
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_queue_starts_nothing_also_after_a_restart() {
    let stage = Stage::new();
    let mut process = stage.process().await;
    process.queue.pause("test").await.unwrap();
    let id = process.enqueue("x").await;
    process.write_notes_down();
    process.settles().await;
    process.clock.advance(Duration::from_mins(1));
    process.settles().await;
    assert_eq!(process.job(&id).await.summary.state, JobState::Available);
    assert!(process.queue.queues().await.unwrap()[0].paused);
    process.kill().await;
    let mut process = stage.process().await;
    process.write_notes_down();
    process.settles().await;
    assert_eq!(process.job(&id).await.summary.state, JobState::Available);
    process.queue.resume("test").await.unwrap();
    process.reaches(&id, JobState::Completed).await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrency_is_that_of_all_workers() {
    let mut process = Stage::new().process().await;
    let limits = Limits {
        concurrency: Some(3),
        ..Limits::default()
    };
    process.queue.limit("test", limits).await.unwrap();
    let gate = Gate::new();
    gate.work(&mut process);
    process.start(process.queue.worker("test", 4));
    for number in 0..9 {
        process.enqueue(&number.to_string()).await;
    }
    gate.seen.reaches(3).await;
    process.settles().await;
    assert_eq!((process.running().await, gate.seen.all().len()), (3, 3));
    // What ends lets others begin, without the clock.
    gate.open.add_permits(4);
    gate.seen.reaches(7).await;
    process.settles().await;
    assert_eq!((process.running().await, gate.seen.all().len()), (3, 7));
    process
        .queue
        .limit("test", Limits::default())
        .await
        .unwrap();
    gate.seen.reaches(9).await;
    gate.open.add_permits(9);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_holds_over_a_restart() {
    let stage = Stage::new();
    let mut process = stage.process().await;
    let limits = Limits {
        rate: Some(RateLimit {
            max: 5,
            window_ms: 60_000,
        }),
        ..Limits::default()
    };
    process.queue.limit("test", limits).await.unwrap();
    for number in 0..12 {
        process.enqueue(&number.to_string()).await;
    }
    process.write_notes_down();
    until("five ran", async || process.effects().await.len() == 5).await;
    process.clock.advance(Duration::from_secs(30));
    process.settles().await;
    assert_eq!(process.effects().await.len(), 5);
    process.kill().await;
    let mut process = stage.process().await;
    process.write_notes_down();
    process.settles().await;
    process.clock.advance(Duration::from_secs(29));
    process.settles().await;
    assert_eq!(process.effects().await.len(), 5, "no burst after a restart");
    process.clock.advance(Duration::from_secs(1));
    until("five more", async || process.effects().await.len() == 10).await;
    process.clock.advance(Duration::from_mins(1));
    until("the rest", async || process.effects().await.len() == 12).await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_group_does_not_hold_up_another() {
    let mut process = Stage::new().process().await;
    let limits = Limits {
        group_concurrency: Some(1),
        ..Limits::default()
    };
    process.queue.limit("test", limits).await.unwrap();
    for number in 0..30 {
        process.enqueue_in(&format!("a{number:02}"), "a").await;
    }
    process.enqueue_in("b", "b").await;
    process.enqueue("alone").await;
    let gate = Gate::new();
    gate.work(&mut process);
    gate.seen.reaches(3).await;
    process.settles().await;
    let mut seen = gate.seen.all();
    seen.sort();
    assert_eq!(seen, ["a00", "alone", "b"]);
    gate.open.add_permits(50);
    until("all", async || process.effects().await.len() == 32).await;
    let started = gate.seen.all();
    let of_a: Vec<&String> = started.iter().filter(|text| text.len() == 3).collect();
    assert!(of_a.is_sorted(), "a group keeps its order: {of_a:?}");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_has_a_rate_of_its_own() {
    let mut process = Stage::new().process().await;
    process.start(process.queue.keeper());
    let limits = Limits {
        group_rate: Some(RateLimit {
            max: 2,
            window_ms: 10_000,
        }),
        ..Limits::default()
    };
    process.queue.limit("test", limits).await.unwrap();
    for number in 0..5 {
        process.enqueue_in(&format!("a{number}"), "a").await;
        process.enqueue_in(&format!("b{number}"), "b").await;
    }
    process.write_notes_down();
    for expected in [4, 8, 10] {
        until("those of the window", async || {
            process.effects().await.len() == expected
        })
        .await;
        process.settles().await;
        assert_eq!(process.effects().await.len(), expected);
        process.clock.advance(Duration::from_secs(10));
    }
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn held_jobs_are_let_go_when_limits_are_lifted_or_their_runner_is_gone() {
    let stage = Stage::new();
    let mut process = stage.process().await;
    let limits = Limits {
        group_concurrency: Some(1),
        ..Limits::default()
    };
    process.queue.limit("test", limits).await.unwrap();
    for number in 0..6 {
        process.enqueue_in(&number.to_string(), "a").await;
    }
    let gate = Gate::new();
    gate.work(&mut process);
    gate.seen.reaches(1).await;
    process.settles().await;
    process.kill().await;
    let mut process = stage.process().await;
    process.start(process.queue.keeper());
    process.write_notes_down();
    until("all", async || {
        process.clock.advance(Duration::from_secs(5));
        process.effects().await.len() == 6
    })
    .await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_higher_limit_of_groups_lets_held_jobs_go() {
    let mut process = Stage::new().process().await;
    process.start(process.queue.keeper());
    let limits = |group_concurrency| Limits {
        group_concurrency,
        ..Limits::default()
    };
    process.queue.limit("test", limits(Some(1))).await.unwrap();
    for number in 0..20 {
        process.enqueue_in(&number.to_string(), "a").await;
    }
    let gate = Gate::new();
    gate.work(&mut process);
    gate.seen.reaches(1).await;
    process.settles().await;
    process.queue.limit("test", limits(Some(3))).await.unwrap();
    process.clock.advance(Duration::from_secs(5));
    gate.seen.reaches(3).await;
    process.settles().await;
    assert_eq!(process.running().await, 3);
    process.queue.limit("test", limits(None)).await.unwrap();
    process.clock.advance(Duration::from_secs(5));
    gate.seen.reaches(4).await;
    gate.open.add_permits(20);
    until("all", async || process.effects().await.len() == 20).await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn urgent_work_overtakes_bulk() {
    let mut process = Stage::new().process().await;
    for (text, priority) in [
        ("bulk", job::BULK),
        ("ordinary", 0),
        ("bulk2", job::BULK),
        ("urgent", job::URGENT),
    ] {
        let options = Enqueue {
            priority,
            ..Enqueue::default()
        };
        process.enqueue_with(text, options).await.unwrap();
    }
    process.queue.handle(Policy::default(), write_down);
    process.start(process.queue.worker("test", 1));
    until("all", async || process.effects().await.len() == 4).await;
    assert_eq!(
        process.effects().await,
        ["urgent", "ordinary", "bulk", "bulk2"]
    );
    process.stop().await;
}

/// The plan of a statement, as SQLite tells it.
async fn plan(process: &Process, sql: String) -> String {
    let explain = move |tx: &mut Tx<'_>| -> Result<String, mito_database::Error> {
        let rows = tx.query(&format!("EXPLAIN QUERY PLAN {sql}"), &[])?;
        let lines: Result<Vec<String>, _> = rows.iter().map(|row| row.get("detail")).collect();
        Ok(lines?.join("; "))
    };
    process.database.read(explain).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_and_a_long_queue_do_not_slow_claims() {
    let mut process = Stage::new().process().await;
    let fill = |tx: &mut Tx<'_>, state: &str, held: i64, first: i64, count: i64| {
        let finished = if state == "completed" { "1" } else { "NULL" };
        let group = if held > 0 { "'g'" } else { "NULL" };
        let waits = if state == "scheduled" { "9e15" } else { "NULL" };
        tx.execute(
            &format!(
                "WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n \
                     WHERE i + 1 < {first} + {count}) \
                 INSERT INTO _mito_queue_jobs (id, sequence, queue, kind, state, priority, payload, \
                     attempts, created_ms, due_ms, finished_ms, held, group_key, waits_until_ms) \
                 SELECT 'j' || i, i, 'test', 'test.note', '{state}', 5, '{{\"text\":\"x\"}}', 0, 1, 1, \
                     {finished}, {held}, {group}, CAST({waits} AS INTEGER) FROM n"
            ),
            &[],
        )
    };
    let fill_all = move |tx: &mut Tx<'_>| -> Result<(), mito_database::Error> {
        fill(tx, "completed", 0, 0, 20_000)?;
        fill(tx, "scheduled", 0, 20_000, 10_000)?;
        fill(tx, "available", 1, 30_000, 10_000)?;
        fill(tx, "available", 0, 40_000, 10_000)?;
        Ok(())
    };
    process.database.exclusive(fill_all).await.unwrap();
    for sql in [
        crate::store::claim::CANDIDATES
            .replace("$1", "'q'")
            .replace("$2", "'k'")
            .replace("$3", "9"),
        "SELECT id FROM _mito_queue_jobs WHERE held = 1 AND queue = 'q' AND group_key = 'g' \
         ORDER BY priority, sequence LIMIT 1"
            .to_owned(),
        "SELECT 1 FROM _mito_queue_jobs WHERE queue = 'q' AND state = 'running' LIMIT 9".to_owned(),
        "SELECT 1 FROM _mito_queue_jobs WHERE queue = 'q' AND group_key = 'g' \
         AND state = 'running' LIMIT 9"
            .to_owned(),
        "SELECT id FROM _mito_queue_jobs WHERE waits_until_ms <= 1 ORDER BY waits_until_ms LIMIT 9"
            .to_owned(),
        "SELECT id FROM _mito_queue_jobs WHERE expires_ms <= 1 ORDER BY expires_ms LIMIT 9"
            .to_owned(),
        "SELECT id FROM _mito_queue_jobs WHERE lease_until_ms <= 1 ORDER BY lease_until_ms LIMIT 9"
            .to_owned(),
        "SELECT id FROM _mito_queue_jobs WHERE parent = 'p' ORDER BY sequence LIMIT 9".to_owned(),
        "SELECT queue, group_key FROM _mito_queue_jobs WHERE held = 1 \
         AND (queue, group_key) > ('a', 'b') ORDER BY queue, group_key LIMIT 1"
            .to_owned(),
    ] {
        let plan = plan(&process, sql.clone()).await;
        assert!(
            plan.contains("SEARCH") && !plan.contains("SCAN") && !plan.contains("TEMP B-TREE"),
            "{sql}: {plan}"
        );
    }
    // An urgent job is claimed ahead of all that, in no time to speak of.
    let began = std::time::Instant::now();
    process.queue.handle(Policy::default(), write_down);
    process.start(process.queue.worker("test", 1));
    let options = Enqueue {
        priority: job::URGENT,
        ..Enqueue::default()
    };
    let id = process.enqueue_with("urgent", options).await.unwrap();
    process.reaches(&id, JobState::Completed).await;
    assert!(began.elapsed() < Duration::from_secs(3), "{began:?}");
    process.kill().await;
}
