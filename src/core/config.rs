//! Layered configuration: defaults < `mito.toml` < `.env` < environment < flags. Every value keeps
//! its origin; an unknown key or an impossible value names the key, the file and line, and the
//! nearest valid key.
//!
//! The types live with their roles: a role exports a `Config` that derives `Deserialize`,
//! `Default` and `JsonSchema`, the root package puts them together, and [`load`] fills the whole.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

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
}

/// What is wrong with the configuration; each message names key, place and fix.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Error(pub Vec<String>);

/// The environment of the process: the only place where it is read.
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars().collect()
}

/// Merges the layers and fills `T`.
pub fn load<T>(sources: &Sources) -> Result<Loaded<T>, Error>
where
    T: DeserializeOwned + Serialize + Default + JsonSchema,
{
    let _ = sources;
    todo!("core helper")
}

/// An example `mito.toml` with every option, its default and its doc comment.
pub fn example<T>() -> String
where
    T: Serialize + Default + JsonSchema,
{
    todo!("core helper")
}
