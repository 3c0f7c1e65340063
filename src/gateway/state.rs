//! What every request of the gateway shares.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU16, Ordering},
};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use mito_core::{Clock, Random, Supervisor};
use mito_network::{Authenticator, Network};

use crate::{
    Config, Dependencies, EntryPoint, Error, RouterSpec,
    access_log::AccessLog,
    entrypoints,
    middlewares::rate_limit::RateLimit,
    routers::{self, Router, Table},
    series::Series,
    services::upstream::Client,
};

/// The gateway's parts. Long-lived ones (limits, pools, logs) stay when the routers change.
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) domain: String,
    pub(crate) network: Network,
    pub(crate) supervisor: Supervisor,
    pub(crate) authenticator: Arc<dyn Authenticator>,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) data: std::path::PathBuf,
    pub(crate) render_metrics: Arc<dyn Fn() -> String + Send + Sync>,
    pub(crate) table: ArcSwap<Table>,
    pub(crate) limit: RateLimit,
    pub(crate) client: Client,
    pub(crate) log: AccessLog,
    pub(crate) series: Series,
    pub(crate) started: Timestamp,
    pub(crate) listening: Mutex<Vec<EntryPoint>>,
    platform: Vec<RouterSpec>,
    https_port: AtomicU16,
}

impl State {
    /// Compiles the configuration.
    pub(crate) fn build(config: Config, dependencies: Dependencies) -> Result<Self, Error> {
        let domain = dependencies
            .domain
            .trim_end_matches('.')
            .to_ascii_lowercase();
        let addresses = entrypoints::Addresses::read(&config.entrypoints, &domain)?;
        let supervisor = dependencies.supervisor;
        let header_timeout =
            std::time::Duration::from_millis(config.upstream_header_timeout_ms.max(1));
        let state = Self {
            limit: RateLimit::new(config.rate_limit_average, config.rate_limit_burst),
            client: Client::new(supervisor.clone(), header_timeout),
            log: AccessLog::new(
                config.access_log,
                dependencies.data.join("logs").join("access.log"),
            ),
            series: Series::default(),
            started: dependencies.clock.now(),
            https_port: AtomicU16::new(addresses.https_port()),
            table: ArcSwap::from_pointee(Table::default()),
            listening: Mutex::new(Vec::new()),
            platform: dependencies.routers,
            render_metrics: dependencies.metrics,
            network: dependencies.network,
            authenticator: dependencies.authenticator,
            clock: dependencies.clock,
            random: dependencies.random,
            data: dependencies.data,
            supervisor,
            domain,
            config,
        };
        state.replace_routers(&state.config)?;
        Ok(state)
    }

    /// Compiles the routers of `config` beside those of the platform and puts them in place.
    /// Requests in flight keep the table they began with; on an error nothing changes.
    pub(crate) fn replace_routers(&self, config: &Config) -> Result<(), Error> {
        let redirect = self.has_real_domain() && self.https_port() != 0;
        let specs = [
            routers::internal::routers(redirect),
            self.platform.clone(),
            routers::operator(config),
        ]
        .concat();
        let routers = specs
            .into_iter()
            .map(Router::parse)
            .collect::<Result<Vec<_>, _>>()?;
        self.table.store(Arc::new(Table::compile(routers)?));
        Ok(())
    }

    /// Whether the domain is more than this machine's own.
    pub(crate) fn has_real_domain(&self) -> bool {
        !is_local(&self.domain)
    }

    /// The port of `websecure`, 0 when there is none.
    pub(crate) fn https_port(&self) -> u16 {
        self.https_port.load(Ordering::Relaxed)
    }

    /// Notes what is listened on.
    pub(crate) fn set_listening(&self, listening: Vec<EntryPoint>) {
        if let Some(secure) = listening.iter().find(|entry| entry.name == "websecure") {
            self.https_port
                .store(secure.address.port(), Ordering::Relaxed);
        }
        *self
            .listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = listening;
    }

    /// What is listened on.
    pub(crate) fn listening(&self) -> Vec<EntryPoint> {
        self.listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What an operator should know, in words.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<String> = self
            .listening()
            .into_iter()
            .filter_map(|entry| entry.note)
            .collect();
        if self.has_real_domain() && self.https_port() != 0 {
            warnings.push(format!(
                "HTTPS for {} uses this machine's own certificate authority, which browsers do \
                 not trust: certificates from a public authority are not supported yet",
                self.domain
            ));
        }
        warnings
    }
}

/// Whether a domain is localhost or below it.
pub(crate) fn is_local(domain: &str) -> bool {
    domain == "localhost" || domain.ends_with(".localhost")
}
