//! Docker Compose files of stacks that Traefik routed: their labels become a file of the dynamic
//! configuration. `mito routes import` is made of this; Docker itself is never asked.
//!
//! | module | what it holds |
//! |---|---|
//! | `variables` | `${DOMAIN:-localhost}` |
//! | `labels` | `traefik.http.routers.shop.rule=…` to options with their names and types |

mod labels;
mod variables;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use serde_yaml_ng::Value as Yaml;

use crate::dynamic::{
    Format,
    folder::{Folder, Refused},
    read,
};

/// The largest Compose file, in bytes.
const MAX_BYTES: usize = 1024 * 1024;

/// Routes taken from a Compose file.
#[derive(Debug)]
pub struct Imported {
    /// A file of the dynamic configuration, in YAML.
    pub text: String,
    /// The routers in it.
    pub routers: usize,
    /// What is not as it was, or needs a look.
    pub notes: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Compose {
    services: BTreeMap<String, Container>,
}

/// A container; what has nothing to do with routes is passed over.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Container {
    labels: Labels,
    deploy: Deploy,
    ports: Vec<Yaml>,
    expose: Vec<Yaml>,
    #[serde(rename = "container_name")]
    called: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Deploy {
    labels: Labels,
}

/// Labels, in either of their two forms.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Labels {
    List(Vec<String>),
    Map(BTreeMap<String, Yaml>),
}

impl Default for Labels {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl Labels {
    fn pairs(&self) -> Vec<(String, String)> {
        match self {
            Self::List(list) => list
                .iter()
                .map(|label| match label.split_once('=') {
                    Some((key, value)) => (key.trim().to_owned(), value.to_owned()),
                    None => (label.trim().to_owned(), String::new()),
                })
                .collect(),
            Self::Map(map) => map
                .iter()
                .map(|(key, value)| (key.clone(), plain(value)))
                .collect(),
        }
    }
}

fn plain(value: &Yaml) -> String {
    match value {
        Yaml::String(text) => text.clone(),
        Yaml::Bool(flag) => flag.to_string(),
        Yaml::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// Takes the routes of a Compose file. `variable` knows the environment; `is_role` says which names
/// are roles of the platform, whose containers are not needed any more. The error is in words.
pub fn import(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
    is_role: &dyn Fn(&str) -> bool,
) -> Result<Imported, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("the file is larger than {MAX_BYTES} bytes"));
    }
    let mut yaml: Yaml = serde_yaml_ng::from_str(text).map_err(|error| error.to_string())?;
    yaml.apply_merge().map_err(|error| error.to_string())?;
    substitute(&mut yaml, variable)?;
    let compose: Compose = serde_yaml_ng::from_value(yaml).map_err(|error| error.to_string())?;
    let mut import = Import {
        is_role,
        http: Map::new(),
        notes: Vec::new(),
    };
    for (name, container) in &compose.services {
        import.container(name, container);
    }
    import.finish()
}

/// Writes an imported file into the data folder, where a running mito sees it within seconds. A file
/// of that name with another text is left alone unless `replace` is set. The file.
pub fn save(data: &Path, name: &str, text: &str, replace: bool) -> Result<PathBuf, String> {
    let path = data.join("gateway");
    let folder = Folder::new(path.clone());
    match folder.text(name) {
        Ok((before, _)) if before != text && !replace => {
            return Err(format!(
                "{} is there already and says something else; --force replaces it",
                path.join(name).display()
            ));
        }
        Ok(_) | Err(Refused::Missing(_)) => {}
        Err(refused) => return Err(refused.to_string()),
    }
    folder
        .write(name, text, None)
        .map(|_| path.join(name))
        .map_err(|refused| refused.to_string())
}

