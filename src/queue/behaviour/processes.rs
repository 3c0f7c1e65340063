//! Real processes that really die: this test program, started again as a child that runs one of the
//! cases called `child_…`, which do nothing when they are not such a child.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use super::*;

/// Tells the child where its database is.
const FOLDER: &str = "MITO_TEST_QUEUE_FOLDER";
/// How often the working process is killed.
const KILLS: u32 = 20;
/// How many attempts the poison has.
const ATTEMPTS: u32 = 3;

/// The queue of a child, if this is one.
async fn child() -> Option<Process> {
    let environment = mito_core::config::environment();
    let folder = environment.get(FOLDER)?;
    let stage = Stage {
        clock: Clock::system(),
        ..Stage::new()
    };
    Some(stage.process_in(folder.as_ref()).await)
}

fn start(case: &str, stage: &Stage) -> Child {
    let case = format!("behaviour::processes::{case}");
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &case, "--nocapture"])
        .env(FOLDER, stage.folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_that_is_poisoned() {
    let Some(mut process) = child().await else {
        return;
    };
    let policy = Policy {
        attempts: ATTEMPTS,
        ..Policy::default()
    };
    process.work(policy, async |running| {
        if running.payload.text == "poison" {
            std::process::abort();
        }
        write_down(running).await
    });
    until("the other job has run", async || {
        process.effects().await.len() == 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_aborts_its_process_stops_after_its_attempts() {
    let stage = Stage::new();
    let process = stage.process().await;
    let poison = process.enqueue("poison").await;
    // Its attempts are spent by its neighbour, so it has more of them.
    let more = Enqueue {
        attempts: Some(2 * ATTEMPTS),
        ..Enqueue::default()
    };
    let fine = process.enqueue_with("fine", more).await.unwrap();
    process.kill().await;
    let mut deaths = 0;
    while !start("child_that_is_poisoned", &stage)
        .wait()
        .unwrap()
        .success()
    {
        deaths += 1;
        assert!(deaths <= ATTEMPTS, "it goes on for ever");
    }
    assert_eq!(deaths, ATTEMPTS);
    let process = stage.process().await;
    let job = process.job(&poison).await.summary;
    assert_eq!((job.state, job.attempts), (JobState::Discarded, ATTEMPTS));
    assert_eq!(process.job(&fine).await.summary.state, JobState::Completed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_that_works() {
    let Some(mut process) = child().await else {
        return;
    };
    process.write_notes_down();
    // Until it is killed; the bound is for a test that forgets to.
    for _ in 0..100_000 {
        let text = process.queue.random().id(20);
        process.enqueue(&text).await;
        println!("acknowledged {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigkill_loses_no_acknowledged_job_and_repeats_no_effect() {
    let stage = Stage::new();
    let mut acknowledged = Vec::new();
    for kill in 0..KILLS {
        let mut child = start("child_that_works", &stage);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Killed at another point each time; what it has still written is read to the end.
        let goal = acknowledged.len() + 5 + kill as usize;
        for line in lines {
            let Ok(line) = line else { break };
            if let Some((_, text)) = line.split_once("acknowledged ") {
                acknowledged.push(text.trim().to_owned());
            }
            if acknowledged.len() == goal {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
    }
    assert!(acknowledged.len() > 200);
    let mut process = stage.process().await;
    process.write_notes_down();
    until("nothing is left to do", async || {
        let counts = process.queue.queues().await.unwrap()[0].counts;
        counts.available + counts.running + counts.retryable == 0
    })
    .await;
    let effects = process.effects().await;
    let distinct: std::collections::HashSet<&String> = effects.iter().collect();
    assert_eq!(distinct.len(), effects.len(), "an effect was repeated");
    let lost: Vec<_> = acknowledged
        .iter()
        .filter(|text| !distinct.contains(text))
        .collect();
    assert!(lost.is_empty(), "{lost:?}");
    process.stop().await;
}
