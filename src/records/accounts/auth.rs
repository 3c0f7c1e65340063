//! From a credential that was good to a session: the collection's rule, the second method where one
//! is needed, the mail about a new place, the token. All of it is one transaction, so that of two
//! who bring the same proof one gets a session.

use std::time::Duration;

use mito_database::Tx;
use serde_json::Value;

use crate::{
    Collection, Error, Records, RequestInfo, RuleContext, Session,
    accounts::{
        options::AuthOptions,
        sessions::{self, Start},
    },
    records::{access, expand},
};

/// How an account has proved who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    /// A password.
    Password,
    /// A mailed code.
    Otp,
    /// An account of another site.
    OAuth2,
}

impl AuthMethod {
    /// The name in `_mfas` and in lists of sessions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Otp => "otp",
            Self::OAuth2 => "oauth2",
        }
    }

    fn context(self) -> RuleContext {
        match self {
            Self::Password => RuleContext::Password,
            Self::Otp => RuleContext::Otp,
            Self::OAuth2 => RuleContext::OAuth2,
        }
    }
}

/// What a good credential comes to.
#[derive(Clone, Debug)]
pub enum AuthOutcome {
    /// A session.
    Session(Box<Session>),
    /// Another method is needed, with this id.
    MfaRequired {
        /// What the second sign-in brings as `mfaId`.
        mfa_id: String,
    },
}

/// A credential that was good.
#[derive(Clone, Debug)]
pub(crate) struct Proof {
    pub(crate) method: AuthMethod,
    pub(crate) record: String,
    /// The hash that a password was compared with.
    pub(crate) password_hash: Option<String>,
}

impl Records {
    /// Signs an account in that has proved who it is. `mfaId` is taken from the body or the query
    /// of the request, and `meta` comes back with the session.
    pub async fn sign_in_as(
        &self,
        collection: &str,
        record: &str,
        method: AuthMethod,
        info: &RequestInfo,
        meta: Option<Value>,
    ) -> Result<AuthOutcome, Error> {
        let (records, name, info) = (self.clone(), collection.to_owned(), info.clone());
        let proof = Proof {
            method,
            record: record.to_owned(),
            password_hash: None,
        };
        let sign_in = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &name)?;
            records.sign_in_in(tx, &collection, &proof, &info)
        };
        let outcome = self.inner.database.write(sign_in).await?;
        let mut outcome = outcome.ok_or(Error::NotFound)?;
        if let AuthOutcome::Session(session) = &mut outcome {
            session.meta = meta;
        }
        Ok(outcome)
    }

    /// Adds to a session's record what `expand` names, as the account itself may see it.
    pub async fn expand_session(
        &self,
        mut session: Session,
        expand: &str,
        info: &RequestInfo,
    ) -> Result<Session, Error> {
        if expand.is_empty() {
            return Ok(session);
        }
        let (records, expand) = (self.clone(), expand.to_owned());
        let identity = session.identity.clone();
        let info = RequestInfo {
            identity: Some(identity.clone()),
            ..info.clone()
        };
        let record = session.record.clone();
        let read = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &identity.collection_id)?;
            let mut found = [record.clone()];
            expand::apply(tx, &records, &collection, &mut found, &expand, &info)?;
            let [record] = found;
            Ok::<_, Error>(record)
        };
        session.record = self.inner.database.read(read).await?;
        Ok(session)
    }

    /// [`Records::sign_in_as`] inside a transaction; `None` when the account is gone or has another
    /// password by now.
    pub(crate) fn sign_in_in(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        proof: &Proof,
        info: &RequestInfo,
    ) -> Result<Option<AuthOutcome>, Error> {
        let method = proof.method;
        let mut start = Start::of(&collection.id, &proof.record, method.name(), info);
        start.password_hash.clone_from(&proof.password_hash);
        if !sessions::is_unchanged(tx, collection, &start)? {
            return Ok(None);
        }
        let info = info.with_context(method.context());
        access::may_authenticate(self, tx, collection, &proof.record, &info)?;
        let options = AuthOptions::of(collection);
        if let Some(mfa_id) = self.second_factor(tx, collection, &options, proof, &info)? {
            return Ok(Some(AuthOutcome::MfaRequired { mfa_id }));
        }
        self.note_origin(tx, collection, &options, &proof.record, &info)?;
        let session = self.begin_session(tx, collection, &start)?;
        Ok(Some(AuthOutcome::Session(Box::new(session))))
    }
}

/// So many seconds, as options count them.
pub(crate) fn seconds(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}
