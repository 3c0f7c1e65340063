//! Jobs by the clock, once, also when several processes or a pause are between.

use std::time::Duration;

use mito_database::Tx;
use serde_json::json;

use super::*;
use crate::testing::Fixture;

async fn last_ms(fixture: &Fixture, id: &'static str) -> i64 {
    let last = move |tx: &mut Tx<'_>| {
        let row = tx.query_one(
            "SELECT last_ms FROM _mito_records_crons WHERE id = $1",
            &[&id],
        )?;
        row.expect("it is noted").get("last_ms")
    };
    fixture
        .database
        .read::<i64, mito_database::Error, _>(last)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_job_is_claimed_once_and_missed_runs_are_one() {
    let fixture = Fixture::new().await;
    let records = &fixture.records;
    let job = JOBS
        .iter()
        .find(|job| job.id == "__pbLogsCleanup__")
        .unwrap();
    let (mut here, mut there) = (None, None);
    for kept in [&mut here, &mut there] {
        assert!(!records.claim(job, kept).await.unwrap(), "it is new");
    }
    fixture.clock.advance(Duration::from_hours(30));
    assert!(records.claim(job, &mut here).await.unwrap());
    assert!(
        !records.claim(job, &mut there).await.unwrap(),
        "another process was faster"
    );
    assert!(!records.claim(job, &mut there).await.unwrap());
    assert_eq!(last_ms(&fixture, job.id).await, fixture.clock.now_ms());
    assert!(!records.claim(job, &mut here).await.unwrap());
    let mut after_a_restart = None;
    fixture.clock.advance(Duration::from_hours(20));
    assert!(records.claim(job, &mut after_a_restart).await.unwrap());
}

#[tokio::test]
async fn a_job_that_is_switched_on_waits_for_its_time() {
    let fixture = Fixture::new().await;
    let records = &fixture.records;
    let job = JOBS
        .iter()
        .find(|job| job.id == "__pbAutoBackup__")
        .unwrap();
    let mut kept = None;
    assert!(!records.claim(job, &mut kept).await.unwrap());
    assert!(records.run_cron(job.id).is_err(), "it is off");
    assert!(records.crons().iter().all(|cron| cron.id != job.id));
    for cron in ["@hourly", "30 * * * *"] {
        let patch = json!({"backups": {"cron": cron}});
        records.change_settings(patch, None).await.unwrap();
        assert!(!records.claim(job, &mut kept).await.unwrap(), "{cron}");
        fixture.clock.advance(Duration::from_hours(1));
        assert!(records.claim(job, &mut kept).await.unwrap(), "{cron}");
    }
    assert!(records.crons().iter().any(|cron| cron.id == job.id));
}

#[tokio::test]
async fn what_is_asked_for_runs_and_ends_with_the_platform() {
    let fixture = Fixture::new().await;
    let shutdown = Shutdown::new();
    assert!(fixture.records.run_cron("nothing").is_err());
    fixture.records.run_cron("__pbDBOptimize__").unwrap();
    let index = JOBS
        .iter()
        .position(|job| job.id == "__pbDBOptimize__")
        .unwrap();
    let (job, wake) = (&JOBS[index], &fixture.records.inner.crons.0[index]);
    let running = fixture.records.keep_running(job, wake, &shutdown);
    let mut running = std::pin::pin!(running);
    // Turned until the job's statements are through: then nothing but the clock can wake it.
    while wake.notified().now_or_never().is_none() {
        wake.notify_one();
        assert!(futures_util::poll!(&mut running).is_pending());
        fixture.database.ping().await.unwrap();
    }
    shutdown.begin();
    running.await;
}
