//! Configuration files that change while the real binary runs.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    process::Command,
};

use serde_json::Value;

use crate::harness::{Process, eventually, settings};

/// Starts mito beside a `mito.toml` that alone says where `web` listens.
fn start(folder: &std::path::Path, text: &str) -> Process {
    fs::write(folder.join("mito.toml"), text).unwrap();
    let mut up = Command::new(env!("CARGO_BIN_EXE_mito"));
    up.args(["up", "--json", "--data"]).arg(folder.join("data"));
    for (path, value) in settings() {
        if !path.contains(".web.") {
            up.arg("--set").arg(format!("{path}={value}"));
        }
    }
    up.env_clear().env("MITO_LOG", "error").current_dir(folder);
    Process::spawn(&mut up)
}

async fn overview(mito: &Process) -> Value {
    let traefik = mito.client.entrypoints["traefik"];
    mito.client.get_from(traefik, "/api/overview").await.json()
}

/// Whether one of the warnings holds all of `words`.
async fn warns(mito: &Process, words: &[&str]) -> bool {
    let overview = overview(mito).await;
    let mut warnings = overview["warnings"].as_array().unwrap().iter();
    warnings.any(|warning| {
        words
            .iter()
            .all(|word| warning.as_str().unwrap().contains(word))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn mito_toml_is_followed_while_mito_runs() {
    let folder = tempfile::tempdir().unwrap();
    let at = |address: &str| format!("[gateway.entrypoints.web]\naddress = \"{address}\"\n");
    let mito = start(folder.path(), &at("127.0.0.1:0"));
    let first = mito.client.entrypoints["web"];
    let write = |text: &str| fs::write(folder.path().join("mito.toml"), text).unwrap();
    let live = async |address: SocketAddr| {
        let url = format!("http://{address}/live");
        let asked = reqwest::Client::new()
            .get(url)
            .header("Host", "api.localhost");
        asked
            .send()
            .await
            .is_ok_and(|answer| answer.status() == 200)
    };
    assert!(live(first).await);

    // Another address, and an option of another role.
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let second = free.local_addr().unwrap();
    drop(free);
    let moved = format!("{}[notifications]\nreplicas = 3\n", at(&second.to_string()));
    write(&moved);
    eventually("it listens on the new address", async || live(second).await).await;
    eventually("the old address is given up", async || !live(first).await).await;
    eventually("what waits is named", async || {
        warns(&mito, &["notifications.replicas", "next start"]).await
    })
    .await;

    // What is wrong changes nothing and is named with its line.
    write(&format!("{moved}\n[gateway]\nno_such_option = 1\n"));
    eventually("the mistake is named", async || {
        warns(&mito, &["mito.toml:7", "no_such_option"]).await
    })
    .await;
    assert!(live(second).await);

    // SIGHUP reads at once, and what is right again is not named any more.
    write(&at(&second.to_string()));
    let asked = Command::new("kill")
        .args(["-HUP", &mito.id().to_string()])
        .status();
    assert!(asked.unwrap().success());
    eventually("nothing is wrong", async || {
        let warnings = overview(&mito).await["warnings"].to_string();
        !warnings.contains("no_such_option") && !warnings.contains("next start")
    })
    .await;
    assert!(live(second).await);
    assert_eq!(mito.interrupt(), Some(0));
}