/// Replaces variables in every text of the file.
fn substitute(yaml: &mut Yaml, variable: &dyn Fn(&str) -> Option<String>) -> Result<(), String> {
    match yaml {
        Yaml::String(text) if text.contains('$') => {
            *text = variables::substitute(text, variable)?;
        }
        Yaml::Sequence(items) => {
            for item in items {
                substitute(item, variable)?;
            }
        }
        Yaml::Mapping(members) => {
            for (_, value) in members.iter_mut() {
                substitute(value, variable)?;
            }
        }
        _ => {}
    }
    Ok(())
}

struct Import<'a> {
    is_role: &'a dyn Fn(&str) -> bool,
    /// `http` of the file that is made.
    http: Map<String, Value>,
    notes: Vec<String>,
}

impl Import<'_> {
    fn container(&mut self, name: &str, container: &Container) {
        let mut pairs = container.labels.pairs();
        pairs.extend(container.deploy.labels.pairs());
        pairs.retain(|(key, _)| key.to_ascii_lowercase().starts_with("traefik."));
        let enabled = pairs
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case("traefik.enable"));
        if pairs.is_empty() || enabled.is_some_and(|(_, value)| value == "false") {
            return;
        }
        let mut http = Value::Object(Map::new());
        for (key, value) in &pairs {
            match labels::put(&mut http, key, value) {
                Ok(()) | Err(labels::Refused::Ignored) => {}
                Err(labels::Refused::Unknown(reason)) => {
                    self.notes.push(format!("{name}: {key}: {reason}"));
                }
            }
        }
        self.routes(name, container, &mut http);
        self.merge(name, http);
    }

    /// Completes what Traefik would have asked Docker: the service of routers that name none, and
    /// where servers are.
    fn routes(&mut self, name: &str, container: &Container, http: &mut Value) {
        let services = object(http, "services");
        let mut names: Vec<String> = services.keys().cloned().collect();
        let mut to_role = None;
        if (self.is_role)(name) {
            services.clear();
            to_role = Some(format!("{name}@mito"));
            self.notes.push(format!(
                "{name}: requests go to the role of that name, which needs no container"
            ));
        } else if names.is_empty() {
            let made = container.called.clone();
            let made = made.unwrap_or_else(|| name.to_owned());
            services.insert(made.clone(), json!({}));
            names.push(made);
        }
        for (service, config) in services.iter_mut() {
            self.servers(name, container, service, config);
        }
        let single = match &names[..] {
            [single] => Some(single.clone()),
            _ => None,
        };
        for (router, config) in object(http, "routers").iter_mut() {
            let Some(config) = config.as_object_mut() else {
                continue;
            };
            if let Some(Value::Array(middlewares)) = config.get_mut("middlewares") {
                for middleware in middlewares {
                    // In files there is no Docker whose middlewares could be meant.
                    if let Some(name) = middleware
                        .as_str()
                        .and_then(|it| it.strip_suffix("@docker"))
                    {
                        *middleware = json!(name);
                    }
                }
            }
            if let Some(role) = &to_role {
                config.insert("service".to_owned(), json!(role));
            } else if !config.contains_key("service") {
                match &single {
                    Some(single) => {
                        config.insert("service".to_owned(), json!(single));
                    }
                    None => self.notes.push(format!(
                        "{name}: the router {router} names none of its services: {}",
                        names.join(", ")
                    )),
                }
            }
        }
    }

    fn servers(&mut self, name: &str, container: &Container, service: &str, config: &mut Value) {
        let balancer = object(config, "loadBalancer");
        let given = balancer.remove("server").unwrap_or_default();
        if let Some(url) = given["url"].as_str() {
            balancer.insert("servers".to_owned(), json!([{ "url": url }]));
            return;
        }
        let inside = given["port"].as_str().map(str::to_owned);
        let inside = inside.or_else(|| container.lowest_port());
        let Some(inside) = inside else {
            self.notes.push(format!(
                "{name}: the service {service} has no port: name it in its servers"
            ));
            return;
        };
        let scheme = given["scheme"].as_str().unwrap_or("http");
        let published = container.published(&inside);
        if published.is_none() {
            self.notes.push(format!(
                "{name}: its port {inside} was reachable among containers alone; the service \
                 {service} expects it at 127.0.0.1:{inside}, change that where it is elsewhere"
            ));
        }
        let address = published.unwrap_or_else(|| format!("127.0.0.1:{inside}"));
        let url = format!("{scheme}://{address}");
        balancer.insert("servers".to_owned(), json!([{ "url": url }]));
    }

    fn merge(&mut self, name: &str, http: Value) {
        let Value::Object(sections) = http else {
            return;
        };
        for (section, objects) in sections {
            let (Value::Object(objects), true) = (objects, section != "tls") else {
                continue;
            };
            let into = self
                .http
                .entry(section.clone())
                .or_insert_with(|| json!({}));
            let Some(into) = into.as_object_mut() else {
                continue;
            };
            for (key, value) in objects {
                if let Some(other) = into.get(&key)
                    && *other != value
                {
                    self.notes.push(format!(
                        "{name}: there are two different {section} called {key}; the first is kept"
                    ));
                    continue;
                }
                into.insert(key, value);
            }
        }
    }

    fn finish(mut self) -> Result<Imported, String> {
        self.http
            .retain(|_, objects| objects.as_object().is_some_and(|it| !it.is_empty()));
        let routers = self.http.get("routers").and_then(Value::as_object);
        let routers = routers.map_or(0, Map::len);
        if routers == 0 {
            return Err("no container has labels of Traefik with a router".to_owned());
        }
        let file = json!({ "http": self.http });
        let text = serde_yaml_ng::to_string(&file).map_err(|error| error.to_string())?;
        if let Err(wrong) = read::document(&text, Format::Yaml) {
            self.notes.push(format!(
                "the file needs a hand before it can be used: {wrong}"
            ));
        }
        Ok(Imported {
            text,
            routers,
            notes: self.notes,
        })
    }
}

