//! What is looked at of requests and answers beside their targets: `encodedCharacters`,
//! `contentType`.

use serde::{Deserialize, Serialize};

use super::is_default;

/// `encodedCharacters`: what may stand in a path behind a percent sign; what is not allowed is not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the names and types are Traefik's"
)]
pub(crate) struct EncodedCharacters {
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) allow_encoded_slash: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) allow_encoded_back_slash: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) allow_encoded_null_character: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) allow_encoded_semicolon: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) allow_encoded_percent: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) allow_encoded_question_mark: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) allow_encoded_hash: bool,
}

/// `contentType`: answers without a type get one by what they begin with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct ContentType {
    /// Traefik's older switch, which turns it off.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) auto_detect: Option<bool>,
}
