//! Configuration to a table: the platform's routers, the operator's, and what the files say. Objects
//! that are wrong are kept with the reason and take no part; the rest serves.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Router, RouterSpec, Table,
    table::MAX_ROUTERS,
    tls::{Secured, Tls},
};
use crate::{
    dynamic::{
        document::{self, ServersTransport},
        folder::Source,
        middlewares::Middleware,
    },
    middlewares::{
        chain::Layer,
        kept::Kept,
        table::{self, Built},
    },
    rules::Rule,
    services::{Balancer, Target, Weighted, upstream::Client},
};

/// The most services in services.
const MAX_DEPTH: usize = 8;

/// A service of a file.
#[derive(Debug)]
pub(crate) struct FileService {
    /// With provider.
    pub(crate) name: String,
    pub(crate) config: document::Service,
    /// Where requests go, or why there is nothing to send them to.
    pub(crate) target: Result<Target, String>,
}

/// A middleware of a file.
pub(crate) struct FileMiddleware {
    /// With provider.
    pub(crate) name: String,
    pub(crate) config: Middleware,
    /// It, or what is wrong with it.
    pub(crate) layer: Built,
}

/// A router that takes no part.
#[derive(Debug)]
pub(crate) struct Disabled {
    /// With provider.
    pub(crate) full_name: String,
    pub(crate) spec: RouterSpec,
    pub(crate) reason: String,
}

/// What is there while a table is made.
pub(crate) struct Context<'a> {
    /// The entry points that exist.
    pub(crate) entrypoints: &'a [&'a str],
    /// The table so far, whose services go on where nothing has changed.
    pub(crate) before: &'a Table,
    pub(crate) client: &'a Client,
    /// What middlewares remember.
    pub(crate) kept: &'a Kept,
    /// The platform's own middlewares that files can name, by their full names.
    pub(crate) own: &'a BTreeMap<String, Arc<dyn Layer>>,
}

/// Makes a table. What is wrong with `specs` is an error; what is wrong in files is in the table.
pub(crate) fn compile(
    specs: Vec<RouterSpec>,
    sources: &[Source],
    context: &Context<'_>,
) -> Result<Table, crate::Error> {
    let mut routers = specs
        .into_iter()
        .map(Router::parse)
        .collect::<Result<Vec<_>, _>>()?;
    let mut services = Services::new(sources, context);
    services.make_all();
    let middlewares = middlewares(sources, &mut services, context);
    let mut tls = Tls::new(sources, &context.before.tls);
    let mut disabled = Vec::new();
    let named = |router: &Router| (router.full_name.to_string(), "the program's configuration");
    let mut seen: BTreeMap<String, &str> = routers.iter().map(named).collect();
    for source in sources {
        for (name, router) in &source.document.http.routers {
            let place = source.place("routers", name);
            let spec = spec_of(name, router);
            let full_name = format!("{name}@file");
            let made = match seen.insert(full_name.clone(), &source.name) {
                Some(other) => Err(format!("{other} has a router of that name, too")),
                None if routers.len() >= MAX_ROUTERS => {
                    Err(format!("there are {MAX_ROUTERS} routers already"))
                }
                None => tls
                    .find(&spec.tls_options)
                    .and_then(|_| make(&spec, &mut services, &middlewares, context)),
            };
            match made {
                Ok(router) => routers.push(router),
                Err(reason) => disabled.push(Disabled {
                    full_name,
                    spec,
                    reason: format!("{place}: {reason}"),
                }),
            }
        }
    }
    assign_tls(&mut tls, &mut routers, &disabled);
    let mut table = Table::compile(routers)?;
    table.tls = tls;
    table.services = services.made;
    table.middlewares = middlewares;
    table.disabled = disabled;
    Ok(table)
}

/// Gives the hosts of all routers that ask for HTTPS their options. Those that are wrong count, too:
/// their hosts are not to be spoken to in another way.
fn assign_tls(tls: &mut Tls, routers: &mut [Router], disabled: &[Disabled]) {
    let secured = |spec: &RouterSpec, rule: &Rule| Secured {
        options: super::tls::full_name(&spec.tls_options),
        hosts: rule.host_patterns().into_iter().cloned().collect(),
        conflict: None,
    };
    let (mut places, mut all) = (Vec::new(), Vec::new());
    for (at, router) in routers.iter().enumerate() {
        if is_secured(&router.spec) {
            places.push(at);
            all.push(secured(&router.spec, &router.rule));
        }
    }
    for router in disabled.iter().filter(|it| is_secured(&it.spec)) {
        if let Ok(rule) = Rule::parse(&router.spec.rule) {
            all.push(secured(&router.spec, &rule));
        }
    }
    tls.assign(&mut all);
    for (at, secured) in places.into_iter().zip(all) {
        routers[at].tls_options = Some(secured.options.into());
        routers[at].tls_conflict = secured.conflict;
    }
}

fn is_secured(spec: &RouterSpec) -> bool {
    spec.tls && spec.entrypoints.iter().any(|name| name == "websecure")
}

