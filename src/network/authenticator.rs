//! Who sent this request. `records` implements the trait; other roles ask it.

use async_trait::async_trait;

/// Somebody who has proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The record's id.
    pub id: String,
    /// The auth collection it belongs to; `_superusers` for administrators.
    pub collection: String,
    /// The id of that collection.
    pub collection_id: String,
    /// The address the account is known by.
    pub email: String,
    /// The session that the proof belongs to.
    pub session_id: String,
}

impl Identity {
    /// Whether this is an administrator of the platform.
    pub fn is_superuser(&self) -> bool {
        self.collection == "_superusers"
    }
}

/// Tells who presents a credential.
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// The identity behind a bearer token or session cookie value; `None` when it is unknown,
    /// expired or revoked.
    async fn authenticate(&self, token: &str) -> Option<Identity>;
}
