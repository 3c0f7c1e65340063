//! From the start of the process to `ready`, and the memory that it holds at rest.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use mito_core::config;

use crate::{
    records::resident_mib,
    stats::{line, millis},
};

/// Starts on the same data folder; the first one creates it.
const STARTS: usize = 5;
/// How long the process is left alone before its memory is read.
const REST: Duration = Duration::from_secs(3);

/// Measures and prints a table.
pub(crate) async fn run() -> anyhow::Result<()> {
    let environment = config::environment();
    let program = environment
        .get("MITO_BIN")
        .context("MITO_BIN must name the mito binary")?;
    let folder = tempfile::tempdir()?;
    line("| start | ready after, ms | resident at rest, MiB |")?;
    line("|---|---:|---:|")?;
    for number in 0..STARTS {
        let started = Instant::now();
        let mut process = Process(start(program, folder.path())?);
        // Read where it blocks nobody else.
        let (process, ready) = tokio::task::spawn_blocking(move || {
            let ready = wait_until_ready(&mut process.0);
            (process, ready)
        })
        .await?;
        ready?;
        let ready_after = started.elapsed();
        tokio::time::sleep(REST).await;
        let resident = resident_mib(process.0.id())?;
        let kind = if number == 0 {
            "first, new folder"
        } else {
            "again"
        };
        line(&format!(
            "| {kind} | {} | {resident:.1} |",
            millis(ready_after)
        ))?;
    }
    Ok(())
}

/// Ends the process when the measure ends, by whatever way.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(program: &str, data: &Path) -> anyhow::Result<Child> {
    let mut command = Command::new(program);
    command.arg("up").arg("--json").arg("--data").arg(data);
    for entrypoint in ["web", "websecure", "traefik"] {
        command.arg("--set");
        command.arg(format!(
            "gateway.entrypoints.{entrypoint}.address=127.0.0.1:0"
        ));
    }
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {program}"))
}

fn wait_until_ready(process: &mut Child) -> anyhow::Result<()> {
    let output = process
        .stdout
        .take()
        .context("its standard output is piped")?;
    let mut first = String::new();
    BufReader::new(output).read_line(&mut first)?;
    let event: serde_json::Value =
        serde_json::from_str(&first).with_context(|| format!("not a line of JSON: {first:?}"))?;
    if event["event"] != "ready" {
        bail!("mito did not become ready: {}", first.trim());
    }
    Ok(())
}
