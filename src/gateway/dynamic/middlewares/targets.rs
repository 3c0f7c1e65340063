//! Where a request goes instead: prefixes, paths and redirects.

use serde::{Deserialize, Serialize};

use super::is_default;

/// `addPrefix`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct AddPrefix {
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) prefix: String,
}

/// `stripPrefix`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct StripPrefix {
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) prefixes: Vec<String>,
    /// Deprecated in Traefik; here a path always keeps its slash.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) force_slash: Option<bool>,
}

/// `stripPrefixRegex`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct StripPrefixRegex {
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) regex: Vec<String>,
}

/// `replacePath`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct ReplacePath {
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) path: String,
}

/// `replacePathRegex`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct ReplacePathRegex {
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) regex: String,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) replacement: String,
}

/// `redirectRegex`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct RedirectRegex {
    /// What the whole address must match.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) regex: String,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) replacement: String,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) permanent: bool,
}

/// `redirectScheme`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct RedirectScheme {
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) scheme: String,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) port: String,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) permanent: bool,
}
