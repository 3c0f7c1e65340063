//! Who may come in: `basicAuth`, `forwardAuth`, `ipAllowList`.

use serde::{Deserialize, Serialize};

use super::{HIDDEN, is_default, limits::IpStrategy};

/// `basicAuth`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct BasicAuth {
    /// Lines of htpasswd: `name:hash`.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) users: Vec<String>,
    /// A file of such lines, read when the configuration is.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) users_file: String,
    /// What browsers show when they ask; `traefik` if empty.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) realm: String,
    /// Whether the service does not see the credentials.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) remove_header: bool,
    /// The header that tells the service who the user is.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) header_field: String,
}

/// `forwardAuth`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the names and types are Traefik's"
)]
pub(crate) struct ForwardAuth {
    /// The server that decides.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) address: String,
    /// How it is reached by HTTPS.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) tls: Option<ClientTls>,
    /// Whether it is told what forwarding headers say.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) trust_forward_header: bool,
    /// Headers of its answer that the service gets.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) auth_response_headers: Vec<String>,
    /// The same, by a pattern of their names.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) auth_response_headers_regex: String,
    /// Headers of the request that it gets; all if empty.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) auth_request_headers: Vec<String>,
    /// Cookies of its answer that the client gets.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) add_auth_cookies_to_response: Vec<String>,
    /// The header of its answer that says who the user is, for the access log.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) header_field: String,
    /// Whether it gets the body too.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) forward_body: bool,
    /// The largest body that it gets, in bytes; 2 MiB if absent or negative.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) max_body_size: Option<i64>,
    /// The largest answer that is taken from it, in bytes; 2 MiB if absent or negative.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) max_response_body_size: Option<i64>,
    /// Whether a relative `Location` of its answer stays as it is.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) preserve_location_header: bool,
    /// Whether it is asked with the method of the request instead of GET.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) preserve_request_method: bool,
    /// Where a client whom it answers 401 is sent.
    #[serde(rename = "authSigninURL", skip_serializing_if = "is_default")]
    pub(crate) auth_signin_url: String,
}

/// TLS towards a server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct ClientTls {
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) ca: String,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) cert: String,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) key: String,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) insecure_skip_verify: bool,
}

/// `ipAllowList`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct IpAllowList {
    /// Addresses and networks that are let in.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) source_range: Vec<String>,
    /// Which address is the client's.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) ip_strategy: Option<IpStrategy>,
    /// What all others are answered; 403 if absent.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) reject_status_code: Option<u16>,
}

impl BasicAuth {
    /// Leaves the names of the users.
    pub(super) fn hide_secrets(&mut self) {
        for user in &mut self.users {
            // What has no name may be the hash alone.
            *user = match user.split_once(':') {
                Some((name, _)) => format!("{name}:{HIDDEN}"),
                None => HIDDEN.to_owned(),
            };
        }
    }
}

impl ForwardAuth {
    /// Hides the password in its address and the key of its certificate.
    pub(super) fn hide_secrets(&mut self) {
        for address in [&mut self.address, &mut self.auth_signin_url] {
            hide_user_information(address);
        }
        if let Some(tls) = &mut self.tls
            && !tls.key.is_empty()
        {
            HIDDEN.clone_into(&mut tls.key);
        }
    }
}

/// `http://name:password@host` without what stands before the `@`, and without the query.
fn hide_user_information(address: &mut String) {
    let begin = address.find("://").map_or(0, |at| at + "://".len());
    let end = address[begin..]
        .find(['/', '?'])
        .map_or(address.len(), |length| begin + length);
    if let Some(at) = address[begin..end].rfind('@') {
        address.replace_range(begin..begin + at, HIDDEN);
    }
    if let Some(query) = address.find('?') {
        address.replace_range(query + 1.., HIDDEN);
    }
}
