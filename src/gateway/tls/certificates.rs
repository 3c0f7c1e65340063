//! Every certificate beside those of the local authority: the operator's own, then those of a public
//! authority, and what is said of them.

mod metrics;
mod warnings;

use std::{
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use mito_core::Shutdown;
use rustls::sign::CertifiedKey;

use super::{
    acme::{self, Acme, Keeper},
    certificate::Facts,
    files::OwnCertificates,
};
use crate::{
    Config, Error,
    config::CertificateFiles,
    dynamic::{folder::Source, tls::Certificate},
    routers::Table,
    rules::HostPattern,
    state::State,
};

/// The certificates.
#[derive(Debug)]
pub(crate) struct Certificates {
    /// The operator's own by the program's configuration.
    configured: Mutex<Vec<CertificateFiles>>,
    own: OwnCertificates,
    acme: ArcSwapOption<Acme>,
    started: AtomicBool,
    /// Ends the task that orders certificates.
    ordering: Mutex<Shutdown>,
}

/// A certificate, or the place where one should be, as the API shows it.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// `None` where there is no certificate yet.
    pub(crate) facts: Option<Facts>,
    /// What it is for: a host, or the file that it is in.
    pub(crate) place: String,
    /// `acme` or `file`.
    pub(crate) provider: &'static str,
    pub(crate) error: Option<String>,
    pub(crate) next_order: Option<Timestamp>,
}

impl Certificates {
    /// Reads the configuration and no file of a certificate.
    pub(crate) fn new(config: &Config, data: &Path, domain: &str) -> Result<Self, Error> {
        Ok(Self {
            configured: Mutex::new(config.tls.certificates.clone()),
            own: OwnCertificates::default(),
            acme: ArcSwapOption::new(Acme::new(&config.acme, data, domain)?.map(Arc::new)),
            started: AtomicBool::new(false),
            ordering: Mutex::default(),
        })
    }

    /// The authority that certificates are ordered from.
    pub(crate) fn acme(&self) -> Option<Arc<Acme>> {
        self.acme.load_full()
    }

    /// The certificate to show for a host that a router names.
    pub(crate) fn find(&self, host: &str) -> Option<Arc<CertifiedKey>> {
        self.own
            .find(host)
            .or_else(|| self.acme.load().as_ref()?.find(host))
    }

    /// The certificate for names that none covers, if the operator has given one.
    pub(crate) fn fallback(&self) -> Option<Arc<CertifiedKey>> {
        self.own.fallback()
    }

    /// Other hosts may want certificates now, and the files of the dynamic configuration may name
    /// others. What they name is read by [`Certificates::refresh`].
    pub(crate) fn routers_changed(&self, sources: &[Source]) {
        let files = |named: &Certificate| CertificateFiles {
            cert_file: named.cert_file.clone().into(),
            key_file: named.key_file.clone().into(),
        };
        let sections = sources.iter().map(|source| &source.document.tls);
        let named = sections.clone().flat_map(|tls| &tls.certificates);
        let configured = self.configured.lock();
        let configured = configured.unwrap_or_else(PoisonError::into_inner).clone();
        let named = configured.into_iter().chain(named.map(files));
        // That there is one is seen to where the table is made.
        let default = sections.filter_map(|tls| tls.stores.get("default"));
        let default = default.filter_map(|store| store.default_certificate.as_ref());
        self.own.set(named.collect(), default.map(files).next());
        self.notify();
    }

    /// The program's configuration names these files now; it counts when the routers have changed.
    pub(crate) fn configure(&self, files: Vec<CertificateFiles>) {
        let mut configured = self
            .configured
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *configured = files;
    }

    /// Shows and orders certificates of another authority, or of none. Blocks.
    pub(crate) fn change_authority(&self, state: &Arc<State>, acme: Option<Arc<Acme>>) {
        self.acme.store(acme);
        self.load(state);
        let before = std::mem::take(&mut *self.ordering());
        before.begin();
        if self.started.load(Ordering::Relaxed) {
            self.order(state);
        }
    }

    fn ordering(&self) -> MutexGuard<'_, Shutdown> {
        self.ordering.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the operator's own files that have changed. Blocks.
    pub(crate) fn refresh(&self) {
        if self.own.refresh() {
            self.notify();
        }
    }

    fn notify(&self) {
        if let Some(acme) = &*self.acme.load() {
            acme.changed.notify_one();
        }
    }

    /// Reads what is there before the first connection. Blocks.
    pub(crate) fn load(&self, state: &State) {
        self.own.refresh();
        if let Some(acme) = self.acme() {
            acme.take_up(&self.wanted(&state.table.load()), || {
                state.random.bytes::<1>()[0]
            });
        }
    }

    /// The hosts that certificates are to be ordered for.
    fn wanted(&self, table: &Table) -> Vec<String> {
        let mut hosts: Vec<String> = exact_hosts(table)
            .filter(|host| acme::may_be_ordered(host) && self.own.find(host).is_none())
            .map(str::to_owned)
            .collect();
        hosts.sort_unstable();
        hosts.dedup();
        if hosts.len() > acme::MAX_HOSTS {
            tracing::warn!(hosts = hosts.len(), "not every host gets a certificate");
            hosts.truncate(acme::MAX_HOSTS);
        }
        hosts
    }

    /// Starts the task that orders certificates; a second call does nothing.
    pub(crate) fn start(state: &Arc<State>) {
        let this = &state.certificates;
        if this.started.swap(true, Ordering::Relaxed) {
            return;
        }
        this.order(state);
    }

    fn order(&self, state: &Arc<State>) {
        let Some(acme) = self.acme() else {
            return;
        };
        let shared = Arc::downgrade(state);
        let wanted = move || {
            let Some(state) = shared.upgrade() else {
                return Vec::new();
            };
            state.certificates.wanted(&state.table.load())
        };
        let (clock, random) = (state.clock.clone(), state.random.clone());
        let keeper = Keeper::new(acme, wanted, clock, random);
        let replaced = self.ordering().clone();
        state
            .supervisor
            .start("gateway/certificates", move |shutdown| {
                let (keeper, replaced) = (keeper.clone(), replaced.clone());
                async move {
                    tokio::select! {
                        () = keeper.run(shutdown) => {}
                        () = replaced.begun() => {}
                    }
                    Ok(())
                }
            });
    }

    /// Every certificate, and every host that waits for one.
    pub(crate) fn list(&self) -> Vec<Listed> {
        let own = self.own.pairs().into_iter().map(|pair| Listed {
            facts: pair.certificate.map(|it| it.facts.clone()),
            place: pair.files.cert_file.display().to_string(),
            provider: "file",
            error: pair.error,
            next_order: None,
        });
        let ordered = self.acme().into_iter().flat_map(|acme| acme.hosts());
        let ordered = ordered.map(|(name, host)| Listed {
            next_order: Timestamp::from_millisecond(host.next_order_ms()).ok(),
            facts: host.certificate.map(|it| it.facts.clone()),
            place: name,
            provider: "acme",
            error: host.attempts.last_error,
        });
        own.chain(ordered).collect()
    }
}

/// The exact hosts that routers of `websecure` name.
fn exact_hosts(table: &Table) -> impl Iterator<Item = &str> {
    let secure = table.routers().iter().filter(|router| {
        let entrypoints = &router.spec.entrypoints;
        entrypoints.iter().any(|name| name == "websecure")
    });
    secure
        .flat_map(|router| router.rule.host_patterns())
        .filter_map(|pattern| match pattern {
            HostPattern::Exact(host) => Some(host.as_str()),
            HostPattern::Any | HostPattern::OneLabel(_) => None,
        })
}
