//! Two ways to run the platform: [`TestApp`] in this process, where a test can hold roles back and
//! make disks fail, and [`Process`], the real binary, which a test can kill.

use std::{
    collections::{BTreeMap, HashSet},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use mito::{
    app::{App, Environment},
    config::Config,
};
use mito_core::Shutdown;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{sync::watch, task::JoinHandle};

use crate::client::Client;

/// The password of every administrator in the tests.
pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// The administrator of every test.
pub(crate) const ADMIN: &str = "admin@example.com";
/// The secret key of the root user of object storage in the tests.
pub(crate) const SECRET_KEY: &str = "a-secret-key-for-tests";
/// How long anything may take before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The settings under which every test runs: free ports and nothing of this machine.
pub(crate) fn settings() -> Vec<(&'static str, String)> {
    [
        ("gateway.entrypoints.web.address", "127.0.0.1:0"),
        ("gateway.entrypoints.websecure.address", "127.0.0.1:0"),
        ("gateway.entrypoints.traefik.address", "127.0.0.1:0"),
        ("network.publish.minio", "127.0.0.1:0"),
        ("network.publish.api", "127.0.0.1:0"),
        ("objects.root_password", SECRET_KEY),
        // The tests run on disks that may be small.
        ("objects.reserve_bytes", "0"),
    ]
    .map(|(path, value)| (path, value.to_owned()))
    .to_vec()
}

/// The platform in this process.
pub(crate) struct TestApp {
    pub(crate) folder: Arc<TempDir>,
    pub(crate) client: Client,
    pub(crate) setup_url: Option<String>,
    pub(crate) network: mito_network::Network,
    pub(crate) importer: mito::starter::Importer,
    shutdown: Shutdown,
    serving: Option<JoinHandle<Vec<String>>>,
}

impl TestApp {
    /// Starts with the usual settings and waits until all is healthy.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_, _| {}).await
    }

    /// Starts after `change` has had its way, and waits until all is healthy.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config, &mut Environment)) -> Self {
        let app = Self::open(Arc::new(tempfile::tempdir().unwrap()), change).await;
        tokio::time::timeout(PATIENCE, app.network.all_healthy())
            .await
            .expect("healthy in time");
        app.wait_for_gateway().await;
        app
    }

    /// Starts without waiting.
    pub(crate) async fn open(
        folder: Arc<TempDir>,
        change: impl FnOnce(&mut Config, &mut Environment),
    ) -> Self {
        let mut config = test_config(folder.path().join("data"));
        let mut environment = Environment::default();
        change(&mut config, &mut environment);
        let mut app = App::open(config, environment).await.unwrap();
        let addresses = app.bind().unwrap().clone();
        let client = Client::new(addresses.entrypoints, addresses.services);
        let (network, importer) = (app.network().clone(), app.importer());
        let setup_url = app.setup_url().await.unwrap();
        app.start().unwrap();
        let shutdown = Shutdown::new();
        let serving = Some(tokio::spawn(app.serve(shutdown.clone())));
        Self {
            folder,
            client,
            setup_url,
            network,
            importer,
            shutdown,
            serving,
        }
    }

    /// Waits until the gateway answers, which it does last.
    pub(crate) async fn wait_for_gateway(&self) {
        eventually("the gateway answers", || async {
            self.client
                .get("api.localhost", "/live")
                .await
                .is_ok_and(|answer| answer.status != 0)
        })
        .await;
    }

    /// Stops as Ctrl-C does, and checks that nothing is left behind.
    pub(crate) async fn stop(mut self) {
        self.shutdown.begin();
        let serving = self.serving.take().unwrap();
        let stopped = tokio::time::timeout(Duration::from_secs(10), serving).await;
        let abandoned = stopped.expect("stops within 10 s").unwrap();
        assert!(
            abandoned.is_empty(),
            "tasks that did not end: {abandoned:?}"
        );
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.shutdown.begin();
        if !std::thread::panicking() {
            assert!(
                self.serving.is_none(),
                "a test ends with `stop`, which checks the shutdown"
            );
        }
    }
}

