//! The shapes of Traefik's API.

use std::collections::{BTreeMap, BTreeSet};

use mito_core::Health;
use serde::Serialize;
use serde_json::{Value, json};
use ts_rs::TS;

use crate::{
    config::AccessLogFormat,
    routers::{Middleware, Router, Table},
    services::Target,
    state::State,
};

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
    #[ts(type = "number")]
    priority: i64,
    priority_str: String,
    /// `enabled`, `warning` or `disabled`.
    status: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    error: Vec<String>,
    using: Vec<String>,
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
    status: String,
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
}

/// A server of a service.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export, rename = "GatewayServer")]
pub(crate) struct Server {
    url: String,
}

/// A middleware; its options stand under its type's name, as in Traefik.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export, rename = "GatewayMiddleware")]
pub(crate) struct MiddlewareView {
    #[serde(flatten)]
    #[ts(skip)]
    options: BTreeMap<String, Value>,
    status: String,
    used_by: Vec<String>,
    name: String,
    provider: String,
    #[serde(rename = "type")]
    kind: String,
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
    name: String,
    /// What an operator should know about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// Counts of objects by status.
#[derive(Clone, Copy, Debug, Default, Serialize, TS)]
#[ts(export, rename = "GatewayCounts")]
pub(crate) struct Counts {
    total: usize,
    warnings: usize,
    errors: usize,
}

/// Everything at a glance.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export, rename = "GatewayOverview")]
pub(crate) struct Overview {
    http: BTreeMap<&'static str, Counts>,
    tcp: BTreeMap<&'static str, Counts>,
    udp: BTreeMap<&'static str, Counts>,
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
        features: json!({
            "tracing": "",
            "metrics": "Prometheus",
            "accessLog": state.config.access_log != AccessLogFormat::Off,
        }),
        providers: providers.into_iter().collect(),
        warnings: state.warnings(),
    }
}

/// The routers, in the order in which they are tried.
pub(crate) fn routers(state: &State, table: &Table) -> Vec<RouterView> {
    table
        .routers()
        .iter()
        .map(|router| router_view(state, router))
        .collect()
}

fn router_view(state: &State, router: &Router) -> RouterView {
    let error: Vec<String> = missing_service(state, &router.target).into_iter().collect();
    let open: Vec<String> = state
        .listening()
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    let entry_points = router.spec.entrypoints.clone();
    RouterView {
        using: entry_points
            .iter()
            .filter(|name| open.contains(name))
            .cloned()
            .collect(),
        entry_points,
        middlewares: router
            .spec
            .middlewares
            .iter()
            .map(|it| it.name().to_owned())
            .collect(),
        service: router.service.to_string(),
        rule: router.spec.rule.clone(),
        priority: router.priority,
        priority_str: router.priority.to_string(),
        status: if error.is_empty() {
            "enabled"
        } else {
            "disabled"
        }
        .to_owned(),
        error,
        name: router.full_name.to_string(),
        provider: router.spec.provider.to_owned(),
    }
}

fn missing_service(state: &State, target: &Target) -> Option<String> {
    match target {
        Target::Role(name) if state.network.service(name).is_none() => Some(format!(
            "the service {name:?} does not exist on the network"
        )),
        Target::Role(_) | Target::Upstream(_) | Target::Internal(_) => None,
    }
}

/// The services that routers use, by name.
pub(crate) fn services(state: &State, table: &Table) -> Vec<ServiceView> {
    let mut views: BTreeMap<String, ServiceView> = BTreeMap::new();
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

fn service_view(state: &State, router: &Router, name: String) -> ServiceView {
    let address = router.address(&state.network).to_owned();
    let (url, health) = match &router.target {
        Target::Role(role) => (
            Some(address),
            state.network.health(role).as_ref().map(server_state),
        ),
        // Nobody checks the health of servers beside the platform.
        Target::Upstream(_) => (Some(address), None),
        Target::Internal(_) => (None, None),
    };
    let missing = missing_service(state, &router.target).is_some();
    let server_status = match (&url, health) {
        (Some(url), Some(health)) => [(url.clone(), health.to_owned())].into(),
        _ => BTreeMap::new(),
    };
    ServiceView {
        kind: url.as_ref().map(|_| "loadbalancer".to_owned()),
        load_balancer: url.map(|url| LoadBalancer {
            servers: vec![Server { url }],
            pass_host_header: true,
        }),
        status: if missing { "disabled" } else { "enabled" }.to_owned(),
        used_by: Vec::new(),
        server_status,
        provider: name.rsplit('@').next().unwrap_or_default().to_owned(),
        name,
    }
}

fn server_state(health: &Health) -> &'static str {
    if health.is_healthy() { "UP" } else { "DOWN" }
}

/// The middlewares that routers use.
pub(crate) fn middlewares(state: &State, table: &Table) -> Vec<MiddlewareView> {
    Middleware::ALL
        .into_iter()
        .filter_map(|middleware| {
            let used_by: Vec<String> = table
                .routers()
                .iter()
                .filter(|router| router.has(middleware))
                .map(|router| router.full_name.to_string())
                .collect();
            let (kind, options) = options(state, middleware);
            let name = middleware.name().to_owned();
            (!used_by.is_empty()).then(|| MiddlewareView {
                options: [(kind.to_owned(), options)].into(),
                status: "enabled".to_owned(),
                used_by,
                provider: name.rsplit('@').next().unwrap_or_default().to_owned(),
                name,
                kind: kind.to_lowercase(),
            })
        })
        .collect()
}

fn options(state: &State, middleware: Middleware) -> (&'static str, Value) {
    match middleware {
        Middleware::RateLimit => (
            "rateLimit",
            json!({
                "average": state.config.rate_limit_average,
                "period": "1s",
                "burst": state.config.rate_limit_burst,
            }),
        ),
        Middleware::RedirectToHttps => (
            "redirectScheme",
            json!({
                "scheme": "https",
                "port": state.https_port().to_string(),
                "permanent": true,
            }),
        ),
        Middleware::SecurityHeaders => (
            "headers",
            json!({
                "frameDeny": true,
                "contentTypeNosniff": true,
                "referrerPolicy": "strict-origin-when-cross-origin",
            }),
        ),
        Middleware::Compress => ("compress", json!({ "minResponseBodyBytes": 1_024 })),
    }
}

/// The entry points that listen.
pub(crate) fn entrypoints(state: &State) -> Vec<EntryPointView> {
    let limits = &state.config.limits;
    let seconds = |milliseconds: u64| {
        let whole = milliseconds / 1_000;
        if milliseconds.is_multiple_of(1_000) {
            format!("{whole}s")
        } else {
            format!("{milliseconds}ms")
        }
    };
    state
        .listening()
        .into_iter()
        .map(|entry| EntryPointView {
            address: entry.address.to_string(),
            transport: json!({
                "lifeCycle": { "graceTimeOut": seconds(state.config.drain_ms) },
                "respondingTimeouts": { "readTimeout": seconds(limits.header_timeout_ms) },
            }),
            forwarded_headers: json!({}),
            http: json!({}),
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
