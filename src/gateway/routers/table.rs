//! The compiled routers: those that require an exact host are found by it in constant time, the
//! rest are tried in order. The answer is always that of trying all of them by priority.

use std::{collections::HashMap, sync::Arc};

use super::Router;
use crate::rules::{HostPattern, Target};

/// How many routers there may be.
const MAX_ROUTERS: usize = 10_000;

/// Routers in the order in which they are tried, with an index by host.
#[derive(Debug, Default)]
pub(crate) struct Table {
    routers: Vec<Arc<Router>>,
    by_host: HashMap<String, Vec<usize>>,
    unbound: Vec<usize>,
    wildcards: Vec<HostPattern>,
}

impl Table {
    /// Orders and indexes routers: higher priority first, then by name.
    pub(crate) fn compile(mut routers: Vec<Router>) -> Result<Self, crate::Error> {
        if let Some(extra) = routers.get(MAX_ROUTERS) {
            return Err(crate::Error::Rule {
                router: extra.full_name.clone(),
                reason: format!("there are more than {MAX_ROUTERS} routers"),
            });
        }
        routers.sort_by(|left, right| {
            right.priority.cmp(&left.priority).then_with(|| left.full_name.cmp(&right.full_name))
        });
        if let Some(double) = duplicate(&routers) {
            let reason = "there are two routers of that name".to_owned();
            return Err(crate::Error::Rule { router: double, reason });
        }
        let mut table = Self::default();
        for (rank, router) in routers.into_iter().enumerate() {
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
            table.wildcards.extend(
                router
                    .rule
                    .host_patterns()
                    .into_iter()
                    .filter(|pattern| matches!(pattern, HostPattern::OneLabel(_)))
                    .cloned(),
            );
            table.routers.push(Arc::new(router));
        }
        Ok(table)
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
            let here = router.spec.entrypoints.iter().any(|name| name == entrypoint);
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
    pub(crate) fn hosts(&self) -> Vec<&str> {
        let mut hosts: Vec<&str> = self
            .routers
            .iter()
            .flat_map(|router| router.rule.host_patterns())
            .filter_map(|pattern| match pattern {
                HostPattern::Exact(host) => Some(host.as_str()),
                HostPattern::Any | HostPattern::OneLabel(_) => None,
            })
            .collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts
    }

    /// The name on a certificate that serves `host`: the host itself where a router names it, the
    /// wildcard where one covers it, nothing where no router asks for it.
    pub(crate) fn certificate_name(&self, host: &str) -> Option<String> {
        if self.hosts().binary_search(&host).is_ok() {
            return Some(host.to_owned());
        }
        self.wildcards.iter().find(|pattern| pattern.matches(host)).and_then(|pattern| {
            match pattern {
                HostPattern::OneLabel(suffix) => Some(format!("*{suffix}")),
                HostPattern::Any | HostPattern::Exact(_) => None,
            }
        })
    }
}

/// The name of a router that exists twice.
fn duplicate(routers: &[Router]) -> Option<String> {
    let mut names: Vec<&str> = routers.iter().map(|router| router.full_name.as_str()).collect();
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].to_owned())
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        routers::{RouterSpec, internal, platform},
        rules::{Rule, tests::expression},
    };

    fn router(name: &str, rule: &str, priority: i64) -> Router {
        let spec = RouterSpec {
            name: name.to_owned(),
            provider: "file",
            rule: rule.to_owned(),
            service: "api".to_owned(),
            priority,
            middlewares: Vec::new(),
            entrypoints: vec!["web".to_owned()],
        };
        Router::parse(spec).unwrap_or_else(|error| panic!("{error}"))
    }

    fn find(table: &Table, entrypoint: &str, host: &str, path: &str) -> Option<String> {
        let headers = HeaderMap::new();
        let target = Target { host, path, method: "GET", headers: &headers };
        table.find(entrypoint, &target).map(|router| router.full_name.clone())
    }

    fn platform_table(domain: &str) -> Table {
        let specs = [platform::routers(domain), internal::routers(domain != "localhost")].concat();
        let routers = specs.into_iter().map(Router::parse).collect::<Result<Vec<_>, _>>();
        Table::compile(routers.expect("they parse")).expect("they compile")
    }

    #[test]
    fn longer_rules_and_higher_priorities_come_first() {
        let table = Table::compile(vec![
            router("host", "Host(`a`)", 0),
            router("path", "Host(`a`) && Path(`/x`)", 0),
            router("first", "PathPrefix(`/z`)", 1_000),
            router("last", "PathPrefix(`/`)", -5),
        ])
        .expect("compiles");
        assert_eq!(find(&table, "web", "a", "/").as_deref(), Some("host@file"));
        assert_eq!(find(&table, "web", "a.", "/").as_deref(), Some("host@file"));
        assert_eq!(find(&table, "web", "a", "/x").as_deref(), Some("path@file"));
        assert_eq!(find(&table, "web", "a", "/z").as_deref(), Some("first@file"));
        assert_eq!(find(&table, "web", "b", "/").as_deref(), Some("last@file"));
        assert_eq!(find(&table, "traefik", "a", "/"), None);
    }

    #[test]
    fn two_routers_of_one_name_are_refused() {
        let twice = vec![router("a", "Host(`a`)", 0), router("a", "Host(`b`)", 0)];
        assert!(Table::compile(twice).is_err());
    }

    #[test]
    fn the_platform_is_routed_as_the_old_stack_was() {
        let table = platform_table("localhost");
        let check = |entrypoint: &str, host: &str, path: &str, router: Option<&str>| {
            let found = find(&table, entrypoint, host, path);
            assert_eq!(found.as_deref(), router, "{entrypoint} {host}{path}");
        };
        check("web", "api.localhost", "/health", Some("api@mito"));
        check("web", "localhost", "/", Some("admin@mito"));
        check("websecure", "admin.localhost", "/", Some("admin@mito"));
        check("web", "admin.localhost", "/_mito/api/session", Some("panel@mito"));
        check("web", "localhost", "/_mito/api/session", Some("panel@mito"));
        check("web", "minio.localhost", "/minio/health/live", Some("minio@mito"));
        check("web", "inbox.minio.localhost", "/a.html", Some("minio@mito"));
        check("web", "minio-console.localhost", "/", Some("minio-console@mito"));
        check("web", "mobile-build.localhost", "/status", Some("mobile-build-api@mito"));
        check("web", "mobile-build.localhost", "/api/manifest", Some("mobile-build-api@mito"));
        check("web", "mobile-build.localhost", "/installs", Some("mobile-build@mito"));
        check("web", "traefik.localhost", "/api/http/routers", Some("traefik-api@mito"));
        check("web", "traefik.localhost", "/dashboard/", Some("traefik@mito"));
        check("traefik", "localhost", "/api/http/routers", Some("api@internal"));
        check("traefik", "localhost", "/ping", Some("ping@internal"));
        check("traefik", "localhost", "/metrics", Some("prometheus@internal"));
        check("traefik", "localhost", "/_mito/api/session", Some("panel-local@mito"));
        check("traefik", "localhost", "/dashboard/", Some("dashboard@mito"));
        check("web", "postgres.localhost", "/", None);
        check("web", "evil.example", "/", None);
        assert_eq!(table.certificate_name("api.localhost").as_deref(), Some("api.localhost"));
        assert_eq!(
            table.certificate_name("inbox.minio.localhost").as_deref(),
            Some("*.minio.localhost")
        );
        assert_eq!(table.certificate_name("evil.localhost"), None);
    }

    #[test]
    fn a_real_domain_redirects_all_but_challenges() {
        let table = platform_table("example.com");
        let check = |host: &str, path: &str, router: &str| {
            assert_eq!(find(&table, "web", host, path).as_deref(), Some(router));
        };
        check("api.example.com", "/", "web-to-websecure@internal");
        check("api.example.com", "/.well-known/acme-challenge/x", "acme-http@internal");
        let secure = find(&table, "websecure", "api.example.com", "/");
        assert_eq!(secure.as_deref(), Some("api@mito"));
    }

    proptest! {
        #[test]
        fn the_index_finds_what_trying_all_would(
            rules in prop::collection::vec((expression(), -3_i64..50), 0..12),
            host in prop::sample::select(vec!["a", "b", "x.a", "c.d", "localhost", ""]),
            path in prop::sample::select(vec!["/", "/x", "/x/y"]),
        ) {
            let routers: Vec<Router> = rules
                .into_iter()
                .enumerate()
                .map(|(number, (rule, priority))| {
                    router(&format!("r{number}"), &Rule(rule).to_string(), priority)
                })
                .collect();
            let headers = HeaderMap::new();
            let target = Target { host, path, method: "GET", headers: &headers };
            let naive = routers
                .iter()
                .filter(|router| router.rule.matches(&target))
                .max_by(|left, right| {
                    let priority = left.priority.cmp(&right.priority);
                    priority.then_with(|| right.full_name.cmp(&left.full_name))
                })
                .map(|router| router.full_name.clone());
            let table = Table::compile(routers).expect("compiles");
            prop_assert_eq!(find(&table, "web", host, path), naive);
        }
    }
}
