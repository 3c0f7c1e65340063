//! The two servers: started on the first core, with an administrator, on a folder of their own.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use mito_core::config;
use rustix::thread::{CpuSet, sched_setaffinity};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::client::{Client, request};

const ADMIN: &str = "admin@example.com";
const PASSWORD: &str = "correct horse battery staple";
/// The core of the servers.
const SERVER_CORE: &str = "0";
/// How long a server may take to start.
const START: Duration = Duration::from_secs(30);

/// A running server; ends when it is dropped.
pub(crate) struct Server {
    pub(crate) process: Child,
    pub(crate) address: SocketAddr,
    /// The administrator's.
    pub(crate) token: String,
    _folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    async fn new(process: Child, address: SocketAddr, folder: TempDir) -> anyhow::Result<Self> {
        let mut server = Self {
            process,
            address,
            token: String::new(),
            _folder: folder,
        };
        server.wait_until_it_answers().await?;
        let path = "/api/collections/_superusers/auth-with-password";
        let sign_in = json!({"identity": ADMIN, "password": PASSWORD});
        let answer = server.call("POST", path, "", &sign_in).await?;
        answer["token"]
            .as_str()
            .context("signing in gives a token")?
            .clone_into(&mut server.token);
        Ok(server)
    }

    async fn wait_until_it_answers(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + START;
        while Client::connect(self.address).await.is_err() {
            ensure!(Instant::now() < deadline, "the server does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// One request on a connection of its own; anything but success is an error.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: &Value,
    ) -> anyhow::Result<Value> {
        let mut client = Client::connect(self.address).await?;
        let prepared = request(method, path, token, Some(body));
        let (status, answer) = client.send(&prepared).await?;
        let answer = String::from_utf8_lossy(&answer);
        if !(200..300).contains(&status) {
            bail!("{method} {path} answered {status}: {answer}");
        }
        Ok(serde_json::from_str(&answer).unwrap_or_default())
    }

    /// Ends the server.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        Ok(tokio::task::spawn_blocking(move || drop(self)).await?)
    }
}

/// Keeps this process on one core, where there are several.
pub(crate) fn stay_on(core: usize) -> anyhow::Result<()> {
    if std::thread::available_parallelism()?.get() > 1 {
        let mut cores = CpuSet::new();
        cores.set(core);
        sched_setaffinity(None, &cores)?;
    }
    Ok(())
}

/// The program that a variable of the environment names.
pub(crate) fn program(variable: &str) -> anyhow::Result<String> {
    let environment = config::environment();
    let program = environment.get(variable);
    program
        .cloned()
        .with_context(|| format!("{variable} must name the program"))
}

/// A command on the core of the servers.
pub(crate) fn on_its_core(program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", SERVER_CORE, program]);
    command
}

/// The PocketBase that `POCKETBASE_BIN` names.
pub(crate) async fn pocketbase() -> anyhow::Result<Server> {
    let program = program("POCKETBASE_BIN")?;
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("pb_data");
    let made = Command::new(&program)
        .args(["superuser", "upsert", ADMIN, PASSWORD, "--dir"])
        .arg(&data)
        .output()?;
    ensure!(made.status.success(), "pocketbase cannot create an account");
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let process = on_its_core(&program)
        .args(["serve", "--http", &address.to_string(), "--dir"])
        .arg(&data)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Server::new(process, address, folder).await
}

/// The mito that `MITO_BIN` names.
pub(crate) async fn mito() -> anyhow::Result<Server> {
    mito_with(&[]).await
}

/// [`mito`] with more settings, `PATH=VALUE`.
pub(crate) async fn mito_with(more: &[&str]) -> anyhow::Result<Server> {
    let program = program("MITO_BIN")?;
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let mut arguments = settings(&data);
    for setting in more {
        arguments.extend(["--set".to_owned(), (*setting).to_owned()]);
    }
    let mut process = on_its_core(&program)
        .args(["up", "--json"])
        .args(&arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let output = process.stdout.take().context("its output is piped")?;
    let line = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).map(|_| line)
    });
    let ready: Value = serde_json::from_str(&line.await??)?;
    let address = ready["services"]["api"].as_str();
    let address = address
        .with_context(|| format!("mito did not start: {ready}"))?
        .parse()?;
    let mut create = Command::new(&program)
        .args(["admin", "create", "--email", ADMIN])
        .args(&arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    let mut input = create.stdin.take().context("its input is piped")?;
    writeln!(input, "{PASSWORD}")?;
    drop(input);
    ensure!(create.wait()?.success(), "mito cannot create an account");
    Server::new(process, address, folder).await
}

fn settings(data: &Path) -> Vec<String> {
    let mut arguments = vec!["--data".to_owned(), data.display().to_string()];
    for setting in [
        "gateway.entrypoints.web.address=127.0.0.1:0",
        "gateway.entrypoints.websecure.address=127.0.0.1:0",
        "gateway.entrypoints.traefik.address=127.0.0.1:0",
        "network.publish.minio=127.0.0.1:0",
        "network.publish.api=127.0.0.1:0",
    ] {
        arguments.extend(["--set".to_owned(), setting.to_owned()]);
    }
    arguments
}

/// The memory of a process that is in RAM.
pub(crate) fn resident_mib(process: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB"))
        .context("/proc has no VmRSS")?;
    Ok(kib.trim().parse::<f64>()? / 1_024.0)
}
