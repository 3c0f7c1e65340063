//! In which order services start and what each waits for. Pure.

use std::collections::HashSet;

use mito_core::nearest::nearest;

use super::Error;
use crate::Service;

/// One service of a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Its position among the registered services.
    pub(crate) index: usize,
    /// Whether it runs in this process.
    pub(crate) runs: bool,
    /// The positions of those that must be healthy first: its dependencies in this process.
    pub(crate) waits_for: Vec<usize>,
}

/// Orders the services so that each comes after those it depends on, and otherwise as registered.
pub(crate) fn plan(
    services: &[&Service],
    roles: Option<&HashSet<String>>,
) -> Result<Vec<Plan>, Error> {
    let chosen = match roles {
        Some(roles) => choose(services, roles)?,
        None => (0..services.len()).collect(),
    };
    let mut dependencies = Vec::with_capacity(services.len());
    for service in services {
        let positions = service.depends_on.iter().map(|dependency| {
            position(services, dependency).ok_or_else(|| Error::UnknownDependency {
                service: service.name.to_owned(),
                dependency: (*dependency).to_owned(),
            })
        });
        dependencies.push(positions.collect::<Result<Vec<_>, _>>()?);
    }
    let mut order: Vec<Plan> = Vec::with_capacity(services.len());
    while order.len() < services.len() {
        let placed = |index: &usize| order.iter().any(|plan| plan.index == *index);
        let next = (0..services.len())
            .filter(|index| !placed(index))
            .find(|index| dependencies[*index].iter().all(placed));
        let Some(index) = next else {
            return Err(Error::Cycle(in_a_circle(services, &dependencies, &order)));
        };
        let waits_for = dependencies[index]
            .iter()
            .copied()
            .filter(|one| chosen.contains(one))
            .collect();
        order.push(Plan {
            index,
            runs: chosen.contains(&index),
            waits_for,
        });
    }
    Ok(order)
}

fn position(services: &[&Service], name: &str) -> Option<usize> {
    services.iter().position(|service| service.is_called(name))
}

fn choose(services: &[&Service], roles: &HashSet<String>) -> Result<HashSet<usize>, Error> {
    let mut roles: Vec<&String> = roles.iter().collect();
    roles.sort();
    let find = |name: &String| {
        position(services, name).ok_or_else(|| {
            let names = services.iter().flat_map(|service| {
                std::iter::once(service.name).chain(service.aliases.iter().copied())
            });
            let nearest = nearest(name, names).unwrap_or_default().to_owned();
            Error::UnknownRole {
                name: name.clone(),
                nearest,
            }
        })
    };
    roles.into_iter().map(find).collect()
}

/// A service of a circle: one that is reached again by following dependencies that are not placed.
fn in_a_circle(services: &[&Service], dependencies: &[Vec<usize>], order: &[Plan]) -> String {
    let placed = |index: usize| order.iter().any(|plan| plan.index == index);
    let Some(mut at) = (0..services.len()).find(|index| !placed(*index)) else {
        return String::new();
    };
    let mut seen = Vec::new();
    while !seen.contains(&at) {
        seen.push(at);
        let next = dependencies[at]
            .iter()
            .copied()
            .find(|index| !placed(*index));
        at = next.expect("a service that is not placed waits for another such one");
    }
    services[at].name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Exposure, Handler, Protocol, service::always_healthy};

    type Names = &'static [&'static str];

    fn services(of: &[(&'static str, Names, Names)]) -> Vec<Service> {
        let service = |(name, aliases, depends_on): &(&'static str, Names, Names)| Service {
            name,
            aliases,
            port: None,
            protocol: Protocol::None,
            exposure: Exposure::Internal,
            depends_on,
            handler: Handler::None,
            health: always_healthy(),
            tasks: Vec::new(),
        };
        of.iter().map(service).collect()
    }

    #[track_caller]
    fn check(
        of: &[(&'static str, Names, Names)],
        roles: Option<Names>,
        expected: Result<&str, Error>,
    ) {
        let services = services(of);
        let services: Vec<&Service> = services.iter().collect();
        let roles = roles.map(|roles| roles.iter().map(ToString::to_string).collect());
        let got = plan(&services, roles.as_ref()).map(|order| {
            let shown = order.iter().map(|plan| {
                let on: Vec<_> = plan.waits_for.iter().map(|on| services[*on].name).collect();
                let mark = if plan.runs { "" } else { "-" };
                format!("{mark}{}({})", services[plan.index].name, on.join(","))
            });
            shown.collect::<Vec<_>>().join(" ")
        });
        assert_eq!(got, expected.map(str::to_owned));
    }

    const STACK: &[(&str, Names, Names)] = &[
        ("traefik", &["gateway"], &[]),
        ("admin-web", &["admin"], &["api"]),
        ("api", &[], &["database", "redis"]),
        ("postgres", &["database"], &[]),
        ("redis", &["cache"], &[]),
    ];

    #[test]
    fn dependencies_come_first() {
        let order = "traefik() postgres() redis() api(postgres,redis) admin-web(api)";
        check(STACK, None, Ok(order));
    }

    #[test]
    fn roles_that_do_not_run_here_are_not_waited_for() {
        let order = "-traefik() -postgres() redis() api(redis) -admin-web(api)";
        check(STACK, Some(&["api", "cache"]), Ok(order));
    }

    #[test]
    fn mistakes_are_named() {
        let unknown = |name: &str, nearest: &str| {
            Err(Error::UnknownRole {
                name: name.to_owned(),
                nearest: nearest.to_owned(),
            })
        };
        check(STACK, Some(&["trafik"]), unknown("trafik", "traefik"));
        check(
            STACK,
            Some(&["api", "databse"]),
            unknown("databse", "database"),
        );
        let missing = Error::UnknownDependency {
            service: "a".to_owned(),
            dependency: "b".to_owned(),
        };
        check(&[("a", &[], &["b"])], None, Err(missing));
        let circle = [
            ("a", &[] as Names, &["b"] as Names),
            ("b", &[], &["c"]),
            ("c", &[], &["b"]),
        ];
        check(&circle, None, Err(Error::Cycle("b".to_owned())));
        check(
            &[("a", &[], &["a"])],
            None,
            Err(Error::Cycle("a".to_owned())),
        );
    }
}
