//! What every request of the gateway shares.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU16, Ordering},
    },
};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use mito_core::{Clock, Random, Supervisor};
use mito_network::{
    Authenticator, Network,
    listener::{self, SharedLimits},
};

use crate::{
    Config, Dependencies, EntryPoint, Error, RouterSpec,
    access_log::{AccessLog, Filter},
    api::traffic::Traffic,
    dynamic::{
        Wrong,
        folder::{Folder, Refused, Source},
    },
    entrypoints,
    middlewares::{chain::Outgoing, kept::Kept, outgoing, table},
    routers::{self, Table, compile},
    series::Series,
    services::upstream::Client,
    settings::Settings,
    tls::Certificates,
};

/// The gateway's parts. Long-lived ones (limits, pools, logs) stay when the routers change.
pub(crate) struct State {
    pub(crate) settings: ArcSwap<Settings>,
    /// The limits of every entry point, those of the settings.
    pub(crate) limits: SharedLimits,
    pub(crate) domain: String,
    pub(crate) network: Network,
    pub(crate) supervisor: Supervisor,
    pub(crate) authenticator: Arc<dyn Authenticator>,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) data: std::path::PathBuf,
    pub(crate) render_metrics: Arc<dyn Fn() -> String + Send + Sync>,
    pub(crate) table: ArcSwap<Table>,
    pub(crate) client: Client,
    /// What middlewares remember.
    kept: Kept,
    /// Asks servers that decide who may come in.
    pub(crate) outgoing: Arc<dyn Outgoing>,
    pub(crate) log: AccessLog,
    pub(crate) series: Series,
    pub(crate) certificates: Certificates,
    pub(crate) traffic: Traffic,
    pub(crate) started: Timestamp,
    pub(crate) listening: Mutex<Vec<EntryPoint>>,
    /// The files of the dynamic configuration.
    pub(crate) files: Folder,
    /// What is to be known of the program's own configuration.
    notices: Mutex<Vec<String>>,
    platform: Vec<RouterSpec>,
    /// The operator's routers, of the program's own configuration.
    operator: Mutex<Vec<RouterSpec>>,
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
        let settings = Settings::read(config)?;
        let config = &settings.config;
        let operator = routers::operator(config);
        let state = Self {
            client: Client::new(supervisor.clone(), settings.header_timeout())
                .map_err(Error::Tls)?,
            kept: Kept::new(dependencies.random.clone(), dependencies.data.clone()),
            outgoing: Arc::new(outgoing::Client::new().map_err(Error::Tls)?),
            log: AccessLog::new(
                config.access_log,
                Filter::new(&config.access_log_filters).map_err(Error::Option)?,
                dependencies.data.join("logs").join("access.log"),
            ),
            series: Series::default(),
            certificates: Certificates::new(config, &dependencies.data, &domain)?,
            traffic: Traffic::default(),
            started: dependencies.clock.now(),
            https_port: AtomicU16::new(addresses.https_port()),
            table: ArcSwap::from_pointee(Table::default()),
            listening: Mutex::new(Vec::new()),
            files: Folder::new(dependencies.data.join("gateway")),
            platform: dependencies.routers,
            operator: Mutex::default(),
            render_metrics: dependencies.metrics,
            network: dependencies.network,
            authenticator: dependencies.authenticator,
            clock: dependencies.clock,
            random: dependencies.random,
            data: dependencies.data,
            limits: config.limits.clone().into(),
            settings: ArcSwap::from_pointee(settings),
            notices: Mutex::default(),
            supervisor,
            domain,
        };
        state.files.refresh();
        state.replace_routers(operator)?;
        // As with Traefik the first configuration counts: dashboards count instances by this series.
        state.count_reload(true);
        Ok(state)
    }

    /// Compiles the operator's routers beside those of the platform and of the files and puts them in
    /// place. Requests in flight keep the table they began with; on an error nothing changes.
    pub(crate) fn replace_routers(&self, operator: Vec<RouterSpec>) -> Result<(), Error> {
        // Held until the table is in place, so that of two changes none is lost.
        let mut current = self.operator.lock().unwrap_or_else(PoisonError::into_inner);
        self.compile(&operator)?;
        *current = operator;
        Ok(())
    }

    /// Whether these could take the place of the operator's routers.
    pub(crate) fn try_routers(&self, operator: &[RouterSpec]) -> Result<(), Error> {
        let tried = self.table_of(operator, &self.files.sources()).map(drop);
        self.kept.retain();
        tried
    }

    /// Puts what the files say by now in place.
    pub(crate) fn rebuild(&self) {
        let operator = self.operator.lock().unwrap_or_else(PoisonError::into_inner);
        let compiled = self.compile(&operator);
        self.count_reload(compiled.is_ok());
        if let Err(error) = compiled {
            tracing::error!(%error, "the routers cannot be changed");
        } else {
            self.certificates.refresh();
            tracing::info!("the routers have changed");
        }
    }

    /// Counts a change of the configuration.
    pub(crate) fn count_reload(&self, succeeded: bool) {
        metrics::counter!("traefik_config_reloads_total").increment(1);
        #[expect(clippy::cast_precision_loss, reason = "seconds are far below 2^52")]
        if succeeded {
            let seconds = self.clock.now_ms().div_euclid(1_000) as f64;
            metrics::gauge!("traefik_config_last_reload_success").set(seconds);
        }
    }

    /// Whether everything in a text would work as a file of that name; the error is the first thing
    /// that would not.
    pub(crate) fn check(&self, name: &str, text: &str) -> Result<(), Refused> {
        let source = Folder::check(name, text)?;
        let mut sources = self.files.sources();
        sources.retain(|other| other.name != name);
        sources.push(source);
        sources.sort_by(|left, right| left.name.cmp(&right.name));
        let operator = self.operator.lock().unwrap_or_else(PoisonError::into_inner);
        let compiled = self.table_of(&operator, &sources);
        drop(operator);
        let wrong = match &compiled {
            Ok(table) => reasons(table).find_map(|(_, reason)| Wrong::of(name, reason)),
            Err(error) => Some(Wrong {
                line: None,
                message: error.to_string(),
            }),
        };
        drop(compiled);
        self.kept.retain();
        wrong.map_or(Ok(()), |wrong| Err(Refused::Wrong(wrong)))
    }

    fn compile(&self, operator: &[RouterSpec]) -> Result<(), Error> {
        let before = self.table.load_full();
        let sources = self.files.sources();
        let table = self.table_of(operator, &sources)?;
        report(&table, &before);
        self.table.store(Arc::new(table));
        self.certificates.routers_changed(&sources);
        drop(before);
        self.kept.retain();
        Ok(())
    }

    fn table_of(&self, operator: &[RouterSpec], sources: &[Source]) -> Result<Table, Error> {
        let redirect = self.has_real_domain() && self.https_port() != 0;
        let specs = [
            routers::internal::routers(redirect),
            self.platform.clone(),
            operator.to_vec(),
        ]
        .concat();
        let before = self.table.load_full();
        let context = compile::Context {
            entrypoints: &["web", "websecure", "traefik"],
            before: &before,
            client: &self.client,
            kept: &self.kept,
            own: &table::own(
                self.has_real_domain(),
                &self.settings.load().limit,
                &self.kept,
            ),
        };
        compile::compile(specs, sources, &context)
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
        let secure = listening.iter().find(|entry| entry.name == "websecure");
        let port = secure.map_or(0, |entry| entry.address.port());
        self.https_port.store(port, Ordering::Relaxed);
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

    /// Replaces what is to be known of the program's own configuration.
    pub(crate) fn set_notices(&self, notices: Vec<String>) {
        *self.notices.lock().unwrap_or_else(PoisonError::into_inner) = notices;
    }

    /// What an operator should know, in words.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<String> = self
            .listening()
            .into_iter()
            .filter_map(|entry| entry.note)
            .collect();
        let notices = self.notices.lock();
        warnings.extend(notices.unwrap_or_else(PoisonError::into_inner).clone());
        for file in self.files.list() {
            if let Some(wrong) = file.wrong {
                let name = file.name;
                warnings.push(format!(
                    "{name} is wrong, what it said before stays: {wrong}"
                ));
            }
        }
        warnings.extend(self.certificates.warnings(self));
        warnings.extend(crowded(self.limits.now().max_connections, listener::room()));
        warnings
    }
}

