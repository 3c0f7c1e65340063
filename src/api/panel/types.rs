//! What the panel sends and reads about sessions.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Who is signed in on this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SessionState {
    /// Nobody, when null.
    pub identity: Option<SessionIdentity>,
    /// Whether the first administrator has to be created.
    pub setup_needed: bool,
    /// What the header `X-Mito-Csrf` of every unsafe request must carry.
    pub csrf: String,
}

/// An account as the panel names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SessionIdentity {
    /// The record's id.
    pub id: String,
    /// The account's address.
    pub email: String,
    /// The auth collection.
    pub collection: String,
}

/// A sign-in.
#[derive(Deserialize, TS)]
#[ts(export)]
pub struct SessionRequest {
    /// The administrator's address.
    pub email: String,
    /// The password.
    pub password: String,
}

/// The creation of the first administrator.
#[derive(Deserialize, TS)]
#[ts(export)]
pub struct SetupRequest {
    /// The token of the set-up link.
    pub token: String,
    /// The administrator's address.
    pub email: String,
    /// The administrator's password.
    pub password: String,
}

/// A code that carries a session to another page host.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SessionCode {
    /// Good once, for 60 s.
    pub code: String,
}