fn spec_of(name: &str, router: &document::Router) -> RouterSpec {
    let mut entrypoints = router.entry_points.clone();
    if entrypoints.is_empty() && router.tls.is_some() {
        entrypoints = vec!["websecure".to_owned()];
    } else if entrypoints.is_empty() {
        entrypoints = vec!["web".to_owned(), "websecure".to_owned()];
    }
    RouterSpec {
        name: name.to_owned(),
        provider: "file",
        rule: router.rule.clone(),
        service: router.service.clone(),
        priority: router.priority.min(super::MAX_PRIORITY),
        middlewares: Vec::new(),
        named: router
            .middlewares
            .iter()
            .map(|name| full_name(name))
            .collect(),
        entrypoints,
        tls: router.tls.is_some(),
        tls_options: router
            .tls
            .as_ref()
            .map_or_else(String::new, |tls| tls.options.clone()),
        keeps_path: false,
    }
}

/// The name with its provider: without one, the files are meant.
pub(super) fn full_name(reference: &str) -> String {
    if reference.contains('@') {
        return reference.to_owned();
    }
    format!("{reference}@file")
}

/// The middlewares of all files by their full names.
fn middlewares(
    sources: &[Source],
    services: &mut Services<'_>,
    context: &Context<'_>,
) -> BTreeMap<String, FileMiddleware> {
    let mut configs = BTreeMap::new();
    let mut places = BTreeMap::new();
    let mut wrong = BTreeMap::new();
    for source in sources {
        for (name, config) in &source.document.http.middlewares {
            let mut config = config.clone();
            if let Some(chain) = &mut config.chain {
                for part in &mut chain.middlewares {
                    *part = full_name(part);
                }
            }
            let pages = config.errors.as_ref().map(|errors| errors.service.as_str());
            let pages = pages.filter(|service| !service.is_empty());
            let name_in_full = full_name(name);
            if let Some(Err(reason)) = pages.map(|service| services.find(service, 0)) {
                wrong.insert(name_in_full.clone(), format!("errors.service: {reason}"));
            }
            if configs.insert(name_in_full.clone(), config).is_some() {
                let reason = "there is another one of that name in the files";
                wrong.insert(name_in_full.clone(), reason.to_owned());
            }
            places.insert(name_in_full, source.place("middlewares", name));
        }
    }
    let own = |name: &str| context.own.get(name).cloned();
    let layers = table::build_all(&configs, &own, context.kept);
    let each = layers.into_iter().map(|(name, layer)| {
        let place = places.get(&name).map_or("", String::as_str);
        let layer = match wrong.remove(&name) {
            Some(reason) => Err(reason),
            None => layer,
        };
        let made = FileMiddleware {
            layer: layer.map_err(|reason| format!("{place}: {reason}")),
            config: configs.remove(&name).unwrap_or_default(),
            name: name.clone(),
        };
        (name, made)
    });
    each.collect()
}

fn make(
    spec: &RouterSpec,
    services: &mut Services<'_>,
    middlewares: &BTreeMap<String, FileMiddleware>,
    context: &Context<'_>,
) -> Result<Router, String> {
    for entrypoint in &spec.entrypoints {
        if !context.entrypoints.contains(&entrypoint.as_str()) {
            let known = context.entrypoints.join(", ");
            return Err(format!(
                "entryPoints: there is no {entrypoint:?}; there are {known}"
            ));
        }
    }
    if spec.service.is_empty() {
        return Err("service: it is missing".to_owned());
    }
    let layer = |name: &String| {
        match middlewares.get(name).map(|found| &found.layer) {
        Some(Ok(layer)) => Ok(Arc::clone(layer)),
        Some(Err(_)) => Err(format!("middlewares: {name} is wrong itself")),
        None => context.own.get(name).cloned().ok_or_else(|| {
            let own: Vec<&str> = context.own.keys().map(String::as_str).collect();
            let own = own.join(", ");
            format!("middlewares: there is no {name:?} in the files; of the platform's own there are {own}")
        }),
    }
    };
    let layers = spec.named.iter().map(layer).collect::<Result<_, _>>()?;
    let rule = Rule::parse(&spec.rule).map_err(|error| format!("rule: {error}"))?;
    let found = services.find(&spec.service, 0);
    let (service, target) = found.map_err(|reason| format!("service: {reason}"))?;
    let mut spec = spec.clone();
    spec.service.clone_from(&service);
    let mut router = Router::new(spec, rule, target, service);
    router.layers = layers;
    Ok(router)
}

/// The services of all files.
struct Services<'a> {
    sources: &'a [Source],
    context: &'a Context<'a>,
    made: BTreeMap<String, FileService>,
    /// Those that are being made, to see circles.
    making: BTreeSet<String>,
}

impl<'a> Services<'a> {
    fn new(sources: &'a [Source], context: &'a Context<'a>) -> Self {
        Self {
            sources,
            context,
            made: BTreeMap::new(),
            making: BTreeSet::new(),
        }
    }

