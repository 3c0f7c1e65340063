//! The composition root: the only file that names every role. Open → bind → start → serve.

mod publish;
mod reload;
mod services;
mod storage;

use std::{
    collections::{BTreeMap, HashSet},
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use mito_core::{
    Clock, Health, Random, Shutdown, Supervisor,
    egress::Egress,
    telemetry::{self, LogSink, Metrics},
};
use mito_gateway::Gateway;
use mito_network::Network;
use mito_objects::BlobFault;
use tokio::sync::watch;

use crate::{config::Config, control, data_folder, starter::Importer};
use reload::Reload;

pub use reload::Source;
pub use services::Roles;
pub use storage::{KNOWN, Storage};

/// How long workers may take to finish or return their leases; the gateway drains meanwhile, for
/// `gateway.drain_ms`. With [`STORAGE_DEADLINE`] it stays below the 10 s within which mito stops.
const WORKERS_DEADLINE: Duration = Duration::from_secs(8);
/// How long the databases may take to write what is queued.
const STORAGE_DEADLINE: Duration = Duration::from_secs(1);

/// How long the databases may take before the platform starts anew in the same process.
const RESTART_DEADLINE: Duration = Duration::from_mins(1);

/// What tests put in the place of the real thing.
#[derive(Clone)]
pub struct Environment {
    /// Tells the time.
    pub clock: Clock,
    /// Draws ids and secrets.
    pub random: Random,
    /// Services that are held back while they are in the set.
    pub held: Option<Arc<watch::Sender<HashSet<String>>>>,
    /// Makes writing blobs fail.
    pub blob_fault: Option<BlobFault>,
    /// The metrics of the process.
    pub metrics: Metrics,
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            clock: Clock::system(),
            random: Random::system(),
            held: None,
            blob_fault: None,
            metrics: Metrics::install(),
        }
    }
}

