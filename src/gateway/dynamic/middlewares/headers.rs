//! `headers`: what is set and removed, CORS, and what keeps browsers safe.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{HIDDEN, NotYet, is_default};

/// `headers`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    clippy::struct_field_names,
    reason = "the names and types are Traefik's"
)]
pub(crate) struct Headers {
    /// Headers that the service gets; an empty value removes one.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) custom_request_headers: BTreeMap<String, String>,
    /// Headers that the client gets; an empty value removes one.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) custom_response_headers: BTreeMap<String, String>,

    #[serde(skip_serializing_if = "is_default")]
    pub(crate) access_control_allow_credentials: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) access_control_allow_headers: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) access_control_allow_methods: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) access_control_allow_origin_list: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) access_control_allow_origin_list_regex: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) access_control_expose_headers: Vec<String>,
    /// How long a preflight may be remembered, in seconds.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) access_control_max_age: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) add_vary_header: bool,

    /// The hosts that are served; all if empty.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) allowed_hosts: Vec<String>,
    /// Headers of a proxy in front that hold the host.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) hosts_proxy_headers: Vec<String>,
    /// Headers of a proxy in front that say that the client came by HTTPS.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) ssl_proxy_headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) sts_seconds: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) sts_include_subdomains: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) sts_preload: bool,
    #[serde(rename = "forceSTSHeader", skip_serializing_if = "is_default")]
    pub(crate) force_sts_header: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) frame_deny: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) custom_frame_options_value: String,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) content_type_nosniff: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) browser_xss_filter: bool,
    #[serde(rename = "customBrowserXSSValue", skip_serializing_if = "is_default")]
    pub(crate) custom_browser_xss_value: String,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) content_security_policy: String,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) content_security_policy_report_only: String,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) public_key: String,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) referrer_policy: String,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) permissions_policy: String,
    /// Leaves out what is in the way on a developer's machine: hosts, HSTS, pinned keys.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) is_development: bool,

    // Gone from Traefik 3, and named so that they are not misspelt words.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) feature_policy: Option<NotYet>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) ssl_redirect: Option<NotYet>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) ssl_temporary_redirect: Option<NotYet>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) ssl_host: Option<NotYet>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) ssl_force_host: Option<NotYet>,
}

impl Headers {
    /// Hides the values of headers that by their name hold a secret.
    pub(super) fn hide_secrets(&mut self) {
        hide_secret_values(&mut self.custom_request_headers);
        hide_secret_values(&mut self.custom_response_headers);
    }
}

/// Hides the values of headers that by their name hold a secret.
pub(crate) fn hide_secret_values(headers: &mut BTreeMap<String, String>) {
    const SECRET: [&str; 6] = ["auth", "cookie", "token", "secret", "password", "key"];
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        if !value.is_empty() && SECRET.iter().any(|word| name.contains(word)) {
            HIDDEN.clone_into(value);
        }
    }
}
