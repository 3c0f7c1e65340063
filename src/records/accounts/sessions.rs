//! Sessions: one row each, behind every token. A token names its session and which of the session's
//! tokens it is; refreshing replaces the current one. Whoever refreshes with an older one has a
//! copy that somebody else also used, so the session ends. For 30 s the one before the current is
//! still good, because browser tabs race.
//!
//! Clients of the API must refresh before their token expires, as with PocketBase. The panel's
//! cookie outlives its token: there the idle limit of the session decides who has to sign in again
//! ([`Records::renew`]).
//!
//! | module | what it holds |
//! |---|---|
//! | [`rows`] | the rows |
//! | [`list`] | what owners and administrators see of them, and end |
//! | [`used`] | when they were used last |

pub mod list;
pub(crate) mod rows;
pub(crate) mod used;

use std::time::Duration;

use bytes::Bytes;
use mito_database::Tx;
use mito_network::Identity;
use serde::{Deserialize, Serialize};

use crate::{
    Collection, Error, Records, RequestInfo, Session,
    accounts::{
        imported,
        options::AuthOptions,
        sessions::rows::{end, find, insert, rotate},
        tokens::{Claims, same},
    },
    names::quote,
    records::{
        access,
        read::{self, Viewer},
    },
};

/// How long the token before the current one still works.
const GRACE: Duration = Duration::from_secs(30);
/// How long a hot copy of a session may be used before it is read again.
const HOT: Duration = Duration::from_secs(30);
/// The most sessions of one account; the least recently used end first.
const MAX_PER_ACCOUNT: i64 = 100;
/// What stands for a session that has ended in the cache.
const ENDED: &[u8] = b"ended";

/// What a session begins with.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) collection_id: String,
    pub(crate) record: String,
    /// The hash that was compared; the session is off if the account has another by then.
    pub(crate) password_hash: Option<String>,
    pub(crate) user_agent: String,
    pub(crate) client_ip: String,
    /// How the account signed in.
    pub(crate) method: &'static str,
    /// The administrator who acts as the account; empty when its owner does.
    pub(crate) impersonator: String,
    /// How long it lasts where that is decided beforehand; it is then not refreshed.
    pub(crate) lasts: Option<Duration>,
}

impl Start {
    /// A session of an account by its owner, as the request describes them.
    pub(crate) fn of(
        collection_id: &str,
        record: &str,
        method: &'static str,
        info: &RequestInfo,
    ) -> Self {
        Self {
            collection_id: collection_id.to_owned(),
            record: record.to_owned(),
            password_hash: None,
            user_agent: info.user_agent().to_owned(),
            client_ip: info.client_ip.clone(),
            method,
            impersonator: String::new(),
            lasts: None,
        }
    }
}

/// A session as it is stored, and as its hot copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stored {
    pub(crate) id: String,
    pub(crate) collection_id: String,
    pub(crate) record: String,
    pub(crate) jti: String,
    pub(crate) previous_jti: String,
    pub(crate) rotated_at: i64,
    pub(crate) idle_at: i64,
    pub(crate) absolute_at: i64,
    /// Whether it may be renewed; otherwise it has one token for all its life.
    pub(crate) refreshable: bool,
}

/// A session with whom it belongs to.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Hot {
    stored: Stored,
    collection: String,
    email: String,
}

impl Stored {
    fn lives(&self, now_ms: i64) -> bool {
        now_ms < self.idle_at && now_ms < self.absolute_at
    }

    /// Whether `jti` is the current token, or the one before within its grace.
    fn accepts(&self, jti: &str, now_ms: i64) -> bool {
        let current = same(&self.jti, jti);
        let previous = !self.previous_jti.is_empty()
            && same(&self.previous_jti, jti)
            && now_ms <= self.rotated_at.saturating_add(millis(GRACE));
        current || previous
    }
}

