//! The shapes of Traefik's API.

mod defaults;
mod middlewares;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mito_core::Health;
use mito_network::listener::MAX_STREAMS;
use serde::Serialize;
use serde_json::{Value, json};
use ts_rs::TS;

use super::certificates;
use crate::{
    config::AccessLogFormat,
    dynamic::{document::LoadBalancer as LoadBalancerConfig, duration::GoDuration},
    routers::{Router, RouterSpec, Table, compile::FileService},
    services::Target,
    state::State,
};

pub(crate) use middlewares::middlewares;

/// What HTTP/2 keeps of fields that come again, in bytes (RFC 7541 §4.2).
const HEADER_TABLE_BYTES: usize = 4_096;

/// A router.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export, rename = "GatewayRouter")]
pub(crate) struct RouterView {
    entry_points: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    middlewares: Vec<String>,
    service: String,
    rule: String,
    /// Traefik's word for the only syntax, which it says of its own routers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(skip)]
    rule_syntax: Option<&'static str>,
    #[ts(type = "number")]
    priority: i64,
    priority_str: String,
    /// `enabled`, `warning` or `disabled`.
    status: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    error: Vec<String>,
    using: Vec<String>,
    #[ts(skip)]
    observability: Value,
    /// Set for routers that answer HTTPS alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    tls: Option<Value>,
    name: String,
    provider: String,
}

/// A service.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export, rename = "GatewayService")]
pub(crate) struct ServiceView {
    #[serde(skip_serializing_if = "Option::is_none")]
    load_balancer: Option<LoadBalancer>,
    /// The parts of a service of services, as they are configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    weighted: Option<Value>,
    /// The parts of a service that shares clients by their addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(skip)]
    highest_random_weight: Option<Value>,
    status: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    error: Vec<String>,
    used_by: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    server_status: BTreeMap<String, String>,
    name: String,
    provider: String,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
}

/// The servers of a service.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export, rename = "GatewayLoadBalancer")]
pub(crate) struct LoadBalancer {
    servers: Vec<Server>,
    pass_host_header: bool,
    /// Its other options, under their names.
    #[serde(flatten)]
    #[ts(skip)]
    options: BTreeMap<String, Value>,
}

/// A server of a service.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export, rename = "GatewayServer")]
pub(crate) struct Server {
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    weight: Option<u32>,
}

