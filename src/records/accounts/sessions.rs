//! Sessions: one row each, behind every token. A token names its session and which of the session's
//! tokens it is; refreshing replaces the current one. Whoever refreshes with an older one has a
//! copy that somebody else also used, so the session ends. For 30 s the one before the current is
//! still good, because browser tabs race.
//!
//! Clients of the API must refresh before their token expires, as with PocketBase. The panel's
//! cookie outlives its token: there the idle limit of the session decides who has to sign in again
//! ([`Records::renew`]).

use std::time::Duration;

use bytes::Bytes;
use mito_database::{Row, Tx};
use mito_network::Identity;
use serde::{Deserialize, Serialize};

use crate::{
    Collection, Error, Records, Session,
    accounts::tokens::{Claims, same},
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
/// Over sessions deleted with each new one.
const SWEEP: i64 = 100;
/// The longest user agent that is kept, in characters.
const MAX_USER_AGENT: usize = 400;
/// The longest address that is kept, in characters.
const MAX_ADDRESS: usize = 64;
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
enum Refreshed {
    Kept(Stored),
    Reused,
    Ended,
}

impl Records {
    /// The identity behind a token.
    pub(crate) async fn session_of(&self, token: &str) -> Result<Option<Identity>, Error> {
        let Some(claims) = self.inner.keys.verify(token) else {
            return Ok(None);
        };
        let now_ms = self.inner.clock.now_ms();
        if claims.has_expired(now_ms) {
            return Ok(None);
        }
        match self.copy(&claims.sid) {
            Copy::Ended => return Ok(None),
            Copy::Hot(hot) if hot.accepts(&claims, now_ms) => return Ok(Some(hot.identity())),
            // Perhaps the copy is older than the token.
            Copy::Hot(_) => self.forget_sessions(std::slice::from_ref(&claims.sid)),
            Copy::Missing => {}
        }
        let hot = self.heat(&claims.sid).await?;
        let good = hot.filter(|hot| hot.accepts(&claims, now_ms));
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
    pub(crate) async fn start_session(&self, start: Start) -> Result<Option<Session>, Error> {
        let (id, jti) = (self.inner.random.id(24), self.inner.random.token());
        let (records, config) = (self.clone(), self.config.clone());
        let begin = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &start.collection_id)?;
            let table = quote(&collection.name);
            let row = tx.query_one(
                &format!("SELECT password FROM {table} WHERE id = $1"),
                &[&start.record],
            )?;
            let Some(row) = row else { return Ok(None) };
            let hash: String = row.get("password")?;
            if start
                .password_hash
                .as_ref()
                .is_some_and(|checked| !same(checked, &hash))
            {
                return Ok(None);
            }
            let now_ms = tx.now_ms();
            let stored = Stored {
                id: id.clone(),
                collection_id: collection.id.clone(),
                record: start.record.clone(),
                jti: jti.clone(),
                previous_jti: String::new(),
                rotated_at: now_ms,
                idle_at: later(now_ms, config.session_idle_seconds),
                absolute_at: later(now_ms, config.session_absolute_seconds),
            };
            access::may_authenticate(&records, tx, &collection, &stored.record)?;
            insert(tx, &stored, &start)?;
            records.session(tx, &collection, &stored).map(Some)
        };
        self.inner.database.write(begin).await
    }

    /// Rotates the token of a session, unless it has expired. A token that was rotated away more
    /// than 30 s ago ends the whole session.
    pub async fn refresh(&self, token: &str) -> Result<Session, Error> {
        let claims = self.inner.keys.verify(token).ok_or_else(ended)?;
        if claims.has_expired(self.inner.clock.now_ms()) {
            return Err(ended());
        }
        self.rotated(claims).await
    }

    /// [`Records::refresh`] that also takes a token that has expired, as long as its session lives:
    /// for the panel, whose cookie lives as long as its session may be idle.
    pub async fn renew(&self, token: &str) -> Result<Session, Error> {
        let claims = self.inner.keys.verify(token).ok_or_else(ended)?;
        self.rotated(claims).await
    }

    async fn rotated(&self, claims: Claims) -> Result<Session, Error> {
        let (records, config) = (self.clone(), self.config.clone());
        let jti = self.inner.random.token();
        let sid = claims.sid.clone();
        let rotate =
            move |tx: &mut Tx<'_>| match rotate(tx, &claims, &jti, config.session_idle_seconds)? {
                Refreshed::Kept(stored) => {
                    let collection = records.shared_collection_in(tx, &stored.collection_id)?;
                    access::may_authenticate(&records, tx, &collection, &stored.record)?;
                    records.session(tx, &collection, &stored).map(Ok)
                }
                Refreshed::Reused => Ok(Err(true)),
                Refreshed::Ended => Ok::<_, Error>(Err(false)),
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
        let session = session_id.to_owned();
        let end = move |tx: &mut Tx<'_>| {
            tx.execute(
                "DELETE FROM _mito_records_sessions WHERE id = $1",
                &[&session],
            )?;
            Ok::<_, Error>(())
        };
        self.inner.database.write(end).await?;
        self.mark_ended(session_id);
        Ok(())
    }

    fn mark_ended(&self, session: &str) {
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
        let now_ms = tx.now_ms();
        let expires_ms = later(now_ms, self.config.token_seconds).min(stored.absolute_at);
        let claims = Claims {
            id: stored.record.clone(),
            kind: "auth".to_owned(),
            collection_id: collection.id.clone(),
            exp: expires_ms / 1_000,
            refreshable: true,
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
        })
    }
}

