//! Accounts: auth records, superusers, server-side sessions behind JWTs.

use async_trait::async_trait;
use mito_network::{Authenticator, Identity};
use secrecy::SecretString;

use crate::{Error, Record, Records};

/// A credential check.
#[derive(Debug)]
pub struct SignIn {
    /// The auth collection.
    pub collection: String,
    /// The e-mail address or another identity field's value.
    pub identity: String,
    /// The password.
    pub password: SecretString,
    /// Shown in the list of sessions.
    pub user_agent: String,
    /// The address signed in from.
    pub client_ip: String,
}

/// A new or refreshed session.
#[derive(Clone, Debug)]
pub struct Session {
    /// The JWT.
    pub token: String,
    /// The account's record.
    pub record: Record,
    /// Who it is.
    pub identity: Identity,
    /// When the token expires, milliseconds since the Unix epoch.
    pub expires_ms: i64,
}

impl Records {
    /// Whether at least one administrator exists.
    pub async fn has_superuser(&self) -> Result<bool, Error> {
        todo!("records helper")
    }

    /// Creates an administrator.
    pub async fn create_superuser(
        &self,
        email: &str,
        password: SecretString,
    ) -> Result<Record, Error> {
        let _ = (email, password);
        todo!("records helper")
    }

    /// A new single-use token (valid 24 h, stored hashed) that allows creating the first
    /// administrator; the previous one ends. `None` when an administrator exists.
    pub async fn new_setup_token(&self) -> Result<Option<SecretString>, Error> {
        todo!("records helper")
    }

    /// Creates the first administrator with a set-up token.
    pub async fn redeem_setup_token(
        &self,
        token: SecretString,
        email: &str,
        password: SecretString,
    ) -> Result<Record, Error> {
        let _ = (token, email, password);
        todo!("records helper")
    }

    /// Checks a password and starts a session. The answer and its time are the same for a wrong
    /// password and an unknown account.
    pub async fn sign_in(&self, sign_in: SignIn) -> Result<Session, Error> {
        let _ = sign_in;
        todo!("records helper")
    }

    /// Rotates the token of a session. A token that was rotated away more than 30 s ago ends the
    /// whole session.
    pub async fn refresh(&self, token: &str) -> Result<Session, Error> {
        let _ = token;
        todo!("records helper")
    }

    /// Ends a session.
    pub async fn sign_out(&self, session_id: &str) -> Result<(), Error> {
        let _ = session_id;
        todo!("records helper")
    }

    /// A single-use code of 60 s by which another page host gets a session of its own for the same
    /// account.
    pub async fn new_session_code(&self, identity: &Identity) -> Result<String, Error> {
        let _ = identity;
        todo!("records helper")
    }

    /// Redeems a session code for a new session.
    pub async fn redeem_session_code(
        &self,
        code: &str,
        user_agent: &str,
        client_ip: &str,
    ) -> Result<Session, Error> {
        let _ = (code, user_agent, client_ip);
        todo!("records helper")
    }
}

#[async_trait]
impl Authenticator for Records {
    async fn authenticate(&self, token: &str) -> Option<Identity> {
        let _ = token;
        todo!("records helper")
    }
}
