//! Middlewares as Traefik's API shows them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use ts_rs::TS;

use super::defaults;
use crate::{
    routers::{Middleware, RouterSpec, Table},
    state::State,
};

/// A middleware; its options stand under its type's name, as in Traefik.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export, rename = "GatewayMiddleware")]
pub(crate) struct MiddlewareView {
    #[serde(flatten)]
    #[ts(skip)]
    options: BTreeMap<String, Value>,
    pub(super) status: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    error: Vec<String>,
    used_by: Vec<String>,
    name: String,
    provider: String,
    #[serde(rename = "type")]
    kind: String,
}

/// The middlewares of files, and the platform's own that routers use.
pub(crate) fn middlewares(state: &State, table: &Table) -> Vec<MiddlewareView> {
    let files = table.middlewares.values().map(|middleware| {
        let specs = table
            .routers()
            .iter()
            .map(|router| (&*router.full_name, &router.spec));
        let disabled = table
            .disabled
            .iter()
            .map(|router| (&*router.full_name, &router.spec));
        let uses = |(name, spec): (&str, &RouterSpec)| {
            spec.named
                .contains(&middleware.name)
                .then(|| name.to_owned())
        };
        let error = middleware.layer.as_ref().err().cloned();
        let options = match serde_json::to_value(middleware.config.without_secrets()) {
            Ok(Value::Object(options)) => options
                .into_iter()
                .map(|(kind, mut options)| {
                    defaults::of_middleware(&kind, &mut options);
                    (kind, options)
                })
                .collect(),
            _ => BTreeMap::new(),
        };
        MiddlewareView {
            status: if error.is_none() {
                "enabled"
            } else {
                "disabled"
            }
            .to_owned(),
            error: error.into_iter().collect(),
            used_by: specs.chain(disabled).filter_map(uses).collect(),
            name: middleware.name.clone(),
            provider: "file".to_owned(),
            kind: options
                .keys()
                .next()
                .map(|kind: &String| kind.to_lowercase())
                .unwrap_or_default(),
            options,
        }
    });
    files.chain(own_middlewares(state, table)).collect()
}

fn own_middlewares(state: &State, table: &Table) -> Vec<MiddlewareView> {
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
                error: Vec::new(),
                used_by,
                provider: name.rsplit('@').next().unwrap_or_default().to_owned(),
                name,
                kind: kind.to_lowercase(),
            })
        })
        .collect()
}

fn options(state: &State, middleware: Middleware) -> (&'static str, Value) {
    let settings = state.settings.load();
    match middleware {
        Middleware::RateLimit => (
            "rateLimit",
            json!({
                "average": settings.config.rate_limit_average,
                "period": "1s",
                "burst": settings.config.rate_limit_burst,
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
        Middleware::Compress => (
            "compress",
            json!({ "minResponseBodyBytes": 1_024, "encodings": ["gzip", "br", "zstd"] }),
        ),
    }
}
