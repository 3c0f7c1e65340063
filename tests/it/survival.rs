//! SIGKILL at ten points of the main job: what was acknowledged is completed after the restart,
//! once.

use std::time::{Duration, Instant};

use crate::{
    harness::{Process, create_admin, eventually},
    main_job::{article, contents, mails, upload},
};

/// How many points of the job are tried.
const POINTS: u32 = 10;

/// How often the process is killed: once at each point, or as often as `MITO_TEST_KILLS` says.
fn kills() -> u32 {
    let environment = mito_core::config::environment();
    environment
        .get("MITO_TEST_KILLS")
        .map_or(POINTS, |kills| kills.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_survives_sigkill_at_any_point() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let process = Process::start(&data, &["--demo"]);
    create_admin(&data);
    let token = process.client.sign_in().await;
    let panel = process.client.panel().await;
    let subscribers = process
        .client
        .records(&token, "subscribers", "active = true")
        .await
        .len();

    // An undisturbed run tells how long the job takes from the acknowledged upload to the last mail,
    // so that the kills spread over all of it.
    upload(&process.client, "calm.html", &article("Calm"))
        .await
        .unwrap();
    let begun = Instant::now();
    eventually("the undisturbed job is done", || async {
        mails(&panel, "Calm").await.len() == subscribers
    })
    .await;
    let took = begun.elapsed().max(Duration::from_millis(20));

    let mut process = process;
    let mut acknowledged = Vec::new();
    for point in 0..kills() {
        let (key, title) = (format!("storm-{point}.html"), format!("Storm {point:04}"));
        let client = process.client.clone();
        let mut sent = {
            let (key, html) = (key.clone(), article(&title));
            tokio::spawn(async move { upload(&client, &key, &html).await.is_ok() })
        };
        // Every other kill comes after the upload was acknowledged, however long that took; the
        // rest come as they may, also in the middle of it.
        let early = if point % 2 == 0 {
            None
        } else {
            Some((&mut sent).await.unwrap())
        };
        tokio::time::sleep(took * (point % POINTS) / (POINTS - 1)).await;
        process.kill();
        let sure = match early {
            Some(sure) => sure,
            None => sent.await.unwrap(),
        };
        acknowledged.push((key, title, sure));
        process = Process::start(&data, &[]);
    }

    let client = &process.client;
    let (token, panel) = (client.sign_in().await, client.panel().await);
    for (key, title, sure) in &acknowledged {
        if *sure {
            eventually(&format!("{key} is completed"), || async {
                mails(&panel, title).await.len() >= subscribers
            })
            .await;
        }
    }
    eventually("no job is left", || async {
        let jobs = panel.items("/_mito/api/queue/jobs?limit=500").await;
        jobs.iter().all(|job| job["state"] == "completed")
    })
    .await;
    for (key, title, sure) in &acknowledged {
        let (records, mails) = (
            contents(client, &token, key).await.len(),
            mails(&panel, title).await.len(),
        );
        let whole = records == 1 && mails == subscribers;
        let absent = records == 0 && mails == 0 && !sure;
        assert!(
            whole || absent,
            "{key}: {records} records, {mails} mails, acknowledged {sure}"
        );
    }
    assert!(
        acknowledged.iter().filter(|(_, _, sure)| *sure).count() >= acknowledged.len() / 2,
        "uploads that nothing disturbed were acknowledged"
    );
    assert_eq!(process.interrupt(), Some(0));
}