/// What is to be said if an entry point has no room for as many connections as it may take.
fn crowded(wanted: usize, room: usize) -> Option<String> {
    (wanted > room).then(|| {
        format!(
            "gateway.limits.max_connections is {wanted}, but an entry point takes {room} at most: half \
             of the file descriptors that this process may have (ulimit -n, LimitNOFILE=)"
        )
    })
}

/// Logs what is wrong now and was not before.
fn report(table: &Table, before: &Table) {
    let known: HashSet<&str> = reasons(before).map(|(_, reason)| reason).collect();
    for (name, reason) in reasons(table).filter(|(_, reason)| !known.contains(reason)) {
        tracing::error!(name, "wrong in the configuration files: {reason}");
    }
}

/// What is wrong, with its names.
fn reasons(table: &Table) -> impl Iterator<Item = (&str, &str)> {
    let routers = table.disabled.iter();
    let routers = routers.map(|it| (it.full_name.as_str(), it.reason.as_str()));
    let services = table.services.values();
    let services = services.filter_map(|it| Some((it.name.as_str(), it.target.as_ref().err()?)));
    let middlewares = table.middlewares.values();
    let middlewares =
        middlewares.filter_map(|it| Some((it.name.as_str(), it.layer.as_ref().err()?)));
    let wrong = services.chain(middlewares);
    let routers = table.tls.reasons().chain(routers);
    routers.chain(wrong.map(|(name, reason)| (name, reason.as_str())))
}

/// Whether a domain is localhost or below it.
pub(crate) fn is_local(domain: &str) -> bool {
    domain == "localhost" || domain.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::crowded;

    #[test]
    fn a_limit_that_cannot_be_reached_is_named() {
        assert_eq!(crowded(10_000, 10_000), None);
        let said = crowded(10_000, 512).unwrap_or_default();
        assert!(
            said.contains("10000") && said.contains("512 at most"),
            "{said}"
        );
    }
}