impl Hot {
    fn accepts(&self, claims: &Claims, now_ms: i64) -> bool {
        let stored = &self.stored;
        stored.lives(now_ms)
            && stored.accepts(&claims.jti, now_ms)
            && stored.record == claims.id
            && stored.collection_id == claims.collection_id
    }

    fn identity(self) -> Identity {
        Identity {
            id: self.stored.record,
            collection: self.collection,
            collection_id: self.stored.collection_id,
            email: self.email,
            session_id: self.stored.id,
        }
    }
}

/// What the cache knows of a session.
enum Copy {
    Missing,
    Ended,
    Hot(Hot),
}

/// What a refresh came to. Reuse is not an error of the transaction: the end of the session must be
/// committed.
pub(crate) enum Refreshed {
    Kept,
    Reused,
    Ended,
}

impl Records {
    /// The identity behind a token.
    pub(crate) async fn session_of(&self, token: &str) -> Result<Option<Identity>, Error> {
        let Some(claims) = self.inner.keys.verify_again(token) else {
            return self.imported_identity(token).await;
        };
        let now_ms = self.inner.clock.now_ms();
        if claims.has_expired(now_ms) {
            return Ok(None);
        }
        match self.copy(&claims.sid) {
            Copy::Ended => return Ok(None),
            Copy::Hot(hot) if hot.accepts(&claims, now_ms) => {
                self.inner.used.note(&claims.sid, now_ms);
                return Ok(Some(hot.identity()));
            }
            // Perhaps the copy is older than the token.
            Copy::Hot(_) => self.forget_sessions(std::slice::from_ref(&claims.sid)),
            Copy::Missing => {}
        }
        let hot = self.heat(&claims.sid).await?;
        let good = hot.filter(|hot| hot.accepts(&claims, now_ms));
        if good.is_some() {
            self.inner.used.note(&claims.sid, now_ms);
        }
        Ok(good.map(Hot::identity))
    }

    /// Where a session's hot copy is kept. The name belongs to this process: a copy that a killed one
    /// left in the cache's spill may be older than a sign-out that was answered.
    pub(crate) fn hot_key(&self, session: &str) -> String {
        format!("records:session:{}:{session}", self.inner.boot)
    }

    fn copy(&self, session: &str) -> Copy {
        match self.inner.cache.get(&self.hot_key(session)) {
            None => Copy::Missing,
            Some(copy) if copy == ENDED => Copy::Ended,
            Some(copy) => serde_json::from_slice(&copy).map_or(Copy::Missing, Copy::Hot),
        }
    }

    /// Reads a session and keeps it hot.
    async fn heat(&self, session: &str) -> Result<Option<Hot>, Error> {
        let key = self.hot_key(session);
        let (records, session) = (self.clone(), session.to_owned());
        let read = move |tx: &mut Tx<'_>| records.read_hot(tx, &session);
        let hot = self.inner.database.read(read).await?;
        if let Some(copy) = hot.as_ref().and_then(|hot| serde_json::to_vec(hot).ok()) {
            // Never over a mark that the session has ended since it was read.
            let kept = self
                .inner
                .cache
                .set_if_absent(&key, Bytes::from(copy), Some(HOT));
            if let Err(error) = kept {
                tracing::debug!(%error, "a session is not kept hot");
            }
        }
        Ok(hot)
    }

    fn read_hot(&self, tx: &mut Tx<'_>, session: &str) -> Result<Option<Hot>, Error> {
        let Some(stored) = find(tx, session)? else {
            return Ok(None);
        };
        let collection = match self.shared_collection_in(tx, &stored.collection_id) {
            Err(Error::NotFound) => return Ok(None),
            other => other?,
        };
        let sql = format!(
            "SELECT email FROM {} WHERE id = $1",
            quote(&collection.name)
        );
        let Some(row) = tx.query_one(&sql, &[&stored.record])? else {
            return Ok(None);
        };
        Ok(Some(Hot {
            stored,
            collection: collection.name.clone(),
            email: row.get("email")?,
        }))
    }