/// An entry point.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export, rename = "GatewayEntryPoint")]
pub(crate) struct EntryPointView {
    address: String,
    #[ts(type = "unknown")]
    transport: Value,
    #[ts(type = "unknown")]
    forwarded_headers: Value,
    #[ts(type = "unknown")]
    http: Value,
    #[ts(skip)]
    http2: Value,
    name: String,
    /// What an operator should know about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// Counts of objects by status.
#[derive(Clone, Copy, Debug, Default, Serialize, TS)]
#[ts(export, rename = "GatewayCounts")]
pub(crate) struct Counts {
    pub(super) total: usize,
    pub(super) warnings: usize,
    pub(super) errors: usize,
}

/// Everything at a glance.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export, rename = "GatewayOverview")]
pub(crate) struct Overview {
    http: BTreeMap<&'static str, Counts>,
    tcp: BTreeMap<&'static str, Counts>,
    udp: BTreeMap<&'static str, Counts>,
    certificates: Counts,
    #[ts(type = "unknown")]
    features: Value,
    providers: Vec<String>,
    /// What an operator should know (not in Traefik).
    warnings: Vec<String>,
}

/// The overview.
pub(crate) fn overview(state: &State) -> Overview {
    let table = state.table.load_full();
    let count = |statuses: Vec<String>| Counts {
        total: statuses.len(),
        warnings: statuses
            .iter()
            .filter(|status| *status == "warning")
            .count(),
        errors: statuses
            .iter()
            .filter(|status| *status == "disabled")
            .count(),
    };
    let routers = routers(state, &table)
        .into_iter()
        .map(|view| view.status)
        .collect();
    let services = services(state, &table)
        .into_iter()
        .map(|view| view.status)
        .collect();
    let middlewares = middlewares(state, &table)
        .into_iter()
        .map(|view| view.status)
        .collect();
    let providers: BTreeSet<String> = table
        .routers()
        .iter()
        .filter(|router| router.spec.provider != "internal")
        .map(|router| capitalised(router.spec.provider))
        .collect();
    let none = Counts::default();
    Overview {
        http: [
            ("routers", count(routers)),
            ("services", count(services)),
            ("middlewares", count(middlewares)),
        ]
        .into(),
        tcp: [("routers", none), ("services", none), ("middlewares", none)].into(),
        udp: [("routers", none), ("services", none)].into(),
        certificates: certificates::counts(state),
        features: json!({
            "tracing": "",
            "metrics": "Prometheus",
            "accessLog": state.settings.load().config.access_log != AccessLogFormat::Off,
        }),
        providers: providers.into_iter().collect(),
        warnings: state.warnings(),
    }
}

/// The routers, in the order in which they are tried, and those of files that take no part.
pub(crate) fn routers(state: &State, table: &Table) -> Vec<RouterView> {
    let served = table.routers().iter().map(|router| {
        let error: Vec<String> = missing_service(state, &router.target).into_iter().collect();
        let hidden = router
            .hidden_by
            .as_ref()
            .map(|other| format!("it never has a turn: {other} takes all of its requests before"));
        let notes: Vec<String> = hidden
            .into_iter()
            .chain(router.tls_conflict.clone())
            .collect();
        let status = match (&error[..], &notes[..]) {
            ([], []) => "enabled",
            ([], _) => "warning",
            _ => "disabled",
        };
        RouterView {
            service: router.service.to_string(),
            priority: router.priority,
            priority_str: router.priority.to_string(),
            status: status.to_owned(),
            error: error.into_iter().chain(notes).collect(),
            tls: router
                .tls_options
                .as_ref()
                .map(|options| json!({ "options": options })),
            name: router.full_name.to_string(),
            ..of_spec(state, &router.spec)
        }
    });
    let disabled = table.disabled.iter().map(|router| RouterView {
        error: vec![router.reason.clone()],
        name: router.full_name.clone(),
        ..of_spec(state, &router.spec)
    });
    served.chain(disabled).collect()
}

fn of_spec(state: &State, spec: &RouterSpec) -> RouterView {
    let open: Vec<String> = state
        .listening()
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    let entry_points = spec.entrypoints.clone();
    // As in Traefik, 0 means the length of the rule, also where that takes no part.
    let priority = match spec.priority {
        0 => i64::try_from(spec.rule.len()).unwrap_or(i64::MAX),
        given => given,
    };
    RouterView {
        using: entry_points
            .iter()
            .filter(|name| open.contains(name))
            .cloned()
            .collect(),
        entry_points,
        middlewares: spec
            .middlewares
            .iter()
            .map(|it| it.name().to_owned())
            .chain(spec.named.iter().cloned())
            .collect(),
        service: spec.service.clone(),
        rule: spec.rule.clone(),
        rule_syntax: (spec.provider == "internal").then_some("default"),
        priority,
        priority_str: priority.to_string(),
        status: "disabled".to_owned(),
        error: Vec::new(),
        observability: defaults::observability(),
        tls: spec.tls.then(|| match spec.tls_options.as_str() {
            "" => json!({ "options": "default" }),
            options => json!({ "options": options }),
        }),
        name: String::new(),
        provider: spec.provider.to_owned(),
    }
}

fn missing_service(state: &State, target: &Target) -> Option<String> {
    match target {
        Target::Role(name) if state.network.service(name).is_none() => Some(format!(
            "the service {name:?} does not exist on the network"
        )),
        _ => None,
    }
}

/// The services of files, and others that routers use, by name.
pub(crate) fn services(state: &State, table: &Table) -> Vec<ServiceView> {
    let mut views: BTreeMap<String, ServiceView> = table
        .services
        .values()
        .map(|service| (service.name.clone(), file_service(service)))
        .collect();
    for router in table.routers() {
        let name = router.service.to_string();
        views
            .entry(name.clone())
            .or_insert_with(|| service_view(state, router, name))
            .used_by
            .push(router.full_name.to_string());
    }
    views.into_values().collect()
}

fn file_service(service: &FileService) -> ServiceView {
    let error = service.target.as_ref().err().cloned();
    let config = &service.config;
    let balancer = config.load_balancer.as_ref();
    let (kind, server_status) = match &service.target {
        Ok(Target::Balanced(balancer)) => ("loadbalancer", balancer.states()),
        _ if config.highest_random_weight.is_some() => ("highestrandomweight", BTreeMap::new()),
        _ if balancer.is_some() => ("loadbalancer", BTreeMap::new()),
        _ => ("weighted", BTreeMap::new()),
    };
    ServiceView {
        load_balancer: balancer.map(|config| LoadBalancer {
            servers: config
                .servers
                .iter()
                .map(|server| Server {
                    url: server.url.clone(),
                    weight: server.weight,
                })
                .collect(),
            pass_host_header: config.pass_host_header,
            options: options_of(config),
        }),
        weighted: config.weighted.as_ref().map(|weighted| {
            let mut weighted = json!(weighted);
            if let Some(sticky) = weighted.get_mut("sticky") {
                defaults::of_sticky(sticky);
            }
            weighted
        }),
        highest_random_weight: config
            .highest_random_weight
            .as_ref()
            .map(|shared| json!(shared)),
        status: if error.is_none() {
            "enabled"
        } else {
            "disabled"
        }
        .to_owned(),
        error: error.into_iter().collect(),
        used_by: Vec::new(),
        server_status,
        name: service.name.clone(),
        provider: "file".to_owned(),
        kind: Some(kind.to_owned()),
    }
}

/// The options of a load balancer that have no field of their own here.
fn options_of(config: &LoadBalancerConfig) -> BTreeMap<String, Value> {
    let mut options: BTreeMap<String, Value> = match serde_json::to_value(config.without_secrets())
    {
        Ok(Value::Object(options)) => options
            .into_iter()
            .filter(|(name, _)| !matches!(name.as_str(), "servers" | "passHostHeader"))
            .collect(),
        _ => BTreeMap::new(),
    };
    defaults::of_load_balancer(&mut options);
    options
}

fn service_view(state: &State, router: &Router, name: String) -> ServiceView {
    let address = router.address(&state.network).to_owned();
    let (url, health) = match &router.target {
        Target::Role(role) => (
            Some(address),
            state.network.health(role).as_ref().map(server_state),
        ),
        // Nobody checks the health of servers that stand in a router.
        Target::Upstream(_) => (Some(address), None),
        Target::Internal(_) | Target::Balanced(_) | Target::Weighted(_) => (None, None),
    };
    let missing = missing_service(state, &router.target);
    let server_status = match (&url, health) {
        (Some(url), Some(health)) => [(url.clone(), health.to_owned())].into(),
        _ => BTreeMap::new(),
    };
    ServiceView {
        kind: url.as_ref().map(|_| "loadbalancer".to_owned()),
        load_balancer: url.map(|url| LoadBalancer {
            servers: vec![Server { url, weight: None }],
            pass_host_header: true,
            options: options_of(&LoadBalancerConfig::default()),
        }),
        weighted: None,
        highest_random_weight: None,
        status: if missing.is_some() {
            "disabled"
        } else {
            "enabled"
        }
        .to_owned(),
        error: missing.into_iter().collect(),
        used_by: Vec::new(),
        server_status,
        provider: name.rsplit('@').next().unwrap_or_default().to_owned(),
        name,
    }
}

fn server_state(health: &Health) -> &'static str {
    if health.is_healthy() { "UP" } else { "DOWN" }
}

