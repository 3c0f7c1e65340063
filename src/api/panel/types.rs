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
    /// Set when the password was right and a mailed code is needed too: what the next sign-in
    /// brings as `mfaId`.
    pub mfa_id: Option<String>,
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
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SessionRequest {
    /// The administrator's address.
    pub email: String,
    /// The password, or the code that was mailed.
    pub password: String,
    /// What goes with the code; none when it is a password.
    #[serde(default)]
    pub otp_id: Option<String>,
    /// What the first of two methods has answered.
    #[serde(default)]
    pub mfa_id: Option<String>,
}

/// Asks for a code by mail.
#[derive(Deserialize, TS)]
#[ts(export)]
pub struct OtpRequest {
    /// The administrator's address.
    pub email: String,
}

/// A code was mailed, if there is such an administrator.
#[derive(Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct OtpSent {
    /// What goes with the code.
    pub otp_id: String,
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
