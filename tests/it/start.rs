//! The start in phases, and what a role that is not there yet answers.

use std::sync::Arc;

use mito_core::Health;

use crate::harness::{Process, TestApp, eventually, hold};

#[tokio::test(flavor = "multi_thread")]
async fn a_held_storage_role_makes_the_rest_wait_and_recovers_without_a_restart() {
    let held = hold(&["minio"]);
    let app = TestApp::open(
        Arc::new(tempfile::tempdir().unwrap()),
        |config, environment| {
            config.network.start_timeout_ms = 300;
            environment.held = Some(held.clone());
        },
    )
    .await;
    app.wait_for_gateway().await;

    assert_eq!(app.network.health("postgres"), Some(Health::Healthy));
    let waits_on = |on: &str| Some(Health::Waiting { on: on.to_owned() });
    assert_eq!(app.network.health("api"), waits_on("minio"));
    assert_eq!(app.network.health("ai-pipeline"), waits_on("minio"));
    assert_eq!(app.network.health("admin-web"), waits_on("api"));
    assert_eq!(
        app.network.health("notifications"),
        Some(Health::Healthy),
        "it needs no objects"
    );

    let refused = app.client.get("api.localhost", "/health").await.unwrap();
    assert_eq!(refused.status, 503);
    assert!(
        refused.text.contains("minio"),
        "names the role: {}",
        refused.text
    );
    assert!(!refused.header("retry-after").is_empty());
    let browser = app
        .client
        .request(reqwest::Method::GET, "admin.localhost", "/")
        .header("accept", "text/html");
    let page = crate::client::answer(browser).await.unwrap();
    assert_eq!(page.status, 503);
    assert!(
        page.header("content-type").starts_with("text/html"),
        "{:?}",
        page.headers
    );

    held.send_modify(std::collections::HashSet::clear);
    eventually("the platform recovers", || async {
        app.client
            .get("api.localhost", "/health")
            .await
            .unwrap()
            .status
            == 200
    })
    .await;
    app.network.all_healthy().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_finds_everything_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = Process::start(&data, &[]);
    assert!(first.setup_url.is_some(), "the first start prints a link");
    crate::harness::create_admin(&data);
    assert_eq!(first.interrupt(), Some(0));

    let second = Process::start(&data, &[]);
    assert_eq!(second.setup_url, None, "an administrator exists");
    second.client.sign_in().await;
    assert_eq!(second.interrupt(), Some(0));
}

#[test]
fn ready_means_that_every_role_is_healthy() {
    // Ten starts, because the first version of this depended on which task came first.
    let folder = tempfile::tempdir().unwrap();
    for attempt in 0..10 {
        let data = folder.path().join(attempt.to_string());
        let process = Process::start(&data, &[]);
        let (code, out, err) = crate::harness::run(crate::harness::command(&data, &["ps"]), "");
        assert_eq!(code, Some(0), "{err}");
        let roles = out.lines().skip(1).filter(|line| !line.trim().is_empty());
        let not_healthy: Vec<&str> = roles.filter(|line| !line.contains("healthy")).collect();
        assert!(not_healthy.is_empty(), "{not_healthy:?}");
        process.kill();
    }
}