/// The entry points that listen.
pub(crate) fn entrypoints(state: &State) -> Vec<EntryPointView> {
    let settings = state.settings.load();
    let (config, limits) = (&settings.config, &settings.config.limits);
    let trusted = &config.trusted_proxies;
    let shown = |milliseconds| GoDuration(Duration::from_millis(milliseconds)).to_string();
    state
        .listening()
        .into_iter()
        .map(|entry| EntryPointView {
            address: entry.address.to_string(),
            transport: json!({
                "lifeCycle": { "graceTimeOut": shown(config.drain_ms) },
                "respondingTimeouts": {
                    "readTimeout": shown(limits.header_timeout_ms),
                    "idleTimeout": shown(limits.idle_timeout_ms),
                },
            }),
            forwarded_headers: if trusted.is_empty() {
                json!({})
            } else {
                json!({ "trustedIPs": trusted })
            },
            http: json!({
                "sanitizePath": true,
                "maxHeaderBytes": limits.max_header_bytes,
            }),
            http2: json!({
                "maxConcurrentStreams": MAX_STREAMS,
                "maxDecoderHeaderTableSize": HEADER_TABLE_BYTES,
                "maxEncoderHeaderTableSize": HEADER_TABLE_BYTES,
            }),
            name: entry.name,
            note: entry.note,
        })
        .collect()
}

fn capitalised(provider: &str) -> String {
    let mut letters = provider.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}