/// The usual settings as a configuration.
pub(crate) fn test_config(data: PathBuf) -> Config {
    let sources = mito_core::config::Sources {
        flags: settings()
            .into_iter()
            .map(|(path, value)| (path.to_owned(), value, format!("--set {path}")))
            .collect(),
        ..mito_core::config::Sources::default()
    };
    let mut config = mito_core::config::load::<Config>(&sources).unwrap().value;
    config.data = data;
    config
}

/// Services that are held back while they are in the set.
pub(crate) fn hold(names: &[&str]) -> Arc<watch::Sender<HashSet<String>>> {
    Arc::new(watch::Sender::new(
        names.iter().map(|name| (*name).to_owned()).collect(),
    ))
}

/// Waits until `condition` holds.
pub(crate) async fn eventually<F: Future<Output = bool>>(
    what: &str,
    mut condition: impl FnMut() -> F,
) {
    let since = Instant::now();
    while !condition().await {
        assert!(
            since.elapsed() < PATIENCE,
            "waited {PATIENCE:?} until {what}"
        );
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}

/// The real binary.
pub(crate) struct Process {
    child: Child,
    _output: BufReader<ChildStdout>,
    pub(crate) client: Client,
    pub(crate) setup_url: Option<String>,
}

/// A command of the real binary on `data`, in an environment of its own. The usual settings come
/// after the command's name and before its flags, so that a test's own setting wins.
pub(crate) fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mito"));
    let words = arguments
        .iter()
        .take_while(|argument| !argument.starts_with('-'))
        .count();
    command.args(&arguments[..words]).arg("--data").arg(data);
    for (path, value) in settings() {
        command.arg("--set").arg(format!("{path}={value}"));
    }
    let folder = data
        .ancestors()
        .skip(1)
        .find(|folder| folder.is_dir())
        .unwrap();
    command
        .args(&arguments[words..])
        .env_clear()
        .env("MITO_LOG", "warn")
        .current_dir(folder);
    command
}

impl Process {
    /// Starts `mito up --json` and waits until it is ready.
    pub(crate) fn start(data: &Path, more: &[&str]) -> Self {
        let mut arguments = vec!["up", "--json"];
        arguments.extend_from_slice(more);
        Self::spawn(&mut command(data, &arguments))
    }

    /// Waits until a command that is `mito up --json` is ready.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let ready: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line:?}"));
        assert_eq!(ready["event"], "ready", "{line}");
        let addresses = |key: &str| -> BTreeMap<String, SocketAddr> {
            serde_json::from_value(ready[key].clone()).unwrap()
        };
        let client = Client::new(addresses("entrypoints"), addresses("services"));
        let setup_url = ready["setup_url"].as_str().map(str::to_owned);
        Self {
            child,
            _output: output,
            client,
            setup_url,
        }
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as Ctrl-C does and gives the exit code.
    pub(crate) fn interrupt(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &pid])
                .status()
                .unwrap()
                .success()
        );
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(
                since.elapsed() < Duration::from_secs(10),
                "Ctrl-C stops within 10 s"
            );
            std::thread::yield_now();
        }
    }

    /// Whether it still runs.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A test that failed leaves no process behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end: exit code, standard output, standard error. A command that should
/// have ended by itself is killed and fails the test.
pub(crate) fn run(mut command: Command, input: &str) -> (Option<i32>, String, String) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let (mut output, mut errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (done, read) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut out, mut err) = (String::new(), String::new());
        let _ = output.read_to_string(&mut out);
        let _ = errors.read_to_string(&mut err);
        let _ = done.send((out, err));
    });
    let Ok((out, err)) = read.recv_timeout(PATIENCE) else {
        let _ = child.kill();
        panic!("the command did not end within {PATIENCE:?}");
    };
    (child.wait().unwrap().code(), out, err)
}

/// Creates the administrator with the command line, while mito runs or not.
pub(crate) fn create_admin(data: &Path) {
    let command = command(data, &["admin", "create", "--email", ADMIN]);
    let (code, out, err) = run(command, &format!("{PASSWORD}\n"));
    assert_eq!(code, Some(0), "{out}{err}");
}
