//! The compiled routers: those that require an exact host are found by it in constant time, the
//! rest are tried in order. The answer is always that of trying all of them by priority.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    Router,
    compile::{Disabled, FileMiddleware, FileService},
    tls::Tls,
};
use crate::{
    rules::{HostPattern, Target},
    services::{self, Balancer},
};

/// How many routers there may be.
pub(super) const MAX_ROUTERS: usize = 10_000;
/// How many routers are looked at to find one that hides another.
const MAX_LOOKED_AT: usize = 200;

/// Routers in the order in which they are tried, with an index by host.
#[derive(Default)]
pub(crate) struct Table {
    routers: Vec<Arc<Router>>,
    by_host: HashMap<String, Vec<usize>>,
    unbound: Vec<usize>,
    hosts: Vec<String>,
    wildcards: Vec<HostPattern>,
    /// The services of the files by their full names.
    pub(crate) services: BTreeMap<String, FileService>,
    /// The middlewares of the files by their full names.
    pub(crate) middlewares: BTreeMap<String, FileMiddleware>,
    /// The routers of the files that are wrong.
    pub(crate) disabled: Vec<Disabled>,
    /// How TLS is spoken with clients of which host.
    pub(crate) tls: Tls,
}

impl Table {
    /// Orders and indexes routers: higher priority first, then by name.
    pub(crate) fn compile(mut routers: Vec<Router>) -> Result<Self, crate::Error> {
        if let Some(extra) = routers.get(MAX_ROUTERS) {
            return Err(crate::Error::Rule {
                router: extra.full_name.to_string(),
                reason: format!("there are more than {MAX_ROUTERS} routers"),
            });
        }
        routers.sort_by(|left, right| {
            right
                .priority
                .cmp(&left.priority)
                .then_with(|| left.full_name.cmp(&right.full_name))
        });
        if let Some(double) = duplicate(&routers) {
            let reason = "there are two routers of that name".to_owned();
            return Err(crate::Error::Rule {
                router: double,
                reason,
            });
        }
        let mut table = Self::default();
        for (rank, mut router) in routers.into_iter().enumerate() {
            router.hidden_by = table.hiding(&router);
            match router.rule.required_hosts() {
                Some(mut hosts) => {
                    hosts.sort_unstable();
                    hosts.dedup();
                    for host in hosts {
                        table.by_host.entry(host.to_owned()).or_default().push(rank);
                    }
                }
                None => table.unbound.push(rank),
            }
            for pattern in router.rule.host_patterns() {
                match pattern {
                    HostPattern::Exact(host) => table.hosts.push(host.clone()),
                    HostPattern::OneLabel(_) => table.wildcards.push(pattern.clone()),
                    HostPattern::Any => {}
                }
            }
            table.routers.push(Arc::new(router));
        }
        table.hosts.sort_unstable();
        table.hosts.dedup();
        Ok(table)
    }

    /// The router before the given one that takes all of its requests.
    fn hiding(&self, router: &Router) -> Option<Arc<str>> {
        let hosts = router.rule.required_hosts().unwrap_or_default();
        let of_host = match hosts[..] {
            [host] => self.by_host.get(host).map_or(&[][..], Vec::as_slice),
            _ => &[],
        };
        let hides = |before: &&Arc<Router>| {
            let here = |name| before.spec.entrypoints.contains(name);
            router.spec.entrypoints.iter().all(here) && before.rule.covers(&router.rule)
        };
        let before = of_host.iter().chain(&self.unbound).take(MAX_LOOKED_AT);
        before
            .map(|rank| &self.routers[*rank])
            .find(hides)
            .map(|before| before.full_name.clone())
    }

    /// The services with servers, of files.
    pub(crate) fn balancers(&self) -> impl Iterator<Item = &Arc<Balancer>> {
        self.services
            .values()
            .filter_map(|service| match &service.target {
                Ok(services::Target::Balanced(balancer)) => Some(balancer),
                _ => None,
            })
    }

    /// The router for a request that came by `entrypoint`.
    pub(crate) fn find(&self, entrypoint: &str, target: &Target<'_>) -> Option<&Arc<Router>> {
        let host = target.host.strip_suffix('.').unwrap_or(target.host);
        let mut bound = self.by_host.get(host).map_or(&[][..], Vec::as_slice);
        let mut unbound = self.unbound.as_slice();
        loop {
            let rank = match (bound, unbound) {
                ([first, rest @ ..], []) => {
                    bound = rest;
                    *first
                }
                ([first, rest @ ..], [other, ..]) if first < other => {
                    bound = rest;
                    *first
                }
                (_, [first, rest @ ..]) => {
                    unbound = rest;
                    *first
                }
                ([], []) => return None,
            };
            let router = &self.routers[rank];
            let here = router
                .spec
                .entrypoints
                .iter()
                .any(|name| name == entrypoint);
            if here && router.rule.matches(target) {
                return Some(router);
            }
        }
    }

    /// The routers in the order in which they are tried.
    pub(crate) fn routers(&self) -> &[Arc<Router>] {
        &self.routers
    }

    /// The exact hosts that some router asks for, sorted.
    pub(crate) fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// The name on a certificate that serves `host`: the host itself where a router names it, the
    /// wildcard where one covers it, nothing where no router asks for it.
    pub(crate) fn certificate_name(&self, host: &str) -> Option<String> {
        if self
            .hosts
            .binary_search_by(|known| known.as_str().cmp(host))
            .is_ok()
        {
            return Some(host.to_owned());
        }
        self.wildcards
            .iter()
            .find(|pattern| pattern.matches(host))
            .and_then(|pattern| match pattern {
                HostPattern::OneLabel(suffix) => Some(format!("*{suffix}")),
                HostPattern::Any | HostPattern::Exact(_) => None,
            })
    }
}

/// The name of a router that exists twice.
fn duplicate(routers: &[Router]) -> Option<String> {
    let mut names: Vec<&str> = routers.iter().map(|router| &*router.full_name).collect();
    names.sort_unstable();
    names
        .windows(2)
        .find(|pair| pair[0] == pair[1])
        .map(|pair| pair[0].to_owned())
}