/// Why the platform cannot run; every message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data folder cannot be used.
    #[error(transparent)]
    DataFolder(#[from] data_folder::Error),
    /// A secret cannot be kept.
    #[error("cannot keep the secret {name}: {reason}")]
    Secret {
        /// Its name.
        name: &'static str,
        /// What the system said.
        reason: std::io::Error,
    },
    /// What a restore left behind cannot be put in its place.
    #[error(
        "a restored backup cannot be put in its place: {0}; the next start goes on where this one \
         failed"
    )]
    Restore(std::io::Error),
    /// A database cannot be opened.
    #[error(transparent)]
    Database(#[from] mito_database::Error),
    /// The databases of the Redis role cannot be opened.
    #[error(transparent)]
    Redis(#[from] mito_cache::redis::OpenError),
    /// Object storage cannot be opened.
    #[error("object storage: {0}")]
    Objects(#[from] mito_objects::Error),
    /// The accounts cannot be read.
    #[error("accounts: {0}")]
    Records(#[from] mito_records::Error),
    /// The configuration of outbound connections is wrong.
    #[error(transparent)]
    Egress(#[from] mito_core::egress::Error),
    /// The gateway's configuration is wrong, or a port is taken.
    #[error(transparent)]
    Gateway(#[from] mito_gateway::Error),
    /// The set of roles is wrong.
    #[error(transparent)]
    Network(#[from] mito_network::start::Error),
    /// A service cannot be published.
    #[error("cannot publish {service}: {reason}")]
    Publish {
        /// The service.
        service: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The control socket cannot be made.
    #[error("cannot make the control socket: {0}")]
    Control(std::io::Error),
    /// The storage did not open in time.
    #[error(
        "the data was not opened after {seconds} s; see the log, and whether database.url, if it \
         is set, names a server that answers"
    )]
    NotOpen {
        /// How long was waited.
        seconds: u64,
    },
    /// A signal came first.
    #[error("stopped by a signal before every role was healthy")]
    Stopped,
    /// The platform did not become healthy in time.
    #[error("not healthy after {seconds} s: {reasons}")]
    Unhealthy {
        /// How long was waited.
        seconds: u64,
        /// Which roles, and why.
        reasons: String,
    },
}

/// The addresses that were really taken.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    /// By entry point.
    pub entrypoints: BTreeMap<String, SocketAddr>,
    /// By published service.
    pub services: BTreeMap<String, SocketAddr>,
    /// What the user should know of them.
    pub notes: Vec<String>,
}

/// The platform, put together.
pub struct App {
    config: Config,
    environment: Environment,
    storage: Storage,
    supervisor: Supervisor,
    network: Network,
    gateway: Gateway,
    roles: Roles,
    published: Vec<publish::Published>,
    control: Option<control::Bound>,
    addresses: Addresses,
    restart: Shutdown,
    reload: Reload,
    source: Option<Source>,
    /// Takes log lines as long as it lives.
    _log_lines: Arc<dyn LogSink>,
}

impl App {
    /// Opens the storage and builds every role. Nothing listens and no task runs yet.
    pub async fn open(config: Config, environment: Environment) -> Result<Self, Error> {
        let storage = Storage::open(&config, &environment).await?;
        let supervisor = Supervisor::new(Shutdown::new());
        let network = Network::new(environment.clock.clone());
        let egress = Egress::new(&egress_config(&config))?;
        let roles = Roles::build(&config, &environment, &storage, egress);
        let restart = Shutdown::new();
        services::attach_platform(&environment, &storage, &roles.records, &restart);
        let log_lines = roles.records.log_sink();
        telemetry::add_sink(&log_lines);
        roles.records.load_settings().await?;
        let gateway = services::gateway(
            &config,
            &environment,
            &storage,
            &supervisor,
            &network,
            &roles,
        )?;
        services::register(&config, &environment, &network, &storage, &roles, &gateway)?;
        let reload = Reload::new(config.clone(), gateway.clone(), roles.records.clone());
        Ok(Self {
            config,
            reload,
            source: None,
            environment,
            storage,
            supervisor,
            network,
            gateway,
            roles,
            published: Vec::new(),
            control: None,
            addresses: Addresses::default(),
            restart,
            _log_lines: log_lines,
        })
    }

    /// Takes the ports and the control socket.
    pub fn bind(&mut self) -> Result<&Addresses, Error> {
        for entrypoint in self.gateway.bind()? {
            self.addresses.notes.extend(entrypoint.note);
            self.addresses
                .entrypoints
                .insert(entrypoint.name, entrypoint.address);
        }
        self.published = publish::bind(&self.config, &self.network, &mut self.addresses)?;
        for published in &self.published {
            self.network
                .set_published(published.service, published.bound.address);
            self.addresses
                .services
                .insert(published.service.to_owned(), published.bound.address);
        }
        self.control = Some(control::bind(self.storage.folder.path()).map_err(Error::Control)?);
        // Links in mails lead to the panel's pages, whose port is known now.
        self.roles.records.set_platform_url(self.panel_url());
        Ok(&self.addresses)
    }

    /// Takes changes of the configuration from there, once started.
    pub fn watch(&mut self, source: Source) {
        self.source = Some(source);
    }

    /// Starts the roles in dependency order; each becomes healthy in its own time.
    pub fn start(&mut self) -> Result<(), Error> {
        let options = mito_network::start::Options {
            roles: (!self.config.roles.is_empty())
                .then(|| self.config.roles.iter().cloned().collect()),
            held: self.environment.held.clone(),
            ..mito_network::start::Options::default()
        };
        self.environment.metrics.maintain(&self.supervisor);
        self.network.start(&self.supervisor, options)?;
        if let Some(bound) = self.control.take() {
            control::serve(bound, self.control_state(), &self.supervisor);
        }
        if let Some(source) = self.source.take() {
            self.reload.clone().watch(source, &self.supervisor);
        }
        for published in self.published.drain(..) {
            let limits = self.gateway.limits();
            publish::serve(published, &self.network, limits, &self.supervisor);
        }
        Ok(())
    }

    /// Opens the gateway when every role is healthy, or when it has waited long enough, and serves
    /// until `shutdown` begins. Then it stops within 10 s: the gateway takes no new work while
    /// workers end, and the storage closes last. Returns the names of tasks that had not ended in
    /// time.
    pub async fn serve(self, shutdown: Shutdown) -> Vec<String> {
        tokio::select! {
            () = self.network.all_healthy() => {}
            () = tokio::time::sleep(Duration::from_millis(self.config.network.start_timeout_ms)) => {
                tracing::warn!(reasons = unhealthy(&self.network), "the gateway opens although not every role is healthy");
            }
            () = shutdown.begun() => {}
        }
        let gateway = async {
            if !shutdown.has_begun() {
                self.gateway.serve(shutdown.clone()).await;
            }
        };
        let workers = async {
            shutdown.begun().await;
            self.stop_workers().await
        };
        let ((), abandoned) = tokio::join!(gateway, workers);
        let deadline = if self.restart.has_begun() {
            // Who opens the same files next must not find them in use.
            RESTART_DEADLINE
        } else {
            STORAGE_DEADLINE
        };
        self.storage.close(deadline).await;
        abandoned
    }

    /// Closes a platform that was opened and does not serve.
    pub async fn close(self) {
        self.stop_workers().await;
        self.storage.close(STORAGE_DEADLINE).await;
    }

    async fn stop_workers(&self) -> Vec<String> {
        tracing::info!("shutting down");
        let abandoned = self.supervisor.shut_down(WORKERS_DEADLINE).await;
        if !abandoned.is_empty() {
            tracing::warn!(
                tasks = abandoned.join(", "),
                "tasks were still running at the deadline"
            );
        }
        abandoned
    }

    /// Given when the platform is to stop and to start anew: a backup waits to take the place of
    /// the data.
    pub fn restart(&self) -> Shutdown {
        self.restart.clone()
    }

    /// The network, to look at while the platform runs.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The addresses that [`App::bind`] took.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The data folder, absolute.
    pub fn data(&self) -> PathBuf {
        self.storage.folder.path().to_owned()
    }

    /// Imports starters.
    pub fn importer(&self) -> Importer {
        self.roles.importer.clone()
    }

    /// The platform's handles, for tests that look behind the protocols.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// The link that creates the administrator, while there is none. It holds a secret that is
    /// valid once, in the fragment, which browsers send to nobody.
    pub async fn setup_url(&self) -> Result<Option<String>, Error> {
        Ok(self.control_state().setup_url().await?)
    }

    fn control_state(&self) -> control::State {
        control::State {
            network: self.network.clone(),
            records: self.roles.records.clone(),
            queue: self.roles.queue.clone(),
        }
    }

    /// Where the control panel is.
    pub fn panel_url(&self) -> String {
        self.url("admin")
    }

    /// The public URL of the host `name` below the domain.
    pub fn url(&self, name: &str) -> String {
        public_url(&self.config, &self.addresses.entrypoints, name)
    }

    /// What the platform runs with, whenever it is asked, with the addresses that it has taken: who
    /// was told where everything is finds it there again.
    pub fn current_config(&self) -> impl Fn() -> Config + 'static {
        let (reload, services) = (self.reload.clone(), self.addresses.services.clone());
        move || {
            let mut config = reload.current();
            for (service, address) in &services {
                let publish = &mut config.network.publish;
                publish.insert(service.clone(), address.to_string());
            }
            config
        }
    }
}

/// The public URL of the host `name` below the domain, by the entry points that listen.
fn public_url(config: &Config, entrypoints: &BTreeMap<String, SocketAddr>, name: &str) -> String {
    let host = format!("{name}.{}", config.domain);
    let port = |entrypoint: &str| entrypoints.get(entrypoint).map(SocketAddr::port);
    match (config.is_development(), port("web"), port("websecure")) {
        (true, Some(80), _) => format!("http://{host}"),
        (true, Some(port), _) => format!("http://{host}:{port}"),
        (false, _, Some(port)) if port != 443 => format!("https://{host}:{port}"),
        _ => format!("https://{host}"),
    }
}

/// The mail server is the operator's own word, so it may be on this machine or network.
fn egress_config(config: &Config) -> mito_core::egress::Config {
    let mut egress = config.egress.clone();
    if !config.notifications.smtp.host.is_empty() {
        egress.allow.push(config.notifications.smtp.host.clone());
    }
    egress
}

/// Waits until every role is healthy, at most `limit`.
pub async fn healthy_within(network: &Network, limit: Duration) -> Result<(), Error> {
    tokio::time::timeout(limit, network.all_healthy())
        .await
        .map_err(|_| Error::Unhealthy {
            seconds: limit.as_secs(),
            reasons: unhealthy(network),
        })
}

fn unhealthy(network: &Network) -> String {
    let not_healthy = network.statuses().into_iter().filter(|status| {
        !matches!(
            network.health(&status.name),
            Some(Health::Healthy | Health::Stopped)
        )
    });
    let reasons: Vec<String> = not_healthy
        .map(|status| match status.reason {
            Some(reason) => format!("{} is {} ({reason})", status.name, status.state),
            None => format!("{} is {}", status.name, status.state),
        })
        .collect();
    reasons.join(", ")
}
