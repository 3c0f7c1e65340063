//! Who may come in by a challenge and a response: `digestAuth`.

use serde::{Deserialize, Serialize};

use super::{HIDDEN, is_default};

/// `digestAuth`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct DigestAuth {
    /// Lines of htdigest: `name:realm:hash`.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) users: Vec<String>,
    /// A file of such lines, read when the configuration is.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) users_file: String,
    /// What browsers show when they ask, and what the hashes are of; `traefik` if empty.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) realm: String,
    /// Whether the service does not see the credentials.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) remove_header: bool,
    /// The header that tells the service who the user is.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) header_field: String,
}

impl DigestAuth {
    /// Leaves the names of the users and their realms.
    pub(super) fn hide_secrets(&mut self) {
        for user in &mut self.users {
            let shown = user.rsplit_once(':').map_or("", |(shown, _)| shown);
            *user = format!("{shown}:{HIDDEN}");
        }
    }
}
