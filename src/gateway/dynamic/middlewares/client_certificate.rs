//! What services are told of the client's certificate: `passTLSClientCert`.

use serde::{Deserialize, Serialize};

use super::is_default;

/// `passTLSClientCert`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct PassTlsClientCert {
    /// Whether they get the certificate itself.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) pem: bool,
    /// What of it they get in words.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) info: Option<Info>,
}

/// `info`: parts of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the names and types are Traefik's"
)]
pub(crate) struct Info {
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) not_after: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) not_before: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) sans: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) serial_number: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) subject: Option<Subject>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) issuer: Option<Issuer>,
}

/// `subject`: parts of the name of its owner.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the names and types are Traefik's"
)]
pub(crate) struct Subject {
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) country: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) province: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) locality: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) organization: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) organizational_unit: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) common_name: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) serial_number: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) domain_component: bool,
}

/// `issuer`: parts of the name of who issued it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the names and types are Traefik's"
)]
pub(crate) struct Issuer {
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) country: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) province: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) locality: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) organization: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) common_name: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) serial_number: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) domain_component: bool,
}
