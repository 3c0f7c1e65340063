//! From flags to configuration sources, and `mito config`.

use std::path::PathBuf;

use mito_core::config::{Loaded, Origin, Sources, environment};

use super::{Common, UpArguments, output};
use crate::config::{ALIASES, Config};

/// The settings that the flags stand for: `(path, value, what the user typed)`.
pub(super) fn flags(
    common: &Common,
    up: Option<&UpArguments>,
) -> Result<Vec<(String, String, String)>, String> {
    let mut flags = Vec::new();
    let mut set = |path: &str, value: &str, typed: String| {
        flags.push((path.to_owned(), value.to_owned(), typed));
    };
    if let Some(data) = &common.data {
        let data = data.to_str().ok_or("--data: the path is not UTF-8")?;
        set("data", data, format!("--data {data}"));
    }
    if let Some(domain) = &common.domain {
        set("domain", domain, format!("--domain {domain}"));
    }
    if let Some(up) = up {
        for publish in up.publish.iter().filter(|publish| !publish.is_empty()) {
            let (name, address) = publish.split_once('=').unwrap_or((publish, ""));
            set(
                &format!("network.publish.{name}"),
                address,
                format!("--publish {publish}"),
            );
        }
        if !up.roles.is_empty() {
            let roles = up.roles.join(",");
            set("roles", &roles, format!("--roles {roles}"));
        }
        for scale in &up.scale {
            let (role, replicas) = scale
                .split_once('=')
                .ok_or_else(|| format!("--scale {scale}: write ROLE=N, such as notifications=8"))?;
            let section = match role {
                "ai-pipeline" | "ai" => "ai",
                "notifications" => "notifications",
                _ => {
                    return Err(format!(
                        "--scale {scale}: the roles with workers are notifications and ai-pipeline"
                    ));
                }
            };
            set(
                &format!("{section}.replicas"),
                replicas,
                format!("--scale {scale}"),
            );
        }
    }
    // `--set` is the most specific word, so it comes last and wins.
    for setting in &common.set {
        let (path, value) = setting
            .split_once('=')
            .ok_or_else(|| format!("--set {setting}: write PATH=VALUE"))?;
        // The value may be a secret, so the origin names the option alone.
        set(path, value, format!("--set {path}"));
    }
    Ok(flags)
}

/// Every source of configuration.
pub(super) fn sources(common: &Common, flags: Vec<(String, String, String)>) -> Sources {
    Sources {
        file: Some(
            common
                .config
                .clone()
                .unwrap_or_else(|| PathBuf::from("mito.toml")),
        ),
        file_required: common.config.is_some(),
        env_file: Some(PathBuf::from(".env")),
        environment: environment(),
        flags,
        aliases: ALIASES,
    }
}

/// `mito config`: every value with its origin.
pub(super) fn show(loaded: &Loaded<Config>) -> u8 {
    let width = loaded
        .shown
        .iter()
        .map(|(path, value)| path.len() + value.len())
        .max();
    let width = width.unwrap_or(0).min(72) + 3;
    let mut lines = Vec::new();
    for (path, value) in &loaded.shown {
        let setting = format!("{path} = {value}");
        let origin = loaded
            .origins
            .get(path)
            .map_or("default".to_owned(), describe);
        lines.push(format!("{setting:width$}  # {origin}"));
    }
    for ignored in &loaded.ignored {
        lines.push(format!("# {ignored}"));
    }
    output::text(&(lines.join("\n") + "\n"))
}

fn describe(origin: &Origin) -> String {
    match origin {
        Origin::Default => "default".to_owned(),
        Origin::File { path, line } => format!("{}:{line}", path.display()),
        Origin::Environment {
            variable,
            file: None,
        } => format!("environment {variable}"),
        Origin::Environment {
            variable,
            file: Some((path, line)),
        } => {
            format!("{variable} in {}:{line}", path.display())
        }
        Origin::Flag(flag) => flag.clone(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Arguments;

    fn parse(line: &str) -> Result<Vec<(String, String)>, String> {
        let arguments = Arguments::try_parse_from(line.split(' ')).map_err(|e| e.to_string())?;
        let flags = flags(&arguments.common, Some(&arguments.up))?;
        Ok(flags
            .into_iter()
            .map(|(path, value, _)| (path, value))
            .collect())
    }

    #[test]
    fn flags_stand_for_options() {
        let cases: &[(&str, &[(&str, &str)])] = &[
            ("mito", &[]),
            ("mito --data d", &[("data", "d")]),
            (
                "mito --publish redis=127.0.0.1:6379,minio",
                &[
                    ("network.publish.redis", "127.0.0.1:6379"),
                    ("network.publish.minio", ""),
                ],
            ),
            ("mito --roles gateway,api", &[("roles", "gateway,api")]),
            ("mito --scale ai-pipeline=2", &[("ai.replicas", "2")]),
            (
                "mito --domain a.example --set domain=b.example",
                &[("domain", "a.example"), ("domain", "b.example")],
            ),
        ];
        for (line, expected) in cases {
            let found = parse(line).unwrap();
            let found: Vec<(&str, &str)> = found
                .iter()
                .map(|(path, value)| (path.as_str(), value.as_str()))
                .collect();
            assert_eq!(&found, expected, "{line}");
        }
    }

    #[test]
    fn settings_without_a_value_say_how_to_write_them() {
        for line in [
            "mito --set domain",
            "mito --scale notifications",
            "mito --scale redis=2",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
