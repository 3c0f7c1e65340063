//! Where accounts have signed in from, and the mail about a place that is new.

use mito_database::{Action, NewEvent, Tx};
use sha2::{Digest as _, Sha256};

use crate::{
    Collection, Error, Records, RequestInfo,
    accounts::{
        mails::{Mail, Words},
        options::AuthOptions,
        system::{AUTH_ORIGINS, Owner},
    },
    fields::dates,
    records::read::{self, Viewer},
};

/// The most places that are remembered of an account; the least recently used go first.
const MAX_ORIGINS: i64 = 20;
/// The longest user agent that an alert repeats, in characters.
const MAX_USER_AGENT: usize = 200;

impl Records {
    /// Remembers the place, and writes to the account if it has signed in before, but never there.
    pub(crate) fn note_origin(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        options: &AuthOptions,
        record: &str,
        info: &RequestInfo,
    ) -> Result<(), Error> {
        let owner = Owner {
            collection: &collection.id,
            record,
        };
        let fingerprint = fingerprint(info);
        if seen_before(tx, owner, &fingerprint)? {
            return Ok(());
        }
        let others = self.make_room(tx, owner)?;
        let value = [("fingerprint", fingerprint.as_str())];
        self.add_system_record(tx, AUTH_ORIGINS, owner, &value, None)?;
        if others == 0 || !options.auth_alert.enabled {
            return Ok(());
        }
        let account = read::by_id(tx, collection, record, &Viewer::Worker)?;
        let when = dates::format_ms(tx.now_ms());
        let user_agent: String = info.user_agent().chars().take(MAX_USER_AGENT).collect();
        let what = format!("{when} - {} {user_agent}", info.client_ip);
        let mail = Mail {
            template: &options.auth_alert.email_template,
            to: crate::records::text(&account, "email").filter(|email| !email.is_empty()),
            words: Words {
                alert_info: what.trim(),
                record: Some(&account),
                ..Words::default()
            },
            request_id: info.request_id.as_deref(),
        };
        self.send_mail_in(tx, &mail)
    }

    /// How many places are known; beyond the most, the least recently used are forgotten.
    fn make_room(&self, tx: &mut Tx<'_>, owner: Owner<'_>) -> Result<usize, Error> {
        let rows = tx.query(
            "SELECT id FROM \"_authOrigins\" WHERE \"collectionRef\" = $1 AND \"recordRef\" = $2 \
             ORDER BY updated DESC, id LIMIT $3",
            &[&owner.collection, &owner.record, &(MAX_ORIGINS * 2)],
        )?;
        let kept = usize::try_from(MAX_ORIGINS - 1).unwrap_or(usize::MAX);
        for row in rows.iter().skip(kept) {
            let id: String = row.get("id")?;
            self.remove_system_record(tx, AUTH_ORIGINS, &id)?;
        }
        Ok(rows.len())
    }
}

/// Whether the place is known; if it is, it has been used now.
fn seen_before(tx: &mut Tx<'_>, owner: Owner<'_>, fingerprint: &str) -> Result<bool, Error> {
    let now = dates::format_ms(tx.now_ms());
    let row = tx.query_one(
        "UPDATE \"_authOrigins\" SET updated = $1 \
         WHERE \"collectionRef\" = $2 AND \"recordRef\" = $3 AND fingerprint = $4 RETURNING id",
        &[&now, &owner.collection, &owner.record, &fingerprint],
    )?;
    let Some(row) = row else { return Ok(false) };
    let id: String = row.get("id")?;
    tx.emit(NewEvent {
        collection: AUTH_ORIGINS,
        record: &id,
        action: Action::Update,
        detail: "{}",
    })?;
    Ok(true)
}

/// What a place is told by: the address and what the client calls itself.
fn fingerprint(info: &RequestInfo) -> String {
    let text = format!("{}\n{}", info.client_ip, info.user_agent());
    let mut digest = hex::encode(Sha256::digest(text.as_bytes()));
    digest.truncate(32);
    digest
}
