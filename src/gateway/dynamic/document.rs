//! What a file of the dynamic configuration may say, under Traefik's names. What Traefik has and we
//! do not is refused by its name, so that nobody relies on an option without an effect.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    duration::GoDuration,
    middlewares::{HIDDEN, Middleware, hide_secret_values},
    tls::Tls,
};

/// A file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Document {
    pub(crate) http: Http,
    pub(crate) tls: Tls,
    tcp: Option<Value>,
    udp: Option<Value>,
}

/// HTTP.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Http {
    pub(crate) routers: BTreeMap<String, Router>,
    pub(crate) services: BTreeMap<String, Service>,
    pub(crate) middlewares: BTreeMap<String, Middleware>,
    pub(crate) servers_transports: BTreeMap<String, ServersTransport>,
}

/// A router.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Router {
    pub(crate) entry_points: Vec<String>,
    pub(crate) middlewares: Vec<String>,
    pub(crate) service: String,
    pub(crate) rule: String,
    pub(crate) priority: i64,
    pub(crate) tls: Option<RouterTls>,
    rule_syntax: Option<String>,
    observability: Option<Value>,
    parent_refs: Option<Value>,
}

/// A router that answers HTTPS alone. Which certificate is shown depends on the host, whatever is
/// said here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct RouterTls {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) cert_resolver: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) options: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) domains: Vec<Domain>,
}

/// Names of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Domain {
    pub(crate) main: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) sans: Vec<String>,
}

/// A service: one of its members.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Service {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) load_balancer: Option<LoadBalancer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) weighted: Option<Weighted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) highest_random_weight: Option<HighestRandomWeight>,
    #[serde(skip_serializing)]
    mirroring: Option<Value>,
    #[serde(skip_serializing)]
    failover: Option<Value>,
    #[serde(skip_serializing)]
    middlewares: Option<Value>,
}

/// Servers that share the requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct LoadBalancer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sticky: Option<Sticky>,
    pub(crate) servers: Vec<Server>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) health_check: Option<HealthCheck>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) passive_health_check: Option<PassiveHealthCheck>,
    pub(crate) pass_host_header: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) servers_transport: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) strategy: String,
    /// Answers are always passed on as they come.
    #[serde(skip_serializing)]
    response_forwarding: Option<Value>,
}

impl Default for LoadBalancer {
    fn default() -> Self {
        Self {
            sticky: None,
            servers: Vec::new(),
            health_check: None,
            passive_health_check: None,
            pass_host_header: true,
            servers_transport: String::new(),
            strategy: String::new(),
            response_forwarding: None,
        }
    }
}

/// A server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Server {
    pub(crate) url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) weight: Option<u32>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) preserve_path: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) fenced: bool,
}

/// Clients that stay with a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Sticky {
    pub(crate) cookie: Option<Cookie>,
}

/// The cookie that says which server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Cookie {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) name: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) secure: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) http_only: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) same_site: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_age: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) domain: String,
}

/// Servers that are asked whether they work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct HealthCheck {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) scheme: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) mode: String,
    pub(crate) path: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) port: Option<u16>,
    pub(crate) interval: GoDuration,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unhealthy_interval: Option<GoDuration>,
    pub(crate) timeout: GoDuration,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) hostname: String,
    pub(crate) follow_redirects: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) headers: BTreeMap<String, String>,
}

impl Default for HealthCheck {
    fn default() -> Self {
        let seconds = |seconds| GoDuration(std::time::Duration::from_secs(seconds));
        Self {
            scheme: String::new(),
            mode: String::new(),
            path: String::new(),
            method: String::new(),
            status: None,
            port: None,
            interval: seconds(30),
            unhealthy_interval: None,
            timeout: seconds(5),
            hostname: String::new(),
            follow_redirects: true,
            headers: BTreeMap::new(),
        }
    }
}

/// Servers that are left alone for a while when requests to them fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct PassiveHealthCheck {
    pub(crate) failure_window: GoDuration,
    pub(crate) max_failed_attempts: u32,
}

impl Default for PassiveHealthCheck {
    fn default() -> Self {
        Self {
            failure_window: GoDuration(std::time::Duration::from_secs(10)),
            max_failed_attempts: 1,
        }
    }
}

/// Services that share the requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Weighted {
    pub(crate) services: Vec<WeightedService>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sticky: Option<Sticky>,
    /// A part without a server that works is passed over, whether this is there or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    health_check: Option<Empty>,
}

/// Services that share the clients, by their addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct HighestRandomWeight {
    pub(crate) services: Vec<WeightedService>,
    /// A part without a server that works is passed over, whether this is there or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    health_check: Option<Empty>,
}

/// An option that is there or not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Empty {}

/// A part of a weighted service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WeightedService {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) weight: Option<u32>,
}

/// How servers are spoken to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ServersTransport {
    pub(crate) server_name: String,
    pub(crate) insecure_skip_verify: bool,
    /// Files, or the certificates themselves in PEM.
    #[serde(rename = "rootCAs")]
    pub(crate) root_cas: Vec<String>,
    pub(crate) max_idle_conns_per_host: Option<usize>,
    #[serde(rename = "disableHTTP2")]
    pub(crate) disable_http2: bool,
    pub(crate) forwarding_timeouts: ForwardingTimeouts,
}

/// How long servers may take.
#[expect(clippy::struct_field_names, reason = "the names are Traefik's")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ForwardingTimeouts {
    pub(crate) dial_timeout: Option<GoDuration>,
    pub(crate) response_header_timeout: Option<GoDuration>,
    pub(crate) idle_conn_timeout: Option<GoDuration>,
}

impl Document {
    /// What the file wants that there is not here.
    pub(crate) fn unsupported(&self) -> Option<String> {
        let absent = |place: &str| format!("{place} is not supported here");
        let sections = [("tcp", self.tcp.is_some()), ("udp", self.udp.is_some())];
        if let Some((place, _)) = sections.into_iter().find(|(_, given)| *given) {
            return Some(absent(place));
        }
        if let Some(reason) = self.tls.unsupported() {
            return Some(reason);
        }
        for (name, router) in &self.http.routers {
            if router.parent_refs.is_some() {
                return Some(absent(&format!("http.routers.{name}.parentRefs")));
            }
            let syntax = router.rule_syntax.as_deref().unwrap_or("v3");
            if syntax != "v3" {
                let place = format!("http.routers.{name}.ruleSyntax {syntax:?}");
                return Some(absent(&place));
            }
        }
        self.http.services.iter().find_map(|(name, service)| {
            let kind = service.unsupported()?;
            Some(absent(&format!("http.services.{name}.{kind}")))
        })
    }
}

impl LoadBalancer {
    /// The same without what the API may not show: what checks of the health say to be let in.
    pub(crate) fn without_secrets(&self) -> Self {
        let mut shown = self.clone();
        if let Some(check) = &mut shown.health_check {
            hide_secret_values(&mut check.headers);
            if let Some(query) = check.path.find('?') {
                check.path.replace_range(query + 1.., HIDDEN);
            }
        }
        shown
    }
}

impl Service {
    fn unsupported(&self) -> Option<&'static str> {
        let kinds = [
            ("mirroring", &self.mirroring),
            ("failover", &self.failover),
            ("middlewares", &self.middlewares),
        ];
        let given = kinds.into_iter().find(|(_, given)| given.is_some());
        given.map(|(kind, _)| kind)
    }
}
