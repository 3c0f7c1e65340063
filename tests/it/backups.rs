//! Backups of the real binary: restored while it runs, from the command line, and with SIGKILL in
//! between.

use std::{path::Path, time::Duration};

use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::{
    client::{Answer, answer},
    harness::{Process, command, create_admin, eventually, run},
};

/// How often the process is killed while it restores.
const KILLS: u32 = 6;

async fn call(process: &Process, token: &str, method: Method, path: &str, body: Value) -> Answer {
    let request = process
        .client
        .request(method, "api.localhost", path)
        .header(header::AUTHORIZATION, token)
        .json(&body);
    answer(request).await.unwrap()
}

async fn rename(process: &Process, token: &str, name: &str) {
    let patch = json!({"meta": {"appName": name}});
    let changed = call(process, token, Method::PATCH, "/api/settings", patch).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
}

/// The application's name; none while nobody answers.
async fn app_name(process: &Process, token: &str) -> Option<String> {
    let request = process
        .client
        .request(Method::GET, "api.localhost", "/api/settings")
        .header(header::AUTHORIZATION, token);
    let shown = answer(request)
        .await
        .ok()
        .filter(|shown| shown.status == 200)?;
    Some(shown.json()["meta"]["appName"].as_str()?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_starts_the_platform_anew_at_the_same_addresses() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let process = Process::start(&data, &[]);
    create_admin(&data);
    let token = process.client.sign_in().await;
    rename(&process, &token, "Before").await;
    let made = call(
        &process,
        &token,
        Method::POST,
        "/api/backups",
        json!({"name": "a.zip"}),
    )
    .await;
    assert_eq!(made.status, 204, "{}", made.text);
    rename(&process, &token, "After").await;
    let missing = "/api/backups/nothing.zip/restore";
    let missing = call(&process, &token, Method::POST, missing, json!({})).await;
    assert_eq!(missing.status, 400, "{}", missing.text);
    let restored = "/api/backups/a.zip/restore";
    let restored = call(&process, &token, Method::POST, restored, json!({})).await;
    assert_eq!(restored.status, 204, "{}", restored.text);
    // The session was in the backup, so its token is still good.
    eventually("the old name is back", || async {
        app_name(&process, &token).await.as_deref() == Some("Before")
    })
    .await;
    // What is said on the command line is done by the process that runs.
    let archive = data.join("backups/a.zip");
    rename(&process, &token, "Later").await;
    check_command(&data, &["backup", "b.zip"], "b.zip");
    check_command(
        &data,
        &["restore", archive.to_str().unwrap()],
        "starts anew",
    );
    eventually("the old name is back once more", || async {
        app_name(&process, &token).await.as_deref() == Some("Before")
    })
    .await;
    assert_eq!(process.interrupt(), Some(0));
    // And without it, by the command itself.
    let archive = data.join("backups/b.zip");
    check_command(
        &data,
        &["restore", archive.to_str().unwrap()],
        "that of the backup",
    );
    check_command(&data, &["backup"], "mito_backup_later_");
    let (code, _, errors) = run(command(&data, &["restore", "/etc/hostname"]), "");
    assert_eq!(code, Some(1), "{errors}");
    let process = Process::start(&data, &[]);
    assert_eq!(app_name(&process, &token).await.as_deref(), Some("Later"));
}

fn check_command(data: &Path, arguments: &[&str], expected: &str) {
    let (code, output, errors) = run(command(data, arguments), "");
    assert_eq!(code, Some(0), "{arguments:?}: {errors}");
    assert!(output.contains(expected), "{arguments:?}: {output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_leaves_the_old_data_or_the_new() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut process = Process::start(&data, &[]);
    create_admin(&data);
    let token = process.client.sign_in().await;
    rename(&process, &token, "Before").await;
    let made = call(
        &process,
        &token,
        Method::POST,
        "/api/backups",
        json!({"name": "a.zip"}),
    )
    .await;
    assert_eq!(made.status, 204, "{}", made.text);
    let mut seen = Vec::new();
    for kill in 0..KILLS {
        rename(&process, &token, "After").await;
        let request = process
            .client
            .request(Method::POST, "api.localhost", "/api/backups/a.zip/restore")
            .header(header::AUTHORIZATION, &token);
        let restoring = tokio::spawn(answer(request));
        // Some come while the archive is checked, some while the platform stops, some after.
        tokio::time::sleep(Duration::from_millis(30) * kill.pow(2)).await;
        process.kill();
        let _ = restoring.await;
        process = Process::start(&data, &[]);
        let name = app_name(&process, &token).await.expect("it answers");
        assert!(["Before", "After"].contains(&name.as_str()), "{name}");
        seen.push(name);
        let left = std::fs::read_dir(&data).unwrap();
        let left: Vec<_> = left
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("restore."))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
    assert!(seen.iter().any(|name| name == "Before"), "{seen:?}");
}