impl Container {
    fn lowest_port(&self) -> Option<String> {
        let exposed = self.expose.iter().map(plain);
        let mapped = self.ports.iter().filter_map(|port| Some(mapping(port)?.1));
        exposed
            .chain(mapped)
            .filter_map(|port| port.split('/').next()?.parse::<u16>().ok())
            .min()
            .map(|port| port.to_string())
    }

    /// Where a port of the container was on the machine.
    fn published(&self, inside: &str) -> Option<String> {
        let mut mapped = self.ports.iter().filter_map(mapping);
        let (outside, _) = mapped.find(|(_, port)| port == inside)?;
        Some(outside)
    }
}

/// `127.0.0.1:8080:80`, `8080:80` or the long form: the address on the machine and the port inside.
fn mapping(port: &Yaml) -> Option<(String, String)> {
    if let Yaml::Mapping(long) = port {
        let text = |key: &str| long.get(key).map(plain).filter(|text| !text.is_empty());
        let host = text("host_ip").unwrap_or_else(|| "127.0.0.1".to_owned());
        return Some((format!("{host}:{}", text("published")?), text("target")?));
    }
    let short = plain(port);
    let (address, inside) = short.rsplit_once(':')?;
    let inside = inside.split('/').next()?.to_owned();
    let (host, outside) = address.rsplit_once(':').unwrap_or(("127.0.0.1", address));
    let host = if host == "0.0.0.0" { "127.0.0.1" } else { host };
    outside.parse::<u16>().ok()?;
    Some((format!("{host}:{outside}"), inside))
}

/// The member of that name, made if it is not there.
fn object<'a>(value: &'a mut Value, name: &str) -> &'a mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    let member = &mut value[name];
    if !member.is_object() {
        *member = json!({});
    }
    match member {
        Value::Object(object) => object,
        _ => unreachable!("it was made an object just now"),
    }
}

#[cfg(test)]
mod tests;
