//! Layered configuration: defaults < `mito.toml` < `.env` < environment < flags. Every value keeps
//! its origin; an unknown key or an impossible value names the key, the file and line, and the
//! nearest valid key.
//!
//! The types live with their roles: a role exports a `Config` that derives `Deserialize`,
//! `Default` and `JsonSchema`, the root package puts them together, and [`load`] fills the whole.

mod dotenv;
mod example;
mod layers;
mod schema;
#[cfg(test)]
mod tests;
mod value;

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use layers::{Layers, Setting, dotted};
use schema::{Entry, Node};

/// Variables that begin with `MITO_` and are no options, each with its meaning.
pub const VARIABLES: &[(&str, &str)] = &[
    ("MITO_BIN", "the binary that the end-to-end tests run"),
    (
        "MITO_LOG",
        "which log lines are written, as tracing filter directives",
    ),
];

/// Where configuration may come from, in rising priority.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `mito.toml`; missing is fine unless `file_required`.
    pub file: Option<PathBuf>,
    /// The user named the file, so it must exist.
    pub file_required: bool,
    /// `.env`; missing is fine.
    pub env_file: Option<PathBuf>,
    /// The environment, as read once by [`environment`].
    pub environment: BTreeMap<String, String>,
    /// `(path, value, flag)`: settings from the command line; `flag` is what the user typed.
    pub flags: Vec<(String, String, String)>,
    /// Old names of options: environment variable → option path (`PG_PASSWORD`, `DOMAIN`, …).
    /// A path that begins with `?` sets the variable aside and explains which option would take
    /// it (`("DATABASE_URL", "?database.url")`); an empty path means that mito has no use for it.
    /// An old variable that is empty counts as not set.
    pub aliases: &'static [(&'static str, &'static str)],
}

/// Where one value came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Origin {
    /// Built in.
    Default,
    /// A line of a file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// An environment variable (of the process, or of the `.env` file when `file` is set).
    Environment {
        /// The name of the variable.
        variable: String,
        /// The `.env` file and line.
        file: Option<(PathBuf, usize)>,
    },
    /// A flag of the command line.
    Flag(String),
}

impl Origin {
    /// The place as an error message begins with it.
    fn place(&self) -> String {
        match self {
            Self::Default => "default".to_owned(),
            Self::File { path, line }
            | Self::Environment {
                file: Some((path, line)),
                ..
            } => {
                format!("{}:{line}", path.display())
            }
            Self::Environment {
                variable,
                file: None,
            } => format!("environment: {variable}"),
            // The value after `=` may be a secret.
            Self::Flag(flag) => flag.split('=').next().unwrap_or_default().to_owned(),
        }
    }
}

/// A filled configuration.
#[derive(Clone, Debug)]
pub struct Loaded<T> {
    /// The typed values.
    pub value: T,
    /// The origin of every leaf, by dotted path, defaults included.
    pub origins: BTreeMap<String, Origin>,
    /// Every leaf as `mito config` prints it, secrets replaced by `[hidden]`.
    pub shown: BTreeMap<String, String>,
    /// Variables that were seen and set aside, with the reason.
    pub ignored: Vec<String>,
    /// The [`VARIABLES`] that are set, with their values; the environment wins over `.env`.
    pub variables: BTreeMap<&'static str, String>,
}

/// What is wrong with the configuration; each message names key, place and fix.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Error(pub Vec<String>);