    fn make_all(&mut self) {
        let sources = self.sources;
        for source in sources {
            for name in source.document.http.services.keys() {
                // What is wrong with it is kept with it.
                let _ = self.of_file(name, 0);
            }
        }
    }

    /// The service that a reference means, with its full name.
    fn find(&mut self, reference: &str, depth: usize) -> Result<(String, Target), String> {
        match reference.rsplit_once('@') {
            Some((name, "file")) => self.of_file(name, depth),
            Some((_, "mito" | "internal")) => {
                let target = Target::parse(reference)?;
                Ok((target.full_name(reference), target))
            }
            Some((_, provider)) => Err(format!(
                "{reference:?}: there is no provider {provider:?}; there are file, mito and internal"
            )),
            None => self.of_file(reference, depth),
        }
    }

    fn of_file(&mut self, name: &str, depth: usize) -> Result<(String, Target), String> {
        let full_name = format!("{name}@file");
        if !self.made.contains_key(&full_name) {
            self.make(name, &full_name, depth)?;
        }
        let made = self.made.get(&full_name).map(|service| &service.target);
        match made {
            Some(Ok(target)) => Ok((full_name, target.clone())),
            Some(Err(_)) => Err(format!("the service {full_name} is wrong itself")),
            None => Err(format!("there is no service {full_name}")),
        }
    }

    fn make(&mut self, name: &str, full_name: &str, depth: usize) -> Result<(), String> {
        let mut having = self
            .sources
            .iter()
            .filter_map(|source| Some((source, source.document.http.services.get(name)?)));
        let Some((source, config)) = having.next() else {
            return Err(format!(
                "there is no service {name:?} in the files; if a role of the platform is meant, \
                 write {name}@mito"
            ));
        };
        let twice = having.next().map(|(other, _)| other.name.clone());
        let target = match twice {
            Some(other) => Err(format!("{other} has a service of that name, too")),
            None if depth >= MAX_DEPTH => {
                Err(format!("more than {MAX_DEPTH} services in services"))
            }
            None if !self.making.insert(full_name.to_owned()) => {
                return Err(format!("{full_name} is a part of itself"));
            }
            None => self.target(source, full_name, config, depth),
        };
        self.making.remove(full_name);
        let place = source.place("services", name);
        self.made.insert(
            full_name.to_owned(),
            FileService {
                name: full_name.to_owned(),
                config: config.clone(),
                target: target.map_err(|reason| format!("{place}: {reason}")),
            },
        );
        Ok(())
    }

    fn target(
        &mut self,
        source: &Source,
        full_name: &str,
        config: &document::Service,
        depth: usize,
    ) -> Result<Target, String> {
        let kinds = (
            &config.load_balancer,
            &config.weighted,
            &config.highest_random_weight,
        );
        match kinds {
            (Some(balancer), None, None) => {
                let balancer = self.balancer(source, full_name, balancer);
                balancer
                    .map(Target::Balanced)
                    .map_err(|reason| format!("loadBalancer.{reason}"))
            }
            (None, Some(weighted), None) => {
                Weighted::new(full_name, weighted, |part| self.find(part, depth + 1))
                    .map(|weighted| Target::Weighted(Arc::new(weighted)))
                    .map_err(|reason| format!("weighted.{reason}"))
            }
            (None, None, Some(shared)) => {
                Weighted::by_client(shared, |part| self.find(part, depth + 1))
                    .map(|weighted| Target::Weighted(Arc::new(weighted)))
                    .map_err(|reason| format!("highestRandomWeight.{reason}"))
            }
            (None, None, None) => {
                Err("it has none of loadBalancer, weighted and highestRandomWeight".to_owned())
            }
            _ => Err(
                "it has more than one of loadBalancer, weighted and highestRandomWeight".to_owned(),
            ),
        }
    }

    fn balancer(
        &self,
        source: &Source,
        full_name: &str,
        config: &document::LoadBalancer,
    ) -> Result<Arc<Balancer>, String> {
        let transport = self.transport(&config.servers_transport)?;
        let before = self.context.before.services.get(full_name);
        if let Some(Ok(Target::Balanced(balancer))) = before.map(|service| &service.target)
            && balancer.is_of(config, &transport)
        {
            return Ok(Arc::clone(balancer));
        }
        let client = if transport == ServersTransport::default() {
            self.context.client.clone()
        } else {
            let made = self.context.client.with(&transport);
            let place = source.place("serversTransports", &config.servers_transport);
            made.map_err(|reason| format!("serversTransport: {place}: {reason}"))?
        };
        let random = &self.context.kept.random;
        Balancer::new(full_name, config, &transport, client, random).map(Arc::new)
    }

    fn transport(&self, reference: &str) -> Result<ServersTransport, String> {
        let name = reference.strip_suffix("@file").unwrap_or(reference);
        if name.is_empty() || name == "default@internal" {
            return Ok(ServersTransport::default());
        }
        self.sources
            .iter()
            .find_map(|source| source.document.http.servers_transports.get(name))
            .cloned()
            .ok_or_else(|| format!("serversTransport: there is no {name:?} in the files"))
    }
}