/// What callers without a living session are told.
pub(crate) fn ended() -> Error {
    Error::Unauthorized("The request requires valid record authorization token.".to_owned())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn later(now_ms: i64, seconds: u64) -> i64 {
    now_ms.saturating_add(millis(Duration::from_secs(seconds)))
}

fn rotate(
    tx: &mut Tx<'_>,
    claims: &Claims,
    jti: &str,
    idle_seconds: u64,
) -> Result<Refreshed, Error> {
    let now_ms = tx.now_ms();
    let Some(mut stored) = find(tx, &claims.sid)? else {
        return Ok(Refreshed::Ended);
    };
    if !stored.lives(now_ms) || stored.record != claims.id {
        return Ok(Refreshed::Ended);
    }
    if !stored.accepts(&claims.jti, now_ms) {
        tx.execute(
            "DELETE FROM _mito_records_sessions WHERE id = $1",
            &[&stored.id],
        )?;
        return Ok(Refreshed::Reused);
    }
    stored.idle_at = later(now_ms, idle_seconds);
    if same(&stored.jti, &claims.jti) {
        stored.previous_jti = std::mem::replace(&mut stored.jti, jti.to_owned());
        stored.rotated_at = now_ms;
    }
    tx.execute(
        "UPDATE _mito_records_sessions \
         SET jti = $1, previous_jti = $2, rotated_at = $3, idle_at = $4 WHERE id = $5",
        &[
            &stored.jti,
            &stored.previous_jti,
            &stored.rotated_at,
            &stored.idle_at,
            &stored.id,
        ],
    )?;
    Ok(Refreshed::Kept(stored))
}

fn insert(tx: &mut Tx<'_>, stored: &Stored, start: &Start) -> Result<(), Error> {
    let now_ms = stored.rotated_at;
    tx.execute(
        "DELETE FROM _mito_records_sessions WHERE id IN (SELECT id FROM _mito_records_sessions \
         WHERE idle_at <= $1 OR absolute_at <= $1 LIMIT $2)",
        &[&now_ms, &SWEEP],
    )?;
    tx.execute(
        "DELETE FROM _mito_records_sessions WHERE id IN (SELECT id FROM _mito_records_sessions \
         WHERE collection_id = $1 AND record = $2 \
         ORDER BY idle_at DESC, id LIMIT $3 OFFSET $4)",
        &[
            &stored.collection_id,
            &stored.record,
            &SWEEP,
            &(MAX_PER_ACCOUNT - 1),
        ],
    )?;
    let user_agent: String = start.user_agent.chars().take(MAX_USER_AGENT).collect();
    let client_ip: String = start.client_ip.chars().take(MAX_ADDRESS).collect();
    tx.execute(
        "INSERT INTO _mito_records_sessions (id, collection_id, record, jti, previous_jti, \
         rotated_at, created_at, idle_at, absolute_at, user_agent, client_ip) \
         VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9, $10)",
        &[
            &stored.id,
            &stored.collection_id,
            &stored.record,
            &stored.jti,
            &stored.previous_jti,
            &now_ms,
            &stored.idle_at,
            &stored.absolute_at,
            &user_agent,
            &client_ip,
        ],
    )?;
    Ok(())
}

/// The session with that id.
pub(crate) fn find(tx: &mut Tx<'_>, session: &str) -> Result<Option<Stored>, Error> {
    let row = tx.query_one(
        "SELECT id, collection_id, record, jti, previous_jti, rotated_at, idle_at, absolute_at \
         FROM _mito_records_sessions WHERE id = $1",
        &[&session],
    )?;
    row.as_ref().map(parse).transpose()
}

fn parse(row: &Row) -> Result<Stored, Error> {
    Ok(Stored {
        id: row.get("id")?,
        collection_id: row.get("collection_id")?,
        record: row.get("record")?,
        jti: row.get("jti")?,
        previous_jti: row.get("previous_jti")?,
        rotated_at: row.get("rotated_at")?,
        idle_at: row.get("idle_at")?,
        absolute_at: row.get("absolute_at")?,
    })
}

/// The sessions of an account.
pub(crate) fn of_account(
    tx: &mut Tx<'_>,
    collection_id: &str,
    record: &str,
) -> Result<Vec<String>, Error> {
    let rows = tx.query(
        "SELECT id FROM _mito_records_sessions WHERE collection_id = $1 AND record = $2 LIMIT $3",
        &[&collection_id, &record, &(MAX_PER_ACCOUNT * 2)],
    )?;
    rows.iter().map(|row| Ok(row.get("id")?)).collect()
}

/// Ends all sessions of an account.
pub(crate) fn end_all(tx: &mut Tx<'_>, collection_id: &str, record: &str) -> Result<(), Error> {
    tx.execute(
        "DELETE FROM _mito_records_sessions WHERE collection_id = $1 AND record = $2",
        &[&collection_id, &record],
    )?;
    Ok(())
}
