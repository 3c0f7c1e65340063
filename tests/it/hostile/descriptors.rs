//! A process that has no file descriptors left.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::{SocketAddr, TcpStream},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    client::Client,
    harness::{command, eventually},
};

/// How many the process may have. It needs some of them for its databases.
const DESCRIPTORS: usize = 300;
/// How many connections a listener gets: more than half of the descriptors, which is what it takes
/// at most, and few enough for its backlog of 128 to hold the rest, as connecting would wait.
const FLOOD: usize = 200;
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn accepting_rests_without_filling_the_log_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let inner = command(&folder.path().join("data"), &["up", "--json"]);
    let mut limited = Command::new("sh");
    limited
        .arg("-c")
        .arg(format!("ulimit -n {DESCRIPTORS}; exec \"$0\" \"$@\""))
        .arg(inner.get_program())
        .args(inner.get_args())
        .env_clear()
        .env("MITO_LOG", "error")
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = limited.spawn().unwrap();
    let begun = Instant::now();
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut ready)
        .unwrap();
    let ready: Value = serde_json::from_str(&ready).unwrap();
    let addresses = |key: &str| serde_json::from_value(ready[key].clone()).unwrap();
    let client = Client::new(addresses("entrypoints"), addresses("services"));

    let health = async || {
        let asked = client.get("api.localhost", "/health");
        let answer = tokio::time::timeout(ANSWER, asked).await;
        answer.ok()?.ok().map(|answer| answer.status)
    };
    let flood = |address: SocketAddr| -> Vec<TcpStream> {
        let idle = (0..FLOOD).filter_map(|_| TcpStream::connect(address).ok());
        idle.collect()
    };
    let recovers = async || {
        eventually("requests are answered again", || async {
            health().await == Some(200)
        })
        .await;
    };
    recovers().await;

    // One listener cannot take them all: who is in is served on, and storage works, which `health`
    // looks at.
    let one = flood(client.entrypoints["web"]);
    assert_eq!(health().await, Some(200));
    // All of them can.
    let listeners = client.entrypoints.values().chain(client.services.values());
    let all: Vec<_> = listeners.map(|address| flood(*address)).collect();
    // For as long as a loop without a rest would need to fill a log.
    tokio::time::sleep(ANSWER).await;
    drop((one, all));
    recovers().await;

    child.kill().unwrap();
    child.wait().unwrap();
    let mut log = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut log)
        .unwrap();
    // Each listener says it once a second, and the first time at once.
    let most = usize::try_from(begun.elapsed().as_secs()).unwrap() + 1;
    assert!(log.contains("accepting failed"), "{log}");
    for name in client.entrypoints.keys().chain(client.services.keys()) {
        let said = format!("accepting failed listener.name={name} ");
        let lines = log.matches(&said).count();
        assert!(
            lines <= most,
            "{name}: {lines} lines, {most} seconds: {log}"
        );
    }
}
