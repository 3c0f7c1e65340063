//! Which options of TLS a host has. They are chosen by the name in the handshake, before any request
//! is seen; so routers of one host have the same options, or else the default ones, as in Traefik.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use crate::{
    dynamic::{folder::Source, tls::TlsOptions},
    rules::HostPattern,
    tls::Options,
};

/// The options of hosts of which no router says otherwise.
pub(crate) const DEFAULT: &str = "default";

/// The options by their full names, and which host has which.
#[derive(Default)]
pub(crate) struct Tls {
    options: BTreeMap<String, Result<Arc<Options>, String>>,
    exact: HashMap<String, Arc<str>>,
    /// By what follows the label, with its dot.
    one_label: HashMap<String, Arc<str>>,
    any: Option<Arc<str>>,
    /// What is wrong beside the options.
    wrong: Vec<(String, String)>,
}

/// A router with options, as far as they depend on others.
pub(super) struct Secured {
    /// The full name of its options.
    pub(super) options: String,
    /// The hosts that its rule names.
    pub(super) hosts: Vec<HostPattern>,
    /// Why it has the default ones instead.
    pub(super) conflict: Option<String>,
}

impl Tls {
    /// Makes the options of all files; what has not changed since goes on.
    pub(super) fn new(sources: &[Source], before: &Self) -> Self {
        let mut made = Self::default();
        for source in sources {
            for (name, config) in &source.document.tls.options {
                let full_name = full_name(name);
                let place = source.place("options", name);
                let built = if made.options.contains_key(&full_name) {
                    Err("there are other options of that name in the files".to_owned())
                } else {
                    Options::build(config, before.options(&full_name))
                };
                let built = built.map_err(|reason| format!("{place}: {reason}"));
                made.options.insert(full_name, built);
            }
        }
        if !made.options.contains_key(DEFAULT) {
            let built = Options::build(&TlsOptions::default(), before.options(DEFAULT));
            made.options.insert(DEFAULT.to_owned(), built);
        }
        let with_default = |source: &&Source| {
            let store = source.document.tls.stores.get("default");
            store.is_some_and(|store| store.default_certificate.is_some())
        };
        for second in sources.iter().filter(with_default).skip(1) {
            let place = second.place("stores", "default");
            let reason = format!("{place}: another file has a default certificate, which is shown");
            made.wrong.push(("default".to_owned(), reason));
        }
        made
    }

    /// The options of that full name, if they can be used.
    pub(crate) fn options(&self, full_name: &str) -> Option<&Arc<Options>> {
        self.options.get(full_name)?.as_ref().ok()
    }

    /// The full name of the options that a router asks for, or why it cannot have them.
    pub(super) fn find(&self, reference: &str) -> Result<String, String> {
        let full_name = full_name(reference);
        match self.options.get(&full_name) {
            Some(Ok(_)) => Ok(full_name),
            Some(Err(_)) => Err(format!("tls.options: {full_name} are wrong themselves")),
            None => {
                let known: Vec<&str> = self.options.keys().map(String::as_str).collect();
                let known = known.join(", ");
                Err(format!(
                    "tls.options: there are no {reference:?}; there are {known}"
                ))
            }
        }
    }

    /// Gives hosts their options. Routers of one host that differ get the default ones, and with them
    /// their other hosts.
    pub(super) fn assign(&mut self, routers: &mut [Secured]) {
        for router in routers.iter_mut() {
            if router.hosts.is_empty() && router.options != DEFAULT {
                let reason = "tls.options: its rule names no host, which options are chosen by; the \
                              default ones are used";
                router.conflict = Some(reason.to_owned());
                DEFAULT.clone_into(&mut router.options);
            }
        }
        // Each turn takes at least one router its options.
        while let Some(host) = first_conflict(routers) {
            for router in routers.iter_mut().filter(|it| it.hosts.contains(&host)) {
                if router.options != DEFAULT {
                    router.conflict = Some(format!(
                        "tls.options: another router of {} has other options, so the default ones are used",
                        host.name()
                    ));
                    DEFAULT.clone_into(&mut router.options);
                }
            }
        }
        for router in routers.iter() {
            for host in &router.hosts {
                let name: Arc<str> = router.options.as_str().into();
                match host {
                    HostPattern::Exact(host) => {
                        self.exact.insert(host.clone(), name);
                    }
                    HostPattern::OneLabel(suffix) => {
                        self.one_label.insert(suffix.clone(), name);
                    }
                    HostPattern::Any => self.any = Some(name),
                }
            }
        }
    }

    /// The name of the options of a host; of those of no host, if it is empty.
    pub(crate) fn of_host(&self, host: &str) -> Arc<str> {
        let host = host.strip_suffix('.').unwrap_or(host);
        let wildcard = || self.one_label.get(&host[host.find('.')?..]);
        let found = self.exact.get(host).or_else(wildcard);
        let found = found.or(self.any.as_ref()).cloned();
        found.unwrap_or_else(|| DEFAULT.into())
    }

    /// What is wrong, with its names.
    pub(crate) fn reasons(&self) -> impl Iterator<Item = (&str, &str)> {
        let options = self.options.iter();
        let options = options.filter_map(|(name, made)| Some((name, made.as_ref().err()?)));
        let wrong = self.wrong.iter().map(|(name, reason)| (name, reason));
        options
            .chain(wrong)
            .map(|(name, reason)| (name.as_str(), reason.as_str()))
    }

    /// Whether files that options name have changed. Blocks.
    pub(crate) fn is_stale(&self) -> bool {
        let made = self.options.values().filter_map(|made| made.as_ref().ok());
        made.into_iter().any(|options| options.is_stale())
    }
}

/// A host whose routers have different options.
fn first_conflict(routers: &[Secured]) -> Option<HostPattern> {
    let mut names: HashMap<&HostPattern, BTreeSet<&str>> = HashMap::new();
    for router in routers {
        for host in &router.hosts {
            let names = names.entry(host).or_default();
            names.insert(&router.options);
            if names.len() > 1 {
                return Some(host.clone());
            }
        }
    }
    None
}

/// The name with its provider. There is one `default`.
pub(super) fn full_name(reference: &str) -> String {
    match reference {
        "" | DEFAULT => DEFAULT.to_owned(),
        reference => super::compile::full_name(reference),
    }
}