    /// Drops hot copies of sessions that have changed, but not the mark that one has ended.
    pub(crate) fn forget_sessions(&self, sessions: &[String]) {
        for session in sessions {
            let key = self.hot_key(session);
            if self.inner.cache.get(&key).is_some_and(|copy| copy != ENDED) {
                self.inner.cache.remove(&key);
            }
        }
    }

    /// Marks sessions that have ended.
    pub(crate) fn mark_all_ended(&self, sessions: &[String]) {
        for session in sessions {
            self.mark_ended(session);
        }
    }

    /// Starts a session; `None` when the account is gone or has another password by now.
    pub(crate) async fn start_session(
        &self,
        start: Start,
        info: &RequestInfo,
    ) -> Result<Option<Session>, Error> {
        let (records, info) = (self.clone(), info.clone());
        let begin = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &start.collection_id)?;
            if !is_unchanged(tx, &collection, &start)? {
                return Ok(None);
            }
            access::may_authenticate(&records, tx, &collection, &start.record, &info)?;
            records.begin_session(tx, &collection, &start).map(Some)
        };
        self.inner.database.write(begin).await
    }

    /// Starts a session of an account that has been checked, inside a transaction.
    pub(crate) fn begin_session(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        start: &Start,
    ) -> Result<Session, Error> {
        let now_ms = tx.now_ms();
        let (idle_ms, absolute_ms) = match start.lasts {
            Some(lasts) => (millis(lasts), millis(lasts)),
            None => self.limits_ms(collection),
        };
        let stored = Stored {
            id: self.inner.random.id(24),
            collection_id: collection.id.clone(),
            record: start.record.clone(),
            jti: self.inner.random.token(),
            previous_jti: String::new(),
            rotated_at: now_ms,
            idle_at: now_ms.saturating_add(idle_ms),
            absolute_at: now_ms.saturating_add(absolute_ms),
            refreshable: start.lasts.is_none(),
        };
        insert(tx, &stored, start)?;
        self.session(tx, collection, &stored)
    }

    /// How long a session of the collection lives without use and in all. A token is never valid for
    /// longer than its session, so a collection whose tokens are to be valid for longer than the
    /// configured limits moves these.
    fn limits_ms(&self, collection: &Collection) -> (i64, i64) {
        let token_ms = millis(AuthOptions::of(collection).auth_token.duration());
        let limit = |seconds: u64| millis(Duration::from_secs(seconds)).max(token_ms);
        (
            limit(self.config.session_idle_seconds),
            limit(self.config.session_absolute_seconds),
        )
    }

    /// Rotates the token of a session, unless it has expired. A token that was rotated away more
    /// than 30 s ago ends the whole session; one that may not be refreshed stays as it is. A token
    /// of an imported installation begins a session.
    pub async fn refresh(&self, token: &str, info: &RequestInfo) -> Result<Session, Error> {
        let Some(claims) = self.inner.keys.verify(token) else {
            return self.refresh_imported(token, info).await;
        };
        if claims.has_expired(self.inner.clock.now_ms()) {
            return Err(ended());
        }
        let refreshable = claims.refreshable;
        let mut session = self.rotated(claims, info).await?;
        if !refreshable {
            token.clone_into(&mut session.token);
        }
        Ok(session)
    }

    /// [`Records::refresh`] that also takes a token that has expired, as long as its session lives:
    /// for the panel, whose cookie lives as long as its session may be idle.
    pub async fn renew(&self, token: &str) -> Result<Session, Error> {
        let claims = self.inner.keys.verify(token).ok_or_else(ended)?;
        self.rotated(claims, &RequestInfo::default()).await
    }

    async fn rotated(&self, claims: Claims, info: &RequestInfo) -> Result<Session, Error> {
        let (records, info) = (self.clone(), info.clone());
        let jti = self.inner.random.token();
        let sid = claims.sid.clone();
        let rotate = move |tx: &mut Tx<'_>| {
            let Some(mut stored) = find(tx, &claims.sid)? else {
                return Ok(Err(false));
            };
            let collection = records.shared_collection_in(tx, &stored.collection_id)?;
            let (idle_ms, _) = records.limits_ms(&collection);
            match rotate(tx, &mut stored, &claims, &jti, idle_ms)? {
                Refreshed::Kept => {
                    access::may_authenticate(&records, tx, &collection, &stored.record, &info)?;
                    records.session(tx, &collection, &stored).map(Ok)
                }
                Refreshed::Reused => Ok(Err(true)),
                Refreshed::Ended => Ok::<_, Error>(Err(false)),
            }
        };
        let refreshed = match self.inner.database.write(rotate).await {
            Err(Error::NotFound) => Err(false),
            other => other?,
        };
        match refreshed {
            Ok(session) => {
                self.forget_sessions(std::slice::from_ref(&sid));
                Ok(session)
            }
            Err(reused) => {
                if reused {
                    self.mark_ended(&sid);
                    tracing::warn!(session.id = %sid,
                        "a session was ended because one of its old tokens was used again");
                }
                Err(ended())
            }
        }
    }

    /// Ends a session.
    pub async fn sign_out(&self, session_id: &str) -> Result<(), Error> {
        if let Some(token) = session_id.strip_prefix(imported::PREFIX) {
            return self.revoke_imported(token).await;
        }
        let session = session_id.to_owned();
        let ended = self.inner.database.write(move |tx| end(tx, &session));
        ended.await?;
        self.mark_ended(session_id);
        Ok(())
    }

    pub(crate) fn mark_ended(&self, session: &str) {
        self.inner.realtime.end_session(session);
        let key = self.hot_key(session);
        if self
            .inner
            .cache
            .set(&key, Bytes::from_static(ENDED), Some(HOT))
            .is_err()
        {
            self.inner.cache.remove(&key);
        }
    }

    /// The current token of a session.
    fn session(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        stored: &Stored,
    ) -> Result<Session, Error> {
        let duration = AuthOptions::of(collection).auth_token.duration();
        let expires_ms = if stored.refreshable {
            let expires_ms = tx.now_ms().saturating_add(millis(duration));
            expires_ms.min(stored.absolute_at)
        } else {
            stored.absolute_at
        };
        let claims = Claims {
            id: stored.record.clone(),
            kind: "auth".to_owned(),
            collection_id: collection.id.clone(),
            exp: expires_ms / 1_000,
            refreshable: stored.refreshable,
            sid: stored.id.clone(),
            jti: stored.jti.clone(),
        };
        let token = self.inner.keys.sign(&claims)?;
        let viewer = Viewer::Person {
            account: Some((collection.name.clone(), stored.record.clone())),
        };
        let record = read::by_id(tx, collection, &stored.record, &viewer)?;
        let identity = Identity {
            id: stored.record.clone(),
            collection: collection.name.clone(),
            collection_id: collection.id.clone(),
            email: crate::records::text(&record, "email")
                .unwrap_or_default()
                .to_owned(),
            session_id: stored.id.clone(),
        };
        Ok(Session {
            token,
            record,
            identity,
            expires_ms,
            meta: None,
        })
    }
}

/// What callers without a living session are told.
pub(crate) fn ended() -> Error {
    Error::Unauthorized("The request requires valid record authorization token.".to_owned())
}

pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Whether the account is there and still has the password that was compared.
pub(crate) fn is_unchanged(
    tx: &mut Tx<'_>,
    collection: &Collection,
    start: &Start,
) -> Result<bool, Error> {
    let table = quote(&collection.name);
    let sql = format!("SELECT password FROM {table} WHERE id = $1");
    let Some(row) = tx.query_one(&sql, &[&start.record])? else {
        return Ok(false);
    };
    let hash: String = row.get("password")?;
    let compared = start.password_hash.as_ref();
    Ok(compared.is_none_or(|compared| same(compared, &hash)))
}