/// The environment of the process: the only place where it is read. Variables that are not UTF-8
/// are left out.
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Merges the layers and fills `T`. All errors are reported at once.
pub fn load<T>(sources: &Sources) -> Result<Loaded<T>, Error>
where
    T: DeserializeOwned + Serialize + Default + JsonSchema,
{
    let options = schema::of::<T>();
    let defaults = to_json(&T::default())?;
    let layers = Layers::read(&options, sources);
    let mut errors = layers.errors;
    // The last setting of a leaf counts.
    let settings: BTreeMap<Vec<String>, Setting> = layers
        .settings
        .into_iter()
        .map(|setting| (setting.path.clone(), setting))
        .collect();
    let (value, impossible) = fill(&defaults, &settings);
    errors.extend(impossible);
    let value: T = match value {
        Some(value) if errors.is_empty() => value,
        _ => return Err(Error(errors)),
    };
    let mut leaves = Vec::new();
    collect_leaves(&options, &to_json(&value)?, &mut Vec::new(), &mut leaves);
    let (mut origins, mut shown) = (BTreeMap::new(), BTreeMap::new());
    for (path, text) in leaves {
        let origin = settings
            .get(&path)
            .map_or(Origin::Default, |setting| setting.origin.clone());
        origins.insert(dotted(&path), origin);
        shown.insert(dotted(&path), text);
    }
    Ok(Loaded {
        value,
        origins,
        shown,
        ignored: layers.ignored,
        variables: layers.exceptions,
    })
}

/// An example `mito.toml` with every option, its default and its doc comment. Lines that begin
/// with `#` and no blank are options: taken off the comment they say what holds without them.
pub fn example<T>() -> String
where
    T: Serialize + Default + JsonSchema,
{
    let defaults = serde_json::to_value(T::default()).unwrap_or_default();
    example::write(&schema::of::<T>(), &defaults)
}

fn to_json<T: Serialize>(value: &T) -> Result<Value, Error> {
    serde_json::to_value(value)
        .map_err(|error| Error(vec![format!("the configuration cannot be shown: {error}")]))
}

/// Puts the settings over the defaults. A setting that the type itself refuses (an address that
/// does not parse) is reported and left out, so that the next one is found too.
fn fill<T: DeserializeOwned>(
    defaults: &Value,
    settings: &BTreeMap<Vec<String>, Setting>,
) -> (Option<T>, Vec<String>) {
    let mut active: Vec<&Setting> = settings.values().collect();
    let mut errors = Vec::new();
    loop {
        let mut merged = defaults.clone();
        for setting in &active {
            set_at(&mut merged, &setting.path, setting.value.clone());
        }
        let error = match serde_path_to_error::deserialize::<_, T>(merged) {
            Ok(value) => return (Some(value), errors),
            Err(error) => error,
        };
        let path = segments(error.path());
        let concerns =
            |setting: &&Setting| path.starts_with(&setting.path) || setting.path.starts_with(&path);
        let Some(culprit) = active.iter().find(|setting| concerns(setting)) else {
            errors.push(format!("{}: {}", dotted(&path), error.inner()));
            return (None, errors);
        };
        let said = if culprit.secret {
            "the value cannot be used".to_owned()
        } else {
            error.inner().to_string()
        };
        errors.push(format!(
            "{}: {}: {said}",
            culprit.origin.place(),
            dotted(&path)
        ));
        active.retain(|setting| !concerns(setting));
    }
}

fn segments(path: &serde_path_to_error::Path) -> Vec<String> {
    path.iter()
        .filter_map(|segment| match segment {
            serde_path_to_error::Segment::Map { key } => Some(key.clone()),
            serde_path_to_error::Segment::Seq { index } => Some(index.to_string()),
            _ => None,
        })
        .collect()
}

fn set_at(target: &mut Value, path: &[String], value: Value) {
    let mut target = target;
    for segment in path {
        if !target.is_object() {
            *target = Value::Object(serde_json::Map::new());
        }
        target = &mut target[segment.as_str()];
    }
    *target = value;
}

fn collect_leaves(
    entry: &Entry,
    value: &Value,
    at: &mut Vec<String>,
    leaves: &mut Vec<(Vec<String>, String)>,
) {
    match (&entry.node, value) {
        (Node::Table(entries), Value::Object(_)) => {
            for (name, child) in entries {
                at.push(name.clone());
                collect_leaves(child, &value[name.as_str()], at, leaves);
                at.pop();
            }
        }
        (Node::Map(child), Value::Object(entries)) => {
            for (name, value) in entries {
                at.push(name.clone());
                collect_leaves(child, value, at, leaves);
                at.pop();
            }
        }
        _ => leaves.push((at.clone(), value::show(value, entry.secret))),
    }
}
