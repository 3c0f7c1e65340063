//! Tokens that another PocketBase signed before its installation was imported. They work until they
//! expire, as long as the account keeps its token key and the collection the secret that came with
//! it. Each is a session of its own that can be ended; refreshing one begins a session of ours.

use std::time::Duration;

use mito_database::Tx;
use mito_network::Identity;

use crate::{
    Error, Records, RequestInfo, Session,
    accounts::{
        codes,
        options::AuthOptions,
        sessions::{self, Start},
        tokens::{self, PurposeClaims, fingerprint},
    },
    names::quote,
    records::read::{self, Viewer},
};

/// Begins the id of the session that such a token is.
pub(crate) const PREFIX: &str = "imported-";
/// How long it is remembered that a token was ended: longer than PocketBase lets one be valid.
const REMEMBERED: Duration = Duration::from_hours(3 * 366 * 24);

impl Records {
    /// The identity behind a token of another installation.
    pub(crate) async fn imported_identity(&self, token: &str) -> Result<Option<Identity>, Error> {
        let Some(claims) = tokens::peek(token).filter(|claims| claims.kind == "auth") else {
            return Ok(None);
        };
        if claims.has_expired(self.inner.clock.now_ms()) {
            return Ok(None);
        }
        let (records, token) = (self.clone(), token.to_owned());
        let read = move |tx: &mut Tx<'_>| records.read_imported(tx, &token, &claims);
        self.inner.database.read(read).await
    }

    fn read_imported(
        &self,
        tx: &mut Tx<'_>,
        token: &str,
        claims: &PurposeClaims,
    ) -> Result<Option<Identity>, Error> {
        let collection = match self.shared_collection_in(tx, &claims.collection_id) {
            Err(Error::NotFound) => return Ok(None),
            other => other?,
        };
        let secret = AuthOptions::of(&collection).auth_token.secret;
        // Without a secret of its own the key would be the account's alone, which is not enough.
        if !collection.is_auth() || secret.is_empty() {
            return Ok(None);
        }
        let table = quote(&collection.name);
        let sql = format!("SELECT email, \"tokenKey\" AS token_key FROM {table} WHERE id = $1");
        let Some(row) = tx.query_one(&sql, &[&claims.id])? else {
            return Ok(None);
        };
        let token_key: String = row.get("token_key")?;
        if token_key.is_empty() || !tokens::is_signed_with(token, &format!("{token_key}{secret}")) {
            return Ok(None);
        }
        let id = fingerprint(token);
        if codes::works(tx, codes::ENDED, &id)? {
            return Ok(None);
        }
        Ok(Some(Identity {
            id: claims.id.clone(),
            collection: collection.name.clone(),
            collection_id: collection.id.clone(),
            email: row.get("email")?,
            session_id: format!("{PREFIX}{id}"),
        }))
    }

    /// Begins a session of ours for whoever has such a token. The token goes on working until it
    /// expires, as it did where it comes from. One that was made to end, as those of impersonation
    /// are, is answered as it is.
    pub(crate) async fn refresh_imported(
        &self,
        token: &str,
        info: &RequestInfo,
    ) -> Result<Session, Error> {
        let identity = self.imported_identity(token).await?;
        let identity = identity.ok_or_else(sessions::ended)?;
        let claims = tokens::peek(token).ok_or_else(sessions::ended)?;
        if claims.refreshable == Some(false) {
            return self.unchanged(token, &claims, identity).await;
        }
        let start = Start::of(&identity.collection_id, &identity.id, "import", info);
        let session = self.start_session(start, info).await?;
        session.ok_or_else(sessions::ended)
    }

    async fn unchanged(
        &self,
        token: &str,
        claims: &PurposeClaims,
        identity: Identity,
    ) -> Result<Session, Error> {
        let (records, of) = (self.clone(), identity.clone());
        let read = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &of.collection_id)?;
            let account = Some((collection.name.clone(), of.id.clone()));
            read::by_id(tx, &collection, &of.id, &Viewer::Person { account })
        };
        Ok(Session {
            token: token.to_owned(),
            record: self.inner.database.read(read).await?,
            identity,
            expires_ms: claims.exp.saturating_mul(1_000),
            meta: None,
        })
    }

    /// Ends the session that such a token is; `id` is the token's fingerprint.
    pub(crate) async fn revoke_imported(&self, id: &str) -> Result<(), Error> {
        let id = id.to_owned();
        let revoke = move |tx: &mut Tx<'_>| {
            if codes::works(tx, codes::ENDED, &id)? {
                return Ok(());
            }
            codes::insert(tx, codes::ENDED, &id, &codes::Target::nobody(), REMEMBERED)
        };
        self.inner.database.write(revoke).await
    }
}
