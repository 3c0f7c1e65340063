//! What people see of sessions, and end: owners their own, administrators those of any account.

use mito_database::{Row, Tx};
use mito_network::Identity;
use serde::Serialize;

use crate::{
    Error, Records,
    accounts::sessions::{MAX_PER_ACCOUNT, rows},
    fields::dates,
};

/// A session as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionSummary {
    /// Its id.
    pub id: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// What the client called itself.
    pub user_agent: String,
    /// The address that it began from.
    #[serde(rename = "clientIP")]
    pub client_ip: String,
    /// `password`, `otp`, `oauth2`, …
    pub method: String,
    /// The administrator who acts as the account; empty when its owner does.
    pub impersonator: String,
    /// When it began.
    pub created: String,
    /// When it was used last.
    pub used: String,
    /// When it ends if it is not used.
    pub idle_until: String,
    /// When it ends in any case.
    pub expires: String,
}

/// Whose sessions.
#[derive(Clone, Debug)]
pub struct SessionsOf {
    /// The auth collection, by name or id.
    pub collection: String,
    /// The account.
    pub record: String,
}

impl SessionsOf {
    /// The sessions of whoever asks.
    pub fn own(identity: &Identity) -> Self {
        Self {
            collection: identity.collection_id.clone(),
            record: identity.id.clone(),
        }
    }
}

impl Records {
    /// The living sessions of an account, the last used first. `current` is the id of the session
    /// that asks.
    pub async fn sessions(
        &self,
        of: SessionsOf,
        current: &str,
    ) -> Result<Vec<SessionSummary>, Error> {
        let (records, current) = (self.clone(), current.to_owned());
        let list = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &of.collection)?;
            let now_ms = tx.now_ms();
            let rows = tx.query(
                "SELECT id, user_agent, client_ip, method, impersonator, created_at, used_at, \
                 idle_at, absolute_at FROM _mito_records_sessions \
                 WHERE collection_id = $1 AND record = $2 AND idle_at > $3 AND absolute_at > $3 \
                 ORDER BY used_at DESC, id LIMIT $4",
                &[&collection.id, &of.record, &now_ms, &MAX_PER_ACCOUNT],
            )?;
            rows.iter().map(|row| summary(row, &current)).collect()
        };
        self.inner.database.read(list).await
    }

    /// Ends one session of an account.
    pub async fn end_session(&self, of: SessionsOf, session: &str) -> Result<(), Error> {
        let (records, id) = (self.clone(), session.to_owned());
        let end = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &of.collection)?;
            let found = rows::find(tx, &id)?
                .filter(|found| found.collection_id == collection.id && found.record == of.record);
            match found {
                Some(_) => rows::end(tx, &id),
                None => Err(Error::NotFound),
            }
        };
        self.inner.database.write(end).await?;
        self.mark_ended(session);
        Ok(())
    }

    /// Ends all sessions of an account but one; returns how many.
    pub async fn end_other_sessions(&self, of: SessionsOf, kept: &str) -> Result<usize, Error> {
        let (records, kept) = (self.clone(), kept.to_owned());
        let end = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &of.collection)?;
            let mut ended = rows::of_account(tx, &collection.id, &of.record)?;
            ended.retain(|session| *session != kept);
            for session in &ended {
                rows::end(tx, session)?;
            }
            Ok::<_, Error>(ended)
        };
        let ended = self.inner.database.write(end).await?;
        self.mark_all_ended(&ended);
        Ok(ended.len())
    }
}

fn summary(row: &Row, current: &str) -> Result<SessionSummary, Error> {
    let id: String = row.get("id")?;
    let date = |column: &str| row.get(column).map(dates::format_ms);
    Ok(SessionSummary {
        current: id == current,
        user_agent: row.get("user_agent")?,
        client_ip: row.get("client_ip")?,
        method: row.get("method")?,
        impersonator: row.get("impersonator")?,
        created: date("created_at")?,
        used: date("used_at")?,
        idle_until: date("idle_at")?,
        expires: date("absolute_at")?,
        id,
    })
}
