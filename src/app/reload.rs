//! Configuration that changes while mito runs: at SIGHUP, and when `mito.toml` or `.env` changes.
//! `[gateway]` is put in place at once; what else has changed is named and waits for the next start.
//! A configuration that is wrong changes nothing and is named until it is right again.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::MetadataExt as _,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mito_core::{Shutdown, Supervisor};
use mito_gateway::{EntryPoint, Gateway};
use mito_records::Records;
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use super::{public_url, services};
use crate::config::Config;

/// Between two looks at the files. They are looked at instead of listened to: notices of the system
/// are lost on network file systems and where a file is mounted over another one.
const EVERY: Duration = Duration::from_millis(500);

/// Where the configuration comes from, again and again.
#[derive(Clone)]
pub struct Source {
    /// The files to watch. One that is missing may come.
    pub files: Vec<PathBuf>,
    /// Reads everything anew; the error names file, line and option.
    pub read: Arc<dyn Fn() -> Result<Config, String> + Send + Sync>,
}

/// Puts changed configurations in place. Cheap to clone.
#[derive(Clone)]
pub(super) struct Reload(Arc<Inner>);

struct Inner {
    /// What everything but the gateway runs with.
    started: Config,
    /// What the gateway runs with.
    gateway_config: Mutex<mito_gateway::Config>,
    gateway: Gateway,
    records: Records,
}

/// What changes when a file is written or replaced: device, inode, size and time.
type Stamp = (u64, u64, u64, i64, i64);

impl Reload {
    pub(super) fn new(started: Config, gateway: Gateway, records: Records) -> Self {
        Self(Arc::new(Inner {
            gateway_config: Mutex::new(started.gateway.clone()),
            started,
            gateway,
            records,
        }))
    }

    /// What mito runs with now, with the addresses that were really taken.
    pub(super) fn current(&self) -> Config {
        let mut config = self.0.started.clone();
        config.gateway = self.gateway_config().clone();
        let entrypoints = &mut config.gateway.entrypoints;
        for EntryPoint { name, address, .. } in self.0.gateway.entrypoints() {
            let place = match name.as_str() {
                "web" => &mut entrypoints.web,
                "websecure" => &mut entrypoints.websecure,
                _ => &mut entrypoints.traefik,
            };
            place.address = address.to_string();
        }
        config
    }

    /// Looks at the files of `source` until shutdown.
    pub(super) fn watch(self, source: Source, supervisor: &Supervisor) {
        supervisor.start("configuration", move |shutdown| {
            let (reload, source) = (self.clone(), source.clone());
            async move {
                reload.run(source, shutdown).await?;
                Ok(())
            }
        });
    }

    async fn run(&self, source: Source, shutdown: Shutdown) -> std::io::Result<()> {
        let mut asked = signal(SignalKind::hangup())?;
        let mut applied = stamps(source.files.clone()).await;
        let mut last = applied.clone();
        loop {
            let told = tokio::select! {
                () = shutdown.begun() => return Ok(()),
                _ = asked.recv() => true,
                () = tokio::time::sleep(EVERY) => false,
            };
            let now = stamps(source.files.clone()).await;
            // Whoever writes a file has until the next look to be done.
            let settled = now == last;
            last.clone_from(&now);
            if told || (settled && now != applied) {
                applied = now;
                let read = source.read.clone();
                let read = tokio::task::spawn_blocking(move || read()).await;
                let read = read.unwrap_or_else(|error| Err(error.to_string()));
                self.apply(read).await;
            }
        }
    }

    /// Puts a configuration in place, or says what is wrong with it.
    async fn apply(&self, read: Result<Config, String>) {
        let config = match read {
            Ok(config) => config,
            Err(error) => return self.refuse(&error),
        };
        let mut notices = Vec::new();
        if json(&config.gateway) != json(&*self.gateway_config()) {
            match self
                .0
                .gateway
                .reconfigure(services::gateway_config(&config))
                .await
            {
                Ok(entrypoints) => {
                    tracing::info!("the configuration of the gateway has changed");
                    *self.gateway_config() = config.gateway.clone();
                    self.moved(&entrypoints);
                }
                Err(error) => return self.refuse(&error.to_string()),
            }
        }
        let later = self.later(&config);
        if !later.is_empty() {
            let notice = format!("changed options that wait for the next start: {later}");
            tracing::warn!("{notice}");
            notices.push(notice);
        }
        self.0.gateway.set_notices(notices);
    }

    fn refuse(&self, error: &str) {
        let notice = format!("the configuration is wrong, what it said before stays: {error}");
        tracing::error!("{notice}");
        self.0.gateway.set_notices(vec![notice]);
    }

    fn moved(&self, entrypoints: &[EntryPoint]) {
        for EntryPoint {
            name,
            address,
            note,
        } in entrypoints
        {
            tracing::info!(entrypoint = name, %address, note, "an entry point listens");
        }
        let taken: BTreeMap<_, _> = entrypoints
            .iter()
            .map(|entry| (entry.name.clone(), entry.address))
            .collect();
        let panel = public_url(&self.0.started, &taken, "admin");
        self.0.records.set_platform_url(panel);
    }

    /// The options outside the gateway that differ from what mito was started with.
    fn later(&self, config: &Config) -> String {
        let (mut before, mut now) = (BTreeMap::new(), BTreeMap::new());
        leaves(&json(&self.0.started), String::new(), &mut before);
        leaves(&json(config), String::new(), &mut now);
        let paths: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
        let differing: Vec<&str> = paths
            .into_iter()
            .filter(|path| !path.starts_with("gateway.") && before.get(*path) != now.get(*path))
            .map(String::as_str)
            .collect();
        differing.join(", ")
    }

    fn gateway_config(&self) -> MutexGuard<'_, mito_gateway::Config> {
        let config = self.0.gateway_config.lock();
        config.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Secrets cannot be compared by themselves; as JSON they can.
fn json(section: &impl serde::Serialize) -> Value {
    serde_json::to_value(section).unwrap_or_default()
}

fn leaves(value: &Value, path: String, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(entries) => {
            for (name, value) in entries {
                let below = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                leaves(value, below, found);
            }
        }
        leaf => {
            found.insert(path, leaf.clone());
        }
    }
}

async fn stamps(files: Vec<PathBuf>) -> Vec<Option<Stamp>> {
    let count = files.len();
    let looked = tokio::task::spawn_blocking(move || {
        let stamp = |path: &PathBuf| {
            let found = fs::metadata(path).ok()?;
            let time = (found.mtime(), found.mtime_nsec());
            Some((found.dev(), found.ino(), found.len(), time.0, time.1))
        };
        files.iter().map(stamp).collect()
    });
    looked.await.unwrap_or_else(|_| vec![None; count])
}
