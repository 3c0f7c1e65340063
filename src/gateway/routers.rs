//! Routers: which requests go to which service through which middlewares, and the compiled table
//! that finds the one for a request.

pub(crate) mod compile;
pub(crate) mod internal;
pub mod platform;
mod table;
mod tls;

use std::sync::{Arc, OnceLock};

use mito_network::Network;

use crate::{config, middlewares::chain::Layer, rules::Rule, services::Target};

pub(crate) use table::Table;

/// A router as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouterSpec {
    /// The name, without provider.
    pub name: String,
    /// Where it comes from: `internal` (the gateway's own), `mito` (the platform's) or `file`
    /// (the operator's).
    pub provider: &'static str,
    /// The rule.
    pub rule: String,
    /// A service on the network, an `http://` URL, or a service of the gateway itself
    /// (`api@internal`, `ping@internal`, `prometheus@internal`, `noop@internal`).
    pub service: String,
    /// Higher is tried first; 0 means the length of the rule in bytes.
    pub priority: i64,
    /// What is done to requests and responses, in this order.
    pub middlewares: Vec<Middleware>,
    /// The middlewares of files by their full names, which come after those.
    pub named: Vec<String>,
    /// The entry points it answers at; empty means `web` and `websecure`.
    pub entrypoints: Vec<String>,
    /// It answers HTTPS alone.
    pub tls: bool,
    /// The name of the options of TLS that it asks for; empty for those of its hosts.
    pub tls_options: String,
    /// Its service gets the path as it came: object keys are any text, and signed.
    pub keeps_path: bool,
}

/// What a router does beside forwarding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Middleware {
    /// Sends plain HTTP to HTTPS.
    RedirectToHttps,
    /// Bounds the requests per second of one address.
    RateLimit,
    /// Adds the headers that keep browsers safe. Never on S3, whose clients check what they get.
    SecurityHeaders,
    /// Compresses what is worth it and not a stream of events.
    Compress,
}

impl Middleware {
    /// Every middleware there is.
    pub const ALL: [Self; 4] = [
        Self::RedirectToHttps,
        Self::RateLimit,
        Self::SecurityHeaders,
        Self::Compress,
    ];

    /// The name, with provider.
    pub fn name(self) -> &'static str {
        match self {
            Self::RedirectToHttps => "redirect-web-to-websecure@internal",
            Self::RateLimit => "api-ratelimit@mito",
            Self::SecurityHeaders => "security-headers@mito",
            Self::Compress => "compress@mito",
        }
    }
}

/// A router that parsed and whose service is known.
#[derive(Clone)]
pub(crate) struct Router {
    pub(crate) spec: RouterSpec,
    /// `name@provider`.
    pub(crate) full_name: Arc<str>,
    /// The full name of its service.
    pub(crate) service: Arc<str>,
    /// The service's address, once the network knows it.
    address: OnceLock<String>,
    pub(crate) priority: i64,
    pub(crate) rule: Rule,
    pub(crate) target: Target,
    /// The router that takes all of its requests before.
    pub(crate) hidden_by: Option<Arc<str>>,
    /// The middlewares of files, in their order.
    pub(crate) layers: Vec<Arc<dyn Layer>>,
    /// The full name of the options of TLS that its requests have to come with; that of the options
    /// of their host where it asks for none.
    pub(crate) tls_options: Option<Arc<str>>,
    /// Why it has other options than it asks for.
    pub(crate) tls_conflict: Option<String>,
}

impl Router {
    /// Parses a router; the message says what is wrong with it.
    pub(crate) fn parse(spec: RouterSpec) -> Result<Self, crate::Error> {
        let full_name = format!("{}@{}", spec.name, spec.provider);
        let refuse = |reason: String| crate::Error::Rule {
            router: full_name.clone(),
            reason,
        };
        let rule = Rule::parse(&spec.rule).map_err(|error| refuse(format!("rule: {error}")))?;
        let target = Target::parse(&spec.service).map_err(refuse)?;
        let service = target.full_name(&full_name);
        Ok(Self::new(spec, rule, target, service))
    }

    /// A router whose parts are known.
    pub(crate) fn new(mut spec: RouterSpec, rule: Rule, target: Target, service: String) -> Self {
        let priority = match spec.priority {
            0 => i64::try_from(spec.rule.len()).unwrap_or(i64::MAX),
            explicit => explicit,
        };
        if spec.entrypoints.is_empty() {
            spec.entrypoints = vec!["web".to_owned(), "websecure".to_owned()];
        }
        Self {
            service: service.into(),
            full_name: format!("{}@{}", spec.name, spec.provider).into(),
            address: OnceLock::new(),
            spec,
            priority,
            rule,
            target,
            hidden_by: None,
            layers: Vec::new(),
            tls_options: None,
            tls_conflict: None,
        }
    }

    /// Where its service is, as logs and the API show it.
    pub(crate) fn address(&self, network: &Network) -> &str {
        if let Some(address) = self.address.get() {
            return address;
        }
        let address = match &self.target {
            Target::Upstream(upstream) => upstream.url(),
            Target::Internal(internal) => internal.name().to_owned(),
            Target::Balanced(_) | Target::Weighted(_) => self.service.to_string(),
            Target::Role(name) => match network.service(name).and_then(|service| service.port) {
                Some(port) => format!("http://{name}:{port}"),
                None => return name,
            },
        };
        self.address.get_or_init(|| address)
    }

    /// What [`Router::address`] found.
    pub(crate) fn known_address(&self) -> &str {
        self.address.get().map_or("-", String::as_str)
    }

    pub(crate) fn has(&self, middleware: Middleware) -> bool {
        self.spec.middlewares.contains(&middleware)
    }
}

/// The routers of `[gateway.routers]`. They get no middleware: what an operator puts behind the
/// gateway sets its own headers.
pub(crate) fn operator(config: &config::Config) -> Vec<RouterSpec> {
    config
        .routers
        .iter()
        .map(|(name, router)| RouterSpec {
            name: name.clone(),
            provider: "file",
            rule: router.rule.clone(),
            service: router.service.clone(),
            priority: router.priority.min(MAX_PRIORITY),
            middlewares: Vec::new(),
            named: Vec::new(),
            entrypoints: Vec::new(),
            tls: false,
            tls_options: String::new(),
            keeps_path: false,
        })
        .collect()
}

/// The highest priority that a router outside the gateway may have, as in Traefik.
pub(crate) const MAX_PRIORITY: i64 = i64::MAX - 1_000;
