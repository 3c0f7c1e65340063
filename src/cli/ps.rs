//! `mito ps`.

use http::Method;

use super::{EXIT_FAILURE, output};
use crate::{
    config::Config,
    control::{self, Status},
};

pub(super) async fn run(config: &Config, json: bool) -> u8 {
    let status: Status =
        match control::call(&config.data, Method::GET, "/status", None::<&()>).await {
            Ok(status) => status,
            Err(error) => {
                output::failed(json, &error.to_string());
                return EXIT_FAILURE;
            }
        };
    if json {
        return output::text(&format!("{}\n", status.services));
    }
    let cell = |service: &serde_json::Value, key: &str| match &service[key] {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let services = status.services.as_array().cloned().unwrap_or_default();
    let rows: Vec<[String; 6]> = services
        .iter()
        .map(|service| {
            ["name", "state", "replicas", "port", "published", "reason"]
                .map(|key| cell(service, key))
        })
        .collect();
    let head = ["ROLE", "STATE", "REPLICAS", "PORT", "PUBLISHED", "REASON"];
    output::text(&(output::table(head, &rows) + "\n"))
}
