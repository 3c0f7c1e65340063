//! Certificates of a public authority (ACME, RFC 8555), one order a host: a name that fails holds up
//! no other, and no certificate lists the names of a platform.
//!
//! Two clients stand behind [`Issuer`]. [`ordinary`] (rustls-acme) drives the usual order. [`thorough`]
//! (instant-acme) takes over what rustls-acme cannot do: it gives an order up when the authority
//! refuses a nonce (RFC 8555 §6.5 says to try again; Pebble refuses one in twenty), it has neither
//! external account binding nor renewal information (RFC 9773), and it does not look at
//! `Retry-After`. It is also made to serve one fixed list of names for ever, with its own back-off of
//! seconds; so its state lives for one order here, and when to order is for [`keeper`] to say.

mod account;
mod answer;
pub(crate) mod challenges;
mod http;
mod issuer;
mod keeper;
mod limits;
mod names;
mod ordinary;
mod probe;
mod schedule;
mod settings;
mod store;
#[cfg(test)]
mod tests;
mod thorough;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use rustls::sign::CertifiedKey;
use tokio::sync::Notify;

use super::certificate::Certificate;
use crate::{Error, config};

pub(crate) use answer::answer;
pub(crate) use challenges::Challenges;
pub(crate) use keeper::Keeper;
pub(crate) use names::may_be_ordered;
use settings::Settings;
use store::{Attempts, Store};

/// Hosts that certificates are kept for.
pub(super) const MAX_HOSTS: usize = 1_000;

/// The certificates of an authority: what is there, and how the orders went.
#[derive(Debug)]
pub(crate) struct Acme {
    pub(crate) challenges: Challenges,
    settings: Settings,
    store: Store,
    hosts: RwLock<BTreeMap<String, Host>>,
    /// The routers, and with them the wanted hosts, have changed.
    pub(super) changed: Notify,
}

/// A host that wants a certificate.
#[derive(Clone, Debug, Default)]
pub(crate) struct Host {
    pub(crate) certificate: Option<Arc<Certificate>>,
    pub(crate) attempts: Attempts,
    /// When the certificate is to be renewed, in milliseconds since the Unix epoch.
    pub(crate) renew_at_ms: i64,
    /// Whether the authority itself said when, and wants to hear which certificate is replaced.
    suggested: bool,
    /// When the authority is to be asked again about the renewal.
    ask_at_ms: i64,
}

impl Acme {
    /// Reads the configuration; `None` when no certificates are to be ordered.
    pub(crate) fn new(
        config: &config::Acme,
        data: &Path,
        domain: &str,
    ) -> Result<Option<Self>, Error> {
        if crate::state::is_local(domain) || (config.email.is_empty() && !config.terms_agreed) {
            return Ok(None);
        }
        let settings = Settings::read(config).map_err(Error::Acme)?;
        Ok(Some(Self {
            store: Store::new(data, &settings.directory),
            settings,
            challenges: Challenges::default(),
            hosts: RwLock::default(),
            changed: Notify::new(),
        }))
    }

    /// The certificate to show for `host`.
    pub(crate) fn find(&self, host: &str) -> Option<Arc<CertifiedKey>> {
        let hosts = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
        Some(hosts.get(host)?.certificate.as_ref()?.key.clone())
    }

    /// Every host that wants a certificate, by name.
    pub(crate) fn hosts(&self) -> BTreeMap<String, Host> {
        self.hosts
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Does not wait any longer for what a failure made a host wait for; whether there is such a host.
    /// A certificate that is still good is not ordered again.
    pub(crate) fn order_now(&self, name: &str) -> bool {
        let known = self.hosts().contains_key(name);
        if known {
            self.update(name, |host| host.attempts.not_before_ms = 0);
            self.changed.notify_one();
        }
        known
    }

    /// Takes up hosts that are wanted now with what the store has of them, and drops the others.
    /// Blocks.
    pub(super) fn take_up(&self, wanted: &[String], draw: impl Fn() -> u8) {
        let known = self.hosts();
        let new: Vec<(String, Host)> = wanted
            .iter()
            .filter(|host| !known.contains_key(*host))
            .map(|host| (host.clone(), self.stored(host, draw())))
            .collect();
        let mut hosts = self.hosts.write().unwrap_or_else(PoisonError::into_inner);
        hosts.retain(|host, _| wanted.contains(host));
        for (name, host) in new {
            hosts.entry(name).or_insert(host);
        }
    }

    fn stored(&self, name: &str, draw: u8) -> Host {
        let mut host = Host {
            attempts: self.store.attempts(name),
            ..Host::default()
        };
        match self.store.certificate(name) {
            Ok(Some(certificate)) if certificate.covers(name) => {
                host.adopt(certificate, schedule::Draw(draw));
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "a stored certificate cannot be used"),
        }
        host
    }

    fn update(&self, name: &str, change: impl FnOnce(&mut Host)) {
        let mut hosts = self.hosts.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.get_mut(name) {
            change(host);
        }
    }
}

impl Host {
    /// Shows `certificate` from now on.
    fn adopt(&mut self, certificate: Certificate, draw: schedule::Draw) {
        let ms = |time: Option<jiff::Timestamp>| time.map_or(0, jiff::Timestamp::as_millisecond);
        let facts = &certificate.facts;
        self.renew_at_ms = schedule::renewal(ms(facts.not_before), ms(facts.not_after), draw);
        self.suggested = false;
        self.ask_at_ms = 0;
        self.certificate = Some(Arc::new(certificate));
    }

    /// When something is to be ordered for it.
    pub(crate) fn next_order_ms(&self) -> i64 {
        let due = self.certificate.as_ref().map_or(0, |_| self.renew_at_ms);
        due.max(self.attempts.not_before_ms)
    }
}
